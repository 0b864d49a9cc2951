// A native client: the room protocol of /ws on one WebSocket.
//
//   I1  The namespace's middlewares decide before the upgrade is answered; a refusal is an HTTP status, or,
//       with `authError=close`, a close frame behind the upgrade.
//   I2  A request with an `id` gets one answer. Frames are handled in order.
//   I3  A peer from which nothing came for two heartbeat intervals is cut.
//
// Spec: docs/protocol/native.md.
#pragma once

#include <memory>
#include <optional>

#include "base/prefetch.h"
#include "hub/socket.h"
#include "hub/socket_link.h"
#include "native/frame.h"
#include "pipeline/connection.h"
#include "pipeline/frame_sender.h"
#include "pipeline/http_stage.h"
#include "ws/connection_core.h"

namespace wirehall::pipeline {

/// Thread:   shard-affine.
class NativeStage final : public Stage, public hub::SocketLink {
 public:
  /// Decides on an upgrade request that is well-formed; the stage answers it, now or later.
  static void open(HttpStage& http, const HeadPtr& head);
  ~NativeStage() override;

  // -- Stage ----------------------------------------------------------------------------------------
  void receive(char*& cursor, char* end, TurnBudget& budget) override;
  void receive_eof() override;
  void gone(bool by_error) override;
  void shut_down() override;
  MonoTime next_deadline() const override { return deadline_; }
  void on_deadline(MonoTime now) override;
  std::string_view name() const override { return "native"; }
  void prefetch_state() const override { prefetch(socket_.get(), sizeof(hub::Socket)); }

  // -- SocketLink -----------------------------------------------------------------------------------
  Protocol protocol() const override { return Protocol::kNative; }
  std::string_view transport() const override { return "websocket"; }
  void connected(hub::Socket& socket) override;
  void refused(hub::Socket& socket, const Verdict& verdict) override;
  SendResult emit(hub::Socket& socket, std::string_view event, std::span<const Value> args,
                  std::optional<std::uint64_t> ack, const EmitFlags& flags) override;
  SendResult deliver(hub::Socket& socket, hub::EncodedMessage& message, const EmitFlags& flags) override;
  void prefetch_ahead() const override { connection_.prefetch_for_output(); }
  void answer(hub::Socket& socket, const hub::AckId& ack, std::span<const Value> args) override;
  void report_failure(hub::Socket& socket, const Error& error) override;
  void disconnect(hub::Socket& socket, bool close) override;
  void end_connection(ErrorCode error, std::string_view reason) override;
  void pause_reading(bool paused) override { connection_.pause_reading(paused); }

 private:
  NativeStage(HttpStage& http, HeadPtr head, hub::KeptHandshake handshake);
  Status admit();
  void refuse(const Verdict& verdict);
  void switch_protocols(const http1::RequestHead& head);
  void receive_messages(char*& cursor, char* end, TurnBudget& budget);
  void message(std::string_view bytes, bool binary);
  void frame(native::FrameDecoder& decoded, native::Codec codec);
  void fail(ErrorCode code);
  void begin_close(ws::CloseCode code, std::string_view reason);
  void close(ws::CloseCode code, std::string_view reason, std::string_view disconnect_reason);
  void socket_ended(std::string_view reason);
  std::optional<SendResult> refuse_send(const EmitFlags& flags);
  void send(std::string_view payload, native::Codec codec);
  const NativeShape* shape(std::string_view event) const;
  std::string& scratch();

  std::string_view address() const { return (socket_ ? socket_->kept_handshake() : edge_->handshake).address(); }
  bool is_opening() const { return edge_ && edge_->head; }

  /// What there is before the socket, and behind it: the upgrade request until it is answered, and the handshake while
  /// no socket has it.
  struct Edge {
    HttpStage* http;
    HeadPtr head;
    hub::KeptHandshake handshake;
  };

  // What every delivery looks at stands first (SocketLink::kDeliveryBytesBehind).
  Connection& connection_;
  [[no_unique_address]] ws::ConnectionCore core_;  // what comes next stands in its last bytes
  std::optional<ws::DeflateAgreement> deflate_;
  native::Codec codec_ = native::Codec::kJson;
  bool heard_ : 1 = true;  // something came since the last ping
  bool pinged_ : 1 = false;
  bool cutting_ : 1 = false;
  bool admitted_ : 1 = false;
  bool joined_ : 1 = false;
  bool closing_ : 1 = false;  // our close frame was sent
  hub::SocketPtr socket_;
  std::unique_ptr<Edge> edge_;
  MonoTime deadline_ = kNever;  // of the heartbeat; once it closes, of the peer's answer
};

}  // namespace wirehall::pipeline
