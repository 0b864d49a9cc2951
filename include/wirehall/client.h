// Client: a program's end of a connection to Wirehall, over the native protocol or over Socket.IO; over the
// latter to any Socket.IO server.
//
//   wirehall::Client client("https://hall.example", {.auth = {{"token", token}}});
//   client.on("new-message", [](const wirehall::Value& message) { show(message); });
//   if (const wirehall::Status up = client.connect(); !up.ok()) return fail(up.error().text());
//   const wirehall::Result<wirehall::Value> room = client.join("lobby");
//   client.send("lobby", "hello", [](wirehall::Result<wirehall::Value> sent) { … });
//
// It reconnects by itself. Handlers and rooms survive that, and nothing is sent twice: a message goes out
// again with its clientMessageId, by which the server knows it; any other request that was under way fails
// with `disconnected`, since nobody can say whether it was done, unless its caller lets it go out `again`.
// Nothing is missed either: a room is entered again from where we were in it, and `new-message` tells every
// message once, in the order of `seq`, also those of the time in between. Where the server cannot give them
// all, on_rejoin() says so, and history() has them.
//
// Names: the hall's messages are `new-message` over both protocols. An event's fields are one Value, the
// object; over Socket.IO an event may have more arguments.
//
// Threads: a client owns one thread. Every function may be called from every thread; calls of one thread take
// effect in their order. All handlers run on the client's own thread, one at a time; they must not throw, and
// while one runs the client does nothing else. What waits (the functions without a handler that return a
// Result) must not be called there: the process ends with a message. A client may be destroyed at any time,
// inside a handler too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "wirehall/clock.h"
#include "wirehall/handshake.h"
#include "wirehall/result.h"
#include "wirehall/value.h"

namespace wirehall {

/// Over what Engine.IO, which carries Socket.IO, travels.
enum class ClientTransport : std::uint8_t { kPolling, kWebSocket };

/// Whom a client trusts, where the URL is `https` or `wss`.
struct ClientTls {
  bool verify = true;       ///< false takes any certificate: for tests only
  std::string ca_file;      ///< PEM; empty: the system's trusted roots
  std::string server_name;  ///< whom the certificate must name; empty: the URL's host
};

/// How a client behaves; the names are socket.io-client's where it has one.
struct ClientOptions {
  /// What an `http` or `https` URL speaks; `ws` and `wss` are always native.
  Protocol protocol = Protocol::kNative;

  /// What is shown to the server: Socket.IO's `auth` payload. Over the native protocol `token` becomes
  /// `Authorization: Bearer`, and every other text a parameter of the query (`userId`, `name`).
  Object auth;
  /// Asked before every connection instead, on the client's thread; an error ends the attempt.
  std::function<Result<Object>()> auth_function;
  std::vector<std::pair<std::string, std::string>> query;          ///< further parameters of the query
  std::vector<std::pair<std::string, std::string>> extra_headers;  ///< of every HTTP request
  std::string path;  ///< Engine.IO's; empty: `/socket.io/`. A native URL holds its own
  /// Socket.IO only: the one to begin with, and with polling first whether to upgrade.
  std::vector<ClientTransport> transports = {ClientTransport::kWebSocket};
  ClientTls tls;

