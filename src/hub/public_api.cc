// The public classes over the hub: Socket, Ack, Namespace, BroadcastOperator.
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
  Object result{{"success", true}};
  for (Member& member : fields) result.append(std::move(member.key), std::move(member.value));
  (*this)(Value(std::move(result)));
}

void Ack::fail(const Error& error) {
  if (!state_ || state_->answered) return;
  hub::Socket& socket = *state_->socket;
  if (state_->wanted) {
    Object result{{"error", error.text()}, {"code", error.kebab()}};
    if (error.retry_after_ms() > 0) result.set("retryAfter", error.retry_after_ms());
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

const std::string& Socket::id() const { return impl(*this).id(); }
Namespace& Socket::nsp() const { return impl(*this).shard().spec().api; }
Protocol Socket::protocol() const { return impl(*this).link().protocol(); }
SocketRef Socket::ref() const { return {impl(*this).shard().spec().name, id()}; }
const Handshake& Socket::handshake() const { return *impl(*this).handshake_; }
const User& Socket::user() const { return *impl(*this).user_; }
void Socket::set_user(User user) { impl(*this).user_ = std::make_shared<const User>(std::move(user)); }
Value& Socket::data() { return impl(*this).rare().data; }
bool Socket::connected() const { return impl(*this).is_connected(); }
bool Socket::recovered() const { return false; }
std::string_view Socket::transport() const { return impl(*this).link().transport(); }

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
BroadcastOperator Socket::except(std::string_view room) { return broadcast().except(room); }
BroadcastOperator Socket::broadcast() { return BroadcastOperator(nsp()).except(id()); }
BroadcastOperator Socket::local() { return broadcast().local(); }

Status Socket::join(std::string_view room) {
  hub::Socket& self = impl(*this);
  if (self.is_closed()) return {};
  const Limits& limits = self.hub().environment().limits();
  if (room.empty() || room.size() > limits.room_name_bytes_max)
    return Error(ErrorCode::kInvalidFormat, "room name");
  if (room == self.id()) return {};
  // A room that is named like a socket's id is that socket's own: nobody else gets in (RELIABILITY S7).
  if (is_socket_id(room)) return ErrorCode::kAccessDenied;
  if (self.memberships().size() >= limits.rooms_per_client_max && !in_room(room)) {
    self.hub().environment().metrics().add(Counter::kLimitHits);
    return Error(ErrorCode::kLimitReached, "rooms of one client");
  }
  self.shard().rooms().add(self, room);
  return {};
}

void Socket::leave(std::string_view room) { impl(*this).shard().rooms().remove(impl(*this), room); }

bool Socket::in_room(std::string_view room) const {
  if (room == id()) return true;
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
  if (!impl(*this).rare_) return;
  std::erase_if(impl(*this).rare_->handlers, [&](const auto& own) { return own.event == event; });
}
Socket& Socket::on_any(std::function<void(Socket&, std::string_view, Args&)> handler) {
  impl(*this).rare().any.push_back(std::move(handler));
  return *this;
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

// -- BroadcastOperator --------------------------------------------------------------------------

BroadcastOperator BroadcastOperator::to(std::string_view room) const& {
  BroadcastOperator copy = *this;
  copy.rooms_.emplace_back(room);
  return copy;
}
BroadcastOperator BroadcastOperator::to(const std::vector<std::string>& rooms) const& {
  BroadcastOperator copy = *this;
  copy.rooms_.insert(copy.rooms_.end(), rooms.begin(), rooms.end());
  return copy;
}
BroadcastOperator BroadcastOperator::except(std::string_view room) const& {
  BroadcastOperator copy = *this;
  copy.except_.emplace_back(room);
  return copy;
}
BroadcastOperator BroadcastOperator::except(const std::vector<std::string>& rooms) const& {
  BroadcastOperator copy = *this;
  copy.except_.insert(copy.except_.end(), rooms.begin(), rooms.end());
  return copy;
}
BroadcastOperator BroadcastOperator::compress(bool on) const& {
  BroadcastOperator copy = *this;
  copy.flags_.compress = on;
  return copy;
}
BroadcastOperator BroadcastOperator::volatile_() const& {
  BroadcastOperator copy = *this;
  copy.flags_.is_volatile = true;
  return copy;
}
BroadcastOperator BroadcastOperator::local() const& {
  BroadcastOperator copy = *this;
  copy.flags_.local = true;
  return copy;
}

namespace {

// Runs on this thread's hub, or from outside on the first shard's.
void on_some_hub(Namespace& nsp, hub::HubTask task) {
  if (hub::Hub* hub = hub::Hub::current()) {
    task(*hub);
    return;
  }
  const auto& post = nsp.spec().registry->post_from_outside;
  if (post) post(0, std::move(task));
}

}  // namespace

SendResult BroadcastOperator::emit_args(std::string_view event, std::span<const Value> args) {
  WIREHALL_ASSERT(!socketio::is_reserved_event(event));
  const hub::Selector selector{rooms_, except_};
  SendResult result = SendResult::kQueued;
  auto message =
      std::make_shared<hub::EncodedMessage>(nsp_->name(), std::string(event), Args(args.begin(), args.end()));
  if (hub::Hub* hub = hub::Hub::current()) {
    hub::NamespaceShard* nsp = hub->find(nsp_->name());
    if (!nsp->adapter().broadcast(message, selector, flags_).ok()) result = SendResult::kUnavailable;
    return result;
  }
  const auto& post = nsp_->spec().registry->post_from_outside;
  if (!post) return SendResult::kClosed;
  // Only text may change threads (EncodedMessage I2).
  post(0, [frozen = message->freeze(), selector, flags = flags_](hub::Hub& hub) {
    (void)hub.find(frozen->nsp)
        ->adapter()
        .broadcast(std::make_shared<hub::EncodedMessage>(frozen), selector, flags)
        .ok();
  });
  return result;
}

void BroadcastOperator::sockets_join(std::string_view room) {
  on_some_hub(*nsp_,
              [name = nsp_->name(), selector = hub::Selector{rooms_, except_}, target = std::string(room)](
                  hub::Hub& hub) { hub.find(name)->adapter().move(selector, target, true); });
}
void BroadcastOperator::sockets_leave(std::string_view room) {
  on_some_hub(*nsp_,
              [name = nsp_->name(), selector = hub::Selector{rooms_, except_}, target = std::string(room)](
                  hub::Hub& hub) { hub.find(name)->adapter().move(selector, target, false); });
}
void BroadcastOperator::disconnect_sockets(bool close) {
  on_some_hub(*nsp_, [name = nsp_->name(), selector = hub::Selector{rooms_, except_}, close](hub::Hub& hub) {
    hub.find(name)->adapter().disconnect(selector, close);
  });
}

// -- Namespace ----------------------------------------------------------------------------------

const std::string& Namespace::name() const { return spec_->name; }

Namespace& Namespace::on_connection(std::function<void(Socket&)> handler) {
  WIREHALL_ASSERT(!spec_->registry->running);
  spec_->connection_handlers.push_back(std::move(handler));
  return *this;
}
Namespace& Namespace::on_disconnecting(std::function<void(Socket&, std::string_view)> handler) {
  WIREHALL_ASSERT(!spec_->registry->running);
  spec_->disconnecting_handlers.push_back(std::move(handler));
  return *this;
}
Namespace& Namespace::on_disconnect(std::function<void(Socket&, std::string_view)> handler) {
  WIREHALL_ASSERT(!spec_->registry->running);
  spec_->disconnect_handlers.push_back(std::move(handler));
  return *this;
}
Namespace& Namespace::use_event(std::function<Status(Socket&, std::string_view, Args&)> middleware) {
  WIREHALL_ASSERT(!spec_->registry->running);
  spec_->event_middlewares.push_back(std::move(middleware));
  return *this;
}
Namespace& Namespace::native_shape(std::string_view event, NativeShape shape) {
  WIREHALL_ASSERT(!spec_->registry->running);
  for (const std::string& alias : shape.aliases) spec_->native_types[alias] = std::string(event);
  spec_->native_shapes[std::string(event)] = std::move(shape);
  return *this;
}
void Namespace::add_middleware(ConnectMiddleware middleware) {
  WIREHALL_ASSERT(!spec_->registry->running);
  spec_->middlewares.push_back(std::move(middleware));
}
void Namespace::add_handler(std::string_view event, detail::EventHandler handler) {
  WIREHALL_ASSERT(!spec_->registry->running);
  auto shared = std::make_shared<detail::EventHandler>(std::move(handler));
  if (event.empty()) {
    spec_->unknown_handlers.push_back(std::move(shared));
  } else {
    WIREHALL_ASSERT(!socketio::is_reserved_event(event));
    spec_->handlers[std::string(event)].push_back(std::move(shared));
  }
}

}  // namespace wirehall
