// Who is in a room, by user, over all shards: kept on the room's owner shard, where joins and leaves get
// their order.
//
//   I1  A user is a member from the first connection in to the last one out, or, where that was lost, until
//       its time to come back is over.
//   I2  Whatever changes is told once: at once in small rooms, in one event per tick in large ones.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"
#include "services/hall/shared_text.h"
#include "wirehall/clock.h"
#include "wirehall/result.h"
#include "wirehall/value.h"

namespace wirehall::services {

/// A user in a room.
struct RoomMember {
  std::string user_id;
  SharedText user_json;  ///< what others are shown
  std::string status;
  std::uint32_t connections = 0;
  MonoTime lost_until = kNever;  ///< of a lost connection: until then it counts without any; kNever: none is
};

struct DirectoryOptions {
  std::uint32_t tick_members = 200;  ///< rooms with so many members and more are told in ticks
  std::uint32_t diff_max = 200;      ///< entries of each kind in one presence-diff; beyond it only counted
};

/// Thread:   shard-affine: only rooms that this shard owns.
class RoomDirectory {
 public:
  /// Tells everybody in a room, but one connection (empty: nobody is left out).
  using Tell = std::function<void(const std::string& room, std::string event, Object fields,
                                  const std::string& except)>;
  RoomDirectory(DirectoryOptions options, Tell tell) : options_(options), tell_(std::move(tell)) {}

  /// A connection comes in. `members_max`: 0: without limit.
  /// Errors:   kLimitReached; kUnavailable: the room is being created.
  Status enter(const std::string& room, RoomMember user, const std::string& socket_id, std::uint32_t members_max,
               WallMs wall_now);
  /// A connection goes. `lost_until`: until when its user still counts; kNever: not at all.
  void leave(const std::string& room, const std::string& user_id, MonoTime lost_until, WallMs wall_now);
  /// Keeps everybody out of an empty room until each reserve() had its release(). Returns: false when somebody
  /// is in it; nothing is reserved then.
  bool reserve(const std::string& room);
  void release(const std::string& room);
  /// The user goes, with all connections. Returns: whether there was one.
  bool remove(const std::string& room, const std::string& user_id, WallMs wall_now);
  /// A user's status has changed. `last_seen`: 0: leave it out.
  void set_status(const std::string& room, const std::string& user_id, const std::string& status, WallMs last_seen,
                  WallMs wall_now);
  /// Ends the membership of who did not come back in time. `gone` is told of each.
  void expire(MonoTime now, WallMs wall_now,
              const std::function<void(const std::string& room, const std::string& user_id)>& gone);
  MonoTime next_expiry() const { return lost_.empty() ? kNever : lost_.front().until; }
  /// Tells large rooms what has changed in them.
  void tick(WallMs wall_now);
  bool wants_tick() const { return !changed_.empty(); }

  /// Members in a reproducible order, at most `limit`.
  std::vector<RoomMember> members(std::string_view room, std::size_t limit) const;
  bool is_member(std::string_view room, std::string_view user_id) const;
  /// Of one member.
  std::uint32_t connections_of(std::string_view room, std::string_view user_id) const;
  std::size_t member_count(std::string_view room) const;
  std::size_t connection_count(std::string_view room) const;
  std::size_t size() const { return rooms_.size(); }
  /// Names of all rooms, sorted.
  std::vector<std::string> names() const;

 private:
  enum class Change : std::uint8_t { kJoined, kLeft, kUpdated };
  struct Diff {
    std::vector<std::string> order;  // of user ids
    struct Entry {
      Change change;
      WallMs last_seen = 0;
    };
    TextMap<Entry> entries;
  };
  struct Room {
    std::vector<RoomMember> members;
    /// Places by user; nullptr in a room so small that looking at all of them is as quick.
    std::unique_ptr<TextMap<std::uint32_t>> index;
    std::size_t connections = 0;
    std::unique_ptr<Diff> diff;
  };
  struct Lost {
    MonoTime until;
    std::string room;
    std::string user_id;
  };
  const Room* find(std::string_view room) const;
  static std::optional<std::size_t> place_of(const Room& room, std::string_view user_id);
  static RoomMember* member_of(Room& room, std::string_view user_id);
  static void add(Room& room, RoomMember member);
  static void erase(Room& room, std::size_t place);
  bool is_large(const Room& room) const { return room.members.size() >= options_.tick_members; }
  void remove_member(const std::string& name, Room& room, std::string_view user_id, WallMs wall_now);
  void note(const std::string& name, Room& room, const std::string& user_id, Change change, WallMs last_seen);
  void tell_diff(const std::string& name, Room& room, WallMs wall_now);

  DirectoryOptions options_;
  Tell tell_;
  TextMap<Room> rooms_;
  TextMap<std::uint32_t> reserved_;  // how often
  std::deque<Lost> lost_;              // by time: everybody has the same
  std::vector<std::string> changed_;   // large rooms with a diff
};

}  // namespace wirehall::services
