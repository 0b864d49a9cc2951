// Who is online, with which connections and in which rooms: kept on the user's owner shard.
//
//   I1  A user is online from the first connection on; offline when a grace period after the last one is over,
//       so that somebody whose connection flaps does not flicker.
//   I2  The rooms of a user who is away are those of the moment when the last connection ended.
//   I3  What the store knows of a user is brought up to date once in a while, and when the last connection
//       ends. Guests, whose ids are made up, are not kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"
#include "services/allowance.h"
#include "services/hall/hall_shared.h"
#include "services/hall/shared_text.h"
#include "wirehall/clock.h"

namespace wirehall::services {

/// What a user's connections share, on whichever shards they are.
struct UserShared {
  Allowance allowances[static_cast<std::size_t>(Allowed::kCount)];
  std::atomic<bool> invisible{false};  ///< chosen: others see `offline`
};

/// A connection of a user.
struct Device {
  unsigned shard = 0;
  std::string socket_id;
  bool ready = false;  ///< it has been told that it is connected: it can be given events
  std::vector<std::string> kicked;  ///< rooms that its user was kicked out of before it was ready
};

/// A user as others see them.
struct PresenceView {
  std::string user_id;
  std::string user_json;
  std::string status = "offline";
  WallMs last_seen = 0;  ///< 0: online, or never seen
  std::uint32_t connections = 0;
};

/// Thread:   shard-affine: only users that this shard owns.
class UserDirectory {
 public:
  /// What it asks of the hall around it.
  struct Port {
    std::function<MonoTime()> now;
    std::function<WallMs()> wall_now;
    /// A user's status in one room has changed for others.
    std::function<void(const std::string& room, const std::string& user_id, const std::string& status,
                       WallMs last_seen)>
        tell_status;
    std::function<void(SaveUser)> save;
  };
  UserDirectory(const HallShared& shared, Port port) : shared_(shared), port_(std::move(port)) {}

  struct Attached {
    std::shared_ptr<UserShared> shared;
    std::optional<std::vector<std::string>> rooms;  ///< to be put back into; nullopt: the store knows
    std::string status;                             ///< as others are shown it; empty: online
  };
  /// A connection begins. Errors: kTooManyConnections.
  Result<Attached> attach(const std::string& user_id, const SharedText& user_json, bool guest, Device device);
  /// It can be given events, and is in these rooms again. `last_seen`: what the store knew, 0: nothing.
  /// Returns: rooms that it has to leave: the user was kicked out of them meanwhile.
  std::vector<std::string> ready(const std::string& user_id, const std::string& socket_id, WallMs last_seen,
                                 const std::vector<std::string>& rooms);
  /// It has ended. `rooms`: those it was in.
  void detach(const std::string& user_id, const std::string& socket_id);

  /// Connection state recovery has given a connection its old id back.
  void rename(const std::string& user_id, const std::string& from, const std::string& to);

  void room_in(const std::string& user_id, const std::string& room);
  /// A connection has left a room.
  void room_out(const std::string& user_id, const std::string& room);
  /// A connection that was in a room is about to end. `lost`: the user may come back, and counts as a member
  /// meanwhile.
  void room_ends(const std::string& user_id, const std::string& room, bool lost);
  /// Nobody came back in time: the user is no member any more.
  void room_ran_out(const std::string& user_id, const std::string& room);
  /// A membership has ended for all connections. Returns: nullopt when the user is not known here, else whether
  /// the room was one of the user's.
  std::optional<bool> room_gone(const std::string& user_id, const std::string& room);

  /// `status`: online, away, busy, invisible, or a text. Told to every room of the user.
  void set_status(const std::string& user_id, const std::string& status);

  std::vector<Device> devices(std::string_view user_id) const;
  /// As others are shown it; empty: online.
  std::string status_of(std::string_view user_id) const;
  std::size_t ready_devices(std::string_view user_id) const;
  /// nullopt: it is not known here; the store may know.
  std::optional<PresenceView> view(std::string_view user_id) const;
  bool is_in(std::string_view user_id, std::string_view room) const;
  /// Rooms that the user is in, or would be put back into; nullopt: the store knows.
  std::optional<std::vector<std::string>> rooms_of(std::string_view user_id) const;

  std::size_t online() const { return online_; }
  /// Ids of users who are online and not invisible, sorted.
  std::vector<std::string> online_ids() const;
  /// Does what is due.
  void on_deadline();
  /// Saves what is due and what is not; for the end.
  void save_all();
  MonoTime next_deadline() const;

 private:
  struct InRoom {
    std::string name;
    std::uint32_t connections = 0;  // 0: lost, or remembered of who is away
  };
  struct Entry {
    std::shared_ptr<UserShared> shared;
    std::vector<Device> devices;
    std::vector<InRoom> rooms;
    SharedText user_json;
    std::string status;  // as chosen; empty: online
    WallMs last_seen = 0;
    MonoTime offline_at = kNever;  // end of the grace period
    MonoTime forget_at = kNever;
    WallMs gone_at = 0;  // when the last connection ended
    bool guest = false;
    bool known = false;  // its rooms are, here
    bool offline = true;  // as others were told
    bool dirty = false;   // in dirty_
    MonoTime refresh_at = kNever;  // the entry in refresh_ that counts
  };
  Entry* find(std::string_view user_id);
  enum class Keep : std::uint8_t { kNo, kYes };
  void connection_out(const std::string& user_id, Entry& entry, const std::string& room, Keep keep);
  const Entry* find(std::string_view user_id) const { return const_cast<UserDirectory*>(this)->find(user_id); }
  static std::string shown_status(const Entry& entry);
  /// Returns: whether it is a new one.
  static bool add_room(Entry& entry, const std::string& room);
  void tell(const std::string& user_id, const Entry& entry);
  void tell_room(const std::string& user_id, const Entry& entry, const std::string& room);
  void mark_dirty(const std::string& user_id, Entry& entry);
  void save(const std::string& user_id, Entry& entry);
  void last_device_gone(const std::string& user_id, Entry& entry);
  void go_offline();
  void refresh();
  void plan_refresh(const std::string& user_id, Entry& entry);
  void forget_idle();

  const HallShared& shared_;
  Port port_;
  TextMap<Entry> users_;
  std::size_t online_ = 0;
  std::deque<std::pair<MonoTime, std::string>> graces_;   // by time
  std::deque<std::pair<MonoTime, std::string>> idle_;     // the same, to be forgotten
  std::deque<std::pair<MonoTime, std::string>> dirty_;    // to be saved
  std::deque<std::pair<MonoTime, std::string>> refresh_;  // online for long: to be saved again
};

}  // namespace wirehall::services
