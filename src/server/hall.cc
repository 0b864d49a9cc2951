// The hall, wired: its services on every shard, the store, and the writer between them.
#include "wirehall/hall.h"

#include <atomic>

#include "auth/jwt.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/random.h"
#include "hub/hub.h"
#include "hub/remote_call.h"
#include "io/system.h"
#include "server/composition.h"
#include "services/hall/hall_shard.h"
#include "store/memory/memory_store.h"
#include "store/message_writer.h"

namespace wirehall {
namespace server {
namespace {

constexpr std::size_t kKindBytesMax = 64;
constexpr std::size_t kClientIdBytesMax = 128;

std::shared_ptr<const hub::FrozenMessage> new_message_event(const StoredMessage& message) {
  auto event = std::make_shared<hub::FrozenMessage>();
  event->nsp = "/";
  event->event = "new-message";
  event->args_json = "[" + Value(services::message_object(message)).to_json() + "]";
  return event;
}

}  // namespace

class HallWiring {
 public:
  explicit HallWiring(Composition& composition)
      : composition_(composition),
        store_(store::MemoryStoreOptions(), std::make_unique<io::SystemRandom>()),
        writer_(
            store_, clock_, store::WriterOptions(),
            [this](std::vector<store::MessageWriter::Row> rows, Result<std::vector<AppendOutcome>> outcomes) {
              committed(std::move(rows), std::move(outcomes));
            }) {
    const Config& config = composition.config();
    shared_.allowance.messages_per_minute = config.messages_per_minute;
    shared_.allowance.burst = config.messages_burst != 0 ? config.messages_burst : config.messages_per_minute;
    shared_.typing = {config.limits.typing_per_minute_max, std::max(1u, config.limits.typing_per_minute_max / 5)};
    shared_.room_changes = {config.limits.room_changes_per_minute_max,
                            config.limits.room_changes_per_minute_max};
    shared_.expiry_leeway = auth::VerifyOptions().leeway;
    shared_.typing_timeout = config.typing_timeout;
    shared_.recent_messages = config.recent_messages;
    shared_.connections_per_user_max = config.limits.connections_per_user_max;
    shared_.store = &store_;
    shared_.submit = [this](MessageDraft draft, unsigned shard, std::uint64_t ticket) {
      return writer_.submit({std::move(draft), shard, ticket});
    };
    shared_.batches_started = [this] { return writer_.started(); };
    composition.before_destruction([this] { writer_.stop(); });
  }

  services::HallShard& shard(hub::Hub& hub) { return services::HallShard::of(hub, shared_); }
  services::HallShared& shared() { return shared_; }
  Composition& composition() { return composition_; }

 private:
  // On the writer's thread: one batch to each shard, in commit order.
  void committed(std::vector<store::MessageWriter::Row> rows, Result<std::vector<AppendOutcome>> outcomes) {
    auto batch = std::make_shared<std::vector<services::CommittedMessage>>(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      services::CommittedMessage& message = (*batch)[i];
      message.origin = rows[i].shard;
      message.ticket = rows[i].ticket;
      message.room = rows[i].draft.message.room;
      if (!outcomes.ok()) {
        message.outcome = outcomes.error();
        continue;
      }
      const AppendOutcome& outcome = (*outcomes)[i];
      message.outcome = outcome;
      message.seq = outcome.message.seq;
      if (outcome.kind == AppendOutcome::Kind::kStored) message.event = new_message_event(outcome.message);
    }
    io::Node* node = composition_.node();
    for (unsigned i = 0; i < node->shard_count(); ++i) {
      node->post_to(i, [this, batch](pipeline::ShardCore& core) { shard(core.hub()).committed(batch); });
    }
  }

