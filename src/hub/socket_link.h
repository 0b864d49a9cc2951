// How a socket reaches its client: implemented by hub::Client for Socket.IO and by the native transport.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "wirehall/broadcast.h"
#include "wirehall/handshake.h"
#include "wirehall/namespace.h"

namespace wirehall::hub {

class EncodedMessage;
class Socket;

/// The answer that a client waits for: a number in Socket.IO, the bytes of any value on the native
/// protocol.
struct AckId {
  std::uint64_t number = 0;
  std::string bytes;
  bool msgpack = false;  ///< what the bytes are, and so the answer: MessagePack instead of JSON
};

/// Thread:   shard-affine. Sending (emit, deliver, answer, report_failure) closes nothing, changes no room
///           and runs no handler before it returns: what has to end is marked and ends in its own turn.
class SocketLink {
 public:
  virtual Protocol protocol() const = 0;
  virtual std::string_view transport() const = 0;
  /// Engine.IO's session id and revision; empty and 0 where there is no such session.
  virtual std::string_view engine_id() const { return {}; }
  virtual std::uint8_t engine_revision() const { return 0; }
  /// Whether the connection ended by the client's own goodbye, whatever reason its sockets are told.
  virtual bool peer_left() const { return false; }

  /// The namespace let the socket in: tells the client.
  virtual void connected(Socket& socket) = 0;
  virtual void refused(Socket& socket, const Verdict& verdict) = 0;

  /// Sends one event; with `ack` the client is asked to answer under that number.
  virtual SendResult emit(Socket& socket, std::string_view event, std::span<const Value> args,
                          std::optional<std::uint64_t> ack, const EmitFlags& flags) = 0;
  /// Sends one event that others get too.
  virtual SendResult deliver(Socket& socket, EncodedMessage& message, const EmitFlags& flags) = 0;

  virtual void answer(Socket& socket, const AckId& ack, std::span<const Value> args) = 0;
  /// Reports the failure of an event whose client asked for no answer, where the protocol can.
  virtual void report_failure(Socket& socket, const Error& error) = 0;

  /// What delivering looks at stands within so many bytes before the link's address and behind it.
  static constexpr std::size_t kDeliveryBytesBefore = 72, kDeliveryBytesBehind = 56;
  /// An event is about to be delivered: asks the processor for what is one pointer away from the link.
  /// Requires: the memory around the link has been asked for.
  virtual void prefetch_ahead() const {}

  /// The server ends this socket; with `close` the whole connection.
  virtual void disconnect(Socket& socket, bool close) = 0;
  /// Ends the connection for an error, so that the client may come back by itself: no packet that would end
  /// its reconnecting. The sockets on it are closed with `reason`.
  virtual void end_connection(ErrorCode error, std::string_view reason) = 0;
  /// Stops or goes on reading: too many handlers are suspended.
  virtual void pause_reading(bool paused) = 0;

 protected:
  ~SocketLink() = default;
};

}  // namespace wirehall::hub
