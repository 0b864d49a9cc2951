// The client side of many WebSocket connections on one thread: opens them, reads whole messages, writes.
// What the messages are for is the scenario's business (scenarios.h), which derives from this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "frames.h"
#include "options.h"
#include "protocol.h"

namespace bench {

struct Connection {
  enum class Phase : std::uint8_t { kUpgrading, kOpening, kReady };

  int socket = -1;
  std::uint32_t index = 0;
  Phase phase = Phase::kUpgrading;
  std::uint8_t opening_step = 0;
  std::string unread;  ///< the beginning of a response or frame
  std::string unsent;
};

/// Thread:   everything on the thread that made it.
class ClientLoop {
 public:
  ClientLoop(const Options& options, const Protocol& protocol);
  virtual ~ClientLoop();
  ClientLoop(const ClientLoop&) = delete;
  ClientLoop& operator=(const ClientLoop&) = delete;

 protected:
  /// Opens connections until so many are ready.
  /// Errors:   any refusal, close or 20 s without progress ends the process.
  void open(std::size_t count);
  /// Handles what comes until the time is there.
  void run_until(std::uint64_t deadline_ns);

  /// A message of a connection that is ready; heartbeats are answered before. `now` is when it was read.
  virtual void receive(Connection& connection, std::string_view message, std::uint64_t now) = 0;
  /// After everything that had come was handled.
  virtual void end_turn(std::uint64_t) {}

  /// Joins what one connection sends in answer to one read; for the connection that receive() was given.
  std::string& reply_buffer() { return reply_; }
  void send(Connection& connection, std::string_view bytes);

  std::vector<std::unique_ptr<Connection>>& connections() { return connections_; }
  const Options& options() const { return options_; }
  const Protocol& protocol() const { return protocol_; }
  /// With options.busy the time in which nothing was there to be done, in ns since the beginning.
  std::uint64_t spun_ns() const { return spun_ns_; }

 private:
  void turn();
  void connect_one();
  void serve(Connection& connection, std::uint32_t events);
  std::size_t take(Connection& connection, std::string_view bytes, std::uint64_t now);
  std::size_t take_response(Connection& connection, std::string_view bytes);
  void take_frame(Connection& connection, const Frame& frame, std::uint64_t now);
  void advance_opening(Connection& connection, std::string_view message);
  void say_opening(Connection& connection);
  void write_unsent(Connection& connection);

  const Options& options_;
  const Protocol& protocol_;
  std::string upgrade_request_;
  int epoll_ = -1;
  std::unique_ptr<char[]> buffer_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::size_t ready_ = 0;
  std::string reply_;
  std::uint64_t spun_ns_ = 0;
};

}  // namespace bench
