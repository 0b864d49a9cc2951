// Messages from user to user: to all devices, waiting for who is away, until somebody there has said so.
//
//   I1  A message is pending from its commit until a connection of its target has acknowledged it, or the
//       user has marked it as read; a second delivery carries the same id.
//   I2  One sender's messages to one user are delivered in the order in which they were committed.
#pragma once

#include <string>
#include <vector>

#include "services/hall/hall_shared.h"
#include "services/hall/hall_socket.h"
#include "services/hall/store_access.h"
#include "services/hall/user_directory.h"
#include "wirehall/task.h"

namespace wirehall::services {

class HallShard;

/// Thread:   shard-affine.
class PrivateMessages {
 public:
  explicit PrivateMessages(HallShard& hall) : hall_(hall) {}

  /// Takes its place in the order when it is called.
  Task<Result<Object>> send(hub::SocketPtr socket, Object fields);
  /// `{messageIds}`
  Task<Result<Object>> mark_read(hub::SocketPtr socket, Object fields);
  /// Stores a message that was checked. For uploads.
  Task<Result<Object>> post(hub::SocketPtr socket, PrivateMessage&& message, std::string client_message_id);

  /// As the owner of the target: gives a committed message to every connection.
  void deliver(const PrivateMessage& message);
  /// Gives a socket what has waited for its user.
  void give_pending(hub::SocketPtr socket);

 private:
  /// Reaches a target who is away.
  void notify(PrivateMessage message);
  Task<Result<Object>> finish(hub::SocketPtr socket, Stored writing);
  void give(const std::string& socket_id, const std::string& event, const std::string& args_json,
            std::vector<std::string> ids);
  Task<> await_acknowledgement(hub::SocketPtr socket, std::string event, Value argument,
                               std::vector<std::string> ids);
  Task<> read_and_give(hub::SocketPtr socket);

  HallShard& hall_;
};

}  // namespace wirehall::services
