// Who is where and how: questions, and what users say of themselves.
#pragma once

#include <string>
#include <vector>

#include "hub/socket.h"
#include "services/hall/hall_shared.h"
#include "services/hall/user_directory.h"
#include "wirehall/task.h"

namespace wirehall::services {

class HallShard;

/// Thread:   shard-affine.
class Presence {
 public:
  explicit Presence(HallShard& hall) : hall_(hall) {}

  /// online, away, busy, invisible, or a text of at most 64 characters.
  Task<Result<Object>> update_status(hub::SocketPtr socket, std::string status);
  /// Of the members of a room that the socket is in, or of some users.
  Task<Result<Object>> look(hub::SocketPtr socket, Object fields);
  /// Of users, in their order; for C++.
  Task<std::vector<PresenceView>> views(std::vector<std::string> user_ids);

 private:
  Task<Result<std::vector<std::string>>> members(hub::SocketPtr socket, std::string room);
  Task<> fill_from_store(std::vector<PresenceView>& views, std::vector<std::size_t> unknown);
  HallShard& hall_;
};

}  // namespace wirehall::services
