// Sending: to one socket, to everybody in some rooms, with flags.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wirehall/clock.h"
#include "wirehall/result.h"
#include "wirehall/task.h"
#include "wirehall/value.h"

namespace wirehall {

/// The arguments of an event.
using Args = std::vector<Value>;

/// What became of something that was sent.
enum class SendResult : std::uint8_t {
  kQueued,       ///< it leaves at the end of the loop turn, or with the next poll
  kDropped,      ///< volatile and not writable, or the queue is full and `slowConsumer` is `drop`
  kClosed,       ///< the socket is gone
  kUnavailable,  ///< the queue to the other shards is full
  kReserved,     ///< the event's name is reserved (`connect`, `disconnect`, …): nothing was sent
};

/// How something is sent.
struct EmitFlags {
  bool is_volatile = false;  ///< dropped where it could not be written now
  bool compress = true;      ///< where the connection agreed on compression
  bool local = false;        ///< this node only
  Duration timeout{0};       ///< for acks; 0: limits.pending_ack_timeout
};

/// Gives a class that has `emit_args` the overloads people call.
///
/// Thread:   that of the class.
template <class Derived, class Return>
class Emits {
 public:
  Return emit(std::string_view event) { return self().emit_args(event, {}); }
  Return emit(std::string_view event, Value a) {
    const Value args[] = {std::move(a)};
    return self().emit_args(event, args);
  }
  Return emit(std::string_view event, Value a, Value b) {
    const Value args[] = {std::move(a), std::move(b)};
    return self().emit_args(event, args);
  }
  Return emit(std::string_view event, Value a, Value b, Value c) {
    const Value args[] = {std::move(a), std::move(b), std::move(c)};
    return self().emit_args(event, args);
  }
  /// The same as `emit("message", …)`.
  Return send(Value a) { return emit("message", std::move(a)); }

 private:
  Derived& self() { return static_cast<Derived&>(*this); }
};

class Namespace;
class RemoteSocket;

/// The answers to a broadcast.
///
/// Thread:   a plain value.
struct BroadcastAnswers {
  std::vector<Value> responses;  ///< the first argument of each answer, in the order of arrival
  std::size_t expected = 0;      ///< how many receivers were asked
  bool complete() const { return responses.size() == expected; }
};

/// Chooses receivers by rooms, then sends to them. A value: every call gives a new one, nothing is sent
/// before emit().
///
/// Each matching socket gets a message at most once, however many of the rooms it is in. Who is in a room
/// is judged on each shard when the message reaches it. Calls made on one shard arrive in call order.
///
/// Thread:   used on the shard where it was made, or outside of every shard.
class BroadcastOperator : public Emits<BroadcastOperator, SendResult> {
 public:
  BroadcastOperator(Namespace& nsp) : nsp_(&nsp) {}  // NOLINT

  BroadcastOperator to(std::string_view room) const&;
  BroadcastOperator to(const std::vector<std::string>& rooms) const&;
  BroadcastOperator in(std::string_view room) const& { return to(room); }
  BroadcastOperator except(std::string_view room) const&;
  BroadcastOperator except(const std::vector<std::string>& rooms) const&;
  BroadcastOperator compress(bool on) const&;
  BroadcastOperator volatile_() const&;
  BroadcastOperator local() const&;
  /// How long emit_with_ack() waits.
  BroadcastOperator timeout(Duration time) const&;

  /// Returns:  kQueued; kUnavailable or kReserved, with nothing sent to anyone.
  SendResult emit_args(std::string_view event, std::span<const Value> args);

  /// Sends and waits for the answers of all receivers, on all shards.
  ///
  /// Returns:  what arrived within the timeout (default: limits.pending_ack_timeout); complete() says
  ///           whether that is everything. A receiver that disconnects is no longer waited for.
  /// Errors:   kUnavailable, or kInvalidFormat for a reserved name, with nothing sent to anyone.
  /// Requires: called on a shard (asserted).
  Task<Result<BroadcastAnswers>> emit_with_ack(std::string event, Args args);
  /// The matching sockets of all shards (remote_socket.h): a snapshot.
  /// Requires: called on a shard (asserted).
  Task<std::vector<RemoteSocket>> fetch_sockets();

  /// Makes the matching sockets join, leave, or disconnect; each shard applies it in its turn.
  void sockets_join(std::string_view room);
  void sockets_leave(std::string_view room);
  void disconnect_sockets(bool close = false);

  const std::vector<std::string>& rooms() const { return rooms_; }
  const std::vector<std::string>& excepted() const { return except_; }
  const EmitFlags& flags() const { return flags_; }

 private:
  Namespace* nsp_;
  std::vector<std::string> rooms_;
  std::vector<std::string> except_;
  EmitFlags flags_;
};

}  // namespace wirehall
