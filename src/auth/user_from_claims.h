// From what a token says to who a client is.
//
// Spec: SPEC section 2 (claims).
#pragma once

#include <string_view>

#include "wirehall/handshake.h"
#include "wirehall/result.h"

namespace wirehall::auth {

inline constexpr std::size_t kUserIdBytesMax = 255;

/// Ends of stay are cut to this, 2100-01-01: as nanoseconds from now it still fits 64 bits.
inline constexpr WallMs kExpiresAtMax = 4'102'444'800'000;

/// Whether a text may be a user's id: not empty, at most kUserIdBytesMax bytes (inclusive), UTF-8, without
/// control characters (C0, DEL, C1).
bool is_user_id(std::string_view text);

/// Reads the claims of a verified token.
///
/// `sub`, or where there is none `userId`, is the id: a text, or an integer, which becomes its digits. `name`
/// and the members of `user` are what others are shown; `rooms` are the patterns of rooms that may be joined,
/// an empty list allows none; `exp` ends the stay. A `name` or `user` of another type is passed over:
/// issuers use these words for things of their own.
///
/// Errors:   kInvalidUser: no usable id. kAuthenticationFailed "invalid token": `rooms` is no list of texts,
///           or `exp` no date.
Result<User> user_from_claims(Object claims);

}  // namespace wirehall::auth
