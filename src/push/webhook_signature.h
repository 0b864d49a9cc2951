// Signatures of webhooks, in the form that many receivers have a library for.
//
//   I1  What is signed is `id.timestamp.body`: a receiver that compares the time and remembers the id cannot
//   be
//       told the same thing twice by somebody who listened.
//
// Spec: Standard Webhooks 1.0, symmetric signatures (v1); RELIABILITY K3.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt_key.h"
#include "wirehall/result.h"

namespace wirehall::push {

inline constexpr std::size_t kWebhookSecretBytesMin = 16;

/// A secret that signs webhooks.
///
/// Thread:   immutable.
/// Lifetime: owns its bytes, which are overwritten in the end.
class WebhookSecret {
 public:
  /// Reads `whsec_` and base64, or takes another text as it is.
  ///
  /// Errors:   kConfig: fewer than kWebhookSecretBytesMin bytes, or no base64 behind `whsec_`.
  static Result<WebhookSecret> parse(std::string_view text);

  /// The value of the header webhook-signature.
  std::string sign(std::string_view id, std::string_view timestamp, std::string_view body) const;

  /// The three header lines of a request.
  std::vector<std::string> header_lines(std::string_view id, std::int64_t timestamp_seconds,
                                        std::string_view body) const;

 private:
  explicit WebhookSecret(std::string_view bytes) : bytes_(bytes) {}
  auth::SecretBytes bytes_;
};

}  // namespace wirehall::push
