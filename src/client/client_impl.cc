#include "client/client_impl.h"

#include <openssl/rand.h>

#include <algorithm>
#include <csignal>

#include "base/assert.h"

namespace wirehall::detail {
namespace {

MonoTime now() { return MonoTime(std::chrono::steady_clock::now().time_since_epoch()); }

// How long a client that is destroyed waits for its goodbye to be written.
constexpr auto kGoodbyeMax = std::chrono::milliseconds(1000);

}  // namespace

// -- InboxState, OpensslRandom --------------------------------------------------------------------

void InboxState::put(Value value) {
  const std::lock_guard lock(mutex_);
  if (events_.size() >= events_max_) {
    ++dropped_;
    return;
  }
  events_.push_back(std::move(value));
  changed_.notify_all();
}

Result<Value> InboxState::take(Milliseconds timeout, std::string_view part) {
  const bool may_wait = std::this_thread::get_id() != filler_;
  WIREHALL_ASSERT(may_wait && "the client's own thread must not wait for events");
  std::unique_lock lock(mutex_);
  const auto end = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    while (!events_.empty()) {
      Value value = std::move(events_.front());
      events_.pop_front();
      if (part.empty() || value.to_json().find(part) != std::string::npos) return value;
    }
    if (changed_.wait_until(lock, end) == std::cv_status::timeout && events_.empty())
      return Error(ErrorCode::kTimeout, "no such event came");
  }
}

std::size_t InboxState::size() const {
  const std::lock_guard lock(mutex_);
  return events_.size();
}

std::uint64_t InboxState::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void OpensslRandom::fill(std::span<char> out) {
  WIREHALL_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) ==
                  1);
}

// -- life -----------------------------------------------------------------------------------------

ClientImpl::ClientImpl(std::string url, ClientOptions options)
    : options_(std::move(options)),
      work_(boost::asio::make_work_guard(io_)),
      timer_(io_),
      session_(std::move(url), options_, random_) {}

void ClientImpl::start() {
  // Signals are the program's own threads' business.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([self = shared_from_this()] {
    self->io_.run();
    {
      const std::lock_guard lock(self->mutex_);
      self->finished_ = true;
    }
    self->ended_.notify_all();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  thread_id_ = thread_.get_id();  // before anything is given to the thread to do
}

void ClientImpl::stop() {
  const bool inside = std::this_thread::get_id() == thread_id_;
  if (inside) silent_ = true;  // it is the client's thread that reads it
  boost::asio::post(io_, [self = shared_from_this()] {
    self->session_.close(now());
    self->flush();
    self->timer_.cancel();
    self->work_.reset();
  });
  if (inside) return thread_.detach();
  std::unique_lock lock(mutex_);
  // A look-up of a name cannot be broken off; then the thread ends by itself when it comes back.
  const bool ended = ended_.wait_for(lock, kGoodbyeMax + kGoodbyeMax / 2, [&] { return finished_; });
  lock.unlock();
  ended ? thread_.join() : thread_.detach();
}

void ClientImpl::assert_may_wait() const {
  const bool may_wait = std::this_thread::get_id() != thread_id_;
  WIREHALL_ASSERT(may_wait && "a handler must not wait for an answer: give the function a handler");
}

// -- what threads ask for -------------------------------------------------------------------------

void ClientImpl::connect(std::function<void(Status)> done) {
  run([this, done = std::move(done)]() mutable { session_.connect(std::move(done), now()); });
}

void ClientImpl::close() {
  run([this] { session_.close(now()); });
}

Status ClientImpl::request(client::Request request) {
  std::size_t bytes = request.event.size();
  for (const Value& value : request.args) bytes += client::waiting_bytes(value);
  request.ticket = client::Ticket::take(admission_, bytes, options_);
  if (!request.ticket) {
    const Error full(ErrorCode::kQueueFull, std::to_string(options_.requests_max) + " requests, or " +
                                                std::to_string(options_.requests_bytes_max) +
                                                " bytes of them");
    fail(std::move(request.done), full);
    return full;
  }
  if (!request.done && state() == ClientState::kClosed)
    return Error(ErrorCode::kDisconnected, "not connected");
  run([this, request = std::move(request)]() mutable { session_.request(std::move(request), now()); });
  return {};
}

