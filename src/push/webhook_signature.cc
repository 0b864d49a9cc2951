#include "push/webhook_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "auth/openssl_ptr.h"
#include "base/base64.h"

namespace wirehall::push {

Result<WebhookSecret> WebhookSecret::parse(std::string_view text) {
  constexpr std::string_view kPrefix = "whsec_";
  std::string bytes(text);
  if (text.starts_with(kPrefix)) {
    std::optional<std::string> decoded = from_base64(text.substr(kPrefix.size()));
    if (!decoded) return Error(ErrorCode::kConfig, "the webhook secret is no base64 behind whsec_");
    bytes = std::move(*decoded);
  }
  const auth::SecretBytes owned(bytes);
  if (bytes.size() < kWebhookSecretBytesMin)
    return Error(ErrorCode::kConfig, "the webhook secret needs at least 16 bytes");
  return WebhookSecret(owned.view());
}

std::string WebhookSecret::sign(std::string_view id, std::string_view timestamp,
                                std::string_view body) const {
  std::string content(id);
  content.append(".").append(timestamp).append(".").append(body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  HMAC(EVP_sha256(), bytes_.view().data(), static_cast<int>(bytes_.view().size()), auth::bytes_of(content),
       content.size(), mac.data(), &length);
  return "v1," + to_base64({reinterpret_cast<const char*>(mac.data()), length});
}

std::vector<std::string> WebhookSecret::header_lines(std::string_view id, std::int64_t timestamp_seconds,
                                                     std::string_view body) const {
  const std::string timestamp = std::to_string(timestamp_seconds);
  return {"webhook-id: " + std::string(id), "webhook-timestamp: " + timestamp,
          "webhook-signature: " + sign(id, timestamp, body)};
}

}  // namespace wirehall::push
