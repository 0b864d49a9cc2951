// Messages of rooms, on the shard of the sockets: what is said, changed, read, and read again.
#pragma once

#include <string>

#include "services/hall/hall_shared.h"
#include "services/hall/hall_socket.h"
#include "services/hall/store_access.h"
#include "wirehall/task.h"

namespace wirehall::services {

class HallShard;

/// Thread:   shard-affine.
class RoomMessages {
 public:
  explicit RoomMessages(HallShard& hall) : hall_(hall) {}

  /// Takes its place in the order when it is called.
  Task<Result<Object>> send(hub::SocketPtr socket, Object fields);
  /// edit-message, or delete-message.
  Task<Result<Object>> change(hub::SocketPtr socket, Object fields, bool deletes);
  Task<Result<Object>> history(hub::SocketPtr socket, Object fields);
  Task<Result<Object>> mark_read(hub::SocketPtr socket, Object fields);
  Task<Result<Object>> broadcast(hub::SocketPtr socket, Object fields);

  /// Whether the socket may have a message in the room that it is for.
  Status may_post(hub::Socket& socket, const StoredMessage& message) const;
  /// Stores a message that was checked, with what the room's type has to say. For uploads.
  Task<Result<Object>> post(hub::SocketPtr socket, StoredMessage&& message, std::string client_message_id);

 private:
  Task<Result<Object>> send_later(hub::SocketPtr socket, std::string room, Object fields);
  Task<Result<Object>> send_now(hub::Socket& socket, const std::string& room, const Object& fields);
  static Task<Result<Object>> answer_when_stored(Stored writing);
  Task<Result<MessagePage>> read_page(std::string room, std::uint64_t before, std::uint64_t after,
                                      std::uint32_t limit);

  HallShard& hall_;
};

/// An answer of Result type from what a coroutine has not started to do.
Task<Result<Object>> answered(Error error);

}  // namespace wirehall::services
