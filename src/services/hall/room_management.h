// What owners and moderators do with rooms: make them, invite, expel, give roles.
#pragma once

#include <string>
#include <vector>

#include "services/hall/hall_shared.h"
#include "services/hall/hall_socket.h"
#include "wirehall/task.h"

namespace wirehall::services {

class HallShard;

/// Thread:   shard-affine.
class RoomManagement {
 public:
  explicit RoomManagement(HallShard& hall) : hall_(hall) {}

  Task<Result<Object>> create(hub::SocketPtr socket, Object fields);
  /// Moderators and owners; into an open room whoever is in it, which then gives no right to anything.
  Task<Result<Object>> invite(hub::SocketPtr socket, Object fields);
  /// Moderators and owners, whom they outrank. In an open room the user may come back, but not by itself.
  Task<Result<Object>> kick(hub::SocketPtr socket, Object fields);
  /// Moderators and owners, below their own role; owners may make further owners.
  Task<Result<Object>> set_role(hub::SocketPtr socket, Object fields);

 private:
  struct About {
    std::string room;
    std::string user_id;
  };
  Task<bool> expel(std::string room, std::string user_id);
  Task<bool> forget_saved_room(std::string room, std::string user_id, bool known, std::vector<std::string> rooms);
  void roles_changed(const std::string& room, const std::string& user_id, RoomRole role);
  Object event_about(hub::Socket& socket, const About& about) const;

  HallShard& hall_;
};

}  // namespace wirehall::services
