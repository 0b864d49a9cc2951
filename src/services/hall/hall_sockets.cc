// The life of a socket in the hall: let in, put back to where its user was, gone.
#include <algorithm>

#include "hub/recovery.h"
#include "services/hall/hall_shard.h"
#include "services/hall/presentation.h"

namespace wirehall::services {

// -- coming -----------------------------------------------------------------------------------------------

Task<Verdict> HallShard::admit(hub::SocketPtr socket) {
  auto made = std::make_unique<HallSocket>(*this, *socket);
  const std::string user_id = socket->user().id;
  const bool guest = socket->user().anonymous;
  const Device device{shard(), std::string(socket->id()), false, {}};
  using Attached = Result<UserDirectory::Attached>;
  std::function<Attached(HallShard&)> attach = [user_id, json = made->shared_user_json(), guest,
                                                device](HallShard& hall) {
    Attached attached = hall.users.attach(user_id, json, guest, device);
    hall.reschedule();
    return attached;
  };
  hub::Completion<Attached> attaching = ask_owner<Attached>(user_id, std::move(attach));
  Attached attached = co_await attaching;
  if (!attached.ok()) {
    Verdict refused(attached.error());
    co_return refused;
  }
  made->share(attached->shared);
  made->status = attached->status;
  made->arrival = std::make_unique<HallSocket::Arrival>();
  made->arrival->attached_as = socket->id();
  made->attached = true;
  HallSocket& extension = *made;
  socket->set_extension(std::move(made));
  if (socket->is_closed()) {
    detach(*socket);
    co_return Verdict();
  }
  const bool nothing_to_know = guest || (attached->rooms && attached->rooms->empty());
  if (!nothing_to_know) {
    std::function<Result<Known>(HallStore&)> ask = [shared = &shared_, user = socket->user(),
                                                    rooms = attached->rooms, now = wall_now()](HallStore& store) {
      return look_up(*shared, store, user, rooms, now);
    };
    Task<Result<Known>> asking = store_.read<Known>(std::move(ask));
    Result<Known> known = co_await asking;
    if (!known.ok()) {
      Verdict refused(known.error());
      co_return refused;
    }
    extension.arrival->returns = std::move(known->returns);
    extension.arrival->last_seen = known->last_seen;
  }
  watch_expiry(*socket);
  Verdict accepted;
  co_return accepted;
}

// On the pool: where the user was, and whether it may still be there.
Result<HallShard::Known> HallShard::look_up(const HallShared& shared, HallStore& store, const User& user,
                                            std::optional<std::vector<std::string>> names, WallMs now) {
  Known known;
  if (!names) {
    Result<std::optional<UserRecord>> record = store.find_user(user.id);
    if (!record.ok()) return record.error();
    names.emplace();
    if (*record) known.last_seen = (*record)->last_seen;
    if (*record && now - (*record)->last_seen < shared.rejoin_ms_max) names = std::move((*record)->rooms);
  }
  for (const std::string& room : *names) {
    if (!user.may_join(room)) continue;
    Result<RoomView> view = store.find_room(room, user.id);
    if (!view.ok()) return view.error();
    const RoomType& type = shared.room_types.of(room, view->record ? &*view->record : nullptr);
    if (!Joining::may_enter(type, user, *view, true).ok()) continue;
    known.returns.push_back({room, &type, view->role});
  }
  return known;
}

void HallShard::connected(hub::Socket& socket) {
  HallSocket* extension = this->extension(socket);
  if (extension == nullptr || !extension->arrival) return;
  const std::unique_ptr<HallSocket::Arrival> arrival = std::move(extension->arrival);
  if (arrival->attached_as != socket.id()) rename_device(socket, arrival->attached_as);
  put_back(socket, *extension, *arrival);
  const User& user = static_cast<wirehall::Socket&>(socket).user();
  Array names;
  for (const HallSocket::InRoom& in_room : extension->rooms) names.emplace_back(in_room.room->name);
  Object fields{{"sessionId", socket.id()}, {"clientId", socket.id()}, {"userId", user.id}};
  fields.set("user", object_of(extension->user_json()));
  fields.set("serverTime", wall_now());
  fields.set("timestamp", wall_now());
  fields.set("rooms", Value(std::move(names)));
  fields.set("recovered", static_cast<wirehall::Socket&>(socket).recovered());
  static_cast<wirehall::Socket&>(socket).emit("connected", Value(std::move(fields)));
  private_messages.give_pending(hub::SocketPtr(&socket));
}

// Connection state recovery has given the socket the id that it had before.
void HallShard::rename_device(hub::Socket& socket, const std::string& from) {
  const User& user = static_cast<wirehall::Socket&>(socket).user();
  on_owner(user.id, [user_id = user.id, from, to = std::string(socket.id())](HallShard& hall) {
    hall.users.rename(user_id, from, to);
  });
}

// A socket that continues has its rooms already; both kinds are counted in again by the rooms' owners, where
// a user who was lost for a moment is still a member.
void HallShard::put_back(hub::Socket& socket, HallSocket& extension, const HallSocket::Arrival& arrival) {
  const std::string& user_id = static_cast<wirehall::Socket&>(socket).user().id;
  std::vector<std::string> names;
  for (const HallSocket::Return& back : arrival.returns) {
    if (!joining.place(socket, back.room, *back.type, back.role, Joining::Owner::kKnows).ok()) continue;
    names.push_back(back.room);
    RoomMember member;
    member.user_id = user_id;
    member.user_json = extension.shared_user_json();
    member.status = extension.status.empty() ? "online" : extension.status;
    on_owner(back.room, [room = back.room, member, id = std::string(socket.id()), shard = shard()](HallShard& hall) {
      const Status entered = hall.rooms.enter(room, member, id, 0, hall.wall_now());
      hall.reschedule();
      if (entered.ok()) return;
      // Somebody creates it right now, and its rules are not known yet: it is to be joined anew.
      hall.on_shard(shard, [room, id](HallShard& there) {
        if (hub::Socket* found = there.find(id)) static_cast<wirehall::Socket*>(found)->leave(room);
      });
    });
  }
  // What it was in without being let back is not kept.
  std::vector<std::string> stale;
  for (const hub::Membership& membership : socket.memberships()) {
    if (extension.find_room(membership.room->name) == nullptr) stale.push_back(membership.room->name);
  }
  for (const std::string& room : stale) static_cast<wirehall::Socket&>(socket).leave(room);
  on_owner(user_id, [user_id, id = std::string(socket.id()), last_seen = arrival.last_seen, names,
                     shard = shard()](HallShard& owner) {
    const std::vector<std::string> kicked = owner.users.ready(user_id, id, last_seen, names);
    owner.reschedule();
    if (kicked.empty()) return;
    owner.on_shard(shard, [id, kicked](HallShard& hall) {
      hub::Socket* found = hall.find(id);
      for (const std::string& room : kicked) {
        if (found != nullptr) static_cast<wirehall::Socket*>(found)->leave(room);
      }
    });
  });
}

void HallShard::watch_expiry(hub::Socket& socket) {
  HallSocket* extension = this->extension(socket);
  if (extension == nullptr) return;
  const WallMs expires = static_cast<wirehall::Socket&>(socket).user().expires_at;
  // A token that was accepted behind its end, as clocks differ, is good for the leeway: ending the connection
  // at once would have the client come back with it again and again.
  const Duration left = Milliseconds(expires - wall_now());
  const Duration stay = left.count() > 0 ? left : std::max(Duration(0), left + shared_.expiry_leeway);
  hub_.environment().timers().schedule(*extension, expires == 0 ? kNever : now() + stay);
}

// -- going ------------------------------------------------------------------------------------------------

void HallShard::disconnecting(hub::Socket& socket, std::string_view reason) {
  HallSocket* extension = this->extension(socket);
  if (extension == nullptr) return;
  const User& user = static_cast<wirehall::Socket&>(socket).user();
  // A guest's id does not come back, and who closes a tab has left.
  const bool lost = shared_.recovery_window.count() > 0 && !user.anonymous && hub::is_recoverable(reason) &&
                    !socket.link().peer_left();
  const MonoTime until = lost ? now() + shared_.recovery_window : kNever;
  for (const HallSocket::InRoom& in_room : extension->rooms) {
    const std::string room = in_room.room->name;
    on_owner(room, [room, user_id = user.id, until](HallShard& hall) { hall.leave_room(room, user_id, until); });
    on_owner(user.id, [room, user_id = user.id, lost](HallShard& hall) {
      hall.users.room_ends(user_id, room, lost);
    });
    if (const auto& told = shared_.events.room_left) told(socket, room);
  }
  extension->rooms.clear();
  calls.disconnected(socket);
  detach(socket);
  hub_.environment().timers().cancel(*extension);
}

void HallShard::detach(hub::Socket& socket) {
  HallSocket* extension = this->extension(socket);
  if (!std::exchange(extension->attached, false)) return;
  const std::string id(extension->arrival ? std::string_view(extension->arrival->attached_as) : socket.id());
  on_owner(static_cast<wirehall::Socket&>(socket).user().id,
           [user_id = static_cast<wirehall::Socket&>(socket).user().id, id](HallShard& hall) {
             hall.users.detach(user_id, id);
             hall.reschedule();
           });
}

}  // namespace wirehall::services
