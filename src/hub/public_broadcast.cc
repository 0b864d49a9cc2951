// The public classes over the hub: BroadcastOperator, RemoteSocket, Namespace.
#include "base/assert.h"
#include "hub/encoded_message.h"
#include "hub/hub.h"
#include "socketio/packet.h"

namespace wirehall {

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

BroadcastOperator BroadcastOperator::timeout(Duration time) const& {
  BroadcastOperator copy = *this;
  copy.flags_.timeout = time;
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
  if (socketio::is_reserved_event(event)) return SendResult::kReserved;
  const hub::Selector selector{rooms_, except_};
  SendResult result = SendResult::kQueued;
  auto message =
      std::make_shared<hub::EncodedMessage>(nsp_->name(), std::string(event), Args(args.begin(), args.end()));
  if (hub::Hub* hub = hub::Hub::current()) {
    hub::NamespaceShard* nsp = hub->find(nsp_->name());
    if (nsp == nullptr) return SendResult::kClosed;  // a child that has gone
    if (!nsp->adapter().broadcast(message, selector, flags_).ok()) result = SendResult::kUnavailable;
    return result;
  }
  const auto& post = nsp_->spec().registry->post_from_outside;
  if (!post) return SendResult::kClosed;
  // Only text may change threads (EncodedMessage I2).
  post(0, [frozen = message->freeze(), selector, flags = flags_](hub::Hub& hub) {
    if (hub::NamespaceShard* nsp = hub.find(frozen->nsp))
      (void)nsp->adapter().broadcast(std::make_shared<hub::EncodedMessage>(frozen), selector, flags).ok();
  });
  return result;
}

namespace {

// What waits for the answers; its parameters live in the coroutine.
template <class T>
Task<T> awaited(std::shared_ptr<hub::CompletionState<T>> state) {
  hub::Completion<T> waiting(std::move(state));
  T result = co_await waiting;
  co_return result;
}

}  // namespace

Task<Result<BroadcastAnswers>> BroadcastOperator::emit_with_ack(std::string event, Args args) {
  using Answers = Result<BroadcastAnswers>;
  hub::Hub* hub = hub::Hub::current();
  WIREHALL_ASSERT(hub != nullptr);
  auto state = std::make_shared<hub::CompletionState<Answers>>(*hub);
  if (socketio::is_reserved_event(event)) {
    state->complete(Error(ErrorCode::kInvalidFormat, "\"" + event + "\" is a reserved event"));
    return awaited(state);
  }
  hub::NamespaceShard* nsp = hub->find(nsp_->name());
  if (nsp == nullptr) {
    state->complete(BroadcastAnswers());
    return awaited(state);
  }
  auto message = std::make_shared<hub::EncodedMessage>(nsp_->name(), std::move(event), std::move(args));
  message->set_ack(nsp->next_ack_id());
  const Status sent = nsp->adapter().broadcast_with_ack(
      message, {rooms_, except_}, flags_,
      [state](BroadcastAnswers answers) { state->complete(std::move(answers)); });
  if (!sent.ok()) state->complete(sent.error());
  return awaited(state);
}

namespace {

Task<std::vector<RemoteSocket>> as_remote_sockets(
    Namespace& nsp, std::shared_ptr<hub::CompletionState<std::vector<SocketInfo>>> state) {
  hub::Completion<std::vector<SocketInfo>> waiting(std::move(state));
  std::vector<SocketInfo> infos = co_await waiting;
  std::vector<RemoteSocket> sockets;
  sockets.reserve(infos.size());
  for (SocketInfo& info : infos) sockets.emplace_back(nsp, std::move(info));
  co_return sockets;
}

}  // namespace

Task<std::vector<RemoteSocket>> BroadcastOperator::fetch_sockets() {
  hub::Hub* hub = hub::Hub::current();
  WIREHALL_ASSERT(hub != nullptr);
  auto state = std::make_shared<hub::CompletionState<std::vector<SocketInfo>>>(*hub);
  const auto done = [state](std::vector<SocketInfo> infos) { state->complete(std::move(infos)); };
  hub::NamespaceShard* nsp = hub->find(nsp_->name());
  WIREHALL_ASSERT(nsp == nullptr || !nsp->spec().is_parent);
  if (nsp == nullptr) {
    done({});
  } else {
    nsp->adapter().fetch({rooms_, except_}, done);
  }
  return as_remote_sockets(*nsp_, std::move(state));
}

void BroadcastOperator::sockets_join(std::string_view room) {
  on_some_hub(*nsp_, [name = nsp_->name(), selector = hub::Selector{rooms_, except_},
                      target = std::string(room)](hub::Hub& hub) {
    if (hub::NamespaceShard* nsp = hub.find(name)) nsp->adapter().move(selector, target, true);
  });
}
void BroadcastOperator::sockets_leave(std::string_view room) {
  on_some_hub(*nsp_, [name = nsp_->name(), selector = hub::Selector{rooms_, except_},
                      target = std::string(room)](hub::Hub& hub) {
    if (hub::NamespaceShard* nsp = hub.find(name)) nsp->adapter().move(selector, target, false);
  });
}
void BroadcastOperator::disconnect_sockets(bool close) {
  on_some_hub(*nsp_, [name = nsp_->name(), selector = hub::Selector{rooms_, except_}, close](hub::Hub& hub) {
    if (hub::NamespaceShard* nsp = hub.find(name)) nsp->adapter().disconnect(selector, close);
  });
}

// -- RemoteSocket -------------------------------------------------------------------------------

namespace {

Task<Result<Value>> only_answer(Task<Result<BroadcastAnswers>> asking) {
  using Answer = Result<Value>;
  Result<BroadcastAnswers> answers = co_await asking;
  if (!answers.ok()) co_return Answer(answers.error());
  if (answers->responses.empty()) co_return Answer(ErrorCode::kTimeout);
  co_return Answer(std::move(answers->responses.front()));
}

}  // namespace

Task<Result<Value>> RemoteSocket::emit_with_ack(std::string event, Args args, Duration timeout) {
  return only_answer(self().timeout(timeout).emit_with_ack(std::move(event), std::move(args)));
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
Namespace& Namespace::on_failure(std::function<void(Socket&, const Error&)> handler) {
  WIREHALL_ASSERT(!spec_->registry->running);
  spec_->failure_handlers.push_back(std::move(handler));
  return *this;
}
Namespace& Namespace::use_event(std::function<Status(Socket&, std::string_view, Args&)> middleware) {
  WIREHALL_ASSERT(!spec_->registry->running);
  spec_->event_middlewares.push_back(std::move(middleware));
  return *this;
}
Namespace& Namespace::on_server_event(std::string_view event, ServerEventHandler handler) {
  WIREHALL_ASSERT(!spec_->registry->running);
  spec_->server_handlers[std::string(event)].push_back(std::move(handler));
  return *this;
}
Namespace& Namespace::on_create_room(RoomHandler handler) {
  WIREHALL_ASSERT(!spec_->registry->running);
  spec_->room_handlers.created.push_back(std::move(handler));
  return *this;
}
Namespace& Namespace::on_delete_room(RoomHandler handler) {
  WIREHALL_ASSERT(!spec_->registry->running);
  spec_->room_handlers.deleted.push_back(std::move(handler));
  return *this;
}
Namespace& Namespace::on_join_room(RoomMemberHandler handler) {
  WIREHALL_ASSERT(!spec_->registry->running);
  spec_->room_handlers.joined.push_back(std::move(handler));
  return *this;
}
Namespace& Namespace::on_leave_room(RoomMemberHandler handler) {
  WIREHALL_ASSERT(!spec_->registry->running);
  spec_->room_handlers.left.push_back(std::move(handler));
  return *this;
}

// Without a cluster there is no other node: nobody is told, and nobody answers.
Status Namespace::server_side_emit(std::string_view event, Args) {
  if (event == "connect" || event == "connection" || event == "new_namespace")
    return Error(ErrorCode::kInvalidFormat, "\"" + std::string(event) + "\" is a reserved event");
  return {};
}
Task<Result<std::vector<Value>>> Namespace::server_side_emit_with_ack(std::string event, Args args) {
  Result<std::vector<Value>> answers(std::vector<Value>{});
  if (const Status sent = server_side_emit(event, std::move(args)); !sent.ok()) answers = sent.error();
  co_return answers;
}

Namespace& Namespace::native_shape(std::string_view event, NativeShape shape) {
  WIREHALL_ASSERT(!spec_->registry->running);
  for (const std::string& alias : shape.aliases) spec_->native_types[alias] = std::string(event);
  spec_->native_shapes[std::string(event)] = std::move(shape);
  return *this;
}
Namespace& Namespace::use(JwtAuth) {
  Authenticator& authenticator = spec_->registry->authenticator();
  return use([&authenticator](Socket& socket) -> Task<Verdict> {
    Task<Result<User>> authenticating = authenticator.authenticate(socket.handshake());
    Result<User> user = co_await authenticating;
    if (!user.ok()) {
      Verdict refused(user.error());
      co_return refused;
    }
    socket.set_user(std::move(*user));
    Verdict accepted;
    co_return accepted;
  });
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
