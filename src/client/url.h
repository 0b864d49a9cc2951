// Where a client connects to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wirehall/handshake.h"
#include "wirehall/result.h"

namespace wirehall::client {

/// A URL taken apart for one protocol.
///
/// Thread:   a plain value.
struct Endpoint {
  Protocol protocol = Protocol::kNative;
  bool tls = false;
  std::string host;  ///< a name or an address, IPv6 without its brackets
  std::uint16_t port = 0;
  std::string authority;            ///< what `Host` says
  std::string authority_with_port;  ///< for people
  std::string path;                 ///< of the WebSocket, or of Engine.IO
  std::string query;                ///< without the question mark
  std::string nsp = "/";            ///< Socket.IO's namespace
};

/// Takes `http(s)://` and `ws(s)://` URLs. A `ws` URL is the native protocol, whatever `protocol` says. The
/// path of a native URL is the WebSocket's, `/ws` where there is none; that of a Socket.IO URL is the
/// namespace, and Engine.IO lies under `engine_path`.
///
/// Errors:   kConfig; the detail says what is wrong.
Result<Endpoint> parse_url(std::string_view url, Protocol protocol, std::string_view engine_path);

/// Percent-encodes a name or value of a query.
std::string encode_component(std::string_view text);

}  // namespace wirehall::client
