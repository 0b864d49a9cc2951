// One shard's part of the hall.
//
// Two roles meet here. As the shard of its sockets it holds what they wait for; as the owner of some rooms and
// users (by hash) it keeps who is in them, who types, and who is online. Whatever others must see in one order
// is told by the owner, or comes from the store's one writer.
//
//   I1  `user-joined` and `user-left` alternate for each user and room: only the room's owner tells them.
//   I2  What is stored for a room is told in the order in which it was committed.
//   I3  Nothing is told to a socket of a room that it is not in.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/timer_wheel.h"
#include "hub/hub.h"
#include "hub/remote_call.h"
#include "services/calls/call_service.h"
#include "services/hall/hall_shared.h"
#include "services/hall/hall_socket.h"
#include "services/hall/joining.h"
#include "services/hall/presence.h"
#include "services/hall/private_messages.h"
#include "services/hall/push_service.h"
#include "services/hall/room_directory.h"
#include "services/hall/room_management.h"
#include "services/hall/room_messages.h"
#include "services/hall/store_access.h"
#include "services/hall/typing.h"
#include "services/hall/user_directory.h"
#include "services/uploads/upload_service.h"

namespace wirehall::services {

/// Thread:   shard-affine.
class HallShard final : public hub::ShardService {
  // They stand first: the services below use them from their first moment on.
  hub::Hub& hub_;
  HallShared& shared_;
  StoreAccess store_;

 public:
  HallShard(hub::Hub& hub, HallShared& shared);
  ~HallShard() override;
  static HallShard& of(hub::Hub& hub, HallShared& shared);

  // -- the life of a socket -------------------------------------------------------------------------------
  /// The middleware: counts the user's connections, and finds out where it was. Errors: kTooManyConnections,
  /// kUnavailable.
  Task<Verdict> admit(hub::SocketPtr socket);
  /// Puts it back into its rooms, tells it so, and gives it what has waited for it.
  void connected(hub::Socket& socket);
  void disconnecting(hub::Socket& socket, std::string_view reason);
  void watch_expiry(hub::Socket& socket);
  /// nullptr before admit().
  static HallSocket* extension(hub::Socket& socket) { return static_cast<HallSocket*>(socket.extension()); }
  void detach(hub::Socket& socket);

  // -- what the services do -------------------------------------------------------------------------------
  Joining joining;
  RoomMessages messages;
  RoomManagement management;
  PrivateMessages private_messages;
  Presence presence;
  UploadService uploads;
  CallService calls;
  PushService push;
  Task<Result<Object>> typing(hub::SocketPtr socket, std::string room, bool typing);

  /// Writes of any shard were committed: answers first, then what others are told, in commit order.
  void committed(const CommittedBatchPtr& batch);

  // -- as an owner ----------------------------------------------------------------------------------------
  RoomDirectory rooms;
  UserDirectory users;
  TypingTracker typists;
  /// A connection leaves a room that this shard owns; see RoomDirectory::leave().
  void leave_room(const std::string& room, const std::string& user_id, MonoTime lost_until);

  // -- for the services -----------------------------------------------------------------------------------
  hub::Hub& hub() { return hub_; }
  HallShared& shared() { return shared_; }
  StoreAccess& store() { return store_; }
  hub::NamespaceShard& main() { return *hub_.find("/"); }
  MonoTime now() const { return hub_.now(); }
  WallMs wall_now() const { return hub_.environment().wall_now(); }
  unsigned shard() const { return hub_.environment().shard(); }
  unsigned owner_of(std::string_view name) const { return hub::owner_of(hub_.environment(), name); }
  /// Runs something on the shard that owns a room or a user; here at once when it is this one.
  void on_owner(std::string_view name, std::function<void(HallShard&)> action);
  /// Runs it on any shard.
  void on_shard(unsigned shard, std::function<void(HallShard&)> action);
  /// Asks the owner, and completes here; what the owner tells others afterwards arrives behind the answer.
  template <class T>
  hub::Completion<T> ask_owner(std::string_view name, std::function<T(HallShard&)> question) {
    std::function<T(hub::Hub&)> asked = [shared = &shared_, question = std::move(question)](hub::Hub& hub) {
      return question(of(hub, *shared));
    };
    return hub::call<T>(hub_, owner_of(name), std::move(asked));
  }
  /// Tells everybody in a room.
  void tell_room(const std::string& room, std::string event, Object fields, const std::string& except = {});
  /// Tells every connection of a user, but one.
  void tell_user(const std::string& user_id, std::string event, Value data, const std::string& except = {});
  /// Tells one connection, wherever it is.
  void tell_socket(unsigned shard, const std::string& socket_id, std::string event, Value data);
  std::uint64_t told_messages() const { return told_messages_; }
  /// The directories have something to do later.
  void reschedule();
  /// A connected socket of this shard; nullptr when it has gone.
  hub::Socket* find(const std::string& socket_id);

 private:
  struct Clockwork final : Timer {
    explicit Clockwork(HallShard& owner) : hall(owner) {}
    void on_timer(MonoTime now) override { hall.on_deadline(now); }
    HallShard& hall;
  };
  RoomDirectory::Tell teller();
  UserDirectory::Port user_port();
  void on_deadline(MonoTime now);
  void tell_committed(const CommittedWrite& write, const WriteOutcome& outcome);
  /// Where a user was.
  struct Known {
    WallMs last_seen = 0;
    std::vector<HallSocket::Return> returns;
  };
  static Result<Known> look_up(const HallShared& shared, HallStore& store, const User& user,
                               std::optional<std::vector<std::string>> rooms, WallMs now);
  void put_back(hub::Socket& socket, HallSocket& extension, const HallSocket::Arrival& arrival);
  void rename_device(hub::Socket& socket, const std::string& from);

  Clockwork clockwork_;
  MonoTime next_tick_ = kNever;
  std::uint64_t told_messages_ = 0;
};

}  // namespace wirehall::services