  bool reconnection = true;
  std::uint32_t connect_attempts = 1;       ///< of the first connection, before connect() fails; 0: no bound
  std::uint32_t reconnection_attempts = 0;  ///< in a row, of a lost one; 0: no bound
  Milliseconds reconnection_delay{1000};    ///< doubles with every failure
  Milliseconds reconnection_delay_max{5000};
  double randomization_factor = 0.5;  ///< the delay is shorter or longer by up to this part of it, at random
  Milliseconds timeout{20'000};  ///< for a connection to be made, and for an answer once its request was sent
  /// Native: silence after which the connection is tested, and how long the test waits. Socket.IO servers say
  /// their own.
  Milliseconds ping_interval{25'000};
  Milliseconds ping_timeout{20'000};

  /// Whether the server says `connected` first, and is only then connected to, as the hall does. Unset:
  /// native yes, Socket.IO no. A native server of your own that says no such thing wants false.
  std::optional<bool> expect_welcome;

  std::uint32_t requests_max = 10'000;  ///< not sent or not answered; one more is refused with `queue-full`
  std::size_t requests_bytes_max = 16 * 1024 * 1024;  ///< of their texts and binary data; as above
  std::size_t message_bytes_max =
      16 * 1024 * 1024;  ///< of one incoming message; a longer one ends the connection
  /// Events that may wait while we come back: beyond it the connection is made anew, and they come then.
  std::uint32_t held_events_max = 10'000;
};

/// How one request is sent.
struct RequestOptions {
  std::optional<Milliseconds>
      timeout;  ///< for the answer, from when it was sent; unset: ClientOptions::timeout
  std::optional<Milliseconds>
      wait_max;  ///< for a connection; unset: no bound, and with what waits, `timeout`
  bool again =
      false;  ///< it may be done twice: sent again over the next connection where the answer was lost
};

/// What an answer is given to; on the client's thread, exactly once.
using AnswerHandler = std::function<void(Result<Value>)>;

/// Where a client stands.
enum class ClientState : std::uint8_t {
  kClosed,      ///< not begun, ended, or given up
  kConnecting,  ///< an attempt is under way
  kConnected,
  kWaiting,  ///< for the next attempt
};

/// A connection that has been made.
struct ClientConnected {
  Object welcome;          ///< the fields of `connected`, where the server says it
  std::string session_id;  ///< Socket.IO: the socket's id; native: what the welcome says
  bool recovered = false;  ///< Socket.IO: it is the old session, and what was missed follows
  bool reconnected = false;
};

/// A connection that ended, or an attempt that failed.
struct ClientDisconnected {
  /// socket.io-client's words: `io server disconnect`, `io client disconnect`, `ping timeout`, `transport
  /// close`, `transport error`, `parse error`; `connect error` of an attempt.
  std::string reason;
  Error error{ErrorCode::kDisconnected};
  std::optional<Milliseconds> retry_in;  ///< until the next attempt; without it the client has given up
  std::uint32_t dropped =
      0;  ///< when it has: events without an answer that were waiting, and are thrown away
};

namespace detail {
class ClientImpl;
class InboxState;
}  // namespace detail

/// Answers an event of the server that wants an answer. Answering twice, or when the connection has gone,
/// does nothing; never answering is legal.
///
/// Thread:   any; a copyable handle, which may outlive the client.
class ClientAck {
 public:
  ClientAck() = default;
  ClientAck(std::weak_ptr<detail::ClientImpl> client, std::uint64_t connection, std::uint64_t id)
      : client_(std::move(client)), connection_(connection), id_(id), wanted_(true) {}
  /// Whether the server wants an answer.
  explicit operator bool() const { return wanted_; }
  void operator()(Value answer) const;
  void operator()() const;

 private:
  void send(std::vector<Value> args) const;
  std::weak_ptr<detail::ClientImpl> client_;
  std::uint64_t connection_ = 0;
  std::uint64_t id_ = 0;
  bool wanted_ = false;
};

/// An event of the server.
///
/// Lifetime: the arguments live as long as the handler runs.
struct ClientEvent {
  const std::string& name;
  const std::vector<Value>& args;
  ClientAck ack;
  /// The first argument; null where there is none.
  const Value& value() const;
};

/// Events that are kept until somebody takes them: for programs, and tests, that go step by step.
///
/// Thread:   any.
/// Lifetime: collects as long as it lives, also while the client does not.
class ClientInbox {
 public:
  explicit ClientInbox(std::shared_ptr<detail::InboxState> state);
  ClientInbox(ClientInbox&&) noexcept;
  ~ClientInbox();
  /// Waits for the next event. Must not be called on the client's thread.
  ///
  /// Returns:  its first argument.
  /// Errors:   kTimeout.
  Result<Value> next(Milliseconds timeout = Milliseconds(5000));
  /// Waits for the next event with that text in its JSON; what comes before it is thrown away.
  Result<Value> next_with(std::string_view part, Milliseconds timeout = Milliseconds(5000));
  std::size_t size() const;
  /// How many were thrown away since the inbox was full.
  std::uint64_t dropped() const;

 private:
  std::shared_ptr<detail::InboxState> state_;
};

/// A file that is sent.
struct FileOptions {
  std::string room_id;         ///< where it will appear, or
  std::string target_user_id;  ///< who will get it
  std::string name;            ///< empty: the file's own
  std::string mime = "application/octet-stream";
  std::string sha256;     ///< of its bytes, in lower-case hexadecimal digits: the server compares them
  std::string upload_id;  ///< of an upload of the same bytes that was not finished: it goes on
  std::function<void(const std::string& upload_id)> on_start;
  std::function<void(std::uint64_t sent, std::uint64_t size)> on_progress;
  std::stop_token stop;  ///< ends the upload, at the server as well, between two pieces
};

/// Identifies a handler, for off().
using HandlerId = std::uint64_t;

/// Thread:   safe to use from any thread; see the head of this file.
class Client {
 public:
  /// An unusable URL is told by connect().
  explicit Client(std::string url, ClientOptions options = {});
  /// Says goodbye, waiting at most a second for it to be written. What waits for an answer fails with
  /// `disconnected`, its handlers being called on the client's thread; no handler runs afterwards.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // -- connection ---------------------------------------------------------------------------------

  /// Connects, for as many attempts as the options allow; where it waits for the next one, that is made now.
  ///
  /// Errors:   what made it give up: kConfig (the URL), kConnectionFailed, kTlsFailed, kTimeout,
  /// kWrongProtocol,
  ///           kUnexpectedResponse, kAuthenticationRequired, kAuthenticationFailed or what else the server
  ///           says; kDisconnected when it was closed meanwhile.
  Status connect();
  void connect(std::function<void(Status)> done);
  /// Ends the connection and leaves the rooms; what waits for an answer fails with `disconnected`.
  void close();
  ClientState state() const;
  /// Who the server says we are; empty before it did.
  std::string user_id() const;
  std::string session_id() const;

  void on_connect(std::function<void(const ClientConnected&)> handler);
  void on_disconnect(std::function<void(const ClientDisconnected&)> handler);
  /// Told when a room was entered again after a reconnection, with what join() would answer (`recovered`), or
  /// why not; in the second case the client is no longer in the room.
  void on_rejoin(std::function<void(const std::string& room, const Result<Value>& answer)> handler);

  // -- events -------------------------------------------------------------------------------------

  /// Calls the handler for every event of that name. It takes `const Value&`, the first argument, or `const
  /// ClientEvent&`. What the server sends directly behind its welcome is seen only by handlers added before
  /// connect().
  template <class F>
  HandlerId on(std::string event, F handler) {
    return add_handler(std::move(event), wrap(std::move(handler)), false, takes_value<F>);
  }
  template <class F>
  HandlerId once(std::string event, F handler) {
    return add_handler(std::move(event), wrap(std::move(handler)), true, takes_value<F>);
  }
  /// Calls the handler for every event, before its own handlers.
  HandlerId on_any(std::function<void(const ClientEvent&)> handler) {
    return add_handler({}, std::move(handler), false, false);
  }
  void off(HandlerId handler);
  /// Removes all handlers of the event.
  void off(std::string event);
  /// Collects the event from now on, at most `events_max`; then the newest are thrown away, and counted.
  ClientInbox inbox(std::string event, std::size_t events_max = 1000);

  // -- requests -----------------------------------------------------------------------------------

  /// Sends an event that wants no answer, at once or when there is a connection again. It is sent at most
  /// once.
  ///
  /// Errors:   kQueueFull, nothing was sent; kDisconnected, the client is closed.
  Status emit(std::string event, Value argument) {
    return emit_args(std::move(event), {std::move(argument)});
  }
  Status emit(std::string event) { return emit_args(std::move(event), {}); }
  Status emit_args(std::string event, std::vector<Value> args);
  /// The same, thrown away where it cannot be sent at once.
  void emit_volatile(std::string event, Value argument);

  /// Sends an event and gives the answer to the handler: the first argument, an array where it has several.
  ///
  /// Errors:   an answer `{error, code}` is the error of that code, or kRefused where the catalogue has none;
  /// its
  ///           fields_json() is the whole answer. kTimeout; kDisconnected (it may have been done);
  ///           kQueueFull.
  void emit(std::string event, Value argument, AnswerHandler done, RequestOptions options = {}) {
    emit_args(std::move(event), {std::move(argument)}, std::move(done), options);
  }
  void emit_args(std::string event, std::vector<Value> args, AnswerHandler done, RequestOptions options = {});
  /// The same, waiting.
  Result<Value> emit_and_wait(std::string event, Value argument, RequestOptions options = {}) {
    return emit_args_and_wait(std::move(event), {std::move(argument)}, options);
  }
  Result<Value> emit_args_and_wait(std::string event, std::vector<Value> args, RequestOptions options = {});

  // -- the hall -----------------------------------------------------------------------------------
  // Each in two forms: with a handler, and waiting.

  /// Enters a room, and enters it again after a reconnection. Wait for it before sending there. `since` says
  /// where we were, `{seq, epoch}`, to get what was missed.
  void join(std::string room, AnswerHandler done, Value since = {});
  Result<Value> join(std::string room, Value since = {});
  void leave(std::string room, AnswerHandler done);
  Result<Value> leave(std::string room);
  /// Sends a message. It is sent again until it is answered, and stored once. `more`: type, replyTo;
  /// clientMessageId to try again after a failure.
  void send(std::string room, std::string content, AnswerHandler done, Object more = {});
  Result<Value> send(std::string room, std::string content, Object more = {});
  /// The same to a person; it waits at the server for who is away.
  void send_private(std::string user, std::string content, AnswerHandler done, Object more = {});
  Result<Value> send_private(std::string user, std::string content, Object more = {});
  /// Messages of a room; `bounds`: before, after (positions, exclusive), limit.
  void history(std::string room, Object bounds, AnswerHandler done);
  Result<Value> history(std::string room, Object bounds = {});
  /// Who is there: `of` is `{roomId}` or `{userIds}`.
  void presence(Object of, AnswerHandler done);
  Result<Value> presence(Object of);
  /// Says that we type, or no longer do; lost where there is no connection.
  void typing(std::string room, bool active = true);
  /// Shows a new token before the old one ends, and with the next connections where there is no
  /// auth_function.
  void refresh_token(std::string token, AnswerHandler done);
  Result<Value> refresh_token(std::string token);

  /// Sends a file in pieces; a piece whose answer was lost is sent again. The answer holds `file` and
  /// `messageId`. Unless it was ended, a failed upload can go on by its id.
  ///
  /// Errors:   kIo when the file cannot be read or has changed; kDisconnected when `stop` ended it; the
  /// server's.
  void send_file(std::string path, FileOptions options, AnswerHandler done);
  Result<Value> send_file(std::string path, FileOptions options);
  void send_bytes(std::string bytes, FileOptions options, AnswerHandler done);
  Result<Value> send_bytes(std::string bytes, FileOptions options);

 private:
  using EventHandler = std::function<void(const ClientEvent&)>;
  template <class F>
  static constexpr bool takes_value = std::is_invocable_v<F&, const Value&>;
  template <class F>
  static EventHandler wrap(F handler) {
    if constexpr (takes_value<F>) {
      return [handler = std::move(handler)](const ClientEvent& event) mutable { handler(event.value()); };
    } else {
      static_assert(std::is_invocable_v<F&, const ClientEvent&>,
                    "a handler takes `const wirehall::Value&` or `const wirehall::ClientEvent&`");
      return handler;
    }
  }
  HandlerId add_handler(std::string event, EventHandler handler, bool once, bool value_only);

  std::shared_ptr<detail::ClientImpl> impl_;
};

}  // namespace wirehall
