// What the hall keeps for a socket.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/timer_wheel.h"
#include "hub/completion.h"
#include "hub/socket.h"
#include "services/hall/user_directory.h"

namespace wirehall::services {

class HallShard;

/// A join that is under way: what the room is told meanwhile waits here, and so does whatever its client asks
/// of the room.
struct PendingJoin {
  hub::SocketPtr socket;
  std::string room;
  struct Kept {
    std::shared_ptr<const hub::FrozenMessage> event;
    std::uint64_t number;  ///< of the log's entry; 0: there is no log
  };
  std::vector<Kept> events;  ///< in order
  bool described = false;    ///< its answer says who is there: what happens from now on is news
  bool overflowed = false;
  bool expelled = false;  ///< its user was kicked meanwhile
  std::uint64_t position = 0;  ///< with connection state recovery: of the log, when events began to be kept
  std::vector<std::shared_ptr<hub::CompletionState<bool>>> waiters;
};

/// Thread:   shard-affine.
class HallSocket final : public hub::SocketExtension, public Timer {
 public:
  HallSocket(HallShard& hall, hub::Socket& socket) : hall_(hall), socket_(socket) {}
  ~HallSocket() override = default;
  UserShared& shared() { return *shared_; }
  void share(std::shared_ptr<UserShared> shared) { shared_ = std::move(shared); }
  /// The user's `info` as JSON text; made once, and shared with whoever keeps it for others.
  const SharedText& shared_user_json();
  const std::string& user_json() { return *shared_user_json(); }
  void never_connected() override;
  bool may_continue(const std::vector<std::string>& names) const override;
  bool leaving(const std::string& room) override;
  void left(const std::string& room) override;

  /// A room that it is in.
  struct InRoom {
    const hub::Room* room;  ///< of the index, for as long as it is in it
    const RoomType* type;
    RoomRole role;
  };
  InRoom* find_room(std::string_view name) {
    const auto found =
        std::find_if(rooms.begin(), rooms.end(), [&](const InRoom& entry) { return entry.room->name == name; });
    return found == rooms.end() ? nullptr : &*found;
  }
  void forget_room(const hub::Room* room) {
    std::erase_if(rooms, [&](const InRoom& entry) { return entry.room == room; });
  }
  PendingJoin* find_pending(std::string_view room) {
    const auto found = std::find_if(pending.begin(), pending.end(),
                                    [&](const std::shared_ptr<PendingJoin>& join) { return join->room == room; });
    return found == pending.end() ? nullptr : found->get();
  }

  std::vector<InRoom> rooms;
  std::vector<std::shared_ptr<PendingJoin>> pending;
  /// A room that it is put back into when it is connected.
  struct Return {
    std::string room;
    const RoomType* type;
    RoomRole role;
  };
  /// What is known between admission and connected().
  struct Arrival {
    std::vector<Return> returns;
    WallMs last_seen = 0;     ///< of its user, as the store knew it
    std::string attached_as;  ///< id among the user's connections; it may get another one
  };
  std::unique_ptr<Arrival> arrival;  ///< nullptr: it is connected
  std::string status;                ///< of its user, as others are shown it; empty: online
  bool attached = false;             ///< it is among the user's connections, by its id if it is connected

 private:
  void on_timer(MonoTime now) override;  // the token has expired
  std::shared_ptr<UserShared> shared_;
  HallShard& hall_;
  hub::Socket& socket_;
  SharedText user_json_;
};

}  // namespace wirehall::services
