#include "pipeline/engine_websocket_stage.h"

#include "base/prefetch.h"
#include "pipeline/engine_client.h"
#include "pipeline/shard_core.h"

namespace wirehall::pipeline {

EngineWebSocketStage::EngineWebSocketStage(Connection& connection,
                                           std::optional<ws::DeflateAgreement> deflate)
    : connection_(connection),
      core_(connection.core().world().engine_websocket, deflate ? &connection.core().inflater() : nullptr),
      deflate_(deflate) {}

EngineWebSocketStage::~EngineWebSocketStage() { lost(false); }

void EngineWebSocketStage::lost(bool protocol_error) {
  if (client_ != nullptr) std::exchange(client_, nullptr)->websocket_closed(*this, protocol_error);
}

void EngineWebSocketStage::send(std::string_view payload, bool binary, bool compress) {
  if (!core_.open()) return;
  append_message(connection_, deflate_, binary ? ws::Opcode::kBinary : ws::Opcode::kText, payload, compress);
}

void EngineWebSocketStage::close(ws::CloseCode code, std::string_view reason) {
  client_ = nullptr;
  const MonoTime overdue = core_.close(code, reason, connection_.core().now(), connection_.outbox());
  if (overdue != kNever) close_deadline_ = overdue;
  connection_.touch();
  connection_.reschedule();
}

void EngineWebSocketStage::cut() {
  client_ = nullptr;
  std::string last;
  ws::append_frame(last, ws::Opcode::kClose, std::string("\x03\xf0slow consumer", 15));
  connection_.cut(last);
}

void EngineWebSocketStage::prefetch_state() const { prefetch(client_, sizeof(EngineClient)); }

void EngineWebSocketStage::receive(char*& cursor, char* end, TurnBudget& budget) {
  receive_messages(cursor, end, budget);
  if (!connection_.outbox().empty()) connection_.touch();  // pongs
}

void EngineWebSocketStage::receive_messages(char*& cursor, char* end, TurnBudget& budget) {
  ShardCore& core = connection_.core();
  std::string_view message;
  while (budget.messages != 0) {
    const auto event = core_.next(cursor, end, core.now(), connection_.outbox(), message);
    switch (event) {
      case ws::ConnectionCore::Event::kNeedMore: return;
      case ws::ConnectionCore::Event::kPong: break;
      case ws::ConnectionCore::Event::kMessage:
        --budget.messages;
        if (client_ != nullptr) client_->websocket_message(*this, message, core_.message_is_binary());
        break;
      case ws::ConnectionCore::Event::kClosed: {
        const bool broken = core_.error() != ErrorCode::kOk;
        if (broken) core.metrics().add(Counter::kProtocolErrorsWs);
        if (!broken && client_ != nullptr && (core_.close_code() == 1000 || core_.close_code() == 1001))
          client_->peer_left();
        lost(broken);
        connection_.end_gracefully();
        return;
      }
    }
    if (connection_.ending() != Connection::Ending::kNone || !connection_.accepts()) return;
  }
}

void EngineWebSocketStage::receive_eof() {
  lost(false);
  connection_.end_gracefully();
}

void EngineWebSocketStage::gone(bool) { lost(false); }

void EngineWebSocketStage::shut_down() {
  if (client_ != nullptr) {
    client_->shut_down();
  } else {
    close(ws::CloseCode::kGoingAway, "server shutting down");
  }
}

void EngineWebSocketStage::on_deadline(MonoTime now) {
  if (close_deadline_ <= now) connection_.abort();
}

}  // namespace wirehall::pipeline