void ClientImpl::answer(std::uint64_t connection, std::uint64_t id, std::vector<Value> args) {
  run([this, connection, id, args = std::move(args)]() mutable {
    session_.answer(connection, id, std::move(args), now());
  });
}

void ClientImpl::fail(AnswerHandler done, Error error) {
  if (done) run([done = std::move(done), error = std::move(error)]() mutable { done(std::move(error)); });
}

void ClientImpl::upload(client::ReadPiece read, std::uint64_t size, FileOptions options, AnswerHandler done) {
  const std::weak_ptr<ClientImpl> weak = weak_from_this();
  client::Ask ask = [weak](std::string event, Object fields, AnswerHandler answered) {
    const std::shared_ptr<ClientImpl> self = weak.lock();
    if (!self) return answered(Error(ErrorCode::kDisconnected, "the client is gone"));
    client::Request request;
    request.event = std::move(event);
    request.args.emplace_back(std::move(fields));
    request.done = std::move(answered);
    request.options.again = true;
    (void)self->request(std::move(request));  // the handler is told
  };
  auto upload = std::make_shared<client::Upload>(std::move(ask), std::move(read), size, std::move(options),
                                                 std::move(done));
  run([upload] { upload->start(); });
}

HandlerId ClientImpl::add_handler(std::string event, EventHandler handler, bool once, bool value_only) {
  const HandlerId id = ++last_handler_;
  auto added = std::make_shared<Handler>(Handler{id, event, std::move(handler), once, value_only});
  run([this, event = std::move(event), added = std::move(added)]() mutable {
    handlers_[event].push_back(std::move(added));
  });
  return id;
}

void ClientImpl::drop(const std::string& event, const std::function<bool(const Handler&)>& chosen) {
  const auto found = handlers_.find(event);
  if (found == handlers_.end()) return;
  std::erase_if(found->second, [&](const std::shared_ptr<Handler>& handler) {
    if (!chosen(*handler)) return false;
    handler->removed = true;
    return true;
  });
  if (found->second.empty()) handlers_.erase(found);
}

void ClientImpl::remove_handler(HandlerId id) {
  run([this, id] {
    std::vector<std::string> events;
    for (const auto& [event, handlers] : handlers_) events.push_back(event);
    for (const std::string& event : events)
      drop(event, [&](const Handler& handler) { return handler.id == id; });
  });
}

void ClientImpl::remove_handlers(std::string event) {
  run([this, event = std::move(event)] { drop(event, [](const Handler&) { return true; }); });
}

ClientInbox ClientImpl::inbox(std::string event, std::size_t events_max) {
  auto state = std::make_shared<InboxState>(events_max, thread_id_);
  const std::weak_ptr<InboxState> weak = state;
  // The handler goes with the first event that nobody collects any more.
  const auto id = std::make_shared<std::atomic<HandlerId>>(0);
  *id = add_handler(
      std::move(event),
      [this, weak, id](const ClientEvent& told) {
        if (const std::shared_ptr<InboxState> inbox = weak.lock()) {
          inbox->put(told.value());
        } else {
          remove_handler(*id);
        }
      },
      false, true);
  return ClientInbox(std::move(state));
}

void ClientImpl::on_connect(std::function<void(const ClientConnected&)> handler) {
  run([this, handler = std::move(handler)]() mutable { on_connect_.push_back(std::move(handler)); });
}
void ClientImpl::on_disconnect(std::function<void(const ClientDisconnected&)> handler) {
  run([this, handler = std::move(handler)]() mutable { on_disconnect_.push_back(std::move(handler)); });
}
void ClientImpl::on_rejoin(std::function<void(const std::string&, const Result<Value>&)> handler) {
  run([this, handler = std::move(handler)]() mutable { on_rejoin_.push_back(std::move(handler)); });
}

ClientState ClientImpl::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}
std::string ClientImpl::user_id() const {
  const std::lock_guard lock(mutex_);
  return user_id_;
}
std::string ClientImpl::session_id() const {
  const std::lock_guard lock(mutex_);
  return session_id_;
}

// -- the client's thread --------------------------------------------------------------------------

void ClientImpl::remember_state() {
  const std::lock_guard lock(mutex_);
  state_ = session_.state();
  if (user_id_ != session_.user_id()) user_id_ = session_.user_id();
  if (session_id_ != session_.session_id()) session_id_ = session_.session_id();
}

