// JSON Web Tokens: verified once, by keys that the configuration chose; and minted.
//
//   I1  The key decides the algorithm; a token whose `alg` is not exactly the key's is refused.
//   I2  Nothing in a token makes the server read a file or a URL: `jku`, `jwk`, `x5u`, `x5c` are not looked
//       at, `kid` is compared with the names of known keys and used for nothing else.
//   I3  Claims are parsed after the signature was found good; a token has one text (strict base64url, no
//       name twice), so that what another program read in it is what this one reads.
//   I4  Every fault of format, algorithm or signature is answered by the same text.
//
// Spec: RFC 7519, RFC 7515 (compact serialisation), RFC 8725 (best current practices).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt_key.h"
#include "wirehall/clock.h"
#include "wirehall/value.h"

namespace wirehall::auth {

/// What a token must fulfil beside its signature.
///
/// Thread:   a plain value.
struct VerifyOptions {
  std::vector<Algorithm> algorithms;   ///< empty: every algorithm that the set has a key for
  std::vector<std::string> issuers;    ///< accepted values of `iss`; empty: any, also none
  std::vector<std::string> audiences;  ///< one of them must be in `aud`; empty: any, also none
  std::chrono::seconds leeway{30};     ///< how far clocks may differ; 0 to one day, others are cut to that
  /// Tokens end this long after `iat` (without `iat`: after now) if their `exp` is later or missing.
  std::optional<std::chrono::seconds> lifetime_max;
  bool require_exp = true;
  std::size_t token_bytes_max = 8192;  ///< inclusive
};

/// Why a token was refused: for logs, metrics and for deciding whether newer keys could help; not for
/// clients.
enum class VerifyFault : std::uint8_t {
  kNone,
  kTooLarge,    ///< more than token_bytes_max
  kParts,       ///< not three parts; five are an encrypted token
  kEncoding,    ///< not strict base64url
  kHeader,      ///< no JSON object, a name twice, a member of the wrong type
  kAlgorithm,   ///< unknown, not allowed, or not that of the key which `kid` names
  kCritical,    ///< `crit` is there: no extension is understood
  kType,        ///< `typ` says that this is another kind of token
  kUnknownKey,  ///< no key of that `kid`; newer keys may have it
  kSignature,
  kPayload,  ///< no JSON object, a name twice
  kClaim,    ///< a registered claim has the wrong type or range, or `exp` is missing
  kExpired,
  kNotYetValid,  ///< `nbf` or `iat` is in the future
  kIssuer,
  kAudience,
};

/// A stable word for logs and metrics, e.g. "signature".
std::string_view fault_name(VerifyFault fault);

/// At most this many keys are tried for one token.
inline constexpr std::size_t kKeysTriedMax = 8;

/// Verifies a token in compact form.
///
/// The key is the one that `kid` names, if the token has a `kid` and the set has keys with one; else the
/// keys of the token's algorithm are tried, the first kKeysTriedMax of them.
///
/// Returns:  the claims. With `lifetime_max`, `exp` is the effective end.
/// Errors:   kAuthenticationFailed with "token expired", "token not yet valid", "wrong issuer", "wrong
///           audience" (all of them only once the signature was good), or "invalid token". `fault`, unless
///           null, receives the exact cause.
/// Units:    dates in tokens are whole seconds, 0 to 2^53; `now` is in milliseconds. A token is valid before
///           `exp` + leeway, and from `nbf` - leeway.
/// Thread:   any; keeps no state.
/// Cost:     that of one signature check for each key tried; everything cheaper is checked before.
/// Spec:     RFC 7519 section 7.2. Stricter: fractional dates are refused, as are tokens with `crit`.
Result<Object> verify(std::string_view token, const KeySet& keys, const VerifyOptions& options, WallMs now,
                      VerifyFault* fault = nullptr);

/// Mints a token; what the claims say is the caller's affair.
///
/// Errors:   kConfig: the kid has more than kKeyIdBytesMax bytes; kInternal: OpenSSL refused.
Result<std::string> sign(const Object& claims, const SigningKey& key,
                         std::optional<std::string_view> kid = std::nullopt);

}  // namespace wirehall::auth
