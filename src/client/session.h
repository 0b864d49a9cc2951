// What a client is above its connections: requests that wait and are repeated, rooms that are entered again,
// connections that are made again. Without I/O: calls, bytes and `now` go in, commands for the wire and
// events for the program come out.
//
//   I1  Every request with an answer handler is settled once.
//   I2  A request that was sent goes out again only if it may be done twice, and then ahead of newer ones.
//   I3  Of a room we are in, every message is told once, in the order of `seq`.
//   I4  Nothing but joins is sent on a new connection before we are back in our rooms.
//
//   state        input                               → state
//   closed       connect()                             connecting
//   connecting   the link is ready                     connected
//   connecting   the link is lost, or overdue          waiting, or closed when it was the last attempt
//   connected    the link is lost                      waiting, or closed when it shall not come back
//   waiting      the delay is over, or connect()       connecting
//   any          close()                               closed
//
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/link.h"

namespace wirehall::client {

/// How much is waiting, counted by the threads that ask.
///
/// Thread:   safe to use from any thread.
struct Admission {
  std::atomic<std::uint32_t> requests = 0;
  std::atomic<std::size_t> bytes = 0;
};

/// A place among what is waiting, given back when it dies.
///
/// Thread:   a plain value; may be moved to another thread.
class Ticket {
 public:
  Ticket() = default;
  /// Returns: an empty ticket when there is no place.
  static Ticket take(const std::shared_ptr<Admission>& admission, std::size_t bytes,
                     const ClientOptions& options);
  Ticket(Ticket&& other) noexcept : admission_(std::move(other.admission_)), bytes_(other.bytes_) {}
  Ticket& operator=(Ticket&& other) noexcept {
    std::swap(admission_, other.admission_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Ticket();
  explicit operator bool() const { return admission_ != nullptr; }

 private:
  std::shared_ptr<Admission> admission_;
  std::size_t bytes_ = 0;
};

/// What a value costs while it waits: its texts and bytes, and something for each part.
std::size_t waiting_bytes(const Value& value);

/// An event to be sent.
struct Request {
  std::string event;
  std::vector<Value> args;
  AnswerHandler done;  ///< without one nobody wants an answer
  RequestOptions options;
  bool is_volatile = false;
  Ticket ticket;
};

/// What the program is told.
struct SessionEvent {
  enum class Kind : std::uint8_t { kOpened, kConnected, kDisconnected, kRejoined, kEvent, kAnswer };
  Kind kind = Kind::kEvent;
  std::string name;                          ///< kEvent: its name; kRejoined: the room
  std::vector<Value> args;                   ///< kEvent
  std::optional<std::uint64_t> question;     ///< kEvent: it wants an answer
  std::uint64_t connection = 0;              ///< kEvent: over which it came
  std::optional<Result<Value>> answer;       ///< kAnswer, kRejoined
  AnswerHandler done;                        ///< kAnswer
  std::function<void(Status)> opened;        ///< kOpened
  std::optional<Error> failure;              ///< kOpened: why not
  std::optional<ClientConnected> connected;  ///< kConnected
  std::optional<ClientDisconnected> disconnected;
};

/// Thread:   the client's.
/// Lifetime: options and random source must outlive it.
class Session {
 public:
  Session(std::string url, const ClientOptions& options, RandomSource& random);
  Session(const Session&) = delete;
  ~Session();

  // -- what the program does ----------------------------------------------------------------------
  void connect(std::function<void(Status)> done, MonoTime now);
  void close(MonoTime now);
  void request(Request request, MonoTime now);
  void answer(std::uint64_t connection, std::uint64_t id, std::vector<Value> args, MonoTime now);

  // -- what the network does; see Link ------------------------------------------------------------
  void opened(ChannelId channel, MonoTime now);
  void received(ChannelId channel, char* begin, char* end, MonoTime now);
  void ended(ChannelId channel, const Error& error, MonoTime now);
  void written(ChannelId channel, std::size_t bytes, MonoTime now);

  void on_deadline(MonoTime now);
  MonoTime next_deadline() const;

  // -- out ----------------------------------------------------------------------------------------
  Wire& wire() { return wire_; }
  const Endpoint& endpoint() const { return endpoint_; }
  std::vector<SessionEvent> take_events() { return std::exchange(events_, {}); }
  bool has_events() const { return !events_.empty(); }
  ClientState state() const { return state_; }
  const std::string& user_id() const { return user_id_; }
  const std::string& session_id() const { return session_id_; }

 private:
  struct Pending {
    Request request;
    bool sent = false;
    bool rejoin = false;  // our own, to come back into the room
    std::string room;     // of a join or a leave
    MonoTime deadline = kNever;
    std::optional<std::int64_t> heard;  // of a join: the seq of a message that came before the answer
  };
  struct Place {
    std::optional<std::int64_t> seq;  // of the newest message that was told
    Value epoch;
    bool coming_back = false;
    std::vector<LinkEvent> held;  // messages that came before the answer to our coming back
  };

  // The connection.
  void open(MonoTime now);
  Result<Object> auth();
  void link_events(MonoTime now);
  void ready(ClientConnected connected, MonoTime now);
  void lost(Lost lost, MonoTime now);
  bool is_over(const Lost& lost) const;
  void settle_lost(const Lost& lost, bool over, ClientDisconnected& told, MonoTime now);
  Milliseconds next_delay(const Error& error);
  void event(LinkEvent event, MonoTime now);

  // Requests.
  void transmit(std::uint64_t id, MonoTime now);
  void transmit_waiting(MonoTime now);
  void forget_unsent_leave(const std::string& room, MonoTime now);
  void settle(std::uint64_t id, Result<Value> outcome, MonoTime now);
  void set_deadline(std::uint64_t id, Pending& pending, MonoTime deadline);
  void tell_answer(AnswerHandler done, Result<Value> outcome);

  // Rooms.
  void enter_rooms(bool recovered, MonoTime now);
  void rejoin(const std::string& room, MonoTime now);
  void rejoined(const std::string& room, const Result<Value>& answer, MonoTime now);
  void joined(const Pending& pending, const Value& answer);
  bool is_next(const LinkEvent& message, bool& overflow);
  void tell_event(LinkEvent event);

  const ClientOptions& options_;
  RandomSource& random_;
  Wire wire_;
  Endpoint endpoint_;
  Error url_error_{ErrorCode::kOk};
  Object auth_;
  Recovery recovery_;

  ClientState state_ = ClientState::kClosed;
  std::unique_ptr<Link> link_;
  std::uint64_t connection_ = 0;
  MonoTime attempt_deadline_ = kNever;
  MonoTime retry_at_ = kNever;
  std::uint32_t failures_ = 0;
  bool was_connected_ = false;  // since connect()
  bool flowing_ = false;        // whether requests may leave: connected, and back in all rooms
  std::set<std::uint64_t> entering_;
  std::vector<std::function<void(Status)>> opening_;
  std::string user_id_;
  std::string session_id_;

  std::map<std::uint64_t, Pending> pending_;  // in the order in which they were made
  std::set<std::uint64_t> unsent_;
  std::set<std::pair<MonoTime, std::uint64_t>> deadlines_;
  std::uint64_t last_id_ = 0;
  std::map<std::string, Place, std::less<>> rooms_;
  std::vector<SessionEvent> events_;
};

}  // namespace wirehall::client
