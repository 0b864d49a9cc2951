// HTTP/1.1 on a connection: one request at a time, answered in order; upgrades lead to another stage.
//
//   I1  Every request gets exactly one response, or the connection ends.
//   I2  While a response is awaited no further bytes are taken: what is pipelined waits, in order.
//   I3  A body that was not read to its end is never taken for a request: such a connection ends.
//
// Spec: RFC 9112 sections 6 and 9; RELIABILITY cases H5, H6, H8, H9.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http1/request_parser.h"
#include "pipeline/body_stream.h"
#include "pipeline/connection.h"
#include "pipeline/world.h"

namespace wirehall::pipeline {

class HttpStage final : public Stage, private BodyStream::Owner {
 public:
  HttpStage(Connection& connection, PeerInfo peer);
  ~HttpStage() override;

  void receive(char*& cursor, char* end, TurnBudget& budget) override;
  void receive_eof() override;
  void gone(bool by_error) override;
  void drained() override;
  bool wants_drained() const override { return true; }
  void shut_down() override;
  MonoTime next_deadline() const override { return stream_ ? stream_->next_deadline() : deadline_; }
  void on_deadline(MonoTime now) override;
  bool accepts_input() const override { return !waiting_; }
  std::string_view name() const override { return "http"; }

  /// The response to the request with that number; another number is an old one and ignored.
  void respond(std::uint32_t sequence, http1::Response response) override;
  /// An upgrade that is being decided: it owns the response from here on, until it becomes the stage or
  /// refuse_upgrade() is called.
  void hold_upgrade(std::unique_ptr<Stage> candidate) { candidate_ = std::move(candidate); }
  void accept_upgrade();
  void refuse_upgrade(http1::Response response);
  /// A connection that arrived from another shard with an upgrade request: goes on with it.
  void resume_upgrade(HeadPtr head);
  /// The Engine.IO session that this request is for, on that shard, hears when the request ends without reaching it:
  /// its peer has gone, or it was refused before it was complete.
  void watch_abort(unsigned shard) { abort_shard_ = static_cast<int>(shard); }

  Connection& connection() const { return connection_; }
  /// Who comes behind this stage takes of it what it needs.
  PeerInfo& peer() { return peer_; }
  Responder responder() const;
  /// The client's address, proxies considered.
  std::string client_address(const http1::RequestHead& head) const;
  /// Whether a browser page of another origin asks: same origin and listed origins may, and whoever sends no
  /// Origin at all, since only browsers carry a user's cookies without being asked.
  bool refuse_origin(const http1::RequestHead& head) const;

 private:
  static constexpr int kNobody = -1;

  void begin_request();
  void complete_request();
  void dispatch_upgrade();
  void dispatch(std::string body);
  void serve(std::string body);
  void serve_bytes(const http1::StaticFile& file, http1::Response& response);
  void fail(const Error& error);
  bool count_body();
  void send(http1::Response response, bool close);
  bool keeps_alive() const;
  void write(const http1::Response& response, bool keep);
  void end_response(bool keep);
  void finish_request();
  void body_begins(const http1::Response& response) override;
  void body_ended() override;
  void body_failed(const Error& error, bool begun) override;
  bool is_engine(const http1::RequestHead& head) const;
  void tell_abort(bool lost);

  Connection& connection_;
  PeerInfo peer_;
  std::unique_ptr<http1::RequestParser> parser_;  // while a request is being read
  HeadPtr head_;
  std::unique_ptr<Stage> candidate_;
  std::shared_ptr<BodyStream> stream_;  // of the response that is being sent
  MonoTime deadline_;
  std::size_t counted_body_bytes_ = 0;  // of what all shards hold
  std::uint32_t sequence_ = 0;
  int abort_shard_ = kNobody;
  bool waiting_ = false;    // a response is awaited
  bool body_read_ = false;  // of the request that is answered
  bool idle_ = true;        // between requests
  bool eof_ = false;  // this response is the last one
};

}  // namespace wirehall::pipeline
