// The keys that an issuer publishes: reading the document, and deciding when to read it again.
//
//   I1  A published key serves exactly one algorithm. Without `alg` it is the one customary for its kind; a
//       secret without `alg` serves none.
//   I2  Tokens cannot make the server fetch more often than once in `interval_min`, whatever they say.
//   I3  A successful fetch replaces everything: a key that the issuer withdrew is gone. A failed one changes
//       nothing, until what is held is older than `keep`.
//
// Spec: RFC 7517, RFC 7518 section 6, RFC 8037 section 2.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "auth/jwt_key.h"
#include "wirehall/clock.h"

namespace wirehall::auth {

inline constexpr std::size_t kJwksBytesMax = 262'144;

/// Reads a JWK Set.
///
/// A key that cannot verify tokens here is passed over: another `kty`, curve or `alg`, a `use` that is not
/// "sig", `key_ops` without "verify", a missing, weak or impossible number, a `kid` that is no text of at
/// most kKeyIdBytesMax bytes. Secrets (`oct`) are passed over when the document has public keys too.
///
/// Returns:  the keys; an empty set where none is usable.
/// Errors:   kTooLarge (more than kJwksBytesMax bytes or KeySet::kKeysMax entries, inclusive), kJsonSyntax,
///           kJsonDepth, kInvalidFormat (no list `keys` of objects, or a name that is there twice).
Result<KeySet> parse_jwks(std::string_view document);

/// How often a key set is fetched, and how long it is trusted.
struct JwksTimes {
  Duration refresh = std::chrono::minutes(10);       ///< after a success
  Duration interval_min = std::chrono::seconds(30);  ///< between the beginnings of two fetches
  Duration keep = std::chrono::hours(24);            ///< since the last success
};

/// Decides when the keys of one issuer's URL are fetched, and holds what was fetched last. The owner does
/// the fetching; one cache serves one URL, since equal kids of two issuers are different keys.
///
///   state      begin_fetch            complete, good       complete, bad; fail    report_unknown_key
///   idle       due: in flight, true   (not allowed)        (not allowed)          due sooner
///   in flight  false                  idle, due: refresh   idle, due: interval    nothing
///
/// Thread:   one thread at a time; the key sets that keys() gives may be used by all.
/// Lifetime: a key set lives as long as somebody holds it.
class JwksCache {
 public:
  /// The first fetch is due at once.
  explicit JwksCache(JwksTimes times = {}) : times_(times) {}

  /// Returns: the keys to verify with; null before the first success, and when the last one is older than
  ///          `keep`: tokens can then be neither accepted nor refused for good (kUnavailable).
  std::shared_ptr<const KeySet> keys(MonoTime now) const;

  /// Says that a token was refused with VerifyFault::kUnknownKey: newer keys may have it.
  void report_unknown_key(MonoTime now);

  /// When begin_fetch() will next answer true; kNever while a fetch is in flight.
  MonoTime next_deadline() const { return in_flight_ ? kNever : due_; }

  /// Whether the owner is to fetch now.
  ///
  /// Returns:  true at most once until the owner has called complete() or fail(), which it must.
  bool begin_fetch(MonoTime now);

  /// Takes the document that was fetched.
  ///
  /// Requires: a fetch is in flight (asserted).
  /// Errors:   those of parse_jwks(), after which the state is that after fail().
  Status complete(std::string_view document, MonoTime now);

  /// Says that the fetch failed.
  ///
  /// Requires: a fetch is in flight (asserted).
  void fail(MonoTime now);

 private:
  JwksTimes times_;
  std::shared_ptr<const KeySet> keys_;
  MonoTime good_until_{};
  MonoTime due_{};
  std::optional<MonoTime> begun_;
  bool in_flight_ = false;
};

}  // namespace wirehall::auth
