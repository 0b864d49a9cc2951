// Namespace: the handlers of one path, and sending to everybody who is connected to it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "wirehall/auth.h"
#include "wirehall/broadcast.h"
#include "wirehall/handler.h"
#include "wirehall/socket.h"

namespace wirehall {

namespace hub {
struct NamespaceSpec;
}

/// Lets a connection in, or says why not.
///
/// A Socket.IO client gets `message` and `data` as its `connect_error`; a native client the HTTP status or
/// close code that the catalogue has for `code`.
///
/// Thread:   a plain value.
class [[nodiscard]] Verdict {
 public:
  Verdict() = default;  ///< accepted
  /// The text of the error, with `{code, retryAfter?}` as data.
  Verdict(const Error& error);                                                            // NOLINT
  Verdict(Status status) : Verdict(status.ok() ? Verdict() : Verdict(status.error())) {}  // NOLINT
  static Verdict refuse(std::string message, Value data = nullptr, ErrorCode code = ErrorCode::kAccessDenied);

  bool accepted() const { return code_ == ErrorCode::kOk; }
  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const Value& data() const { return data_; }
  std::int64_t retry_after_ms() const { return retry_after_ms_; }

 private:
  ErrorCode code_ = ErrorCode::kOk;
  std::string message_;
  Value data_;
  std::int64_t retry_after_ms_ = 0;
};

/// Runs before a socket exists for its namespace; may set its user and data, and join rooms (undone when
/// it, or a later one, refuses).
using ConnectMiddleware = std::function<Task<Verdict>(Socket&)>;

/// How an event's fields stand on the native protocol, where the event name is the `type`.
///
/// In general an event's object stands spread in the frame; its own field `type` is called `messageType`
/// there. A shape adds names for what is no object, and other names for the event itself.
struct NativeShape {
  std::vector<std::string> aliases;    ///< further types that clients may send for the event
  std::vector<std::string> arguments;  ///< names of the leading bare arguments, both ways; alternatives that
                                       ///< clients may send are separated by `|`
  std::string sent_type;               ///< type under which the event is sent; empty: its name
  std::vector<std::pair<std::string, std::string>> sent_copies;  ///< field of the event → second field
};

/// Thread:   registration happens before the server runs (asserted); sending works on every shard and from
///           every other thread.
/// Lifetime: as long as the server.
class Namespace : public Emits<Namespace, SendResult> {
 public:
  explicit Namespace(hub::NamespaceSpec& spec) : spec_(&spec) {}
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  const std::string& name() const;

  // -- registration -----------------------------------------------------------------------------
  /// Adds a middleware: `Verdict(Socket&)` or `Task<Verdict>(Socket&)` (a Status or Error will do).
  template <class F>
  Namespace& use(F middleware) {
    add_middleware(as_middleware(std::move(middleware)));
    return *this;
  }
  /// Lets in who shows a valid token, as the configuration's `auth` says. Each namespace decides for itself.
  Namespace& use(JwtAuth auth);
  Namespace& on_connection(std::function<void(Socket&)> handler);
  /// Called while the rooms are still there; then on_disconnect, when they are gone.
  Namespace& on_disconnecting(std::function<void(Socket&, std::string_view reason)> handler);
  Namespace& on_disconnect(std::function<void(Socket&, std::string_view reason)> handler);
  /// Told of each event that is answered with an error. Must not throw.
  Namespace& on_failure(std::function<void(Socket&, const Error&)> handler);
  /// Adds a handler that all sockets of the namespace share; see handler.h.
  template <class F>
  Namespace& on_event(std::string_view event, F handler) {
    add_handler(event, detail::make_event_handler(std::move(handler)));
    return *this;
  }
  /// For events that have no handler.
  template <class F>
  Namespace& on_unknown_event(F handler) {
    add_handler({}, detail::make_event_handler(std::move(handler)));
    return *this;
  }
  /// Checks every event of every socket before its handlers; the first refusal is its answer.
  Namespace& use_event(std::function<Status(Socket&, std::string_view event, Args&)> middleware);
  /// What other nodes of the cluster send by server_side_emit(); `reply` answers those that ask.
  using ServerEventHandler = std::function<void(const Args&, const std::function<void(Value)>& reply)>;
  Namespace& on_server_event(std::string_view event, ServerEventHandler handler);
  /// Rooms of this process: made with the first socket in them, gone with the last. A socket's own id is a
  /// room too. Called on the shard where it happened.
  using RoomHandler = std::function<void(std::string_view room)>;
  using RoomMemberHandler = std::function<void(std::string_view room, std::string_view socket_id)>;
  Namespace& on_create_room(RoomHandler handler);
  Namespace& on_delete_room(RoomHandler handler);
  Namespace& on_join_room(RoomMemberHandler handler);
  Namespace& on_leave_room(RoomMemberHandler handler);
  /// Says how an event looks on the native protocol.
  Namespace& native_shape(std::string_view event, NativeShape shape);

  // -- sending ----------------------------------------------------------------------------------
  SendResult emit_args(std::string_view event, std::span<const Value> args) {
    return all().emit_args(event, args);
  }
  BroadcastOperator to(std::string_view room) { return all().to(room); }
  BroadcastOperator in(std::string_view room) { return all().to(room); }
  BroadcastOperator except(std::string_view room) { return all().except(room); }
  BroadcastOperator volatile_() { return all().volatile_(); }
  BroadcastOperator compress(bool on) { return all().compress(on); }
  BroadcastOperator local() { return all().local(); }
  BroadcastOperator timeout(Duration time) { return all().timeout(time); }
  Task<Result<BroadcastAnswers>> emit_with_ack(std::string event, Args args) {
    return all().emit_with_ack(std::move(event), std::move(args));
  }
  Task<std::vector<RemoteSocket>> fetch_sockets() { return all().fetch_sockets(); }
  /// Reaches the handlers of on_server_event() on the other nodes of the cluster, never this one, and never a
  /// client.
  /// Errors:   kInvalidFormat: `connect`, `connection` and `new_namespace` are reserved.
  Status server_side_emit(std::string_view event, Args args);
  /// Returns:  one answer for each other node.
  Task<Result<std::vector<Value>>> server_side_emit_with_ack(std::string event, Args args);
  void sockets_join(std::string_view room) { all().sockets_join(room); }
  void sockets_leave(std::string_view room) { all().sockets_leave(room); }
  void disconnect_sockets(bool close = false) { all().disconnect_sockets(close); }

  hub::NamespaceSpec& spec() { return *spec_; }

 private:
  BroadcastOperator all() { return BroadcastOperator(*this); }
  void add_middleware(ConnectMiddleware middleware);
  void add_handler(std::string_view event, detail::EventHandler handler);

  template <class F>
  static ConnectMiddleware as_middleware(F middleware) {
    using Return = std::invoke_result_t<F&, Socket&>;
    if constexpr (std::is_same_v<Return, Task<Verdict>>) {
      return ConnectMiddleware(std::move(middleware));
    } else {
      return ConnectMiddleware([middleware = std::move(middleware)](Socket& socket) mutable -> Task<Verdict> {
        Verdict verdict = middleware(socket);
        co_return verdict;
      });
    }
  }

  hub::NamespaceSpec* spec_;
};

}  // namespace wirehall
