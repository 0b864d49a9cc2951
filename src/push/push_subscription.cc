#include "push/push_subscription.h"

#include "base/base64.h"
#include "push/p256.h"
#include "push/public_address.h"
#include "push/web_push_encryption.h"

namespace wirehall::push {
namespace {

Error invalid(std::string text) { return Error(ErrorCode::kInvalidFormat, std::move(text)); }

// The longest key is a point in standard base64.
constexpr std::size_t kKeyTextBytesMax = 88;

std::optional<std::string> key_bytes(const Value& keys, std::string_view name) {
  const std::string* text = keys.find_string(name);
  if (text == nullptr || text->size() > kKeyTextBytesMax) return std::nullopt;
  std::optional<std::string> bytes = from_base64url(*text);
  return bytes ? bytes : from_base64(*text);
}

bool is_literal_private(std::string host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = http1::parse_address(host);
  return address && !is_public_address(*address);
}

}  // namespace

Result<PushSubscription> parse_push_subscription(const Value& value) {
  const std::string* endpoint = value.find_string("endpoint");
  if (endpoint == nullptr || endpoint->size() > kTargetUrlBytesMax)
    return invalid("a subscription needs an endpoint of at most 2048 bytes");
  const Value* keys = value.find("keys");
  if (keys == nullptr) return invalid("a subscription needs keys: {p256dh, auth}");
  std::optional<std::string> p256dh = key_bytes(*keys, "p256dh");
  std::optional<std::string> auth = key_bytes(*keys, "auth");
  if (!p256dh || !auth) return invalid("the keys p256dh and auth are texts in base64url");
  PushSubscription subscription;
  subscription.endpoint = *endpoint;
  subscription.p256dh = std::move(*p256dh);
  subscription.auth = std::move(*auth);
  return subscription;
}

Result<TargetUrl> check_push_endpoint(const std::string& endpoint, bool allow_private) {
  Result<TargetUrl> target = parse_target_url(endpoint);
  if (!target || allow_private) return target;
  if (target->scheme != "https") return invalid("a push endpoint must be https");
  if (is_literal_private(target->host)) return invalid("a push endpoint must have a public address");
  return target;
}

Status check_push_subscription(const PushSubscription& subscription, bool allow_private) {
  if (const auto target = check_push_endpoint(subscription.endpoint, allow_private); !target)
    return target.error();
  if (!p256_from_point(subscription.p256dh)) return invalid("p256dh is no uncompressed point of P-256");
  if (subscription.auth.size() != kPushAuthBytes) return invalid("auth has not 16 bytes");
  return {};
}

}  // namespace wirehall::push
