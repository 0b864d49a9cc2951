// Socket: one client's presence in one namespace. Ack: the answer to one of its events.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wirehall/broadcast.h"
#include "wirehall/handshake.h"
#include "wirehall/result.h"
#include "wirehall/task.h"
#include "wirehall/value.h"

namespace wirehall {

class Socket;
class Namespace;

namespace detail {
struct AckState;
class SpareAck;
class Invocation;
using EventHandler = std::function<void(Invocation&)>;
template <class F>
EventHandler make_event_handler(F handler);
}  // namespace detail

/// Answers one event of a client. Answering twice, or after the client went, does nothing; never answering
/// is legal. When the client asked for no answer, success is silent and failure is reported where the
/// protocol has a place for it (native: an `error` frame).
///
/// Thread:   shard-affine; a copyable handle.
class Ack {
 public:
  Ack() = default;
  explicit Ack(std::shared_ptr<detail::AckState> state) : state_(std::move(state)) {}

  /// Whether the client asked for an answer.
  explicit operator bool() const;

  void operator()() { answer({}); }
  void operator()(Value a) {
    answer({&a, 1});
  }
  void operator()(Value a, Value b) {
    const Value args[] = {std::move(a), std::move(b)};
    answer(args);
  }
  void answer(std::span<const Value> args);
  /// `{success: true, …fields}`
  void success(Object fields = {});
  /// `{error: text, code, retryAfter?}`
  void fail(const Error& error);

 private:
  friend class detail::SpareAck;
  std::shared_ptr<detail::AckState> state_;
};

/// The name of a socket that may be kept and passed between threads; it notices that the socket has gone.
///
/// Thread:   a plain value; find() answers on the socket's shard.
class SocketRef {
 public:
  SocketRef() = default;
  SocketRef(std::string nsp, std::string id) : nsp_(std::move(nsp)), id_(std::move(id)) {}
  const std::string& id() const { return id_; }
  const std::string& nsp() const { return nsp_; }
  /// Returns: the socket, when this is its shard and it is still connected.
  Socket* find() const;

 private:
  std::string nsp_;
  std::string id_;
};

/// Sends to one socket with flags; see Socket::volatile_() and Socket::compress().
///
/// Thread:   shard-affine, as the socket.
/// Lifetime: no longer than the socket.
class SocketOperator : public Emits<SocketOperator, SendResult> {
 public:
  SocketOperator(Socket& socket, EmitFlags flags) : socket_(&socket), flags_(flags) {}
  SocketOperator volatile_() const;
  SocketOperator compress(bool on) const;
  SendResult emit_args(std::string_view event, std::span<const Value> args);

 private:
  Socket* socket_;
  EmitFlags flags_;
};

/// One client in one namespace, whichever protocol it speaks.
///
/// Thread:   shard-affine: used only on the shard that owns it (inside its handlers, or through SocketRef).
/// Lifetime: alive while a handler of it runs, also after it disconnected; keep a SocketRef, not a pointer.
class Socket : public Emits<Socket, SendResult> {
 public:
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// 20 characters; not the Engine.IO session id. A copy.
  std::string id() const;
  Namespace& nsp() const;
  Protocol protocol() const;
  SocketRef ref() const;
  const Handshake& handshake() const;
  /// Who the client is; an empty id before an authenticator has said so.
  /// Lifetime: until set_user(), and what a middleware got no longer than until the client is let in.
  const User& user() const;
  void set_user(User user);
  /// The application's own state of this socket.
  Value& data();
  bool connected() const;
  bool recovered() const;
  /// "polling" or "websocket", as it is now; empty when the connection is over.
  std::string_view transport() const;
  /// The connection below; sockets of several namespaces share it.
  struct Conn {
    std::string id;              ///< Engine.IO's session id; of a native client its own
    std::string_view transport;  ///< as transport()
    std::uint8_t protocol = 4;   ///< the revision of Engine.IO; 0 for a native client
  };
  /// Returns:  an empty one when the connection is over.
  Conn conn() const;

  // -- sending ----------------------------------------------------------------------------------
  /// Returns:  kQueued, kDropped, kClosed or kReserved; never waits. Order is kept.
  SendResult emit_args(std::string_view event, std::span<const Value> args);
  SocketOperator volatile_();
  SocketOperator compress(bool on);
  /// Emits and waits for the client's answer.
  ///
  /// Returns:  the arguments of the answer.
  /// Errors:   kTimeout after `timeout` (0: limits.pending_ack_timeout) or when limits.pending_acks_max
  ///           newer ones wait, kDisconnected, kInvalidFormat for a reserved name.
  Task<Result<Args>> emit_with_ack(std::string event, Args args, Duration timeout = Duration{0});

  /// Everybody else in those rooms, or everybody else.
  BroadcastOperator to(std::string_view room);
  BroadcastOperator to(const std::vector<std::string>& rooms);
  BroadcastOperator in(std::string_view room) { return to(room); }
  BroadcastOperator except(std::string_view room);
  BroadcastOperator broadcast();
  BroadcastOperator local();

  // -- rooms ------------------------------------------------------------------------------------
  /// Takes effect at once. Does nothing once disconnected.
  /// Errors:   kInvalidFormat (empty or over limits.room_name_bytes_max), kLimitReached,
  ///           kAccessDenied (the room of another socket's id).
  Status join(std::string_view room);
  /// Joins all of them, or stops at the first error.
  Status join(const std::vector<std::string>& rooms);
  void leave(std::string_view room);
  bool in_room(std::string_view room) const;
  /// Its own id and the rooms it joined.
  std::vector<std::string> rooms() const;

  // -- receiving --------------------------------------------------------------------------------
  /// Adds a handler of this socket alone; the namespace's own run first. See handler.h for what a handler
  /// may look like.
  template <class F>
  Socket& on(std::string_view event, F handler) {
    add_handler(event, detail::make_event_handler(std::move(handler)), false);
    return *this;
  }
  template <class F>
  Socket& once(std::string_view event, F handler) {
    add_handler(event, detail::make_event_handler(std::move(handler)), true);
    return *this;
  }
  /// Removes this socket's own handlers of an event.
  void off(std::string_view event);
  using AnyHandler = std::function<void(Socket&, std::string_view event, Args&)>;
  /// Called with every event before its middlewares and handlers, in order.
  Socket& on_any(AnyHandler handler);
  Socket& prepend_any(AnyHandler handler);
  /// Removes all of them.
  void off_any();
  using AnyOutgoingHandler = std::function<void(Socket&, std::string_view event, const Args&)>;
  /// Called with every event that is sent to this client, by emit or broadcast; not with answers.
  Socket& on_any_outgoing(AnyOutgoingHandler handler);
  Socket& prepend_any_outgoing(AnyOutgoingHandler handler);
  void off_any_outgoing();
  /// Checks every incoming event in registration order; the first refusal is its answer.
  Socket& use(std::function<Status(std::string_view event, Args&)> middleware);
  /// Called once each, with the reason; while disconnecting the rooms are still there.
  Socket& on_disconnecting(std::function<void(Socket&, std::string_view reason)> handler);
  Socket& on_disconnect(std::function<void(Socket&, std::string_view reason)> handler);

  /// Leaves the namespace; with `close` the whole connection ends.
  void disconnect(bool close = false);

 protected:
  Socket() = default;
  ~Socket() = default;

 private:
  void add_handler(std::string_view event, detail::EventHandler handler, bool once);
};

}  // namespace wirehall
