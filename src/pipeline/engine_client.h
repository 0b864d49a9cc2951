// One Engine.IO session with its transports joined: polls that wait, the WebSocket, the probe, and the
// Socket.IO client that it carries.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/timer_wheel.h"
#include "engineio/session.h"
#include "hub/client.h"
#include "hub/encoded_message.h"
#include "pipeline/world.h"

namespace wirehall::pipeline {

class Connection;
class EngineWebSocketStage;
class ShardCore;

/// Thread:   shard-affine.
/// Lifetime: owned by its EngineServer; destroyed at the end of the turn in which the session ended.
class EngineClient final : public hub::EnginePort, private Timer {
 public:
  /// What the request that opened the session said of it.
  struct Opening {
    engineio::Transport transport = engineio::Transport::kPolling;
    std::uint8_t protocol = 4;
    bool base64_only = false;
    std::optional<std::string> jsonp;  ///< the index of the callback
  };
  EngineClient(ShardCore& core, std::string_view sid, Opening opening, hub::KeptHandshake handshake);
  /// Connects a client of revision 3 to the main namespace, as such clients expect.
  void connect_at_once();
  ~EngineClient();

  const engineio::Session& session() const { return session_; }
  std::string_view address() const { return handshake_.address(); }
  /// The session was let in only to be told this.
  void refuse_all(const Error& error) {
    refused_ = true;
    client_.refuse_all(error);
  }
  bool is_refused() const { return refused_; }
  bool has_joined() const { return joined_; }

  // -- polling --------------------------------------------------------------------------------------
  /// A poll that waits for packets.
  void poll(const Responder& responder, HeadPtr head);
  /// The head of a POST has come. Returns: false when another one is under way; the session has ended.
  bool post_begins(const Responder& responder);
  /// The body of a POST has come; its packets are processed some in each turn.
  void post(const Responder& responder, HeadPtr head, std::string body);
  /// A request will not be answered: its peer has gone (`lost`, which ends the session), or it was refused.
  void request_aborted(const Responder& responder, bool lost);

  // -- WebSocket ------------------------------------------------------------------------------------
  /// The first transport of a session that began on a WebSocket.
  void attach(EngineWebSocketStage& stage);
  /// A WebSocket that wants to become the transport. Returns: false when it must be closed.
  bool probe(EngineWebSocketStage& stage, bool base64_only);
  void websocket_message(EngineWebSocketStage& stage, std::string_view message, bool binary);
  /// The WebSocket has ended. `protocol_error`: because its peer broke a rule.
  void websocket_closed(EngineWebSocketStage& stage, bool protocol_error);
  /// Its close frame says that the client goes, and not by accident: RFC 6455 7.4.1, 1000 and 1001.
  void peer_left() { peer_left_ = true; }

  /// Sends what is queued, if the transport can take it now.
  void pump();
  /// The server is stopping.
  void shut_down();

  // -- hub::EnginePort --------------------------------------------------------------------------------
  hub::Hub& engine_hub() const override;
  std::uint8_t engine_protocol() const override { return session_.protocol(); }
  bool engine_peer_left() const override { return peer_left_; }
  std::string_view engine_sid() const override { return session_.sid(); }
  std::string engine_query_json(std::string_view query) const override;
  bool engine_open() const override { return session_.is_open(); }
  std::string_view engine_transport() const override {
    return engineio::transport_name(session_.transport());
  }
  SendResult engine_send(const socketio::EncodedPacket& packet, const EmitFlags& flags) override;
  SendResult engine_send_shared(hub::EncodedMessage& message, const EmitFlags& flags) override;
  bool engine_close() override;
  void engine_pause_reading(bool paused) override;
  const hub::KeptHandshake& engine_handshake() const override { return handshake_; }
  const std::vector<std::string>& engine_kept_headers() const override;
  bool engine_joined(const Value& auth) override;
  void engine_prefetch_ahead() const override;

 private:
  struct Body;
  void on_timer(MonoTime now) override;
  void packet(const engineio::PacketView& packet);
  void continue_post();
  void continue_post_later();
  std::unique_ptr<Body> open_body(HeadPtr head, std::string body, bool octets);
  http1::Response poll_response(const http1::RequestHead& head,
                                std::span<const engineio::OutPacket> packets, bool initial = false);
  void answer_poll(std::span<const engineio::OutPacket> packets);
  void answer_poll(std::string_view packet);
  void send_binary(std::string_view bytes, bool compress);
  const std::vector<hub::Part>& form(hub::EncodedMessage& message, hub::Form form);
  bool send_shared(hub::EncodedMessage& message, const EmitFlags& flags);
  void answer_post(http1::Response response);
  void send_on_websocket(std::span<const engineio::OutPacket> packets);
  std::optional<SendResult> refuse_send(const EmitFlags& flags);
  std::size_t backlog_bytes();
  void too_slow();
  void close_session();
  void finish_if_closed();
  void use_websocket(EngineWebSocketStage& stage);
  /// Returns: what it was, which is told nothing of the session any more.
  EngineWebSocketStage& leave_websocket();
  void touch();
  void reschedule();

  EngineWebSocketStage* websocket_ = nullptr;
  // From `core_` on to the beginning of `client_` stands what every delivery looks at (SocketLink::kDeliveryBytesBefore).
  ShardCore& core_;
  Connection* connection_ = nullptr;  // the WebSocket's
  [[no_unique_address]] engineio::Session session_;  // what comes next stands in its last bytes
  bool base64_only_ : 1;                             // of the current transport
  bool close_asked_ : 1 = false;                     // by the Socket.IO client, which has told its sockets
  bool finished_ : 1 = false;
  bool cutting_ : 1 = false;
  bool reading_paused_ : 1 = false;
  bool joined_ : 1 = false;     // a namespace, at some time
  bool peer_left_ : 1 = false;  // it said goodbye
  bool refused_ : 1 = false;
  bool compresses_ : 1 = false;  // the WebSocket

 public:
  bool in_touched_list : 1 = false;  ///< the server's

 private:
  hub::Client client_;
  hub::KeptHandshake handshake_;
  struct Poll {
    Responder responder;
    HeadPtr head;
  };
  /// What belongs to polling, and to an upgrade from it; a session on its WebSocket has none.
  struct Polling {
    std::optional<Poll> poll;
    std::optional<Responder> post;
    std::unique_ptr<Body> body;  // of a POST whose packets are being processed
    EngineWebSocketStage* probing = nullptr;
    bool probe_base64_only = false;
    std::optional<std::string> jsonp;
  };
  Polling& polling();
  bool has_poll() const { return polling_ && polling_->poll; }
  bool has_post() const { return polling_ && polling_->post; }
  bool has_body() const { return polling_ && polling_->body; }
  EngineWebSocketStage* probing() const { return polling_ ? polling_->probing : nullptr; }
  EngineWebSocketStage* take_probing() { return polling_ ? std::exchange(polling_->probing, nullptr) : nullptr; }
  void drop_polling();

  std::unique_ptr<Polling> polling_;
  friend class EngineServer;
};

}  // namespace wirehall::pipeline
