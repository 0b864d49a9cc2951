// RemoteSocket: a socket of any shard, as it was when it was looked up. What is done to it reaches it where
// it lives.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wirehall/broadcast.h"
#include "wirehall/handshake.h"
#include "wirehall/result.h"
#include "wirehall/task.h"
#include "wirehall/value.h"

namespace wirehall {

/// What fetch_sockets() tells of a socket: a copy.
struct SocketInfo {
  std::string id;
  Handshake handshake;
  std::vector<std::string> rooms;  ///< its own id first
  Value data;
  User user;
};

/// Thread:   used on the shard where it was fetched. What it says does not follow the socket.
/// Lifetime: no longer than the namespace.
class RemoteSocket : public Emits<RemoteSocket, SendResult> {
 public:
  RemoteSocket(Namespace& nsp, SocketInfo info) : nsp_(&nsp), info_(std::move(info)) {}

  const std::string& id() const { return info_.id; }
  const Handshake& handshake() const { return info_.handshake; }
  const std::vector<std::string>& rooms() const { return info_.rooms; }
  const Value& data() const { return info_.data; }
  const User& user() const { return info_.user; }

  SendResult emit_args(std::string_view event, std::span<const Value> args) {
    return self().emit_args(event, args);
  }
  /// Emits and waits for the client's answer.
  ///
  /// Returns:  the first argument of the answer.
  /// Errors:   kTimeout after `timeout` (0: limits.pending_ack_timeout), also when the socket has gone.
  Task<Result<Value>> emit_with_ack(std::string event, Args args, Duration timeout = Duration{0});
  void join(std::string_view room) { self().sockets_join(room); }
  void leave(std::string_view room) { self().sockets_leave(room); }
  void disconnect(bool close = false) { self().disconnect_sockets(close); }

 private:
  BroadcastOperator self() const { return BroadcastOperator(*nsp_).to(info_.id); }
  Namespace* nsp_;
  SocketInfo info_;
};

}  // namespace wirehall
