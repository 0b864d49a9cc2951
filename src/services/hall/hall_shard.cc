#include "services/hall/hall_shard.h"

#include <algorithm>

#include "hub/recovery.h"
#include "services/hall/fields.h"
#include "services/hall/presentation.h"

namespace wirehall::services {

// -- HallSocket -------------------------------------------------------------------------------------------

const SharedText& HallSocket::shared_user_json() {
  if (!user_json_) {
    const Value& info = static_cast<wirehall::Socket&>(socket_).user().info;
    user_json_ = std::make_shared<const std::string>(info.is_object() ? info.to_json() : "{}");
  }
  return user_json_;
}

void HallSocket::never_connected() { hall_.detach(socket_); }

// Whoever was kicked, or has another token now, starts over.
bool HallSocket::may_continue(const std::vector<std::string>& names) const {
  return std::all_of(names.begin(), names.end(), [this](const std::string& name) {
    return arrival && std::any_of(arrival->returns.begin(), arrival->returns.end(),
                                  [&](const Return& back) { return back.room == name; });
  });
}

bool HallSocket::leaving(const std::string& room) {
  const InRoom* in_room = find_room(room);
  if (in_room != nullptr) forget_room(in_room->room);
  return in_room != nullptr;
}

void HallSocket::left(const std::string& room) { hall_.joining.left(socket_, room); }

void HallSocket::on_timer(MonoTime) {
  const hub::SocketPtr held(&socket_);
  held->link().end_connection(ErrorCode::kTokenExpired, "transport close");
}

// -- HallShard --------------------------------------------------------------------------------------------

HallShard::HallShard(hub::Hub& hub, HallShared& shared)
    : hub_(hub),
      shared_(shared),
      store_(hub, shared),
      joining(*this),
      messages(*this),
      management(*this),
      private_messages(*this),
      presence(*this),
      uploads(*this),
      calls(*this, shared.calls),
      push(*this),
      rooms({shared.presence_tick_members, shared.presence_diff_max}, teller()),
      users(shared, user_port()),
      typists(hub, shared.typing_timeout, teller()),
      clockwork_(*this) {
  if (main().recovery() != nullptr) {
    main().watch_log([this](const hub::LogEntry& entry) { joining.passing(entry); });
  } else {
    main().watch_broadcasts(
        [this](hub::EncodedMessage& message, const hub::Selector& to) { joining.passing(message, to); });
  }
}

HallShard::~HallShard() { hub_.environment().timers().cancel(clockwork_); }

HallShard& HallShard::of(hub::Hub& hub, HallShared& shared) {
  std::shared_ptr<hub::ShardService>& slot = hub.service(&shared);
  if (!slot) slot = std::make_shared<HallShard>(hub, shared);
  return static_cast<HallShard&>(*slot);
}

RoomDirectory::Tell HallShard::teller() {
  return [this](const std::string& room, std::string event, Object fields, const std::string& except) {
    tell_room(room, std::move(event), std::move(fields), except);
  };
}

UserDirectory::Port HallShard::user_port() {
  UserDirectory::Port port;
  port.now = [this] { return now(); };
  port.wall_now = [this] { return wall_now(); };
  port.tell_status = [this](const std::string& room, const std::string& user, const std::string& status,
                            WallMs last_seen) {
    on_owner(room, [room, user, status, last_seen](HallShard& hall) {
      hall.rooms.set_status(room, user, status, last_seen, hall.wall_now());
      hall.reschedule();
    });
  };
  port.save = [this](SaveUser write) { (void)store_.submit(HallWrite(std::move(write))); };
  return port;
}

// -- other shards -----------------------------------------------------------------------------------------

void HallShard::on_shard(unsigned shard, std::function<void(HallShard&)> action) {
  if (shard == this->shard()) {
    action(*this);
    return;
  }
  hub_.environment().post(
      shard, [shared = &shared_, action = std::move(action)](hub::Hub& hub) { action(of(hub, *shared)); });
}

void HallShard::on_owner(std::string_view name, std::function<void(HallShard&)> action) {
  on_shard(owner_of(name), std::move(action));
}

hub::Socket* HallShard::find(const std::string& socket_id) {
  hub::Socket* socket = main().find(socket_id);
  return socket != nullptr && socket->is_connected() && extension(*socket) != nullptr ? socket : nullptr;
}

// -- telling ----------------------------------------------------------------------------------------------

// Events of a room come from its owner, so that all receivers see them in one order.
void HallShard::tell_room(const std::string& room, std::string event, Object fields, const std::string& except) {
  hub::Selector to;
  to.rooms.push_back(room);
  if (!except.empty()) to.except.push_back(except);
  auto message = std::make_shared<hub::EncodedMessage>("/", std::move(event), Args{Value(std::move(fields))});
  (void)main().adapter().broadcast(message, to, EmitFlags()).ok();  // counted where it is dropped
}

void HallShard::tell_user(const std::string& user_id, std::string event, Value data, const std::string& except) {
  const auto json = std::make_shared<const std::string>(data.to_json());
  on_owner(user_id, [user_id, event = std::move(event), json, except](HallShard& owner) {
    for (const Device& device : owner.users.devices(user_id)) {
      if (device.socket_id == except) continue;
      owner.on_shard(device.shard, [id = device.socket_id, event, json](HallShard& hall) {
        if (hub::Socket* socket = hall.find(id))
          static_cast<wirehall::Socket&>(*socket).emit(event, value_of(*json));
      });
    }
  });
}

void HallShard::tell_socket(unsigned shard, const std::string& socket_id, std::string event, Value data) {
  const auto json = std::make_shared<const std::string>(data.to_json());
  on_shard(shard, [socket_id, event = std::move(event), json](HallShard& hall) {
    if (hub::Socket* socket = hall.find(socket_id))
      static_cast<wirehall::Socket&>(*socket).emit(event, value_of(*json));
  });
}

// -- what was committed -----------------------------------------------------------------------------------

void HallShard::committed(const CommittedBatchPtr& batch) {
  store_.complete(batch);
  hub_.run_ready();
  if (main().recovery() != nullptr) main().drain();  // the writer has put the batch's events into the log
  for (std::size_t i = 0; i < batch->writes.size(); ++i) tell_committed(batch->writes[i], batch->outcomes[i]);
  store_.batch_told();
}

void HallShard::tell_committed(const CommittedWrite& write, const WriteOutcome& outcome) {
  if (write.new_private) {
    const PrivateMessage& message = outcome.private_message;
    if (owner_of(message.to_user) == shard()) private_messages.deliver(message);
    return;
  }
  if (!write.event) return;
  const bool is_message = write.event->tag != 0;
  if (is_message && write.origin == shard()) {
    ++told_messages_;
    if (const auto& told = shared_.events.message) told(outcome.message);
  }
  if (main().recovery() != nullptr) return;  // told by draining the log
  hub::Selector to;
  to.rooms.push_back(write.room);
  (void)main().local().broadcast(std::make_shared<hub::EncodedMessage>(write.event), to, EmitFlags()).ok();
}

// -- time -------------------------------------------------------------------------------------------------

void HallShard::reschedule() {
  if (rooms.wants_tick() && next_tick_ == kNever) next_tick_ = now() + shared_.presence_tick;
  const MonoTime next = std::min({next_tick_, rooms.next_expiry(), users.next_deadline()});
  hub_.environment().timers().schedule(clockwork_, next);
}

void HallShard::on_deadline(MonoTime now) {
  users.on_deadline();
  rooms.expire(now, wall_now(), [this](const std::string& room, const std::string& user) {
    on_owner(user, [room, user](HallShard& hall) {
      hall.users.room_ran_out(user, room);
      hall.reschedule();
    });
  });
  if (next_tick_ <= now) {
    next_tick_ = kNever;
    rooms.tick(wall_now());
  }
  reschedule();
}

void HallShard::leave_room(const std::string& room, const std::string& user_id, MonoTime lost_until) {
  if (rooms.connections_of(room, user_id) <= 1) typists.stopped(room, user_id);
  rooms.leave(room, user_id, lost_until, wall_now());
  reschedule();
}

Task<Result<Object>> HallShard::typing(hub::SocketPtr socket, std::string room, bool typing) {
  using Answer = Result<Object>;
  Task<bool> asking = joining.is_in(socket, room);
  if (!co_await asking) co_return Answer(ErrorCode::kNotInRoom);
  on_owner(room, [room, user = socket->user().id, json = extension(*socket)->user_json(),
                  id = std::string(socket->id()), typing](HallShard& hall) {
    if (typing) {
      hall.typists.typing(room, user, json, id);
    } else {
      hall.typists.stopped(room, user);
    }
  });
  Object result;
  co_return Answer(std::move(result));
}

}  // namespace wirehall::services
