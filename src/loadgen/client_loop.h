// The client side of many connections on one thread: opens them, reads whole messages, writes. What the
// messages are for is the mode's business, which derives from this.
//
//   connection   input                                → connection
//   closed       open_connection()                      connecting
//   connecting   TCP, TLS, 101 or the open packet       session
//   session      the server's greetings, in order       ready: on_ready()
//   any          end, error, refusal, overdue           closed: on_closed()
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http1/response_parser.h"
#include "loadgen/control.h"
#include "loadgen/frames.h"
#include "loadgen/plan.h"
#include "loadgen/schedule.h"

struct epoll_event;
struct ssl_st;

namespace wirehall::loadgen {

struct Connection;

/// One TCP connection.
struct Channel {
  enum class Kind : std::uint8_t { kWebSocket, kPoll, kPost };
  Connection* owner = nullptr;
  ssl_st* tls = nullptr;
  int socket = -1;
  Kind kind = Kind::kWebSocket;
  bool connecting = false;  ///< TCP or TLS is not there yet
  std::string unread;       ///< the beginning of a frame
  std::string unsent;
  std::unique_ptr<http1::ResponseParser> parser;  ///< while it speaks HTTP
};

/// One client: its WebSocket, or with polling its requests.
struct Connection {
  enum class State : std::uint8_t { kNew, kConnecting, kSession, kReady, kClosed };
  Channel web_socket;
  std::unique_ptr<Channel> poll;  ///< reads by GET
  std::unique_ptr<Channel> post;
  std::uint32_t index = 0;  ///< in this thread
  std::uint32_t id = 0;     ///< in the run
  State state = State::kNew;
  std::uint8_t step = 0;  ///< of the greetings
  bool polling = false;   ///< messages travel by polling
  bool posting = false;   ///< a POST is under way
  bool pausing = false;   ///< upgrade: the last poll is waited for
  bool deaf = false;      ///< what arrives stays unread
  std::uint64_t opened_at_ns = 0;
  std::string session;                     ///< of Engine.IO, while polling
  std::string outgoing;                    ///< packets that wait for the next POST
  std::unique_ptr<std::string> fragments;  ///< of a message in several frames
};

/// Thread:   the one that calls run(); live() and wake() any.
/// Lifetime: plan and control must outlive it.
class ClientLoop {
 public:
  /// The loop with `number` has every `plan.options.threads`-th connection of `total`.
  ClientLoop(const Plan& plan, Control& control, std::size_t number, std::size_t total);
  virtual ~ClientLoop();
  ClientLoop(const ClientLoop&) = delete;
  ClientLoop& operator=(const ClientLoop&) = delete;

  /// The whole run, as the phases of `control` say.
  void run();
  /// Ends a wait.
  void wake();
  const Live& live() const { return live_; }
  /// Once run() is over.
  Tally& tally() { return tally_; }

 protected:
  /// A message of a connection that is ready: with Socket.IO a packet of kind `4`, with it in front.
  virtual void on_message(Connection& connection, std::string_view message, std::uint64_t now) = 0;
  virtual void on_ready(Connection&, std::uint64_t) {}
  /// `was_ready`: whether on_ready() was called since it was opened.
  virtual void on_closed(Connection&, bool, std::uint64_t) {}
  /// The load begins.
  virtual void on_load(std::uint64_t) {}
  /// Behind everything that had come, at least every 250 ms.
  virtual void on_turn(std::uint64_t) {}
  /// About four times a second.
  virtual void on_sweep(std::uint64_t) {}
  /// When on_turn() must be called next, in ns.
  virtual std::uint64_t next_due() const { return ~std::uint64_t{0}; }
  virtual bool is_drained() const { return true; }
  /// The last word: what has not come will not.
  virtual void on_end(std::uint64_t) {}

  /// What a session says when the server has said that it is there: Socket.IO's CONNECT, with the token.
  virtual std::string connect_text(const Connection& connection) const;
  virtual std::string join_text(const Connection& connection) const { return plan_.join_text(connection.id); }
  /// The answer to a join; behind it the connection is ready.
  virtual void on_joined(Connection&, std::string_view, std::uint64_t) {}
  /// The answer to CONNECT; with the native hall its `connected`.
  virtual void on_connected(Connection&, std::string_view) {}
  /// Messages before the connection is ready: before the answer to CONNECT (`step` 0), or to the join (1).
  virtual void on_early(Connection&, std::string_view, std::uint64_t) {}
  /// Whether there is nothing left to wait for: the load may end before its time.
  virtual bool is_finished() const { return false; }

