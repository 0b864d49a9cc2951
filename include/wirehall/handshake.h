// What is known of a client before its first event: the request that opened the connection, and who it is.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wirehall/clock.h"
#include "wirehall/value.h"

namespace wirehall {

/// Which protocol a client speaks.
enum class Protocol : std::uint8_t { kSocketIo, kNative };

/// The request that opened a connection, and the auth payload of this namespace.
///
/// Thread:   immutable once the client is connected.
/// Lifetime: as long as the socket.
class Handshake {
 public:
  std::string url;                                           ///< request target, percent-encoded
  std::vector<std::pair<std::string, std::string>> headers;  ///< lower-case names; after connecting only
                                                             ///< those of config.handshake_headers
  std::string address;                                       ///< of the client; behind trusted proxies theirs
  WallMs issued = 0;
  bool secure = false;
  bool xdomain = false;  ///< an Origin header was there
  Value auth;            ///< Socket.IO: the payload of CONNECT; null when there was none

  /// Returns: the first header of that (lower-case) name.
  std::optional<std::string_view> header(std::string_view name) const;
  /// Returns: the last query parameter of that name, decoded.
  std::optional<std::string> query(std::string_view name) const;
};

/// Fields of a response.
using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// A request that the Engine.IO endpoint refused.
///
/// Lifetime: no longer than the call that tells of it.
struct ConnectionFailure {
  int code = 0;              ///< the protocol's: 0 to 5
  std::string_view message;  ///< "Session ID unknown", …
  std::string_view context;  ///< what the reference calls `context.name`; may be empty
  std::string_view refusal;  ///< what `allow_request` said (`context.message`); may be empty
  const Handshake& request;
};

/// Who a client is, as an authenticator found out.
///
/// Thread:   an immutable snapshot, shared by the sockets of the connection.
struct User {
  std::string id;
  std::string name;
  Value info;                                     ///< what others are shown as `user`; null: `{}`
  std::optional<std::vector<std::string>> rooms;  ///< patterns of rooms that may be joined; nullopt: any
  WallMs expires_at = 0;                          ///< 0: never
  bool anonymous = false;                         ///< the id was made up for this connection
  Value claims;                                   ///< everything the token said: an object; null: no token

  /// Whether the patterns let the user join a room; `*` matches any run of characters.
  bool may_join(std::string_view room) const;
};

/// Whether `text` matches `pattern`, in which `*` stands for any run of characters.
/// Cost:     O(pattern × text) at worst.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace wirehall
