#include "hub/socket.h"

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"
#include "hub/encoded_message.h"
#include "hub/hub.h"
#include "hub/recovery.h"
#include "socketio/packet.h"

namespace wirehall::hub {
namespace {

// One event on its way to one handler.
class HandlerInvocation final : public detail::Invocation {
 public:
  HandlerInvocation(Socket& socket, std::string_view event, Args& args, Ack& ack,
                    const SharedHandler& handler, bool last)
      : socket_(socket), event_(event), args_(args), ack_(ack), handler_(handler), last_(last) {}

  wirehall::Socket& socket() override { return socket_; }
  std::string_view event() override { return event_; }
  Args& args() override { return args_; }
  Ack& ack() override { return ack_; }
  bool is_last() override { return last_; }
  void run(Task<> task) override {
    socket_.hub().spawn(std::move(task), SocketPtr(&socket_), handler_, ack_);
  }
  void reject_argument(std::size_t index) override {
    ack_.fail(Error(ErrorCode::kInvalidFormat, "argument " + std::to_string(index + 1)));
  }

 private:
  Socket& socket_;
  std::string_view event_;
  Args& args_;
  Ack& ack_;
  const SharedHandler& handler_;
  bool last_;
};

// Runs handlers one after another for as long as the socket is connected.
void run_each(Socket& socket, std::span<const SharedHandler> handlers, std::string_view event, Args& args,
              Ack& ack, bool more_follow) {
  for (const SharedHandler& handler : handlers) {
    if (!socket.is_connected()) return;
    HandlerInvocation invocation(socket, event, args, ack, handler,
                                 !more_follow && &handler == &handlers.back());
    (*handler)(invocation);
  }
}

}  // namespace

// -- SocketPtr ----------------------------------------------------------------------------------

SocketPtr::SocketPtr(Socket* socket) : socket_(socket) {
  if (socket_ != nullptr) ++socket_->references_;
}
SocketPtr::SocketPtr(const SocketPtr& other) : SocketPtr(other.socket_) {}
SocketPtr::~SocketPtr() {
  if (socket_ != nullptr && --socket_->references_ == 0) delete socket_;
}

// -- Socket -------------------------------------------------------------------------------------

Socket::Socket(NamespaceShard& nsp, SocketLink& link, KeptHandshake handshake, std::string_view id)
    : link_(&link),
      protocol_(link.protocol()),
      id_(id),
      nsp_(&nsp),
      handshake_(std::move(handshake)) {
  nsp_->retain();
}

Socket::~Socket() {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
  static_assert(offsetof(Socket, id_) <= kDeliveryBytes, "what stands before it is looked at by each delivery");
#pragma GCC diagnostic pop
  nsp_->release();
}

Hub& Socket::hub() const { return nsp_->hub(); }

Socket::Rare& Socket::rare() {
  if (find_rare() == nullptr) more().rare = std::make_unique<Rare>(*this);
  return *more_->rare;
}

void Socket::mark_connected() {
  WIREHALL_ASSERT(state_ == State::kConnecting);
  state_ = State::kConnected;
}

void Socket::receive_event(std::string_view event, Args& args, std::optional<AckId> ack_id) {
  if (state_ != State::kConnected) return;
  const SocketPtr self(this);
  hub().environment().metrics().add(Counter::kEvents);
  detail::SpareAck& spare = hub().spare_ack();
  Ack ack = spare.take();
  detail::AckState& state = spare.state_of(ack);
  state.socket = self;
  state.wanted = ack_id.has_value();
  if (ack_id) state.id = std::move(*ack_id);
  try {
    if (find_rare() != nullptr && !find_rare()->any.empty()) {
      const auto any = find_rare()->any;  // a handler may add another
      for (const auto& handler : any) handler(*this, event, args);
    }
    const bool is_checked = find_rare() != nullptr || !nsp_->spec().event_middlewares.empty();
    const Status checked = is_checked ? check_event(event, args) : Status();
    if (checked.ok()) {
      run_handlers(event, args, ack);
    } else {
      ack.fail(checked.error());
    }
  } catch (...) {
    hub().report_exception("handler threw");
    ack.fail(ErrorCode::kInternal);
  }
  spare.give_back(std::move(ack));
}

Status Socket::check_event(std::string_view event, Args& args) {
  for (const auto& middleware : nsp_->spec().event_middlewares) {
    if (Status status = middleware(*this, event, args); !status.ok()) return status;
  }
  if (find_rare() == nullptr) return {};
  const auto middlewares = find_rare()->middlewares;
  for (const auto& middleware : middlewares) {
    if (Status status = middleware(event, args); !status.ok()) return status;
  }
  return {};
}

// The namespace's handlers, then the socket's own as they were when the event came; those for unknown events
// when there was none of either.
void Socket::run_handlers(std::string_view event, Args& args, Ack& ack) {
  const NamespaceSpec& spec = nsp_->spec();
  const std::vector<SharedHandler> own = take_own_handlers(event);
  const auto found = spec.handlers.find(event);
  const bool shared = found != spec.handlers.end();
  if (shared) run_each(*this, found->second, event, args, ack, !own.empty());
  if (!own.empty()) run_each(*this, own, event, args, ack, false);
  if (!shared && own.empty()) run_each(*this, spec.unknown_handlers, event, args, ack, false);
}

std::vector<SharedHandler> Socket::take_own_handlers(std::string_view event) {
  std::vector<SharedHandler> handlers;
  if (find_rare() == nullptr) return handlers;
  for (std::size_t i = 0; i < find_rare()->handlers.size();) {
    OwnHandler& own = find_rare()->handlers[i];
    if (own.event != event) {
      ++i;
      continue;
    }
    handlers.push_back(own.handler);
    if (own.once) {
      find_rare()->handlers.erase(find_rare()->handlers.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
  return handlers;
}

void Socket::handler_suspended() {
  ++waiting_handlers_;
  update_reading();
}

void Socket::handler_resumed() {
  --waiting_handlers_;
  update_reading();
}

void Socket::client_awaited(bool begins) {
  if (begins) {
    --waiting_handlers_;
  } else {
    ++waiting_handlers_;
  }
  update_reading();
}

// A handler that waits for this client's answer does not count: the answer must be read.
void Socket::update_reading() {
  // What the counter's bits hold, without the messages of the turn in which reading pauses.
  constexpr std::uint32_t kCountableMax = 60'000;
  const std::uint32_t limit = std::min(hub().environment().limits().suspended_handlers_max, kCountableMax);
  const bool pause = waiting_handlers_ >= static_cast<std::int32_t>(limit);
  if (pause == reading_paused_ || state_ != State::kConnected) return;
  reading_paused_ = pause;
  link_->pause_reading(pause);
}

void Socket::close(std::string_view reason) {
  if (closing_) return;  // a handler of this end may ask for it again
  closing_ = true;
  const SocketPtr self(this);
  const bool was_connected = state_ == State::kConnected;
  const auto run = [&](const auto& handlers) {
    for (const auto& handler : handlers) {
      try {
        handler(*this, reason);
      } catch (...) {
        hub().report_exception("disconnect handler threw");
      }
    }
  };
  if (was_connected) run(nsp_->spec().disconnecting_handlers);
  if (was_connected && find_rare() != nullptr) run(std::exchange(find_rare()->disconnecting, {}));
  state_ = State::kClosed;
  if (was_connected && recovery() != nullptr) leave_to_recovery(reason);
  nsp_->leave_all_rooms(*this);
  if (was_connected) {
    nsp_->own_room(*this, false);
    nsp_->remove(*this);
  }
  if (find_rare() != nullptr) {
    for (PendingAck& pending : std::exchange(find_rare()->acks, {})) pending.done(ErrorCode::kDisconnected);
  }
  if (!was_connected) {
    if (extension() != nullptr) extension()->never_connected();
    over_ = true;
    return;
  }
  run(nsp_->spec().disconnect_handlers);
  if (find_rare() != nullptr) run(std::exchange(find_rare()->disconnect, {}));
  over_ = true;
  // Their closures may hold whatever keeps this socket alive.
  if (find_rare() != nullptr) {
    find_rare()->handlers.clear();
    find_rare()->any.clear();
    drop_outgoing_listeners();
    find_rare()->middlewares.clear();
  }
}

void Socket::leave_to_recovery(std::string_view reason) {
  RecoveryLog& log = *nsp_->recovery();
  if (!is_recoverable(reason)) {
    log.forget(recovery()->pid);
    return;
  }
  RecoverySession session;
  session.pid = recovery()->pid;
  session.sid = id();
  session.user_id = user().id;
  session.anonymous = user().anonymous;
  for (const Membership& membership : memberships_) {
    session.rooms.push_back(membership.room->name);
    session.since.push_back(membership.since);
  }
  if (find_rare() != nullptr) session.data = find_rare()->data;
  session.position = recovery()->position;
  log.save(std::move(session), hub().now());
}

// With recovery every event goes through the log, so that it can be sent again; a volatile one only says how
// far the client has got.
SendResult Socket::emit_logged(std::string_view event, std::span<const Value> args, const EmitFlags& flags) {
  if (flags.is_volatile) {
    Args with_position(args.begin(), args.end());
    with_position.emplace_back(nsp_->position_text());
    return link_->emit(*this, event, with_position, std::nullopt, flags);
  }
  auto message = std::make_shared<EncodedMessage>(nsp_->spec().name, std::string(event),
                                                  Args(args.begin(), args.end()));
  Selector self;
  self.rooms.emplace_back(id());
  return nsp_->adapter().broadcast(message, self, flags).ok() ? SendResult::kQueued
                                                              : SendResult::kUnavailable;
}

// As in the reference a middleware may emit: the event stands in front of the CONNECT, and stock clients keep
// it until then. A native client is not there yet.
bool Socket::can_emit() const {
  return state_ == State::kConnected || (state_ == State::kConnecting && link_->protocol() == Protocol::kSocketIo);
}

SendResult Socket::emit_flagged(std::string_view event, std::span<const Value> args, const EmitFlags& flags) {
  if (socketio::is_reserved_event(event)) return SendResult::kReserved;
  if (!can_emit()) return SendResult::kClosed;
  if (recovery() != nullptr && is_connected()) return emit_logged(event, args, flags);
  if (has_outgoing_listeners()) tell_outgoing(event, Args(args.begin(), args.end()));
  return link_->emit(*this, event, args, std::nullopt, flags);
}

void Socket::add_outgoing_listener(AnyOutgoingHandler listener, bool first) {
  std::vector<AnyOutgoingHandler>& listeners = rare().any_outgoing;
  listeners.insert(first ? listeners.begin() : listeners.end(), std::move(listener));
  has_outgoing_listeners_ = true;
}

void Socket::drop_outgoing_listeners() {
  if (!has_outgoing_listeners_) return;
  has_outgoing_listeners_ = false;
  find_rare()->any_outgoing.clear();
}

void Socket::tell_outgoing(std::string_view event, const Args& args) {
  const auto listeners = find_rare()->any_outgoing;  // one may add another
  for (const auto& listener : listeners) {
    try {
      listener(*this, event, args);
    } catch (...) {
      hub().report_exception("outgoing listener threw");
    }
  }
}

SocketInfo Socket::info() const {
  SocketInfo info;
  info.id = id();
  info.handshake = handshake_.get();
  info.rooms = rooms();
  if (find_rare() != nullptr) info.data = find_rare()->data;
  info.user = user_.copy();
  return info;
}

// -- acks of the client -------------------------------------------------------------------------

std::shared_ptr<CompletionState<Result<Args>>> Socket::emit_expecting(std::string_view event,
                                                                      std::span<const Value> args,
                                                                      Duration timeout) {
  auto state = std::make_shared<CompletionState<Result<Args>>>(hub());
  if (socketio::is_reserved_event(event)) {
    state->complete(Error(ErrorCode::kInvalidFormat, "\"" + std::string(event) + "\" is a reserved event"));
    return state;
  }
  if (!can_emit()) {
    state->complete(ErrorCode::kDisconnected);
    return state;
  }
  const std::uint64_t id = nsp_->next_ack_id();
  expect_ack(id, timeout, [state](Result<Args> answer) { state->complete(std::move(answer)); });
  if (has_outgoing_listeners()) tell_outgoing(event, Args(args.begin(), args.end()));
  link_->emit(*this, event, args, id, EmitFlags());
  return state;
}

void Socket::expect_ack(std::uint64_t id, Duration timeout, AckDone done) {
  const Limits& limits = hub().environment().limits();
  std::vector<PendingAck>& acks = rare().acks;
  if (acks.size() >= limits.pending_acks_max) {
    hub().environment().metrics().add(Counter::kLimitHits);
    const AckDone oldest = std::move(acks.front().done);
    acks.erase(acks.begin());
    oldest(ErrorCode::kTimeout);
  }
  const auto place = std::lower_bound(
      acks.begin(), acks.end(), id, [](const PendingAck& ack, std::uint64_t wanted) { return ack.id < wanted; });
  const Duration time = timeout.count() > 0 ? timeout : Duration(limits.pending_ack_timeout);
  acks.insert(place, {id, hub().now() + time, std::move(done)});
  schedule_acks();
}

void Socket::receive_ack(std::uint64_t id, Args args) {
  if (find_rare() == nullptr) return;
  std::vector<PendingAck>& acks = find_rare()->acks;
  const auto found =
      std::lower_bound(acks.begin(), acks.end(), id,
                       [](const PendingAck& ack, std::uint64_t wanted) { return ack.id < wanted; });
  if (found == acks.end() || found->id != id) return;
  const AckDone done = std::move(found->done);
  acks.erase(found);
  schedule_acks();
  done(std::move(args));
}

void Socket::schedule_acks() {
  MonoTime next = kNever;
  for (const PendingAck& pending : find_rare()->acks) next = std::min(next, pending.deadline);
  hub().environment().timers().schedule(*find_rare(), next);
}

void Socket::expire_acks(MonoTime now) {
  const SocketPtr self(this);
  std::vector<PendingAck> expired;
  std::erase_if(find_rare()->acks, [&](PendingAck& pending) {
    if (pending.deadline > now) return false;
    expired.push_back(std::move(pending));
    return true;
  });
  schedule_acks();
  for (PendingAck& pending : expired) pending.done(ErrorCode::kTimeout);
}

}  // namespace wirehall::hub
