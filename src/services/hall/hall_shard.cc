#include "services/hall/hall_shard.h"

#include <algorithm>

#include "base/json.h"
#include "base/random.h"
#include "base/utf8.h"
#include "hub/remote_call.h"

namespace wirehall::services {

Object message_object(const StoredMessage& message) {
  Object object{{"id", message.id},
                {"roomId", message.room},
                {"seq", static_cast<std::int64_t>(message.seq)},
                {"userId", message.user_id},
                {"user", Value::from_validated_json(message.user_json.empty() ? "{}" : message.user_json)},
                {"content", message.deleted ? Value() : Value(message.content)},
                {"type", message.type},
                {"timestamp", message.timestamp},
                {"edited", message.edited},
                {"deleted", message.deleted}};
  if (!message.reply_to.empty()) object.set("replyTo", message.reply_to);
  return object;
}

bool is_valid_name(std::string_view name, std::size_t bytes_max) {
  return !name.empty() && name.size() <= bytes_max && is_valid_utf8(name) &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

namespace {
constexpr std::int64_t kUserRetryAfterMs = 5'000;  // another connection of the user may have ended by then
}

// -- HallSocket ---------------------------------------------------------------------------------

const std::string& HallSocket::user_json() {
  if (user_json_.empty()) {
    const Value& info = socket_.user().info;
    user_json_ = info.is_object() ? info.to_json() : "{}";
  }
  return user_json_;
}

void HallSocket::never_connected() { hall_.detach(socket_); }

void HallSocket::on_timer(MonoTime) {
  const hub::SocketPtr held(&socket_);
  held->link().end_connection(ErrorCode::kTokenExpired, "transport close");
}

// -- Typist -------------------------------------------------------------------------------------

struct HallShard::Typist final : Timer {
  explicit Typist(HallShard& owner) : hall(owner) {}
  ~Typist() = default;
  void on_timer(MonoTime) override { hall.typing_ended(key); }
  HallShard& hall;
  std::string key, room, user_id, socket_id;
};

// -- HallShard ----------------------------------------------------------------------------------

HallShard::HallShard(hub::Hub& hub, HallShared& shared) : hub_(hub), shared_(shared) {}

HallShard& HallShard::of(hub::Hub& hub, HallShared& shared) {
  std::shared_ptr<hub::ShardService>& slot = hub.service(&shared);
  if (!slot) slot = std::make_shared<HallShard>(hub, shared);
  return static_cast<HallShard&>(*slot);
}

HallSocket* HallShard::extension(hub::Socket& socket) {
  return static_cast<HallSocket*>(socket.extension().get());
}

void HallShard::on_owner(std::string_view name, std::function<void(HallShard&)> action) {
  const unsigned owner = hub::owner_of(hub_.environment(), name);
  if (owner == hub_.environment().shard()) {
    action(*this);
    return;
  }
  hub_.environment().post(
      owner, [shared = &shared_, action = std::move(action)](hub::Hub& hub) { action(of(hub, *shared)); });
}

// Events of the hall come from the owner of their room, so that all receivers see them in one order.
void HallShard::broadcast_event(const std::string& room, std::string event, Object fields,
                                const std::string& except) {
  hub::NamespaceShard* nsp = hub_.find("/");
  hub::Selector to;
  to.rooms.push_back(room);
  if (!except.empty()) to.except.push_back(except);
  auto message = std::make_shared<hub::EncodedMessage>("/", std::move(event), Args{Value(std::move(fields))});
  (void)nsp->adapter().broadcast(message, to, EmitFlags()).ok();  // counted where it is dropped
}

// -- users --------------------------------------------------------------------------------------

Task<Verdict> HallShard::admit(hub::SocketPtr socket) {
  const User& user = socket->user();
  std::shared_ptr<UserShared> shared;
  bool counted = false;
  if (user.anonymous || user.id.empty()) {
    shared = std::make_shared<UserShared>();
  } else {
    const unsigned owner = hub::owner_of(hub_.environment(), user.id);
    using Attached = Result<std::shared_ptr<UserShared>>;
    std::function<Attached(hub::Hub&)> attach = [hall = &shared_, id = user.id](hub::Hub& hub) {
      return of(hub, *hall).attach_user(id);
    };
    hub::Completion<Attached> attaching = hub::call<Attached>(hub_, owner, std::move(attach));
    Attached attached = co_await attaching;
    if (!attached.ok()) {
      Verdict refused(attached.error());
      co_return refused;
    }
    shared = *attached;
    counted = true;
    if (socket->is_closed()) {
      on_owner(user.id, [id = user.id](HallShard& hall) { hall.detach_user(id); });
      co_return Verdict();
    }
  }
  auto extension = std::make_unique<HallSocket>(*this, *socket, std::move(shared));
  extension->counted = counted;
  socket->extension() = std::move(extension);
  watch_expiry(*socket);
  Verdict accepted;
  co_return accepted;
}

Result<std::shared_ptr<UserShared>> HallShard::attach_user(const std::string& user_id) {
  forget_idle_users();
  UserRecord& record = users_[user_id];
  if (record.connections >= shared_.connections_per_user_max)
    return Error(ErrorCode::kTooManyConnections).retry_after_ms(kUserRetryAfterMs);
  if (!record.shared) record.shared = std::make_shared<UserShared>();
  if (record.connections++ == 0) ++online_users_;
  return record.shared;
}

void HallShard::detach_user(const std::string& user_id) {
  const auto found = users_.find(user_id);
  if (found == users_.end() || --found->second.connections != 0) return;
  --online_users_;
  // Kept for as long as the allowance needs to fill up: reconnecting must not be a way to get a new one.
  found->second.idle_until = hub_.now() + shared_.allowance.fill_time();
  idle_users_.emplace_back(found->second.idle_until, user_id);
  forget_idle_users();
}

void HallShard::forget_idle_users() {
  constexpr std::size_t kIdleUsersMax = 100'000;
  while (!idle_users_.empty() &&
         (idle_users_.front().first <= hub_.now() || idle_users_.size() > kIdleUsersMax)) {
    const auto found = users_.find(idle_users_.front().second);
    // The user may have been here again meanwhile: then a later entry decides.
    if (found != users_.end() && found->second.connections == 0 &&
        found->second.idle_until == idle_users_.front().first)
      users_.erase(found);
    idle_users_.pop_front();
  }
}

void HallShard::watch_expiry(hub::Socket& socket) {
  HallSocket* extension = this->extension(socket);
  if (extension == nullptr) return;
  const WallMs expires = socket.user().expires_at;
  const WallMs now = hub_.environment().wall_now();
  // A token that was accepted behind its end, as clocks differ, is good for the leeway: ending the connection
  // at once would have the client come back with it again and again.
  const Duration left = Milliseconds(expires - now);
  hub_.environment().timers().schedule(
      *extension,
      expires == 0 ? kNever
                   : hub_.now() + (left.count() > 0 ? left : std::max(Duration(0), left + shared_.expiry_leeway)));
}

void HallShard::disconnecting(hub::Socket& socket) {
  HallSocket* extension = this->extension(socket);
  if (extension == nullptr) return;
  for (const hub::Membership& membership : socket.memberships()) {
    on_owner(membership.room->name, [room = membership.room->name, user = socket.user().id](HallShard& hall) {
      hall.exit(room, user);
    });
  }
  detach(socket);
  hub_.environment().timers().cancel(*extension);
}

void HallShard::detach(hub::Socket& socket) {
  HallSocket* extension = this->extension(socket);
  if (!std::exchange(extension->counted, false)) return;
  on_owner(socket.user().id, [id = socket.user().id](HallShard& hall) { hall.detach_user(id); });
}

// -- rooms --------------------------------------------------------------------------------------

Task<Result<HallShard::Past>> HallShard::read_past(std::string room, std::optional<RoomPosition> since) {
  auto state = std::make_shared<hub::CompletionState<Result<Past>>>(hub_);
  auto read = std::make_shared<Read>();
  const bool queued = hub_.environment().run_blocking(
      [shared = &shared_, read, room, since] {
        read->past = read_from(*shared, room, since);
        read->fence = shared->batches_started();
      },
      [this, state, read] {
        waiting_reads_.push_back({read, state});
        complete_reads();
      });
  if (!queued) state->complete(ErrorCode::kUnavailable);
  hub::Completion<Result<Past>> reading(state);
  Result<Past> result = co_await reading;
  co_return result;
}

// On the pool. What was missed is exact or refused: all of it, without a hole, or none.
Result<HallShard::Past> HallShard::read_from(const HallShared& shared, const std::string& room,
                                             const std::optional<RoomPosition>& since) {
  Result<MessagePage> recent = shared.store->read_newest(room, 0, shared.recent_messages);
  if (!recent.ok()) return recent.error();
  Past past;
  past.recent = std::move(*recent);
  const RoomPosition& top = past.recent.top;
  if (!since || since->epoch != top.epoch || since->seq > top.seq ||
      top.seq - since->seq > shared.missed_messages_max)
    return past;
  Result<MessagePage> missed = shared.store->read_after(room, since->seq, shared.missed_messages_max);
  if (!missed.ok()) return missed.error();
  std::erase_if(missed->messages, [&](const StoredMessage& message) { return message.seq > top.seq; });
  past.recovered = missed->messages.size() == top.seq - since->seq && missed->top.epoch == top.epoch;
  if (past.recovered) past.missed = std::move(missed->messages);
  return past;
}

// The store shows a row before its batch has come here; whoever reads waits for that, at most one commit.
void HallShard::complete_reads() {
  std::erase_if(waiting_reads_, [this](const WaitingRead& waiting) {
    if (waiting.read->fence > batches_seen_) return false;
    waiting.state->complete(std::move(waiting.read->past));
    return true;
  });
}

// Takes the place in the room at once: whatever the client sends behind its request finds it there.
Status HallShard::begin_to_join(HallSocket& extension, const std::shared_ptr<Hold>& hold) {
  hub::Socket& socket = *hold->socket;
  const std::string& room = hold->room;
  if (!socket.user().may_join(room) || is_socket_id(room)) return ErrorCode::kAccessDenied;
  if (Status joined = static_cast<wirehall::Socket&>(socket).join(room); !joined.ok()) return joined;
  holds_[room].push_back(hold);
  on_owner(room, [room, user = socket.user().id, json = extension.user_json(),
                  id = socket.id()](HallShard& hall) { hall.enter(room, user, json, id); });
  return {};
}

// Subscribes first, so that nothing which others send is lost; then reads; and asks who is there last, right
// before the answer: what happens later arrives behind it. Messages wait meanwhile (I2).
Task<Result<Object>> HallShard::join(hub::SocketPtr socket, std::string room,
                                     std::optional<RoomPosition> since) {
  using Answer = Result<Object>;
  HallSocket* extension = this->extension(*socket);
  if (extension == nullptr) co_return Answer(ErrorCode::kAccessDenied);
  auto hold = std::make_shared<Hold>();
  hold->socket = socket;
  hold->room = room;
  const bool already = socket->in_room(room);
  if (!already) {
    if (Status begun = begin_to_join(*extension, hold); !begun.ok()) co_return Answer(begun.error());
  }
  Task<Result<Past>> reading = read_past(room, since);
  const Result<Past> past = co_await reading;
  const unsigned owner = hub::owner_of(hub_.environment(), room);
  std::function<Entered(hub::Hub&)> look = [hall = &shared_, room](hub::Hub& hub) {
    return of(hub, *hall).present(room);
  };
  hub::Completion<Entered> looking = hub::call<Entered>(hub_, owner, std::move(look));
  const Entered entered = co_await looking;

  ErrorCode failure = past.ok() ? ErrorCode::kOk : past.error().code();
  if (hold->overflowed) failure = ErrorCode::kUnavailable;
  if (socket->is_closed()) failure = ErrorCode::kDisconnected;
  if (failure != ErrorCode::kOk) {
    if (!already && !hold->left) {
      forget_hold(hold);
      if (!socket->is_closed()) (void)leave(*socket, room).ok();
    }
    co_return Answer(failure);
  }
  // The answer goes out first; what was committed meanwhile follows it.
  if (!already && !hold->left)
    hub_.defer([this, hold, seq = past->recent.top.seq] { release_hold(hold, seq); });
  Object answer = describe(room, entered, past->recent);
  if (since) {
    Array missed;
    for (const StoredMessage& message : past->missed) missed.emplace_back(message_object(message));
    answer.set("recovered", past->recovered);
    answer.set("missed", Value(std::move(missed)));
  }
  co_return Answer(std::move(answer));
}

Object HallShard::describe(const std::string& room, const Entered& entered, const MessagePage& page) const {
  Array members;
  for (const RoomMember& member : entered.members) {
    members.push_back({{"userId", member.user_id},
                       {"user", Value::from_validated_json(member.user_json)},
                       {"status", "online"}});
  }
  Array recent;
  for (const StoredMessage& message : page.messages) recent.emplace_back(message_object(message));
  Object result{{"room", {{"id", room}}},
                {"members", Value(std::move(members))},
                {"memberCount", static_cast<std::int64_t>(entered.member_count)}};
  result.set("recentMessages", Value(std::move(recent)));
  result.set("seq", static_cast<std::int64_t>(page.top.seq));
  result.set("epoch", page.top.epoch);
  return result;
}

void HallShard::enter(const std::string& room, const std::string& user_id, const std::string& user_json,
                      const std::string& socket_id) {
  if (!rooms_.enter(room, user_id, user_json)) return;
  Object fields{{"userId", user_id},
                {"user", Value::from_validated_json(user_json)},
                {"roomId", room},
                {"timestamp", hub_.environment().wall_now()}};
  broadcast_event(room, "user-joined", std::move(fields), socket_id);
}

HallShard::Entered HallShard::present(const std::string& room) const {
  Entered entered;
  entered.members = rooms_.members(room, shared_.members_max);
  entered.member_count = rooms_.member_count(room);
  return entered;
}

void HallShard::exit(const std::string& room, const std::string& user_id) {
  if (!rooms_.leave(room, user_id)) return;
  typing_ended(room + '\0' + user_id);
  broadcast_event(room, "user-left",
                  {{"userId", user_id}, {"roomId", room}, {"timestamp", hub_.environment().wall_now()}}, {});
}

Status HallShard::leave(hub::Socket& socket, std::string_view room) {
  if (room == socket.id() || !socket.in_room(room)) return ErrorCode::kNotInRoom;
  const std::string name(room);
  if (const auto held = holds_.find(name); held != holds_.end()) {
    const std::vector<std::shared_ptr<Hold>> holds = held->second;
    for (const auto& hold : holds) {
      if (hold->socket.get() != &socket) continue;
      hold->left = true;  // it was still joining
      forget_hold(hold);
    }
  }
  static_cast<wirehall::Socket&>(socket).leave(name);
  on_owner(name, [name, user = socket.user().id](HallShard& hall) { hall.exit(name, user); });
  return {};
}

// -- messages -----------------------------------------------------------------------------------

Task<Result<Object>> HallShard::send_message(MessageDraft&& draft) {
  auto state = std::make_shared<hub::CompletionState<Result<AppendOutcome>>>(hub_);
  const std::uint64_t ticket = next_ticket_++;
  tickets_[ticket] = state;
  if (!shared_.submit(std::move(draft), hub_.environment().shard(), ticket)) {
    tickets_.erase(ticket);
    state->complete(ErrorCode::kUnavailable);
  }
  return await_commit(std::move(state));
}

Task<Result<Object>> HallShard::await_commit(std::shared_ptr<hub::CompletionState<Result<AppendOutcome>>> state) {
  hub::Completion<Result<AppendOutcome>> committing(std::move(state));
  Result<AppendOutcome> outcome = co_await committing;
  if (!outcome.ok()) co_return Result<Object>(outcome.error());
  if (outcome->kind == AppendOutcome::Kind::kConflict)
    co_return Result<Object>(Error(ErrorCode::kConflict, "clientMessageId was used for another message"));
  Object result{{"messageId", outcome->message.id},
                {"timestamp", outcome->message.timestamp},
                {"seq", static_cast<std::int64_t>(outcome->message.seq)}};
  if (outcome->kind == AppendOutcome::Kind::kDuplicate) result.set("duplicate", true);
  co_return Result<Object>(std::move(result));
}

// Answers first, then the fan-out; both in commit order.
void HallShard::committed(const CommittedBatch& batch) {
  for (const CommittedMessage& message : *batch) {
    if (message.origin != hub_.environment().shard()) continue;
    const auto found = tickets_.find(message.ticket);
    if (found == tickets_.end()) continue;
    const auto state = found->second;
    tickets_.erase(found);
    if (message.event) ++messages_;
    state->complete(message.outcome);
  }
  hub_.run_ready();
  for (const CommittedMessage& message : *batch) {
    if (message.event) deliver(batch, message);
  }
  ++batches_seen_;
  complete_reads();
}

void HallShard::deliver(const CommittedBatch& batch, const CommittedMessage& message) {
  hub::Selector to;
  to.rooms.push_back(message.room);
  static const std::vector<std::shared_ptr<Hold>> kNone;
  const auto holds = holds_.find(message.room);
  for (const auto& hold : holds == holds_.end() ? kNone : holds->second) {
    to.except.push_back(hold->socket->id());  // even if it is a member by now: its answer has not left
    if (hold->overflowed) continue;
    if (hold->messages.size() >= shared_.held_messages_max) {
      hold->overflowed = true;
      continue;
    }
    hold->messages.push_back(&message);
    if (hold->batches.empty() || hold->batches.back() != batch) hold->batches.push_back(batch);
  }
  (void)hub_.find("/")
      ->local()
      .broadcast(std::make_shared<hub::EncodedMessage>(message.event), to, EmitFlags())
      .ok();
}

void HallShard::forget_hold(const std::shared_ptr<Hold>& hold) {
  const auto found = holds_.find(hold->room);
  if (found == holds_.end()) return;
  std::erase(found->second, hold);
  if (found->second.empty()) holds_.erase(found);
}

void HallShard::release_hold(const std::shared_ptr<Hold>& hold, std::uint64_t seq) {
  forget_hold(hold);
  hub::Socket& socket = *hold->socket;
  if (!socket.is_connected() || hold->left) return;
  for (const CommittedMessage* message : hold->messages) {
    if (message->seq <= seq) continue;  // it is among the recent ones of the answer
    hub::EncodedMessage copy(message->event);
    socket.link().deliver(socket, copy, EmitFlags());
  }
}

Task<Result<Object>> HallShard::broadcast(hub::SocketPtr socket, std::string room, Value data) {
  const unsigned owner = hub::owner_of(hub_.environment(), room);
  hub::Selector to;
  to.rooms.push_back(room);
  to.except.push_back(socket->id());
  Object fields{{"room", room}, {"data", std::move(data)}, {"from", socket->user().id}};
  auto message = std::make_shared<hub::EncodedMessage>("/", "broadcast", Args{Value(std::move(fields))});
  const Status sent = socket->shard().adapter().broadcast(message, to, EmitFlags());
  if (!sent.ok()) co_return Result<Object>(sent.error());
  std::function<std::size_t(hub::Hub&)> count = [hall = &shared_, room](hub::Hub& hub) {
    return of(hub, *hall).rooms_.connection_count(room);
  };
  hub::Completion<std::size_t> counting = hub::call<std::size_t>(hub_, owner, std::move(count));
  const std::size_t connections = co_await counting;
  Object result{{"delivered", static_cast<std::int64_t>(connections == 0 ? 0 : connections - 1)}};
  co_return Result<Object>(std::move(result));
}

// -- typing -------------------------------------------------------------------------------------

Status HallShard::typing(hub::Socket& socket, std::string_view room, bool typing) {
  if (room == socket.id() || !socket.in_room(room)) return ErrorCode::kNotInRoom;
  HallSocket* extension = this->extension(socket);
  if (extension == nullptr) return ErrorCode::kAccessDenied;
  on_owner(room, [room = std::string(room), user = socket.user().id, json = extension->user_json(),
                  id = socket.id(), typing](HallShard& hall) { hall.type(room, user, json, id, typing); });
  return {};
}

void HallShard::type(const std::string& room, const std::string& user_id, const std::string& user_json,
                     const std::string& socket_id, bool typing) {
  const std::string key = room + '\0' + user_id;
  if (!typing) {
    typing_ended(key);
    return;
  }
  std::unique_ptr<Typist>& typist = typists_[key];
  const bool begins = !typist;
  if (begins) {
    typist = std::make_unique<Typist>(*this);
    typist->key = key;
    typist->room = room;
    typist->user_id = user_id;
  }
  typist->socket_id = socket_id;
  hub_.environment().timers().schedule(*typist, hub_.now() + shared_.typing_timeout);
  if (!begins) return;
  Object fields{{"userId", user_id},
                {"user", Value::from_validated_json(user_json)},
                {"roomId", room},
                {"timestamp", hub_.environment().wall_now()}};
  broadcast_event(room, "user-typing", std::move(fields), socket_id);
}

void HallShard::typing_ended(const std::string& key) {
  const auto found = typists_.find(key);
  if (found == typists_.end()) return;
  // It may be the timer that fires right now: it dies in the next turn.
  std::unique_ptr<Typist> typist = std::move(found->second);
  typists_.erase(found);
  hub_.environment().timers().cancel(*typist);
  broadcast_event(
      typist->room, "user-stopped-typing",
      {{"userId", typist->user_id}, {"roomId", typist->room}, {"timestamp", hub_.environment().wall_now()}},
      typist->socket_id);
  ended_typists_.push_back(std::move(typist));
  if (ended_typists_.size() == 1) hub_.defer([this] { ended_typists_.clear(); });
}

}  // namespace wirehall::services
