// Keys on the curve P-256, as Web Push writes them: a public key is its uncompressed point, a private one its
// number.
//
//   I1  A key that exists has its point on the curve, and its number between 0 and the curve's order.
#pragma once

#include <string>
#include <string_view>

#include "auth/openssl_ptr.h"

namespace wirehall::push {

using auth::PkeyPtr;

inline constexpr std::size_t kPointBytes = 65;  ///< 0x04, x, y (SEC 1 section 2.3.3)
inline constexpr std::size_t kScalarBytes = 32;

/// Returns: a new key pair; null when OpenSSL cannot make one.
PkeyPtr generate_p256();

/// Returns: null when the bytes are no uncompressed point of the curve.
PkeyPtr p256_from_point(std::string_view point);

/// The key pair of a private number. Returns: null when it is out of range.
PkeyPtr p256_from_scalar(std::string_view scalar);

/// Returns: an empty text when OpenSSL refuses, which it has no reason for.
std::string point_of(const EVP_PKEY& key);
/// Requires: the key has its private part.
std::string scalar_of(const EVP_PKEY& key);

/// What two parties have in common, each with its own private and the other's public key (RFC 5903 section
/// 9).
///
/// Returns:  32 bytes; an empty text when OpenSSL refuses.
std::string shared_secret(EVP_PKEY& own, EVP_PKEY& peer);

}  // namespace wirehall::push
