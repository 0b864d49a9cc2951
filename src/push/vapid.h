// Voluntary application server identification: how push services know whose messages these are.
//
//   I1  A token is good for one origin, and for kTokenHours at most; RFC 8292 allows 24 hours.
//   I2  The key that signs is the one that browsers subscribed with: both texts belong to one key pair.
//
// Spec: RFC 8292, in the form `Authorization: vapid t=…, k=…`.
#pragma once

#include <map>
#include <string>

#include "auth/jwt_key.h"
#include "wirehall/clock.h"
#include "wirehall/result.h"

namespace wirehall::push {

/// A key pair as configurations hold it.
struct VapidKeyTexts {
  std::string public_key;   ///< uncompressed point, base64url: a page's `applicationServerKey`
  std::string private_key;  ///< 32 bytes, base64url
};

/// Makes a key pair. A server keeps it for life: subscriptions are bound to it.
///
/// Errors:   kInternal: OpenSSL refused.
Result<VapidKeyTexts> generate_vapid_keys();

/// Signs for one server.
///
/// Thread:   one at a time.
/// Lifetime: owns its key.
class Vapid {
 public:
  static constexpr int kTokenHours = 12;
  static constexpr std::size_t kOriginsMax = 256;  ///< whose headers are kept

  /// Reads the keys, and whom push services may write to: `mailto:…@…` or `https://…`, at most 255 bytes.
  ///
  /// Errors:   kConfig, with a text that says which of the three is wrong and how; it holds no key.
  static Result<Vapid> load(const VapidKeyTexts& keys, const std::string& subject);

  /// As in VapidKeyTexts.
  const std::string& public_key() const { return public_key_; }

  /// The value of the header Authorization for requests to an origin; the same one until it is close to its
  /// end.
  ///
  /// Errors:   kInternal: OpenSSL refused.
  /// Cost:     60 µs when there is none yet.
  Result<std::string> authorization(const std::string& origin, WallMs now);

 private:
  struct Header {
    std::string value;
    WallMs made_at = 0;
  };
  Vapid(auth::SigningKey key, std::string public_key, std::string subject);
  void make_room();

  auth::SigningKey key_;
  std::string public_key_;
  std::string subject_;
  std::map<std::string, Header> headers_;
};

}  // namespace wirehall::push
