// The rooms of this process, counted over all shards.
#pragma once

#include <cstdint>
#include <mutex>

#include "base/hash_map.h"
#include "hub/spec.h"

namespace wirehall::server {

/// Thread:   safe from every shard; a lock is taken for each join and leave of a namespace whose room events
///           somebody listens to, and of no other.
class LockedRoomCensus final : public hub::RoomCensus {
 public:
  bool enter(std::string_view room) override {
    const std::lock_guard lock(mutex_);
    return rooms_[std::string(room)]++ == 0;
  }
  bool leave(std::string_view room) override {
    const std::lock_guard lock(mutex_);
    const auto found = rooms_.find(room);
    if (found == rooms_.end() || --found->second != 0) return false;
    rooms_.erase(found);
    return true;
  }

 private:
  std::mutex mutex_;
  TextMap<std::uint32_t> rooms_;
};

}  // namespace wirehall::server