  void open_connection(Connection& connection, std::uint64_t now);
  /// Says goodbye and ends it, as a client that leaves; on_closed() is not called. What was said is read even
  /// though the connection is reset behind it, which gives the port back at once. Not while it polls.
  void part(Connection& connection);
  /// Ends it without a word, as a lost network would look to the server at once; on_closed() is not called.
  void cut(Connection& connection);
  /// Sends a message.
  void send(Connection& connection, const MessageTemplate& message, const Mark& mark,
            std::uint64_t id_number);
  void say(Connection& connection, std::string_view message);
  /// Counts what a server says that failed.
  void count_error(std::string_view message);
  void set_deaf(Connection& connection) { connection.deaf = true; }
  /// Reads again, what has come meanwhile first.
  void hear(Connection& connection);

  std::vector<std::unique_ptr<Connection>>& connections() { return connections_; }
  const std::vector<std::unique_ptr<Connection>>& connections() const { return connections_; }
  const Plan& plan() const { return plan_; }
  const Options& options() const { return plan_.options; }
  Control& control() { return control_; }
  Phase phase() const { return phase_; }
  std::size_t number() const { return number_; }
  bool in_window(std::uint64_t at_ns) const { return at_ns >= begin_ns_ && at_ns < end_ns_; }
  /// An answer or delivery of what was due then.
  void count_operation(std::uint64_t due_ns, std::uint64_t now);

  Tally tally_;

 private:
  void turn();
  int wait_for_events(std::span<epoll_event> events, std::uint64_t left_ns);
  void open_more(std::uint64_t now);
  void sweep(std::uint64_t now);
  void publish_live();
  void window_edges(std::uint64_t now);

  void connect(Channel& channel);
  bool finish_connect(Channel& channel);
  void connected(Channel& channel);
  void serve(Channel& channel, std::uint32_t events);
  void read(Channel& channel, bool ends);
  std::ptrdiff_t receive(Channel& channel, char* buffer, std::size_t bytes);
  std::size_t take(Channel& channel, std::string_view bytes, std::uint64_t now);
  std::size_t take_http(Channel& channel, std::string_view bytes, std::uint64_t now);
  std::size_t take_frames(Channel& channel, std::string_view bytes, std::uint64_t now);
  void take_frame(Channel& channel, const Frame& frame, std::uint64_t now);
  void take_response(Channel& channel, const http1::ReceivedResponse& response, std::uint64_t now);
  void take_text(Connection& connection, std::string_view text, bool by_poll, std::uint64_t now);
  void greet(Connection& connection, std::string_view message, std::uint64_t now);
  void engine_open(Connection& connection, std::string_view packet, std::uint64_t now);
  void begin_session(Connection& connection, std::uint64_t now);
  void next_greeting(Connection& connection, std::uint64_t now);
  void become_ready(Connection& connection, std::uint64_t now);
  void finish_upgrade(Connection& connection, std::uint64_t now);

  void send_bytes(Channel& channel, std::string_view bytes);
  void write_unsent(Channel& channel);
  void poll(Connection& connection);
  void post(Connection& connection);
  void drop(Connection& connection, std::string reason);
  void close_channel(Channel& channel, bool reset);
  void close_all(Connection& connection, bool reset);
  Channel& make_channel(std::unique_ptr<Channel>& place, Connection& connection, Channel::Kind kind);
  void release(std::unique_ptr<Channel>& place);

  const Plan& plan_;
  Control& control_;
  const std::size_t number_;
  const std::size_t total_;  // of connections of this thread
  int epoll_ = -1;
  int wake_ = -1;
  bool waits_in_ns_ = true;
  std::unique_ptr<char[]> buffer_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Channel>> graveyard_;  // events of this turn may still name them
  Channel* current_ = nullptr;                       // what is being read
  std::string reply_;                                // what it is answered, in one write
  std::string scratch_;
  Live live_;
  Phase phase_ = Phase::kOpen;
  std::size_t opened_ = 0;   // connections that were begun
  std::size_t opening_ = 0;  // of these, neither ready nor failed
  std::size_t ready_now_ = 0;
  Schedule pace_;              // of connections, with options.connect_rate
  std::size_t paced_for_ = 0;  // how many were wanted when it began
  std::uint64_t swept_at_ns_ = 0;
  std::uint64_t begin_ns_ = ~std::uint64_t{0};
  std::uint64_t end_ns_ = ~std::uint64_t{0};
  std::uint64_t cpu_at_begin_ns_ = 0;
  std::uint64_t began_at_ns_ = 0;
  bool in_window_ = false;
  std::uint64_t latency_sum_ns_ = 0;
  std::uint64_t latencies_ = 0;
};

/// Whether an answer of the server, as an ack of either protocol, says that something failed.
bool is_error_answer(std::string_view message);

/// A few bytes of a peer, for people.
std::string printable(std::string_view bytes);

}  // namespace wirehall::loadgen
