// The public classes over the hub: Socket, Ack, Verdict. The others are in public_broadcast.cc.
#include "base/assert.h"
#include "hub/encoded_message.h"
#include "hub/hub.h"
#include "socketio/packet.h"

namespace wirehall {
namespace {

hub::Socket& impl(Socket& socket) { return static_cast<hub::Socket&>(socket); }
const hub::Socket& impl(const Socket& socket) { return static_cast<const hub::Socket&>(socket); }

}  // namespace

// -- Handshake, User ----------------------------------------------------------------------------

bool matches_pattern(std::string_view pattern, std::string_view text) {
  // The classic walk with one point to come back to: the last star.
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool User::may_join(std::string_view room) const {
  if (!rooms) return true;
  for (const std::string& pattern : *rooms) {
    if (matches_pattern(pattern, room)) return true;
  }
  return false;
}

std::optional<std::string_view> Handshake::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return std::nullopt;
}

// -- Verdict ------------------------------------------------------------------------------------

Verdict::Verdict(const Error& error)
    : code_(error.code()), message_(error.text()), retry_after_ms_(error.retry_after_ms()) {
  Object data{{"code", error.kebab()}};
  if (retry_after_ms_ > 0) data.set("retryAfter", retry_after_ms_);
  data_ = Value(std::move(data));
}

Verdict Verdict::refuse(std::string message, Value data, ErrorCode code) {
  Verdict verdict;
  verdict.code_ = code;
  verdict.message_ = std::move(message);
  verdict.data_ = std::move(data);
  return verdict;
}

// -- Ack ----------------------------------------------------------------------------------------

Ack::operator bool() const { return state_ && state_->wanted; }

void Ack::answer(std::span<const Value> args) {
  if (!state_ || state_->answered) return;
  state_->answered = true;
  hub::Socket& socket = *state_->socket;
  if (state_->wanted && socket.is_connected()) socket.link().answer(socket, state_->id, args);
}

void Ack::success(Object fields) {
  Object result;
  result.reserve(fields.size() + 1);
  result.append("success", true);
  for (Member& member : fields) result.append(std::move(member.key), std::move(member.value));
  (*this)(Value(std::move(result)));
}

void Ack::fail(const Error& error) {
  if (!state_ || state_->answered) return;
  hub::Socket& socket = *state_->socket;
  for (const auto& told : socket.shard().spec().failure_handlers) told(socket, error);
  if (state_->wanted) {
    Object result{{"error", error.text()}, {"code", error.kebab()}};
    if (error.retry_after_ms() > 0) result.set("retryAfter", error.retry_after_ms());
    if (!error.fields_json().empty()) {
      const Value fields = Value::from_validated_json(error.fields_json());
      for (const Member& field : fields.as_object()) result.set(field.key, field.value);
    }
    (*this)(Value(std::move(result)));
    return;
  }
  state_->answered = true;
  if (socket.is_connected()) socket.link().report_failure(socket, error);
}

// -- SocketRef, SocketOperator ------------------------------------------------------------------

Socket* SocketRef::find() const {
  hub::Hub* hub = hub::Hub::current();
  hub::NamespaceShard* nsp = hub == nullptr ? nullptr : hub->find(nsp_);
  return nsp == nullptr ? nullptr : nsp->find(id_);
}

SocketOperator SocketOperator::volatile_() const {
  SocketOperator copy = *this;
  copy.flags_.is_volatile = true;
  return copy;
}
SocketOperator SocketOperator::compress(bool on) const {
  SocketOperator copy = *this;
  copy.flags_.compress = on;
  return copy;
}
SendResult SocketOperator::emit_args(std::string_view event, std::span<const Value> args) {
  return impl(*socket_).emit_flagged(event, args, flags_);
}

// -- Socket -------------------------------------------------------------------------------------

std::string Socket::id() const { return std::string(impl(*this).id()); }
Namespace& Socket::nsp() const { return impl(*this).shard().spec().api; }
Protocol Socket::protocol() const { return impl(*this).protocol(); }
SocketRef Socket::ref() const { return {impl(*this).shard().spec().name, id()}; }
const Handshake& Socket::handshake() const { return impl(*this).handshake_.get(); }
const User& Socket::user() const { return impl(*this).user(); }
void Socket::set_user(User user) { impl(*this).set_user(std::move(user)); }
Value& Socket::data() { return impl(*this).rare().data; }
bool Socket::connected() const { return impl(*this).is_connected(); }
bool Socket::recovered() const { return impl(*this).recovery() != nullptr && impl(*this).recovery()->recovered; }
std::string_view Socket::transport() const {
  return impl(*this).is_over() ? std::string_view() : impl(*this).link().transport();
}

Socket::Conn Socket::conn() const {
  if (impl(*this).is_over()) return {};
  const hub::SocketLink& link = impl(*this).link();
  const bool native = link.protocol() == Protocol::kNative;
  return {native ? id() : std::string(link.engine_id()), link.transport(), link.engine_revision()};
}

SendResult Socket::emit_args(std::string_view event, std::span<const Value> args) {
  return impl(*this).emit_flagged(event, args, EmitFlags());
}
SocketOperator Socket::volatile_() { return SocketOperator(*this, EmitFlags()).volatile_(); }
SocketOperator Socket::compress(bool on) { return SocketOperator(*this, EmitFlags()).compress(on); }

Task<Result<Args>> Socket::emit_with_ack(std::string event, Args args, Duration timeout) {
  const hub::SocketPtr self(&impl(*this));
  hub::Completion<Result<Args>> answer(self->emit_expecting(event, args, timeout));
  self->client_awaited(true);
  Result<Args> result = co_await answer;
  self->client_awaited(false);
  co_return result;
}

BroadcastOperator Socket::to(std::string_view room) { return broadcast().to(room); }
BroadcastOperator Socket::to(const std::vector<std::string>& rooms) { return broadcast().to(rooms); }
BroadcastOperator Socket::except(std::string_view room) { return broadcast().except(room); }
BroadcastOperator Socket::broadcast() { return BroadcastOperator(nsp()).except(impl(*this).id()); }
BroadcastOperator Socket::local() { return broadcast().local(); }

Status Socket::join(std::string_view room) {
  hub::Socket& self = impl(*this);
  if (self.is_closed()) return {};
  const Limits& limits = self.hub().environment().limits();
  if (room.empty() || room.size() > limits.room_name_bytes_max)
    return Error(ErrorCode::kInvalidFormat, "room name");
  if (room == self.id()) return {};
  // A room that is named like a socket's id is that socket's own: nobody else gets in (RELIABILITY S7).
  // With revision 3 the id has the namespace in front.
  if (is_socket_id(room.substr(room.front() == '/' ? room.rfind('#') + 1 : 0))) return ErrorCode::kAccessDenied;
  if (self.memberships().size() >= limits.rooms_per_client_max && !in_room(room)) {
    self.hub().environment().metrics().add(Counter::kLimitHits);
    return Error(ErrorCode::kLimitReached, "rooms of one client");
  }
  self.shard().enter_room(self, room);
  return {};
}

Status Socket::join(const std::vector<std::string>& rooms) {
  for (const std::string& room : rooms) {
    if (Status joined = join(room); !joined.ok()) return joined;
  }
  return {};
}

void Socket::leave(std::string_view room) { impl(*this).shard().leave_room(impl(*this), room); }

bool Socket::in_room(std::string_view room) const {
  if (room == impl(*this).id()) return true;
  for (const hub::Membership& membership : impl(*this).memberships()) {
    if (membership.room->name == room) return true;
  }
  return false;
}

std::vector<std::string> Socket::rooms() const {
  std::vector<std::string> names;
  if (impl(*this).is_closed()) return names;
  names.push_back(id());
  for (const hub::Membership& membership : impl(*this).memberships()) names.push_back(membership.room->name);
  return names;
}

void Socket::add_handler(std::string_view event, detail::EventHandler handler, bool once) {
  impl(*this).rare().handlers.push_back(
      {std::string(event), std::make_shared<detail::EventHandler>(std::move(handler)), once});
}
void Socket::off(std::string_view event) {
  if (impl(*this).find_rare() == nullptr) return;
  std::erase_if(impl(*this).find_rare()->handlers, [&](const auto& own) { return own.event == event; });
}
Socket& Socket::on_any(AnyHandler handler) {
  impl(*this).rare().any.push_back(std::move(handler));
  return *this;
}
Socket& Socket::prepend_any(AnyHandler handler) {
  auto& any = impl(*this).rare().any;
  any.insert(any.begin(), std::move(handler));
  return *this;
}
void Socket::off_any() {
  if (impl(*this).find_rare() != nullptr) impl(*this).find_rare()->any.clear();
}
Socket& Socket::on_any_outgoing(AnyOutgoingHandler handler) {
  impl(*this).add_outgoing_listener(std::move(handler), false);
  return *this;
}
Socket& Socket::prepend_any_outgoing(AnyOutgoingHandler handler) {
  impl(*this).add_outgoing_listener(std::move(handler), true);
  return *this;
}
void Socket::off_any_outgoing() {
  impl(*this).drop_outgoing_listeners();
}
Socket& Socket::use(std::function<Status(std::string_view, Args&)> middleware) {
  impl(*this).rare().middlewares.push_back(std::move(middleware));
  return *this;
}
Socket& Socket::on_disconnecting(std::function<void(Socket&, std::string_view)> handler) {
  impl(*this).rare().disconnecting.push_back(std::move(handler));
  return *this;
}
Socket& Socket::on_disconnect(std::function<void(Socket&, std::string_view)> handler) {
  impl(*this).rare().disconnect.push_back(std::move(handler));
  return *this;
}

void Socket::disconnect(bool close) {
  hub::Socket& self = impl(*this);
  if (!self.is_connected() || self.is_closing()) return;
  const hub::SocketPtr held(&self);
  self.link().disconnect(self, close);
  self.close("server namespace disconnect");
}

}  // namespace wirehall
