#include "services/hall/private_messages.h"

#include <algorithm>
#include <map>

#include "base/random.h"
#include "services/hall/fields.h"
#include "services/hall/hall_shard.h"
#include "services/hall/presentation.h"

namespace wirehall::services {

using Answer = Result<Object>;

namespace {
constexpr std::size_t kPendingPerEvent = 100;
}

// -- sending ----------------------------------------------------------------------------------------------

Task<Answer> PrivateMessages::send(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  PrivateMessage message;
  message.to_user = fields.user("targetUserId");
  message.content = fields.text("content", hall_.shared().content_bytes_max);
  message.type = fields.text_or_empty("type", kKindBytesMax);
  const std::string key = fields.text_or_empty("clientMessageId", kIdBytesMax);
  if (message.type == "file")
    fields.refuse(Error(ErrorCode::kInvalidFormat, "messages of type \"file\" come from uploads"));
  if (!fields.ok()) return answered(fields.error());
  if (message.type.empty()) message.type = "text";
  return post(std::move(socket), std::move(message), key);
}

Task<Answer> PrivateMessages::post(hub::SocketPtr socket, PrivateMessage&& message, std::string client_message_id) {
  HallSocket* extension = HallShard::extension(*socket);
  if (extension == nullptr) return answered(ErrorCode::kAccessDenied);
  message.id = make_time_id(hall_.hub().environment().random(), hall_.wall_now());
  message.from_user = socket->user().id;
  message.from_json = extension->user_json();
  message.timestamp = hall_.wall_now();
  PostPrivate write;
  write.message = std::move(message);
  write.client_message_id = std::move(client_message_id);
  write.pending_max = hall_.shared().pending_max;
  write.pending_bytes_max = hall_.shared().pending_bytes_max;
  return finish(std::move(socket), hall_.store().write(HallWrite(std::move(write))));
}

Task<Answer> PrivateMessages::finish(hub::SocketPtr socket, Stored writing) {
  const Result<OutcomePtr> stored = co_await writing;
  if (!stored.ok()) {
    const ErrorCode code = stored.error().code();
    if (code == ErrorCode::kConflict)
      co_return Answer(Error(code, "clientMessageId was used for another message"));
    if (code == ErrorCode::kLimitReached) co_return Answer(Error(code, "too much waits for this user"));
    co_return Answer(stored.error());
  }
  const WriteOutcome& outcome = **stored;
  const PrivateMessage& message = outcome.private_message;
  std::function<std::size_t(HallShard&)> count = [target = message.to_user](HallShard& hall) {
    return hall.users.ready_devices(target);
  };
  hub::Completion<std::size_t> counting = hall_.ask_owner<std::size_t>(message.to_user, std::move(count));
  const bool delivered = co_await counting != 0;
  if (!outcome.duplicate) {
    Object event = private_object(message);
    if (!delivered) notify(message);
    // The sender's other devices; one who writes to oneself has them all as the target's.
    if (message.from_user != message.to_user)
      hall_.tell_user(message.from_user, "private-message", std::move(event), std::string(socket->id()));
  }
  Object result{{"messageId", message.id}, {"delivered", delivered}, {"timestamp", message.timestamp}};
  if (outcome.duplicate) result.set("duplicate", true);
  co_return Answer(std::move(result));
}

// A notification has little room: of a long text it shows the beginning.
void PrivateMessages::notify(PrivateMessage message) {
  constexpr std::size_t kShownBytesMax = 1024;
  const bool truncated = message.content.size() > kShownBytesMax;
  if (truncated) {
    std::size_t end = kShownBytesMax;
    while (end > 0 && (static_cast<unsigned char>(message.content[end]) & 0xc0) == 0x80) --end;
    message.content.resize(end);
  }
  const std::string topic = "private:" + message.from_user;
  Object shown = private_object(message);
  if (truncated) shown.set("truncated", true);
  Object payload{{"type", "private-message"}, {"message", Value(std::move(shown))}};
  hall_.push.send(message.to_user, std::move(payload), topic, PushUrgency::kNormal);
}

// -- delivering -------------------------------------------------------------------------------------------

void PrivateMessages::deliver(const PrivateMessage& message) {
  const std::vector<Device> devices = hall_.users.devices(message.to_user);
  if (devices.empty()) return;
  const std::string json = Value(private_object(message)).to_json();
  for (const Device& device : devices) {
    hall_.on_shard(device.shard, [id = device.socket_id, json, message_id = message.id](HallShard& hall) {
      hall.private_messages.give(id, "private-message", json, {message_id});
    });
  }
}

void PrivateMessages::give(const std::string& socket_id, const std::string& event, const std::string& args_json,
                           std::vector<std::string> ids) {
  hub::Socket* socket = hall_.find(socket_id);
  if (socket == nullptr) return;
  const hub::SocketPtr held(socket);
  hall_.hub().spawn(await_acknowledgement(held, event, Value::from_validated_json(args_json), std::move(ids)),
                    held, nullptr, Ack());
}

Task<> PrivateMessages::await_acknowledgement(hub::SocketPtr socket, std::string event, Value argument,
                                              std::vector<std::string> ids) {
  const std::string user_id = socket->user().id;
  Args args;
  args.push_back(std::move(argument));
  socket->client_awaited(true);  // a wait of ours must not stop the reading of what the client sends
  hub::Completion<Result<Args>> waiting(socket->emit_expecting(event, args, Duration{0}));
  const Result<Args> answer = co_await waiting;
  socket->client_awaited(false);
  if (!answer.ok()) co_return;  // it stays pending
  SettlePrivate write;
  write.user_id = user_id;
  write.ids = std::move(ids);
  (void)hall_.store().submit(HallWrite(std::move(write)));
}

void PrivateMessages::give_pending(hub::SocketPtr socket) {
  Task<> giving = read_and_give(socket);
  hall_.hub().spawn(std::move(giving), socket, nullptr, Ack());
}

Task<> PrivateMessages::read_and_give(hub::SocketPtr socket) {
  using Messages = std::vector<PrivateMessage>;
  std::function<Result<Messages>(HallStore&)> ask = [user_id = socket->user().id,
                                                     most = hall_.shared().pending_max](HallStore& store) {
    return store.read_pending(user_id, most);
  };
  Task<Result<Messages>> reading = hall_.store().read<Messages>(std::move(ask));
  const Result<Messages> pending = co_await reading;
  if (!pending.ok() || pending->empty() || !socket->is_connected()) co_return;
  for (std::size_t begin = 0; begin < pending->size(); begin += kPendingPerEvent) {
    Array list;
    std::vector<std::string> ids;
    for (std::size_t i = begin; i < std::min(begin + kPendingPerEvent, pending->size()); ++i) {
      list.emplace_back(private_object((*pending)[i]));
      ids.push_back((*pending)[i].id);
    }
    hall_.hub().spawn(await_acknowledgement(socket, "pending-messages", Value(std::move(list)), std::move(ids)),
                      socket, nullptr, Ack());
  }
}

// -- reading ------------------------------------------------------------------------------------------------

Task<Answer> PrivateMessages::mark_read(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  auto ids = fields.texts("messageIds", kIdBytesMax, hall_.shared().ids_max);
  if (fields.ok() && !ids) fields.refuse(Error(ErrorCode::kInvalidFormat, "messageIds is missing"));
  if (!fields.ok()) co_return Answer(fields.error());
  SettlePrivate write;
  write.user_id = socket->user().id;
  write.ids = std::move(*ids);
  write.read = true;
  Stored writing = hall_.store().write(HallWrite(std::move(write)));
  const Result<OutcomePtr> written = co_await writing;
  if (!written.ok()) co_return Answer(written.error());
  std::map<std::string, Array> by_sender;  // in an order that follows from the names
  for (const auto& [sender, id] : (*written)->settled) by_sender[sender].emplace_back(id);
  for (auto& [sender, list] : by_sender) {
    hall_.tell_user(sender, "message-read",
                    {{"messageIds", Value(std::move(list))},
                     {"userId", socket->user().id},
                     {"timestamp", hall_.wall_now()}});
  }
  Object result{{"count", static_cast<std::int64_t>((*written)->settled.size())}};
  co_return Answer(std::move(result));
}

}  // namespace wirehall::services
