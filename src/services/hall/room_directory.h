// Who is in a room, by user, over all shards: kept on the room's owner shard, where joins and leaves get
// their order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"

namespace wirehall::services {

/// A user in a room; `user_json` is what others are shown.
struct RoomMember {
  std::string user_id;
  std::string user_json;
  std::uint32_t connections = 0;
};

/// Thread:   shard-affine: only rooms that this shard owns.
class RoomDirectory {
 public:
  /// Returns: whether it is the user's first connection there.
  bool enter(std::string_view room, std::string_view user_id, const std::string& user_json);
  /// Returns: whether it was the last one. Leaving where nobody is does nothing.
  bool leave(std::string_view room, std::string_view user_id);

  /// Members in a reproducible order, at most `limit`.
  std::vector<RoomMember> members(std::string_view room, std::size_t limit) const;
  std::size_t member_count(std::string_view room) const;
  std::size_t connection_count(std::string_view room) const;
  std::size_t size() const { return rooms_.size(); }

 private:
  struct Room {
    std::vector<RoomMember> members;
    TextMap<std::uint32_t> index;
    std::size_t connections = 0;
  };
  const Room* find(std::string_view room) const;
  TextMap<Room> rooms_;
};

}  // namespace wirehall::services
