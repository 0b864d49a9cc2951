// A WebSocket that carries an Engine.IO session, or probes to.
#pragma once

#include <optional>

#include "pipeline/connection.h"
#include "pipeline/frame_sender.h"
#include "ws/connection_core.h"

namespace wirehall::pipeline {

class EngineClient;

/// Thread:   shard-affine.
class EngineWebSocketStage final : public Stage {
 public:
  EngineWebSocketStage(Connection& connection, std::optional<ws::DeflateAgreement> deflate);
  ~EngineWebSocketStage() override;

  void set_client(EngineClient* client) { client_ = client; }
  Connection& connection() const { return connection_; }
  const std::optional<ws::DeflateAgreement>& deflate() const { return deflate_; }
  bool open() const { return core_.open(); }

  void send(std::string_view payload, bool binary, bool compress);
  /// Sends a close frame and lets the peer answer; the session is not told any more.
  void close(ws::CloseCode code, std::string_view reason);
  /// Ends a connection that does not read.
  void cut();

  void receive(char*& cursor, char* end, TurnBudget& budget) override;
  void receive_eof() override;
  void gone(bool by_error) override;
  void shut_down() override;
  MonoTime next_deadline() const override { return close_deadline_; }
  void on_deadline(MonoTime now) override;
  std::string_view name() const override { return "engine"; }
  void prefetch_state() const override;

 private:
  void receive_messages(char*& cursor, char* end, TurnBudget& budget);
  void lost(bool protocol_error);
  Connection& connection_;
  EngineClient* client_ = nullptr;
  MonoTime close_deadline_ = kNever;
  [[no_unique_address]] ws::ConnectionCore core_;  // what comes next stands in its last bytes
  std::optional<ws::DeflateAgreement> deflate_;
};

}  // namespace wirehall::pipeline
