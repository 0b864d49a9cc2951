#include "services/hall/room_messages.h"

#include <algorithm>

#include "base/random.h"
#include "services/hall/fields.h"
#include "services/hall/hall_shard.h"
#include "services/hall/presentation.h"

namespace wirehall::services {

using Answer = Result<Object>;

namespace {

constexpr std::uint64_t kPageDefault = 50;

// Leaves out what is too much for one answer, at its far end; never the first. Returns: whether there was any.
bool cut(std::vector<StoredMessage>& messages, std::size_t bytes_max, bool ascending) {
  std::size_t bytes = 0;
  std::size_t kept = 0;
  while (kept < messages.size()) {
    bytes += shown_bytes(messages[ascending ? kept : messages.size() - 1 - kept]);
    if (bytes > bytes_max && kept != 0) break;
    ++kept;
  }
  const auto out = static_cast<std::ptrdiff_t>(messages.size() - kept);
  if (ascending) {
    messages.erase(messages.end() - out, messages.end());
  } else {
    messages.erase(messages.begin(), messages.begin() + out);
  }
  return out != 0;
}

}  // namespace

Task<Answer> answered(Error error) {
  Answer result(std::move(error));
  co_return result;
}

// -- sending ----------------------------------------------------------------------------------------------

Task<Answer> RoomMessages::send(hub::SocketPtr socket, Object fields) {
  Fields read(fields);
  const std::string room = read.room();
  if (!read.ok()) return answered(read.error());
  const std::optional<bool> in_room = hall_.joining.is_in_now(*socket, room);
  if (!in_room) return send_later(std::move(socket), room, std::move(fields));
  if (!*in_room) return answered(ErrorCode::kNotInRoom);
  return send_now(*socket, room, fields);
}

Task<Answer> RoomMessages::send_later(hub::SocketPtr socket, std::string room, Object fields) {
  Task<bool> asking = hall_.joining.is_in(socket, room);
  if (!co_await asking) co_return Answer(ErrorCode::kNotInRoom);
  Task<Answer> sending = send_now(*socket, room, fields);
  Answer sent = co_await sending;
  co_return sent;
}

Task<Answer> RoomMessages::send_now(hub::Socket& socket, const std::string& room, const Object& object) {
  Fields fields(object);
  StoredMessage message;
  message.room = room;
  message.content = fields.text("content", hall_.shared().content_bytes_max);
  message.type = fields.text_or_empty("type", kKindBytesMax);
  message.reply_to = fields.text_or_empty("replyTo", kIdBytesMax);
  const std::string key = fields.text_or_empty("clientMessageId", kIdBytesMax);
  if (message.type == "file")
    fields.refuse(Error(ErrorCode::kInvalidFormat, "messages of type \"file\" come from uploads"));
  if (!fields.ok()) return answered(fields.error());
  if (message.type.empty()) message.type = "text";
  const hub::SocketPtr held(&socket);
  return post(held, std::move(message), key);
}

Status RoomMessages::may_post(hub::Socket& socket, const StoredMessage& message) const {
  const HallSocket::InRoom* in_room = HallShard::extension(socket)->find_room(message.room);
  if (in_room == nullptr) return ErrorCode::kNotInRoom;
  if (in_room->role < in_room->type->options().post_from)
    return Error(ErrorCode::kAccessDenied, "only some may write in this room");
  return in_room->type->may_post(socket.user(), in_room->role, message);
}

Task<Answer> RoomMessages::post(hub::SocketPtr socket, StoredMessage&& message, std::string client_message_id) {
  if (Status may = may_post(*socket, message); !may.ok()) return answered(may.error());
  message.id = make_time_id(hall_.hub().environment().random(), hall_.wall_now());
  message.user_id = socket->user().id;
  message.user_json = HallShard::extension(*socket)->user_json();
  message.timestamp = hall_.wall_now();
  PostMessage write;
  write.message = std::move(message);
  write.client_message_id = std::move(client_message_id);
  return answer_when_stored(hall_.store().write(HallWrite(std::move(write))));
}

Task<Answer> RoomMessages::answer_when_stored(Stored writing) {
  const Result<OutcomePtr> stored = co_await writing;
  if (!stored.ok()) {
    const ErrorCode code = stored.error().code();
    if (code == ErrorCode::kConflict)
      co_return Answer(Error(code, "clientMessageId was used for another message"));
    if (code == ErrorCode::kNotFound) co_return Answer(Error(code, "replyTo is no message of the room"));
    co_return Answer(stored.error());
  }
  const WriteOutcome& outcome = **stored;
  Object result;
  result.reserve(4);
  result.append("messageId", outcome.message.id);
  result.append("timestamp", outcome.message.timestamp);
  result.append("seq", static_cast<std::int64_t>(outcome.message.seq));
  if (outcome.duplicate) result.set("duplicate", true);
  co_return Answer(std::move(result));
}

// -- changing ---------------------------------------------------------------------------------------------

Task<Answer> RoomMessages::change(hub::SocketPtr socket, Object object, bool deletes) {
  Fields fields(object);
  ChangeMessage write;
  write.room = fields.room();
  write.id = fields.text("messageId", kIdBytesMax);
  if (!deletes) write.content = fields.text("content", hall_.shared().content_bytes_max);
  if (!fields.ok()) co_return Answer(fields.error());
  Task<bool> asking = hall_.joining.is_in(socket, write.room);
  if (!co_await asking) co_return Answer(ErrorCode::kNotInRoom);
  if (!deletes) {
    StoredMessage changed;
    changed.room = write.room;
    changed.type = "text";
    changed.content = *write.content;
    if (Status may = may_post(*socket, changed); !may.ok()) co_return Answer(may.error());
  }
  write.user_id = socket->user().id;
  write.others_from = deletes ? RoomRole::kModerator : RoomRole::kNone;
  Stored writing = hall_.store().write(HallWrite(std::move(write)));
  const Result<OutcomePtr> written = co_await writing;
  if (!written.ok()) co_return Answer(written.error());
  Object result{{"timestamp", (*written)->committed_at}};
  co_return Answer(std::move(result));
}

// -- reading ------------------------------------------------------------------------------------------------

Task<Result<MessagePage>> RoomMessages::read_page(std::string room, std::uint64_t before, std::uint64_t after,
                                                  std::uint32_t limit) {
  std::function<Result<MessagePage>(HallStore&)> ask = [room, before, after, limit](HallStore& store) {
    return after != 0 ? store.read_after(room, after - 1, limit) : store.read_newest(room, before, limit);
  };
  return hall_.store().read<MessagePage>(std::move(ask));
}

Task<Answer> RoomMessages::history(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  const std::string room = fields.room();
  const auto before = fields.number("before");
  const auto after = fields.number("after");
  const std::uint64_t wanted = fields.number("limit").value_or(kPageDefault);
  if (fields.ok() && (wanted == 0 || wanted > hall_.shared().history_page_max))
    fields.refuse(Error(ErrorCode::kInvalidFormat,
                        "limit must be from 1 to " + std::to_string(hall_.shared().history_page_max)));
  if (!fields.ok()) co_return Answer(fields.error());
  Task<bool> asking = hall_.joining.is_in(socket, room);
  if (!co_await asking) co_return Answer(ErrorCode::kNotInRoom);
  // One more than wanted says whether there are more. Nothing stands before the first message.
  const auto limit = static_cast<std::uint32_t>(wanted);
  Task<Result<MessagePage>> reading =
      read_page(room, before ? std::max<std::uint64_t>(*before, 1) : 0, after ? *after + 1 : 0, limit + 1);
  Result<MessagePage> page = co_await reading;
  if (!page.ok()) co_return Answer(page.error());
  std::vector<StoredMessage>& messages = page->messages;
  if (after && before) std::erase_if(messages, [&](const StoredMessage& message) { return message.seq >= *before; });
  bool more = messages.size() > limit;
  if (more) messages.erase(after ? messages.end() - 1 : messages.begin());
  more = cut(messages, hall_.shared().answer_bytes_max, after.has_value()) || more;
  Array list;
  for (const StoredMessage& message : messages) list.emplace_back(message_object(message));
  Object result{{"messages", Value(std::move(list))}, {"hasMore", more}};
  result.set("oldestSeq", messages.empty() ? Value(0) : Value(static_cast<std::int64_t>(messages.front().seq)));
  result.set("epoch", page->top.epoch);
  co_return Answer(std::move(result));
}

Task<Answer> RoomMessages::mark_read(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  MarkRoomRead write;
  write.room = fields.room();
  const auto up_to = fields.number("upTo");
  if (fields.ok() && !up_to) fields.refuse(Error(ErrorCode::kInvalidFormat, "upTo is missing"));
  if (!fields.ok()) co_return Answer(fields.error());
  Task<bool> asking = hall_.joining.is_in(socket, write.room);
  if (!co_await asking) co_return Answer(ErrorCode::kNotInRoom);
  write.user_id = socket->user().id;
  write.up_to = *up_to;
  Stored writing = hall_.store().write(HallWrite(std::move(write)));
  const Result<OutcomePtr> written = co_await writing;
  if (!written.ok()) co_return Answer(written.error());
  Object result{{"count", static_cast<std::int64_t>((*written)->count)}};
  co_return Answer(std::move(result));
}

// -- what is not stored -------------------------------------------------------------------------------------

Task<Answer> RoomMessages::broadcast(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  const std::string room = fields.room();
  if (!fields.ok()) co_return Answer(fields.error());
  Task<bool> asking = hall_.joining.is_in(socket, room);
  if (!co_await asking) co_return Answer(ErrorCode::kNotInRoom);
  const Value* data = object.find("data");
  hub::Selector to;
  to.rooms.push_back(room);
  to.except.emplace_back(socket->id());
  Object event{{"room", room}, {"data", data == nullptr ? Value() : *data}, {"from", socket->user().id}};
  auto message = std::make_shared<hub::EncodedMessage>("/", "broadcast", Args{Value(std::move(event))});
  const Status sent = socket->shard().adapter().broadcast(message, to, EmitFlags());
  if (!sent.ok()) co_return Answer(sent.error());
  std::function<std::size_t(HallShard&)> count = [room](HallShard& hall) { return hall.rooms.connection_count(room); };
  hub::Completion<std::size_t> counting = hall_.ask_owner<std::size_t>(room, std::move(count));
  const std::size_t connections = co_await counting;
  Object result{{"delivered", static_cast<std::int64_t>(connections == 0 ? 0 : connections - 1)}};
  co_return Answer(std::move(result));
}

}  // namespace wirehall::services