void ClientImpl::flush() {
  if (flushing_) return;
  flushing_ = true;
  for (;;) {
    std::vector<client::Wire::Command> commands = session_.wire().take();
    for (client::Wire::Command& command : commands) perform(command);
    remember_state();
    std::vector<client::SessionEvent> events = session_.take_events();
    if (commands.empty() && events.empty()) break;
    for (client::SessionEvent& event : events) dispatch(event);
  }
  flushing_ = false;
  arm_timer();
}

void ClientImpl::arm_timer() {
  const MonoTime next = session_.next_deadline();
  if (next == timer_at_) return;
  timer_at_ = next;
  if (next == kNever) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(std::chrono::steady_clock::time_point(next.time_since_epoch()));
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error) return;
    self->timer_at_ = kNever;
    self->session_.on_deadline(now());
    self->flush();
  });
}

void ClientImpl::perform(client::Wire::Command& command) {
  using Kind = client::Wire::Command::Kind;
  if (command.kind == Kind::kOpen) {
    const client::Endpoint& endpoint = session_.endpoint();
    if (endpoint.tls && !tls_) {
      Result<std::shared_ptr<boost::asio::ssl::context>> made = client::make_tls_context(options_.tls);
      if (!made.ok()) return session_.ended(command.channel, made.error(), now());
      tls_ = std::move(*made);
    }
    auto channel = std::make_shared<client::Channel>(io_, static_cast<client::ChannelOwner&>(*this),
                                                     command.channel, endpoint, options_.tls, tls_);
    channels_[command.channel] = channel;
    return channel->open();
  }
  const auto found = channels_.find(command.channel);
  if (found == channels_.end()) return;
  if (command.kind == Kind::kSend) return found->second->send(std::move(command.bytes));
  found->second->close();
  channels_.erase(found);
}

void ClientImpl::dispatch(client::SessionEvent& event) {
  using Kind = client::SessionEvent::Kind;
  if (silent_) return;
  switch (event.kind) {
    case Kind::kOpened: return event.opened(event.failure ? Status(*event.failure) : Status());
    case Kind::kAnswer: return event.done(std::move(*event.answer));
    case Kind::kEvent: return dispatch_event(event);
    case Kind::kConnected:
      for (const auto& handler : std::vector(on_connect_)) handler(*event.connected);
      return;
    case Kind::kDisconnected:
      for (const auto& handler : std::vector(on_disconnect_)) handler(*event.disconnected);
      return;
    case Kind::kRejoined:
      for (const auto& handler : std::vector(on_rejoin_)) handler(event.name, *event.answer);
      return;
  }
}

void ClientImpl::dispatch_event(client::SessionEvent& event) {
  ClientAck ack;
  if (event.question) ack = ClientAck(weak_from_this(), event.connection, *event.question);
  const ClientEvent told{event.name, event.args, ack};
  const auto handlers = [&](const std::string& name) {
    const auto found = handlers_.find(name);
    return found == handlers_.end() ? Handlers() : found->second;
  };
  Called called;
  call(handlers(std::string()), told, called);
  call(handlers(event.name), told, called);
  // The native protocol's own name for it.
  if (event.name == "new-message") call(handlers("chat"), told, called);
  if (called.any && !called.may_answer && !silent_) ack();
}

void ClientImpl::call(const Handlers& handlers, const ClientEvent& event, Called& called) {
  for (const std::shared_ptr<Handler>& handler : handlers) {
    if (handler->removed || silent_) continue;
    if (handler->once) drop(handler->event, [&](const Handler& each) { return each.id == handler->id; });
    called.any = true;
    called.may_answer = called.may_answer || !handler->value_only;
    handler->call(event);
  }
}

void ClientImpl::channel_opened(std::uint32_t channel) {
  session_.opened(channel, now());
  flush();
}
void ClientImpl::channel_received(std::uint32_t channel, char* begin, char* end) {
  session_.received(channel, begin, end, now());
  flush();
}
void ClientImpl::channel_written(std::uint32_t channel, std::size_t bytes) {
  session_.written(channel, bytes, now());
  flush();
}
void ClientImpl::channel_ended(std::uint32_t channel, const Error& error) {
  channels_.erase(channel);
  session_.ended(channel, error, now());
  flush();
}

}  // namespace wirehall::detail
