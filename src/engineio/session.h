// One Engine.IO session: its heartbeat, its upgrade, its orderly end, and what waits to be sent.
//
//   I1  Packets leave in the order of send(), each once, also across an upgrade.
//   I2  Exactly one end, with the reason of the first cause; nothing is accepted or sent behind it.
//   I3  A packet from a transport that is neither the current one nor probing never reaches it: the
//       pipeline asks by transport.
//   I4  At most one probe at a time; a failed probe leaves the current transport as it was.
//
//   state     input                                    → state
//   open      close(), nothing queued                    closed ("forced close")
//   open      close(), packets queued                    closing: take_packets() drains it, then closed;
//                                                        the grace, or the heartbeat's end, ends it too
//   open      bad packet                                 closed ("parse error")
//   open      ping from the peer, flood of pongs         closed ("transport error")
//   open      no pong in ping_timeout                    closed ("ping timeout")
//   open      probe `2probe`                             open, probing: `3probe` goes to the probing
//   transport probing   `5`                                        open on the new transport probing anything
//   else, or upgrade_timeout          open, the probing transport is closed
//
// In revision 3 the client pings, a ping is answered by a pong, and the session ends when none came for
// ping_interval and ping_timeout together; nothing but a ping counts.
//
// Time comes in as `now`; next_deadline() says when on_deadline() is due.
//
// Spec: Engine.IO protocol v4; engine.io 6.6 `Socket` for what it leaves open. One deliberate difference:
// an upgrade while a ping is outstanding keeps the pong deadline (the reference forgets it for good).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/short_id.h"
#include "engineio/packet.h"
#include "wirehall/clock.h"

