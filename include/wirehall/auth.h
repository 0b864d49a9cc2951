// Who a client is: authenticators, and the JWT middleware.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "wirehall/handshake.h"
#include "wirehall/result.h"
#include "wirehall/task.h"

namespace wirehall {

/// Says who a client is.
///
/// Thread:   called on every shard, several at a time.
/// Lifetime: as long as the server.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// Looks at the handshake alone, never logs what is secret, compares secrets in constant time.
  ///
  /// Errors:   kAuthenticationRequired, kAuthenticationFailed, kInvalidUser; what is temporarily out of
  ///           reach is kUnavailable, after which clients come back by themselves.
  virtual Task<Result<User>> authenticate(const Handshake& handshake) = 0;
  /// A new token for a user who is connected: extends the user's stay.
  virtual Task<Result<User>> refresh(const User& user, std::string token) = 0;
};

/// Asks Server::use() for the configuration's authentication: with `auth.mode: "jwt"` a token is needed,
/// with "none" the client says who it is, or gets a guest's name.
struct JwtAuth {};
inline JwtAuth jwt_auth() { return {}; }

/// The token that a handshake carries: `auth.token`, `Authorization: Bearer`, `?token=`, or the cookie, in
/// this order; empty when there is none.
std::string token_of(const Handshake& handshake, bool query_token, const std::string& cookie);

}  // namespace wirehall
