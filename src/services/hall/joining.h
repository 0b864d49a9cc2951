// Coming into rooms and leaving them, on the shard of the sockets.
//
//   I1  A socket that is joining is not in the room yet. What the room is told meanwhile is kept, and follows
//       the answer, without what the answer holds already.
//   I2  Whatever the client asks of the room meanwhile waits until the join is decided, in order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"
#include "hub/adapter.h"
#include "services/hall/hall_shared.h"
#include "services/hall/hall_socket.h"
#include "services/hall/room_directory.h"
#include "wirehall/task.h"

namespace wirehall::services {

class HallShard;

/// Thread:   shard-affine.
class Joining {
 public:
  explicit Joining(HallShard& hall) : hall_(hall) {}

  Task<Result<Object>> join(hub::SocketPtr socket, std::string room, std::optional<RoomPosition> since);
  Task<Result<Object>> leave(hub::SocketPtr socket, std::string room);
  /// Whether the user's owner is told of a room, or knows of it in another way.
  enum class Owner : std::uint8_t { kTold, kKnows };
  /// Puts a socket into a room whose owner knows of it already.
  Status place(hub::Socket& socket, const std::string& room, const RoomType& type, RoomRole role, Owner owner);
  /// A socket has left a room that it was in: tells the owners.
  void left(hub::Socket& socket, const std::string& room);
  /// Takes sockets of a user out of a room.
  void expel(const std::string& user_id, const std::string& room, const std::vector<std::string>& socket_ids);

  /// Whether a user may come into a room of that type.
  static Status may_enter(const RoomType& type, const User& user, const RoomView& view, bool create_on_join);
  /// Whether the socket is in the room, when what is under way has been decided.
  Task<bool> is_in(hub::SocketPtr socket, std::string room);
  /// The same where nothing is under way; nullopt: use is_in().
  std::optional<bool> is_in_now(hub::Socket& socket, std::string_view room);

  /// Something is about to be told on this shard: who is joining its room gets it later.
  void passing(hub::EncodedMessage& message, const hub::Selector& to);
  /// The same with connection state recovery: an entry of the log.
  void passing(const hub::LogEntry& entry);

 private:
  /// What a room's stream holds for who joins.
  struct Past {
    RoomView view;
    MessagePage recent;
    std::vector<StoredMessage> missed;
    bool recovered = false;
  };
  struct Present {
    std::vector<RoomMember> members;
    std::size_t member_count = 0;
    std::uint64_t position = 0;  // of the log, where the owner was then
  };
  void keep(const std::string& room, const PendingJoin::Kept& kept, const std::vector<std::string>& except);
  Status may_begin(hub::Socket& socket, const HallSocket& extension, std::string_view room) const;
  Task<Result<Object>> join_anew(std::shared_ptr<PendingJoin> join, std::optional<RoomPosition> since);
  Task<Result<Object>> look_again(hub::SocketPtr socket, std::string room, std::optional<RoomPosition> since);
  Task<Status> accept_invitation(std::string room, std::string user_id);
  Task<Status> enter(std::shared_ptr<PendingJoin> join, std::uint32_t members_max);
  Task<Result<Past>> read_past(std::string room, std::string user_id, std::optional<RoomPosition> since);
  Task<Present> present(std::string room);
  static Result<Past> read_from(const HallShared& shared, HallStore& store, const std::string& room,
                                const std::string& user_id, const std::optional<RoomPosition>& since);
  Object describe(const std::string& room, const RoomType& type, const Present& present, const Past& past,
                  bool asked_since) const;
  Result<Object> finish(const std::shared_ptr<PendingJoin>& join, const RoomType& type, const Present& present,
                        const Past& past, bool asked_since);
  /// Where the answer stands: in the room's stream, and in the log.
  struct Described {
    std::uint64_t seq;
    std::uint64_t position;
  };
  void release(const std::shared_ptr<PendingJoin>& join, const RoomType& type, RoomRole role, Described described);
  void forget_hold(const std::shared_ptr<PendingJoin>& join);
  void end_pending(const std::shared_ptr<PendingJoin>& join, bool joined);

  HallShard& hall_;
  TextMap<std::vector<std::shared_ptr<PendingJoin>>> holds_;  // by room
};

}  // namespace wirehall::services
