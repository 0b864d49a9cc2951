// What a push service carries: a payload that only the browser which subscribed can read.
//
//   the body:  salt (16) | record size (4) | 65 | the sender's point (65) | AES-128-GCM of payload 0x02 | tag
//   (16)
//
//   I1  Every body has a key pair and a salt of its own.
//   I2  A point that is not on the curve, whatever it is, never meets a private key.
//
// Spec: RFC 8291; the content coding is aes128gcm (RFC 8188), always one record.
#pragma once

#include <string>
#include <string_view>

#include "push/p256.h"
#include "wirehall/result.h"

namespace wirehall::push {

/// What a push service must accept (RFC 8030 section 7.2), and what that leaves for the payload.
inline constexpr std::size_t kPushBodyBytesMax = 4'096;
inline constexpr std::size_t kPushPayloadBytesMax = kPushBodyBytesMax - 86 - 1 - 16;
inline constexpr std::size_t kPushAuthBytes = 16;
inline constexpr std::size_t kPushSaltBytes = 16;

/// Encrypts a payload for a subscription's keys.
///
/// Errors:   kTooLarge: more than kPushPayloadBytesMax bytes, inclusive; kInvalidFormat: `p256dh` is no
///           uncompressed point of P-256, or `auth` has not kPushAuthBytes bytes; kInternal: OpenSSL refused.
/// Thread:   any; keeps no state.
/// Cost:     150 µs, nearly all of it for the curve.
Result<std::string> encrypt_web_push(std::string_view payload, std::string_view p256dh,
                                     std::string_view auth);

/// The same with what is random given: for vectors.
///
/// Requires: kPushSaltBytes of salt (asserted); `sender` has its private part.
Result<std::string> encrypt_web_push(std::string_view payload, std::string_view p256dh, std::string_view auth,
                                     std::string_view salt, EVP_PKEY& sender);

}  // namespace wirehall::push