  Composition& composition_;
  io::SystemClock clock_;
  store::MemoryStore store_;
  services::HallShared shared_;
  store::MessageWriter writer_;
};

}  // namespace server

namespace {

hub::Socket& impl(Socket& socket) { return static_cast<hub::Socket&>(socket); }
hub::SocketPtr held(Socket& socket) { return hub::SocketPtr(static_cast<hub::Socket*>(&socket)); }

Result<std::string> string_field(const Object& fields, std::string_view name, std::size_t bytes_max,
                                 bool required) {
  const Value* value = fields.find(name);
  if (value == nullptr || value->is_null()) {
    if (required) return Error(ErrorCode::kInvalidFormat, std::string(name) + " is missing");
    return std::string();
  }
  if (!value->is_string()) return Error(ErrorCode::kInvalidFormat, std::string(name) + " must be a string");
  if (value->as_string().size() > bytes_max)
    return Error(ErrorCode::kTooLarge,
                 std::string(name) + " is longer than " + std::to_string(bytes_max) + " bytes");
  return value->as_string();
}

// An answer of Result type from what a coroutine has not started to do.
Task<Result<Object>> answered(Error error) {
  Result<Object> result(std::move(error));
  co_return result;
}

}  // namespace

Hall::Hall(Server& server) : wiring_(std::make_unique<server::HallWiring>(server.composition())) {
  server.of("/").on_disconnecting([this](Socket& socket, std::string_view) {
    wiring_->shard(impl(socket).hub()).disconnecting(impl(socket));
  });
}
Hall::~Hall() { wiring_->composition().stop_now(); }

Task<Verdict> Hall::admit(Socket& socket) {
  hub::SocketPtr self = held(socket);
  return wiring_->shard(self->hub()).admit(self);
}

Object Hall::welcome(Socket& socket) {
  const WallMs now = impl(socket).hub().environment().wall_now();
  const User& user = socket.user();
  const Value info = user.info.is_object() ? user.info : Value(Object());
  return {{"sessionId", socket.id()}, {"clientId", socket.id()},
          {"userId", user.id},        {"user", info},
          {"serverTime", now},        {"timestamp", now},
          {"rooms", Array()},         {"recovered", socket.recovered()}};
}

Result<std::string> Hall::room_of(const Value& argument) {
  const Value* name = &argument;
  if (argument.is_object()) {
    name = argument.find("roomId");
    if (name == nullptr) name = argument.find("room");
  }
  if (name == nullptr || !name->is_string())
    return Error(ErrorCode::kInvalidFormat, "roomId must be a string");
  if (!services::is_valid_name(name->as_string(), Limits().room_name_bytes_max))
    return Error(ErrorCode::kInvalidFormat, "roomId is empty, too long, or has control characters");
  return name->as_string();
}

Result<std::optional<RoomPosition>> Hall::since_of(const Value& argument) {
  using Position = std::optional<RoomPosition>;
  const Value* since = argument.find("since");
  if (since == nullptr || since->is_null()) return Position();
  const Value* seq = since->find("seq");
  const Value* epoch = since->find("epoch");
  const auto number = seq == nullptr ? std::nullopt : exact_integer(*seq);
  if (!number || *number < 0 || epoch == nullptr || !epoch->is_string())
    return Error(ErrorCode::kInvalidFormat, "since must be {seq, epoch}");
  return Position(RoomPosition{static_cast<std::uint64_t>(*number), epoch->as_string()});
}

Task<Result<Object>> Hall::join(Socket& socket, std::string room, std::optional<RoomPosition> since) {
  hub::SocketPtr self = held(socket);
  return wiring_->shard(self->hub()).join(self, std::move(room), std::move(since));
}

Status Hall::leave(Socket& socket, std::string_view room) {
  hub::Socket& self = impl(socket);
  return wiring_->shard(self.hub()).leave(self, room);
}

Task<Result<Object>> Hall::send_message(Socket& socket, Object fields) {
  hub::SocketPtr self = held(socket);
  services::HallShared& shared = wiring_->shared();
  const Result<std::string> room = room_of(Value(fields));
  if (!room.ok()) return answered(room.error());
  if (!socket.in_room(*room) || *room == socket.id()) return answered(ErrorCode::kNotInRoom);
  const auto content = string_field(fields, "content", shared.content_bytes_max, true);
  if (!content.ok()) return answered(content.error());
  const auto type = string_field(fields, "type", server::kKindBytesMax, false);
  if (!type.ok()) return answered(type.error());
  const auto reply_to = string_field(fields, "replyTo", server::kClientIdBytesMax, false);
  if (!reply_to.ok()) return answered(reply_to.error());
  const auto client_id = string_field(fields, "clientMessageId", server::kClientIdBytesMax, false);
  if (!client_id.ok()) return answered(client_id.error());

  hub::Environment& environment = self->hub().environment();
  services::HallShard& shard = wiring_->shard(self->hub());
  services::HallSocket* extension = shard.extension(*self);
  if (extension == nullptr) return answered(ErrorCode::kAccessDenied);
  MessageDraft draft;
  draft.client_message_id = *client_id;
  draft.message.id = make_id(environment.random(), static_cast<std::uint8_t>(environment.shard()));
  draft.message.room = *room;
  draft.message.user_id = socket.user().id;
  draft.message.user_json = extension->user_json();
  draft.message.type = type->empty() ? "text" : *type;
  draft.message.content = *content;
  draft.message.reply_to = *reply_to;
  draft.message.timestamp = environment.wall_now();
  return shard.send_message(std::move(draft));
}

Task<Result<Object>> Hall::broadcast(Socket& socket, Object fields) {
  hub::SocketPtr self = held(socket);
  const Result<std::string> room = room_of(Value(fields));
  if (!room.ok()) return answered(room.error());
  if (!socket.in_room(*room) || *room == socket.id()) return answered(ErrorCode::kNotInRoom);
  const Value* data = fields.find("data");
  Value payload = data == nullptr ? Value() : *data;
  return wiring_->shard(self->hub()).broadcast(self, *room, std::move(payload));
}

Status Hall::typing(Socket& socket, std::string_view room, bool typing) {
  hub::Socket& self = impl(socket);
  return wiring_->shard(self.hub()).typing(self, room, typing);
}

Task<Result<Object>> Hall::refresh_token(Socket& socket, std::string token) {
  hub::SocketPtr self = held(socket);
  const User before = socket.user();
  Task<Result<User>> refreshing = wiring_->composition().authenticator().refresh(before, token);
  Result<User> user = co_await refreshing;
  if (!user.ok()) co_return Result<Object>(user.error());
  if (user->id != before.id)
    co_return Result<Object>(Error(ErrorCode::kAccessDenied, "the token is another user's"));
  const WallMs expires = user->expires_at;
  if (self->is_connected()) {
    static_cast<Socket&>(*self).set_user(std::move(*user));
    wiring_->shard(self->hub()).watch_expiry(*self);
  }
  Object result{{"expiresAt", expires}};
  co_return Result<Object>(std::move(result));
}

Status Hall::take_allowance(Socket& socket, Allowed kind) {
  hub::Socket& self = impl(socket);
  services::HallSocket* extension = wiring_->shard(self.hub()).extension(self);
  if (extension == nullptr) return {};
  const services::HallShared& shared = wiring_->shared();
  services::UserShared& user = extension->shared();
  const MonoTime now = self.hub().now();
  Status taken = kind == Allowed::kTyping       ? user.typing.take(shared.typing, now)
                 : kind == Allowed::kRoomChange ? user.room_changes.take(shared.room_changes, now)
                                                : user.allowance.take(shared.allowance, now);
  if (!taken.ok()) self.hub().environment().metrics().add(Counter::kRateLimited);
  return taken;
}

void Hall::figures(std::function<void(const Figures&)> done) {
  hub::Hub* here = hub::Hub::current();
  WIREHALL_ASSERT(here != nullptr);
  struct Gathering {
    std::atomic<std::uint64_t> users{0}, rooms{0}, connections{0}, messages{0};
    std::atomic<unsigned> left{0};
  };
  auto gathering = std::make_shared<Gathering>();
  hub::Environment& environment = here->environment();
  const unsigned origin = environment.shard();
  gathering->left = environment.shard_count();
  for (unsigned i = 0; i < environment.shard_count(); ++i) {
    hub::HubTask task = [this, gathering, origin, done](hub::Hub& hub) {
      const services::HallShard& shard = wiring_->shard(hub);
      gathering->users += shard.user_count();
      gathering->rooms += shard.rooms().size();
      gathering->connections += hub.socket_count();
      gathering->messages += shard.delivered_messages();
      if (gathering->left.fetch_sub(1) != 1) return;
      hub::HubTask last = [gathering, done](hub::Hub&) {
        done({gathering->users, gathering->rooms, gathering->connections, gathering->messages});
      };
      if (hub.environment().shard() == origin) {
        last(hub);
      } else {
        hub.environment().post(origin, std::move(last));
      }
    };
    if (i == origin) {
      task(*here);
    } else {
      environment.post(i, std::move(task));
    }
  }
}

}  // namespace wirehall
