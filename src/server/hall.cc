// The hall as handlers see it: every function finds its service on the socket's shard.
#include "wirehall/hall.h"

#include "base/json.h"
#include "server/hall_wiring.h"
#include "services/hall/fields.h"

namespace wirehall {
namespace {

hub::Socket& impl(Socket& socket) { return static_cast<hub::Socket&>(socket); }
hub::SocketPtr held(Socket& socket) { return hub::SocketPtr(static_cast<hub::Socket*>(&socket)); }

}  // namespace

using services::HallShard;

Hall::Hall(Server& server)
    : server_(server), wiring_(std::make_unique<server::HallWiring>(server.composition())) {
  server.of("/").on_disconnecting([this](Socket& socket, std::string_view reason) {
    wiring_->shard(impl(socket).hub()).disconnecting(impl(socket), reason);
  });
}
Hall::~Hall() { wiring_->composition().stop_now(); }

// -- connecting -------------------------------------------------------------------------------------------

Task<Verdict> Hall::admit(Socket& socket) {
  hub::SocketPtr self = held(socket);
  return wiring_->shard(self->hub()).admit(self);
}

void Hall::connected(Socket& socket) {
  const hub::SocketPtr self = held(socket);
  wiring_->shard(self->hub()).connected(*self);
}

Task<Hall::Answer> Hall::refresh_token(Socket& socket, std::string token) {
  hub::SocketPtr self = held(socket);
  const User before = socket.user();
  Task<Result<User>> refreshing = wiring_->composition().authenticator().refresh(before, token);
  Result<User> user = co_await refreshing;
  if (!user.ok()) co_return Answer(user.error());
  if (user->id != before.id) co_return Answer(Error(ErrorCode::kAccessDenied, "the token is another user's"));
  const WallMs expires = user->expires_at;
  if (self->is_connected()) {
    static_cast<Socket&>(*self).set_user(std::move(*user));
    wiring_->shard(self->hub()).watch_expiry(*self);
  }
  Object result{{"expiresAt", expires}};
  co_return Answer(std::move(result));
}

// -- arguments ----------------------------------------------------------------------------------------------

Result<std::string> Hall::room_of(const Value& argument) {
  const Value* name = &argument;
  if (argument.is_object()) {
    name = argument.find("roomId");
    if (name == nullptr) name = argument.find("room");
  }
  if (name == nullptr || !name->is_string())
    return Error(ErrorCode::kInvalidFormat, "roomId must be a string");
  if (!services::is_valid_name(name->as_string(), services::kNameBytesMax))
    return Error(ErrorCode::kInvalidFormat, "roomId is empty, too long, or has control characters");
  return name->as_string();
}

Result<std::string> Hall::text_of(const Value& argument, std::string_view name) {
  const Value* text = argument.is_object() ? argument.find(name) : &argument;
  if (text == nullptr || !text->is_string())
    return Error(ErrorCode::kInvalidFormat, std::string(name) + " must be a string");
  return text->as_string();
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

// -- rooms ----------------------------------------------------------------------------------------------------

Hall& Hall::room_type(std::string name, std::shared_ptr<const RoomType> type) {
  wiring_->shared().room_types.add(std::move(name), std::move(type));
  return *this;
}

Task<Hall::Answer> Hall::join(Socket& socket, std::string room, std::optional<RoomPosition> since) {
  hub::SocketPtr self = held(socket);
  return wiring_->shard(self->hub()).joining.join(self, std::move(room), std::move(since));
}

Task<Hall::Answer> Hall::leave(Socket& socket, std::string room) {
  hub::SocketPtr self = held(socket);
  return wiring_->shard(self->hub()).joining.leave(self, std::move(room));
}

Task<Hall::Answer> Hall::typing(Socket& socket, std::string room, bool typing) {
  hub::SocketPtr self = held(socket);
  return wiring_->shard(self->hub()).typing(self, std::move(room), typing);
}

Task<Hall::Answer> Hall::update_status(Socket& socket, std::string status) {
  hub::SocketPtr self = held(socket);
  return wiring_->shard(self->hub()).presence.update_status(self, std::move(status));
}

Task<Hall::Answer> Hall::mark_read(Socket& socket, Object fields) {
  hub::SocketPtr self = held(socket);
  HallShard& shard = wiring_->shard(self->hub());
  return fields.contains("messageIds") ? shard.private_messages.mark_read(self, std::move(fields))
                                       : shard.messages.mark_read(self, std::move(fields));
}

Task<Hall::Answer> Hall::edit_message(Socket& socket, Object fields) {
  hub::SocketPtr self = held(socket);
  return wiring_->shard(self->hub()).messages.change(self, std::move(fields), false);
}

Task<Hall::Answer> Hall::delete_message(Socket& socket, Object fields) {
  hub::SocketPtr self = held(socket);
  return wiring_->shard(self->hub()).messages.change(self, std::move(fields), true);
}

Hall::Answer Hall::ice_servers(Socket& socket) {
  return wiring_->shard(impl(socket).hub()).calls.ice_servers(socket.user().id);
}

// The others take an object's fields and differ in nothing but their service.
#define WIREHALL_FORWARD(name, service)                             \
  Task<Hall::Answer> Hall::name(Socket& socket, Object fields) {    \
    hub::SocketPtr self = held(socket);                             \
    HallShard& shard = wiring_->shard(self->hub());                 \
    return shard.service(std::move(self), std::move(fields));       \
  }
WIREHALL_FORWARD(create_room, management.create)
WIREHALL_FORWARD(invite, management.invite)
WIREHALL_FORWARD(kick, management.kick)
WIREHALL_FORWARD(set_role, management.set_role)
WIREHALL_FORWARD(send_message, messages.send)
WIREHALL_FORWARD(history, messages.history)
WIREHALL_FORWARD(broadcast, messages.broadcast)
WIREHALL_FORWARD(private_message, private_messages.send)
WIREHALL_FORWARD(presence, presence.look)
WIREHALL_FORWARD(upload_start, uploads.start)
WIREHALL_FORWARD(upload_chunk, uploads.chunk)
WIREHALL_FORWARD(upload_abort, uploads.abort)
WIREHALL_FORWARD(call_user, calls.start)
WIREHALL_FORWARD(call_answer, calls.answer)
WIREHALL_FORWARD(call_reject, calls.reject)
WIREHALL_FORWARD(call_end, calls.end)
WIREHALL_FORWARD(ice_candidate, calls.candidate)
WIREHALL_FORWARD(push_subscribe, push.subscribe)
WIREHALL_FORWARD(push_unsubscribe, push.unsubscribe)
#undef WIREHALL_FORWARD

Status Hall::take_allowance(Socket& socket, Allowed kind) {
  hub::Socket& self = impl(socket);
  services::HallSocket* extension = HallShard::extension(self);
  if (extension == nullptr) return {};
  static_assert(static_cast<int>(Allowed::kUpload) == static_cast<int>(services::Allowed::kUpload));
  const auto index = static_cast<std::size_t>(kind);
  Status taken = extension->shared().allowances[index].take(wiring_->shared().allowances[index], self.hub().now());
  if (!taken.ok()) self.hub().environment().metrics().add(Counter::kRateLimited);
  return taken;
}

}  // namespace wirehall
