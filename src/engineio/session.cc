#include "engineio/session.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/assert.h"

namespace wirehall::engineio {

std::string_view reason_text(CloseReason reason) {
  constexpr std::array<std::string_view, 7> kTexts = {"",
                                                      "transport error",
                                                      "transport close",
                                                      "forced close",
                                                      "ping timeout",
                                                      "parse error",
                                                      "server shutting down"};
  return kTexts[static_cast<std::size_t>(reason)];
}

Session::Session(const SessionOptions& options, std::string_view sid, Transport transport, std::uint8_t protocol)
    : options_(&options), transport_(transport), protocol_(protocol), sid_(sid) {}

void Session::open(MonoTime now) {
  const auto ms = [](Duration duration) {
    return std::chrono::duration_cast<Milliseconds>(duration).count();
  };
  OpenFields fields;
  fields.sid = sid();
  fields.websocket_upgrade =
      transport_ == Transport::kPolling && options_->allow_upgrades && options_->websocket_allowed;
  fields.ping_interval_ms = ms(options_->ping_interval);
  fields.ping_timeout_ms = ms(options_->ping_timeout);
  fields.max_payload = options_->max_payload;
  queue_packet(encode_open(fields));
  if (!options_->initial_packet.empty()) queue_packet("4" + options_->initial_packet);
  heartbeat_ = now + options_->ping_interval;
  if (protocol_ == 3) heartbeat_ += options_->ping_timeout;
}

Session::Busy& Session::busy() {
  if (!busy_) busy_ = std::make_unique<Busy>();
  return *busy_;
}
void Session::rest_if_idle() {
  // Polling alternates between nothing and something all the time.
  if (busy_ && transport_ == Transport::kWebSocket && busy_->packets.empty() && !busy_->probe) busy_.reset();
}

void Session::queue_packet(OutPacket packet) {
  Busy& queue = busy();
  queue.bytes += packet.bytes.view().size();
  queue.packets.push_back(std::move(packet));
}

Session::Received Session::receive(const PacketView& packet, MonoTime now) {
  if (state_ == State::kClosed) return Received::kNothing;
  // A packet shows that the peer is there: the wait for its pong is extended, once.
  if (awaiting_pong_ && !wait_extended_ && packet.type != PacketType::kPong) {
    wait_extended_ = true;
    heartbeat_ = now + options_->ping_timeout;
  }
  switch (packet.type) {
    case PacketType::kMessage: return state_ == State::kOpen ? Received::kMessage : Received::kNothing;
    case PacketType::kPong:
      if (protocol_ == 3 || !pong_allowed(now)) {
        end(CloseReason::kTransportError);
        return Received::kClosed;
      }
      if (state_ == State::kOpen) {
        awaiting_pong_ = false;
        heartbeat_ = now + options_->ping_interval;
      }
      return Received::kNothing;
    case PacketType::kPing:
      if (protocol_ == 3 && pong_allowed(now)) {
        heartbeat_ = now + options_->ping_interval + options_->ping_timeout;
        if (state_ == State::kOpen) queue_packet("3");
        return Received::kNothing;
      }
      // In revision 4 only the server pings.
      end(CloseReason::kTransportError);
      return Received::kClosed;
    case PacketType::kClose:
      // On a WebSocket the reference ignores it: the transport's own close ends the session.
      if (transport_ != Transport::kPolling) return Received::kNothing;
      end(CloseReason::kTransportClose);
      return Received::kClosed;
    default: return Received::kNothing;
  }
}

bool Session::pong_allowed(MonoTime now) {
  constexpr auto kWindow = std::chrono::seconds(2);
  constexpr std::uint32_t kCountMax = std::numeric_limits<std::uint16_t>::max();
  const auto window = static_cast<std::uint16_t>(now.time_since_epoch() / kWindow);
  if (window != pong_window_) {
    pong_window_ = window;
    pong_count_ = 0;
  }
  if (pong_count_ == kCountMax) return false;
  return ++pong_count_ <= options_->pongs_per_second_max * std::uint64_t{2};
}

bool Session::send(OutPacket packet) {
  if (state_ != State::kOpen) return false;
  queue_packet(std::move(packet));
  return true;
}

OutPackets Session::take_packets() {
  OutPackets packets;
  if (busy_) {
    packets.swap(busy_->packets);
    busy_->bytes = 0;
    rest_if_idle();
  }
  if (state_ == State::kClosing) {
    if (transport_ == Transport::kPolling) {
      if (!packets.empty()) return packets;
      packets.push_back({FrameRef::copy_of("6")});
      packets.push_back({FrameRef::copy_of("1")});
    }
    end(CloseReason::kForcedClose);
  }
  return packets;
}

bool Session::poll_wanted(MonoTime now) {
  if (state_ == State::kClosing) return true;
  if (!probing()) return false;
  tick_probe(now);
  return std::exchange(probe()->noop_due, false);
}

// The tick goes on whether or not a poll waits, or its deadline would stay in the past.
void Session::tick_probe(MonoTime now) {
  if (probe()->next_noop > now) return;
  probe()->next_noop = now + kProbeNoopInterval;
  probe()->noop_due = true;
}

void Session::end_probe() {
  if (!busy_) return;
  busy_->probe.reset();
  rest_if_idle();
}

bool Session::begin_probe(MonoTime now) {
  if (state_ != State::kOpen || probing() || upgraded_ || transport_ != Transport::kPolling) return false;
  busy().probe = Probe{now + options_->upgrade_timeout};
  return true;
}

Session::Probed Session::receive_probe(const PacketView* packet, MonoTime now) {
  if (!probing()) return Probed::kAbandoned;
  if (packet != nullptr && !packet->binary && packet->type == PacketType::kPing && packet->data == "probe") {
    // The waiting poll is freed 100 ms later at the earliest, as the reference does: the client needs the
    // time to stop polling.
    probe()->next_noop = now + kProbeNoopInterval;
    return Probed::kAnswer;
  }
  const bool upgrade = packet != nullptr && !packet->binary && packet->type == PacketType::kUpgrade &&
                       state_ != State::kClosed;
  if (upgrade) transport_ = Transport::kWebSocket;
  end_probe();
  if (!upgrade) return Probed::kAbandoned;
  upgraded_ = true;
  if (state_ == State::kClosing && !has_packets()) end(CloseReason::kForcedClose);
  return Probed::kUpgraded;
}

void Session::close(MonoTime now) {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  // A peer that has gone is not waited for: the heartbeat's end still counts.
  const MonoTime overdue =
      awaiting_pong_ || protocol_ == 3 ? heartbeat_ : heartbeat_ + options_->ping_timeout;
  heartbeat_ = std::min(overdue, now + kPollingCloseGrace);
  if (transport_ == Transport::kWebSocket && !has_packets()) end(CloseReason::kForcedClose);
}

void Session::end(CloseReason reason) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  reason_ = reason;
  heartbeat_ = kNever;
  busy_.reset();
}

Session::Due Session::on_deadline(MonoTime now) {
  Due due;
  if (probing() && probe()->deadline <= now) {
    end_probe();
    due.probe_abandoned = true;
  }
  if (probing()) tick_probe(now);
  if (heartbeat_ > now) return due;
  if (state_ == State::kClosing) {
    end(CloseReason::kForcedClose);
  } else if (awaiting_pong_ || protocol_ == 3) {
    end(CloseReason::kPingTimeout);
  } else if (state_ == State::kOpen) {
    queue_packet("2");
    awaiting_pong_ = true;
    wait_extended_ = false;
    heartbeat_ = now + options_->ping_timeout;
  }
  return due;
}

MonoTime Session::next_deadline() const {
  MonoTime next = heartbeat_;
  if (probing()) next = std::min({next, busy_->probe->deadline, busy_->probe->next_noop});
  return next;
}

}  // namespace wirehall::engineio
