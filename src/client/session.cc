#include "client/session.h"

#include <algorithm>
#include <cmath>

#include "client/refusal.h"

namespace wirehall::client {

Session::Session(std::string url, const ClientOptions& options, RandomSource& random)
    : options_(options), random_(random), auth_(options.auth) {
  Result<Endpoint> endpoint = parse_url(url, options.protocol, options.path);
  if (endpoint.ok()) {
    endpoint_ = std::move(*endpoint);
  } else {
    url_error_ = endpoint.error();
  }
}

Session::~Session() = default;

// -- connecting -----------------------------------------------------------------------------------

void Session::connect(std::function<void(Status)> done, MonoTime now) {
  if (done) opening_.push_back(std::move(done));
  if (state_ == ClientState::kConnected || url_error_.code() != ErrorCode::kOk) {
    for (auto& opened : std::exchange(opening_, {})) {
      SessionEvent event;
      event.kind = SessionEvent::Kind::kOpened;
      event.opened = std::move(opened);
      if (url_error_.code() != ErrorCode::kOk) event.failure = url_error_;
      events_.push_back(std::move(event));
    }
    return;
  }
  if (state_ == ClientState::kClosed) {
    was_connected_ = false;
    failures_ = 0;
  }
  if (state_ != ClientState::kConnecting) open(now);
}

Result<Object> Session::auth() {
  if (options_.auth_function) return options_.auth_function();
  return auth_;
}

void Session::open(MonoTime now) {
  retry_at_ = kNever;
  state_ = ClientState::kConnecting;
  attempt_deadline_ = now + options_.timeout;
  const std::uint64_t connection = ++connection_;
  Result<Object> shown = auth();
  // The program's function may have closed the client, or connected again.
  if (connection != connection_ || state_ != ClientState::kConnecting) return;
  if (!shown.ok()) {
    Lost lost{"connect error", shown.error()};
    lost.over = !error_info(shown.error().code()).retryable;
    return this->lost(std::move(lost), now);
  }
  const LinkContext context{options_, endpoint_, random_, wire_, recovery_};
  link_ = endpoint_.protocol == Protocol::kNative ? make_native_link(context, *shown)
                                                  : make_socketio_link(context, *shown);
  link_->start(now);
}

void Session::close(MonoTime now) {
  rooms_.clear();
  recovery_ = Recovery();
  if (state_ == ClientState::kClosed) return;
  if (link_) link_->close(now);
  Lost lost{"io client disconnect", Error(ErrorCode::kDisconnected, "closed by this program")};
  lost.over = true;
  this->lost(std::move(lost), now);
}

void Session::ready(ClientConnected connected, MonoTime now) {
  state_ = ClientState::kConnected;
  attempt_deadline_ = kNever;
  failures_ = 0;
  connected.reconnected = was_connected_;
  was_connected_ = true;
  session_id_ = connected.session_id;
  const Value* user = connected.welcome.find("userId");
  if (user != nullptr && user->is_string()) user_id_ = user->as_string();
  const bool recovered = connected.recovered;
  SessionEvent told;
  told.kind = SessionEvent::Kind::kConnected;
  told.connected = std::move(connected);
  events_.push_back(std::move(told));
  for (auto& opened : std::exchange(opening_, {})) {
    SessionEvent event;
    event.kind = SessionEvent::Kind::kOpened;
    event.opened = std::move(opened);
    events_.push_back(std::move(event));
  }
  enter_rooms(recovered, now);
}

// -- losing ---------------------------------------------------------------------------------------

bool Session::is_over(const Lost& lost) const {
  if (lost.error.code() == ErrorCode::kTokenExpired && options_.auth_function && was_connected_) return false;
  if (lost.over || lost.error.code() == ErrorCode::kTokenExpired ||
      lost.error.code() == ErrorCode::kAuthenticationFailed)
    return true;
  if (!was_connected_) return options_.connect_attempts != 0 && failures_ + 1 >= options_.connect_attempts;
  return !options_.reconnection ||
         (options_.reconnection_attempts != 0 && failures_ >= options_.reconnection_attempts);
}

Milliseconds Session::next_delay(const Error& error) {
  const auto most = static_cast<double>(options_.reconnection_delay_max.count());
  double delay =
      static_cast<double>(options_.reconnection_delay.count()) * std::pow(2.0, std::min(failures_, 40u));
  delay = std::min(delay, most);
  const double part = static_cast<double>(random_.below(2'000'001)) / 1e6 - 1;  // -1 to 1
  delay = std::clamp(delay * (1 + part * std::clamp(options_.randomization_factor, 0.0, 1.0)), 0.0, most);
  return std::max(Milliseconds(static_cast<std::int64_t>(delay)), Milliseconds(error.retry_after_ms()));
}

void Session::lost(Lost lost, MonoTime now) {
  link_.reset();
  flowing_ = false;
  entering_.clear();
  attempt_deadline_ = retry_at_ = kNever;
  const bool over = is_over(lost);
  state_ = over ? ClientState::kClosed : ClientState::kWaiting;
  SessionEvent told;
  told.kind = SessionEvent::Kind::kDisconnected;
  told.disconnected = ClientDisconnected{lost.reason, lost.error, std::nullopt, 0};
  settle_lost(lost, over, *told.disconnected, now);
  if (over) {
    failures_ = 0;
    recovery_ = Recovery();
    for (auto& opened : std::exchange(opening_, {})) {
      SessionEvent event;
      event.kind = SessionEvent::Kind::kOpened;
      event.opened = std::move(opened);
      event.failure = lost.error;
      events_.push_back(std::move(event));
    }
  } else {
    const Milliseconds delay = next_delay(lost.error);
    ++failures_;
    told.disconnected->retry_in = delay;
    retry_at_ = now + delay;
  }
  events_.push_back(std::move(told));
}

// What was under way, and when it is over what was waiting too.
void Session::settle_lost(const Lost& lost, bool over, ClientDisconnected& told, MonoTime now) {
  const bool refused = lost.reason == "connect error";
  const Error failure = refused || lost.error.code() == ErrorCode::kDisconnected
                            ? lost.error
                            : Error(ErrorCode::kDisconnected, lost.error.text());
  std::vector<std::uint64_t> ended;
  for (auto& [id, pending] : pending_) {
    const bool repeated = pending.request.options.again && !lost.blamed;
    if (over || pending.rejoin || (pending.sent && !repeated)) {
      ended.push_back(id);
    } else if (pending.sent) {
      pending.sent = false;
      unsent_.insert(id);
      const auto wait = pending.request.options.wait_max;
      set_deadline(id, pending, wait ? now + *wait : kNever);
    }
  }
  for (const std::uint64_t id : ended) {
    const auto found = pending_.find(id);
    if (found->second.rejoin) {  // the next connection tries again
      set_deadline(id, found->second, kNever);
      unsent_.erase(id);
      pending_.erase(found);
      continue;
    }
    if (!found->second.request.done) ++told.dropped;
    settle(id, failure, now);
  }
  for (auto& [name, place] : rooms_) {
    place.coming_back = true;
    // They will be in the answer, or come again behind it.
    place.held.clear();
  }
}

// -- the network ----------------------------------------------------------------------------------

void Session::opened(ChannelId channel, MonoTime now) {
  if (!link_) return;
  link_->opened(channel, now);
  link_events(now);
}

void Session::received(ChannelId channel, char* begin, char* end, MonoTime now) {
  if (!link_) return;
  link_->received(channel, begin, end, now);
  link_events(now);
}

void Session::ended(ChannelId channel, const Error& error, MonoTime now) {
  if (!link_) return;
  link_->ended(channel, error, now);
  link_events(now);
}

void Session::written(ChannelId channel, std::size_t bytes, MonoTime now) {
  wire_.written(channel, bytes);
  transmit_waiting(now);
}

void Session::link_events(MonoTime now) {
  const std::uint64_t connection = connection_;
  for (LinkEvent& told : link_->take_events()) {
    if (!link_ || connection != connection_) return;
    switch (told.kind) {
      case LinkEvent::Kind::kReady: ready(std::move(told.connected), now); break;
      case LinkEvent::Kind::kLost: return lost(std::move(told.lost), now);
      case LinkEvent::Kind::kEvent: event(std::move(told), now); break;
      case LinkEvent::Kind::kAnswer: {
        Result<Value> outcome = told.args.empty()       ? Result<Value>(Value())
                                : told.args.size() == 1 ? Result<Value>(std::move(told.args[0]))
                                                        : Result<Value>(Value(Array(std::move(told.args))));
        if (std::optional<Error> error = error_in_answer(*outcome)) outcome = std::move(*error);
        if (told.id) settle(*told.id, std::move(outcome), now);
        break;
      }
    }
  }
  transmit_waiting(now);
}

// -- time -----------------------------------------------------------------------------------------

void Session::on_deadline(MonoTime now) {
  if (now >= retry_at_) open(now);
  if (now >= attempt_deadline_) {
    if (link_) link_->abandon();
    lost({"connect error",
          Error(ErrorCode::kTimeout, "no connection to " + endpoint_.authority_with_port + " within " +
                                         std::to_string(options_.timeout.count()) + " ms")},
         now);
  }
  if (link_ && now >= link_->next_deadline()) {
    link_->on_deadline(now);
    link_events(now);
  }
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const std::uint64_t id = deadlines_.begin()->second;
    const bool sent = pending_.at(id).sent;
    settle(id,
           Error(ErrorCode::kTimeout, sent ? "no answer in time" : "no connection in time; it was not sent"),
           now);
  }
}

MonoTime Session::next_deadline() const {
  MonoTime next = std::min(retry_at_, attempt_deadline_);
  if (link_) next = std::min(next, link_->next_deadline());
  return deadlines_.empty() ? next : std::min(next, deadlines_.begin()->first);
}

}  // namespace wirehall::client
