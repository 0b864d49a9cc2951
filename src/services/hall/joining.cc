#include "services/hall/joining.h"

#include <algorithm>
#include <array>

#include "base/append_sparingly.h"
#include "base/random.h"
#include "hub/recovery.h"
#include "services/hall/hall_shard.h"
#include "services/hall/presentation.h"

namespace wirehall::services {

using Answer = Result<Object>;

// -- who is in ------------------------------------------------------------------------------------------

std::optional<bool> Joining::is_in_now(hub::Socket& socket, std::string_view room) {
  if (room == socket.id()) return false;  // its own room is no room of the hall
  HallSocket* extension = HallShard::extension(socket);
  if (extension == nullptr) return false;
  if (extension->find_pending(room) != nullptr) return std::nullopt;
  return extension->find_room(room) != nullptr;
}

Task<bool> Joining::is_in(hub::SocketPtr socket, std::string room) {
  for (;;) {
    if (const std::optional<bool> known = is_in_now(*socket, room)) co_return *known;
    auto state = std::make_shared<hub::CompletionState<bool>>(hall_.hub());
    HallShard::extension(*socket)->find_pending(room)->waiters.push_back(state);
    hub::Completion<bool> deciding(state);
    (void)co_await deciding;
    if (socket->is_closed()) co_return false;
  }
}

// -- coming in ------------------------------------------------------------------------------------------

Status Joining::may_begin(hub::Socket& socket, const HallSocket& extension, std::string_view room) const {
  if (!socket.user().may_join(room) || is_socket_id(room)) return ErrorCode::kAccessDenied;
  const std::size_t rooms = socket.memberships().size() + extension.pending.size();
  if (rooms >= hall_.hub().environment().limits().rooms_per_client_max) {
    hall_.hub().environment().metrics().add(Counter::kLimitHits);
    return ErrorCode::kLimitReached;
  }
  return {};
}

Status Joining::may_enter(const RoomType& type, const User& user, const RoomView& view, bool create_on_join) {
  if (!view.record && !create_on_join) return Error(ErrorCode::kNotFound, "there is no such room");
  const RoomTypeOptions& options = type.options();
  if (options.access == RoomAccess::kInvite && view.role == RoomRole::kNone)
    return Error(ErrorCode::kAccessDenied, "the room is for who was invited");
  // Whether the token's `rooms` match has been checked: here it must have some.
  if (options.access == RoomAccess::kToken && !user.rooms && view.role == RoomRole::kNone)
    return Error(ErrorCode::kAccessDenied, "the token does not name the room");
  return type.may_join(user, view);
}

Task<Answer> Joining::join(hub::SocketPtr socket, std::string room, std::optional<RoomPosition> since) {
  HallSocket* extension = HallShard::extension(*socket);
  if (extension == nullptr) co_return Answer(ErrorCode::kAccessDenied);
  Task<bool> asking = is_in(socket, room);
  if (co_await asking) {
    Task<Answer> looking = look_again(socket, room, since);
    Answer answer = co_await looking;
    co_return answer;
  }
  if (socket->is_closed()) co_return Answer(ErrorCode::kDisconnected);
  if (Status may = may_begin(*socket, *extension, room); !may.ok()) co_return Answer(may.error());
  auto pending = std::make_shared<PendingJoin>();
  pending->socket = socket;
  pending->room = room;
  extension->pending.push_back(pending);
  Task<Answer> joining = join_anew(pending, since);
  Answer answer = co_await joining;
  if (!answer.ok()) end_pending(pending, false);  // else when the answer is on its way: release()
  co_return answer;
}

// Somebody who is in it already gets the same answer, for what it is worth now.
Task<Answer> Joining::look_again(hub::SocketPtr socket, std::string room, std::optional<RoomPosition> since) {
  Task<Result<Past>> reading = read_past(room, socket->user().id, since);
  const Result<Past> past = co_await reading;
  if (!past.ok()) co_return Answer(past.error());
  Task<Present> asking = present(room);
  const Present there = co_await asking;
  const RoomRecord* record = past->view.record ? &*past->view.record : nullptr;
  Answer answer = describe(room, hall_.shared().room_types.of(room, record), there, *past, since.has_value());
  co_return answer;
}

// First whether it may; then the owner counts it in, so that a limit holds; then what is told is kept while the
// past is read; and who is there comes last, right before the answer: what happens later arrives behind it.
Task<Answer> Joining::join_anew(std::shared_ptr<PendingJoin> join, std::optional<RoomPosition> since) {
  const std::string room = join->room;
  const hub::SocketPtr socket = join->socket;
  const std::string user_id = socket->user().id;
  std::function<Result<RoomView>(HallStore&)> ask = [room, user_id](HallStore& store) {
    return store.find_room(room, user_id);
  };
  Task<Result<RoomView>> asking = hall_.store().read<RoomView>(std::move(ask));
  const Result<RoomView> view = co_await asking;
  if (!view.ok()) co_return Answer(view.error());
  if (socket->is_closed()) co_return Answer(ErrorCode::kDisconnected);
  const RoomType& type = hall_.shared().room_types.of(room, view->record ? &*view->record : nullptr);
  if (Status may = may_enter(type, socket->user(), *view, hall_.shared().create_on_join); !may.ok())
    co_return Answer(may.error());
  Task<Status> entering = enter(join, type.options().members_max);
  const Status entered = co_await entering;
  if (!entered.ok()) co_return Answer(entered.error());
  if (view->role == RoomRole::kInvited) {
    Task<Status> accepting = accept_invitation(room, user_id);
    const Status accepted = co_await accepting;
    if (!accepted.ok()) {
      hall_.on_owner(room, [room, user_id](HallShard& hall) { hall.leave_room(room, user_id, kNever); });
      co_return Answer(accepted.error());
    }
  }

  join->position = hall_.main().position();
  holds_[room].push_back(join);
  Task<Result<Past>> reading = read_past(room, user_id, since);
  const Result<Past> past = co_await reading;
  Task<Present> looking = present(room);
  const Present there = co_await looking;
  Answer answer = past.ok() ? finish(join, type, there, *past, since.has_value()) : Answer(past.error());
  if (!answer.ok()) {
    forget_hold(join);
    hall_.on_owner(room, [room, user_id](HallShard& hall) { hall.leave_room(room, user_id, kNever); });
  }
  co_return answer;
}

// An invitation is used up: from here on the user belongs to the room.
Task<Status> Joining::accept_invitation(std::string room, std::string user_id) {
  SetRole role;
  role.room = std::move(room);
  role.user_id = std::move(user_id);
  role.role = RoomRole::kMember;
  role.only_raise = true;
  Stored writing = hall_.store().write(HallWrite(std::move(role)));
  const Result<OutcomePtr> written = co_await writing;
  co_return written.ok() ? Status() : Status(written.error());
}

Task<Status> Joining::enter(std::shared_ptr<PendingJoin> join, std::uint32_t members_max) {
  if (join->socket->is_closed()) co_return Status(ErrorCode::kDisconnected);
  RoomMember member;
  HallSocket* extension = HallShard::extension(*join->socket);
  member.user_id = join->socket->user().id;
  member.user_json = extension->shared_user_json();
  member.status = extension->status.empty() ? "online" : extension->status;
  std::function<Status(HallShard&)> ask = [room = join->room, member, id = std::string(join->socket->id()),
                                           members_max](HallShard& hall) {
    return hall.rooms.enter(room, member, id, members_max, hall.wall_now());
  };
  hub::Completion<Status> asking = hall_.ask_owner<Status>(join->room, std::move(ask));
  Status entered = co_await asking;
  co_return entered;
}

Answer Joining::finish(const std::shared_ptr<PendingJoin>& join, const RoomType& type, const Present& present,
                       const Past& past, bool asked_since) {
  hub::Socket& socket = *join->socket;
  if (socket.is_closed()) return ErrorCode::kDisconnected;
  if (join->overflowed) return ErrorCode::kUnavailable;
  if (join->expelled) return Error(ErrorCode::kAccessDenied, "the user was kicked meanwhile");
  // It may have been created since it was looked at first.
  const RoomType& now = hall_.shared().room_types.of(join->room, past.view.record ? &*past.view.record : nullptr);
  if (&now != &type) {
    if (Status may = may_enter(now, static_cast<wirehall::Socket&>(socket).user(), past.view, true); !may.ok())
      return may.error();
  }
  const RoomRole role = past.view.role == RoomRole::kInvited ? RoomRole::kMember : past.view.role;
  join->described = true;
  const Described described{past.recent.top.seq, present.position};
  hall_.hub().defer([this, join, type_now = &now, role, described] { release(join, *type_now, role, described); });
  return describe(join->room, now, present, past, asked_since);
}

Status Joining::place(hub::Socket& socket, const std::string& room, const RoomType& type, RoomRole role,
                      Owner owner) {
  wirehall::Socket& api = socket;
  if (Status joined = api.join(room); !joined.ok()) return joined;
  append_sparingly(HallShard::extension(socket)->rooms,
                   HallSocket::InRoom{hall_.main().rooms().find(room), &type, role});
  if (owner == Owner::kTold) {
    hall_.on_owner(api.user().id, [user = api.user().id, room](HallShard& hall) {
      hall.users.room_in(user, room);
      hall.reschedule();
    });
  }
  if (const auto& told = hall_.shared().events.room_joined) told(socket, room);
  return {};
}

void Joining::end_pending(const std::shared_ptr<PendingJoin>& join, bool joined) {
  if (HallSocket* extension = HallShard::extension(*join->socket)) std::erase(extension->pending, join);
  for (const auto& waiter : std::exchange(join->waiters, {})) waiter->complete(joined);
}

// -- what is told meanwhile -----------------------------------------------------------------------------

namespace {

// What is stored; everything else is of people, and the answer of a join tells how they are.
bool is_of_the_stream(const hub::FrozenMessage& event) {
  constexpr std::array<std::string_view, 5> kStream = {"new-message", "message-edited", "message-deleted",
                                                       "read-receipt", "role-changed"};
  return std::find(kStream.begin(), kStream.end(), event.event) != kStream.end();
}

}  // namespace

void Joining::keep(const std::string& room, const PendingJoin::Kept& kept, const std::vector<std::string>& except) {
  const auto found = holds_.find(room);
  if (found == holds_.end()) return;
  for (const std::shared_ptr<PendingJoin>& join : found->second) {
    if (std::find(except.begin(), except.end(), join->socket->id()) != except.end()) continue;
    // Without a log news of people that come before the answer are in it.
    if (kept.number == 0 && !join->described && !is_of_the_stream(*kept.event)) continue;
    if (join->events.size() >= hall_.shared().held_messages_max) join->overflowed = true;
    if (!join->overflowed) join->events.push_back(kept);
  }
}

void Joining::passing(hub::EncodedMessage& message, const hub::Selector& to) {
  for (const std::string& room : to.rooms) {
    if (holds_.contains(room)) keep(room, {message.freeze(), 0}, to.except);
  }
}

void Joining::passing(const hub::LogEntry& entry) {
  if (holds_.empty()) return;
  for (const std::string& room : entry.to.rooms) keep(room, {entry.message, entry.number}, entry.to.except);
}

void Joining::forget_hold(const std::shared_ptr<PendingJoin>& join) {
  const auto found = holds_.find(join->room);
  if (found == holds_.end()) return;
  std::erase(found->second, join);
  if (found->second.empty()) holds_.erase(found);
}

// The answer is on its way. From here on the socket hears of the room itself, and first what came meanwhile.
void Joining::release(const std::shared_ptr<PendingJoin>& join, const RoomType& type, RoomRole role,
                      Described described) {
  forget_hold(join);
  hub::Socket& socket = *join->socket;
  const bool stays = socket.is_connected() && !join->expelled &&
                     place(socket, join->room, type, role, Owner::kTold).ok();
  if (!stays) {
    hall_.on_owner(join->room, [room = join->room, user = static_cast<wirehall::Socket&>(socket).user().id](
                                   HallShard& hall) { hall.leave_room(room, user, kNever); });
    return end_pending(join, false);
  }
  socket.memberships().back().since = join->position;  // what was kept is sent past the log
  for (const PendingJoin::Kept& kept : std::exchange(join->events, {})) {
    const hub::FrozenMessage& event = *kept.event;
    if (event.tag != 0 && event.tag <= described.seq) continue;  // it is among the recent ones of the answer
    const bool told = kept.number != 0 && kept.number <= described.position;
    if (told && !is_of_the_stream(event)) continue;  // the answer's members are how it is since
    hub::EncodedMessage copy(kept.event);
    if (hall_.main().recovery() != nullptr) copy.set_offset(hall_.main().position_text());
    socket.link().deliver(socket, copy, EmitFlags());
  }
  end_pending(join, true);
}

// -- the past and the present ---------------------------------------------------------------------------

Task<Result<Joining::Past>> Joining::read_past(std::string room, std::string user_id,
                                               std::optional<RoomPosition> since) {
  std::function<Result<Past>(HallStore&)> ask = [shared = &hall_.shared(), room, user_id, since](HallStore& store) {
    return read_from(*shared, store, room, user_id, since);
  };
  return hall_.store().read<Past>(std::move(ask));
}

namespace {

std::size_t bytes_of(const std::vector<StoredMessage>& messages) {
  std::size_t bytes = 0;
  for (const StoredMessage& message : messages) bytes += shown_bytes(message);
  return bytes;
}

void keep_newest(std::vector<StoredMessage>& messages, std::size_t bytes_max) {
  std::size_t bytes = 0;
  auto first = messages.end();
  while (first != messages.begin() && (bytes += shown_bytes(*(first - 1))) <= bytes_max) --first;
  messages.erase(messages.begin(), first);
}

}  // namespace

// On the pool. What was missed is exact or refused: all of it, without a hole, or none.
Result<Joining::Past> Joining::read_from(const HallShared& shared, HallStore& store, const std::string& room,
                                         const std::string& user_id, const std::optional<RoomPosition>& since) {
  Past past;
  Result<RoomView> view = store.find_room(room, user_id);
  if (!view.ok()) return view.error();
  past.view = std::move(*view);
  Result<MessagePage> recent = store.read_newest(room, 0, shared.recent_messages);
  if (!recent.ok()) return recent.error();
  past.recent = std::move(*recent);
  keep_newest(past.recent.messages, shared.answer_bytes_max);
  const RoomPosition& top = past.recent.top;
  if (!since || since->epoch != top.epoch || since->seq > top.seq ||
      top.seq - since->seq > shared.missed_messages_max)
    return past;
  Result<MessagePage> missed = store.read_after(room, since->seq, shared.missed_messages_max);
  if (!missed.ok()) return missed.error();
  std::erase_if(missed->messages, [&](const StoredMessage& message) { return message.seq > top.seq; });
  if (bytes_of(missed->messages) > shared.answer_bytes_max) return past;  // history gives it in pages
  past.recovered = missed->messages.size() == top.seq - since->seq && missed->top.epoch == top.epoch;
  if (past.recovered) past.missed = std::move(missed->messages);
  return past;
}

Task<Joining::Present> Joining::present(std::string room) {
  std::function<Present(HallShard&)> ask = [room, limit = hall_.shared().members_max](HallShard& hall) {
    Present there;
    there.members = hall.rooms.members(room, limit);
    there.member_count = hall.rooms.member_count(room);
    there.position = hall.main().position();
    return there;
  };
  hub::Completion<Present> asking = hall_.ask_owner<Present>(room, std::move(ask));
  Present there = co_await asking;
  co_return there;
}

Object Joining::describe(const std::string& room, const RoomType& type, const Present& present, const Past& past,
                         bool asked_since) const {
  const auto objects = [](const std::vector<StoredMessage>& messages) {
    Array list;
    for (const StoredMessage& message : messages) list.emplace_back(message_object(message));
    return Value(std::move(list));
  };
  Array members;
  for (const RoomMember& member : present.members)
    members.push_back(
        {{"userId", member.user_id}, {"user", object_of(*member.user_json)}, {"status", member.status}});
  Object result{{"room", Value(room_object(room, hall_.shared().room_types.name_of(type), past.view))},
                {"members", Value(std::move(members))},
                {"memberCount", static_cast<std::int64_t>(present.member_count)}};
  result.set("recentMessages", objects(past.recent.messages));
  result.set("seq", static_cast<std::int64_t>(past.recent.top.seq));
  result.set("epoch", past.recent.top.epoch);
  if (asked_since) {
    result.set("recovered", past.recovered);
    result.set("missed", objects(past.missed));
  }
  return result;
}

// -- leaving ------------------------------------------------------------------------------------------

Task<Answer> Joining::leave(hub::SocketPtr socket, std::string room) {
  Task<bool> asking = is_in(socket, room);
  if (!co_await asking) co_return Answer(ErrorCode::kNotInRoom);
  static_cast<wirehall::Socket&>(*socket).leave(room);  // left() is told on the way
  Object answer{{"roomId", room}};
  co_return Answer(std::move(answer));
}

void Joining::left(hub::Socket& socket, const std::string& room) {
  const std::string user_id = static_cast<wirehall::Socket&>(socket).user().id;
  hall_.on_owner(user_id, [user_id, room](HallShard& hall) {
    hall.users.room_out(user_id, room);
    hall.reschedule();
  });
  hall_.on_owner(room, [user_id, room](HallShard& hall) { hall.leave_room(room, user_id, kNever); });
  if (const auto& told = hall_.shared().events.room_left) told(socket, room);
}

void Joining::expel(const std::string& user_id, const std::string& room,
                    const std::vector<std::string>& socket_ids) {
  for (const std::string& id : socket_ids) {
    hub::Socket* socket = hall_.find(id);
    if (socket == nullptr || socket->user().id != user_id) continue;
    const hub::SocketPtr held(socket);
    HallSocket* extension = HallShard::extension(*socket);
    if (PendingJoin* pending = extension->find_pending(room)) pending->expelled = true;
    if (HallSocket::InRoom* in_room = extension->find_room(room)) {
      extension->forget_room(in_room->room);
      static_cast<wirehall::Socket&>(*socket).leave(room);
      if (const auto& told = hall_.shared().events.room_left) told(*socket, room);
    }
  }
}

}  // namespace wirehall::services
