// A client's WebSocket on one channel: the handshake, then messages.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/link.h"
#include "http1/response.h"
#include "http1/response_parser.h"
#include "ws/connection_core.h"

namespace wirehall::client {

/// Thread:   the client's.
/// Lifetime: the context must outlive it.
class WebSocket {
 public:
  enum class Event : std::uint8_t {
    kNeedMore,
    kOpen,     ///< the handshake is done
    kMessage,  ///< message() is there; call again
    kRefused,  ///< error() says why; the channel must be closed
    kClosed,   ///< the peer closed, or broke a rule: close_code(), message(), error()
  };

  /// Opens its channel.
  WebSocket(const LinkContext& context, std::string target, std::vector<http1::Header> headers);
  WebSocket(const WebSocket&) = delete;

  ChannelId channel() const { return channel_; }
  /// The channel is open: asks for the upgrade.
  void opened();
  /// Consumes from the front of the bytes.
  /// Lifetime: message() lives until the next call.
  Event next(char*& cursor, char* end, MonoTime now);
  /// The channel has ended. Returns: what that means, kRefused while the handshake was under way.
  Event ended(const Error& error);

  std::string_view message() const { return message_; }
  bool message_is_binary() const { return core_.message_is_binary(); }
  std::uint16_t close_code() const { return core_.close_code(); }
  const Error& error() const { return error_; }
  bool is_open() const { return open_; }

  // Requires: is_open().
  void send(ws::Opcode opcode, std::string_view payload);
  void close(ws::CloseCode code, std::string_view reason, MonoTime now);

 private:
  Event handshake(char*& cursor, char* end);
  Event refuse(Error error);
  void flush(Outbox& out);
  std::string where() const;

  LinkContext context_;
  std::string target_;
  std::vector<http1::Header> headers_;
  std::string key_;
  ChannelId channel_;
  http1::ResponseLimits response_limits_{16'384, 65'536};
  http1::ResponseParser parser_;
  ws::CoreOptions core_options_;
  ws::ConnectionCore core_;
  std::string_view message_;
  bool open_ = false;
  Error error_{ErrorCode::kOk};
};

/// The target of an upgrade: path and query.
std::string make_target(const LinkContext& context,
                        const std::vector<std::pair<std::string, std::string>>& further);

/// What a close by the server means: its code, and its reason.
Lost lost_by_close(std::uint16_t code, std::string_view reason);

}  // namespace wirehall::client