namespace wirehall::engineio {

/// What all sessions of a server share.
struct SessionOptions {
  Duration ping_interval = std::chrono::milliseconds(25'000);
  Duration ping_timeout = std::chrono::milliseconds(20'000);
  Duration upgrade_timeout = std::chrono::milliseconds(10'000);
  std::uint64_t max_payload = 1'000'000;
  bool allow_upgrades = true;
  bool polling_allowed = true;
  bool websocket_allowed = true;
  bool allow_version_3 = false;
  std::uint32_t packets_per_payload_max = 131'072;
  std::uint32_t pongs_per_second_max = 50;  ///< sustained, 32,767 at most; beyond it the session ends
  std::string initial_packet;               ///< sent as a message right behind the open packet, if not empty
};

/// Why a session ended, in the reference's words.
enum class CloseReason : std::uint8_t {
  kNone,
  kTransportError,
  kTransportClose,
  kForcedClose,
  kPingTimeout,
  kParseError,
  kServerShutdown,
};
std::string_view reason_text(CloseReason reason);

/// Thread:   shard-affine.
/// Lifetime: options must outlive it.
class Session {
 public:
  /// `protocol`: 4, or 3 for a client of the revision before, which pings itself.
  Session(const SessionOptions& options, std::string_view sid, Transport transport, std::uint8_t protocol = 4);

  /// Queues the open packet and starts the heartbeat. Requires: called once, first.
  void open(MonoTime now);

  /// Lifetime: as long as the session.
  std::string_view sid() const { return sid_.view(); }
  Transport transport() const { return transport_; }
  std::uint8_t protocol() const { return protocol_; }
  bool is_open() const { return state_ == State::kOpen; }
  bool is_closed() const { return state_ == State::kClosed; }
  CloseReason close_reason() const { return reason_; }
  bool upgraded() const { return upgraded_; }
  bool probing() const { return busy_ && busy_->probe; }

  // -- in ---------------------------------------------------------------------------------------
  enum class Received : std::uint8_t { kNothing, kMessage, kClosed };
  /// A packet of the current transport. With kMessage the packet's data goes to the application; with
  /// kClosed close_reason() says why.
  Received receive(const PacketView& packet, MonoTime now);
  /// What could not be decoded.
  void receive_malformed(MonoTime now) {
    end(CloseReason::kParseError);
    (void)now;
  }

  // -- out --------------------------------------------------------------------------------------
  /// Queues a message; dropped silently once the session is closing.
  /// Returns:  whether it was queued.
  bool send(OutPacket packet);
  /// Whether a message may go straight to the WebSocket transport, overtaking nothing.
  bool direct() const {
    return state_ == State::kOpen && transport_ == Transport::kWebSocket && !has_packets();
  }
  bool has_packets() const { return busy_ && !busy_->packets.empty(); }
  std::size_t queued_bytes() const { return busy_ ? busy_->bytes : 0; }
  std::size_t queued_bytes_behind_first() const {
    return has_packets() ? busy_->bytes - busy_->packets.front().bytes.view().size() : 0;
  }
  /// Takes everything that is queued, for the current transport.
  ///
  /// Requires: the transport can send now. When the session is closing, this ends it; on polling it takes one
  /// more poll, whose body is a noop and the close packet: a client looks for that one first, and would lose
  /// what stands beside it.
  OutPackets take_packets();
  /// Whether a waiting poll must be answered although nothing is queued: a noop that frees it for the
  /// upgrade, or the close.
  bool poll_wanted(MonoTime now);

  // -- upgrade ----------------------------------------------------------------------------------
  /// A WebSocket transport has come for this session.
  /// Returns:  false when it must be closed at once (already probing, upgraded, or not allowed).
  bool begin_probe(MonoTime now);
  enum class Probed : std::uint8_t { kAnswer, kUpgraded, kAbandoned };
  /// A packet of the probing transport: kAnswer wants `3probe` sent there, kUpgraded made it the current
  /// one, kAbandoned wants it closed. `packet` is nullptr when it was malformed.
  Probed receive_probe(const PacketView* packet, MonoTime now);
  /// The probing transport has gone.
  void abandon_probe() { end_probe(); }

  // -- end --------------------------------------------------------------------------------------
  /// An orderly end: what is queued leaves first, within `grace` on polling.
  void close(MonoTime now);
  /// An end without waiting; the first reason stays.
  void end(CloseReason reason);

  // -- time -------------------------------------------------------------------------------------
  struct Due {
    bool probe_abandoned = false;  ///< the probing transport must be closed
  };
  /// Does what is due: pings, or ends the session, or gives a probe up. Early calls do nothing.
  Due on_deadline(MonoTime now);
  MonoTime next_deadline() const;

 private:
  enum class State : std::uint8_t { kOpen, kClosing, kClosed };
  struct Probe {
    MonoTime deadline;
    MonoTime next_noop = kNever;  // set once the probe was answered
    bool noop_due = false;
  };
  bool pong_allowed(MonoTime now);
  Probe* probe() { return probing() ? &*busy_->probe : nullptr; }
  void tick_probe(MonoTime now);
  void end_probe();
  void queue_packet(std::string_view text) { queue_packet(OutPacket{FrameRef::copy_of(text), false}); }
  void queue_packet(OutPacket packet);

  /// What waits, and an upgrade: a session that rests on its WebSocket has none.
  struct Busy {
    OutPackets packets;
    std::size_t bytes = 0;  // of them
    std::optional<Probe> probe;
  };
  Busy& busy();
  void rest_if_idle();

  const SessionOptions* options_;
  std::unique_ptr<Busy> busy_;
  MonoTime heartbeat_ = kNever;  // the next ping, or the end of the wait for a pong; closing: of the grace
  std::uint16_t pong_window_ = 0;
  std::uint16_t pong_count_ = 0;
  Transport transport_;
  std::uint8_t protocol_;
  State state_ = State::kOpen;
  CloseReason reason_ = CloseReason::kNone;
  bool awaiting_pong_ : 1 = false;
  bool wait_extended_ : 1 = false;
  bool upgraded_ : 1 = false;
  ShortId sid_;
};

/// How long a closing polling session waits for a poll that takes the close packet.
inline constexpr auto kPollingCloseGrace = std::chrono::seconds(30);
/// How often a waiting poll is freed by a noop while a probe is under way.
inline constexpr auto kProbeNoopInterval = std::chrono::milliseconds(100);

}  // namespace wirehall::engineio
