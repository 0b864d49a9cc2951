#include "push/web_push_sender.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "push/push_subscription.h"
#include "push/web_push_encryption.h"

namespace wirehall::push {
namespace {

constexpr std::size_t kTopicBytes = 24;  // 32 characters, the most that RFC 8030 section 5.4 allows

std::string_view urgency_name(PushUrgency urgency) {
  switch (urgency) {
    case PushUrgency::kVeryLow: return "very-low";
    case PushUrgency::kLow: return "low";
    case PushUrgency::kNormal: return "normal";
    case PushUrgency::kHigh: return "high";
  }
  return "normal";
}

std::vector<std::string> header_lines(const Delivery& delivery, std::chrono::seconds ttl_left,
                                      const std::string& authorization) {
  const PushMessage& message = *delivery.message;
  std::vector<std::string> lines = {
      "Content-Type: application/octet-stream",
      "Content-Encoding: aes128gcm",
      "TTL: " + std::to_string(std::min(ttl_left, kPushTtlMax).count()),
      "Urgency: " + std::string(urgency_name(message.urgency)),
      "Authorization: " + authorization,
  };
  if (!message.topic.empty()) lines.push_back("Topic: " + push_topic(message.topic, delivery.to.auth));
  return lines;
}

}  // namespace

std::string push_topic(std::string_view topic, std::string_view auth_secret) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  HMAC(EVP_sha256(), auth_secret.data(), static_cast<int>(auth_secret.size()), auth::bytes_of(topic),
       topic.size(), mac.data(), &length);
  return to_base64url({reinterpret_cast<const char*>(mac.data()), kTopicBytes});
}

Result<std::unique_ptr<WebPushSender>> WebPushSender::create(Vapid vapid, const WebPushOptions& options,
                                                             const Clock& clock, OnDeadSubscription on_dead) {
  TransportOptions transport_options = options.transport;
  transport_options.public_only = !options.allow_private;
  transport_options.environment_proxy = false;
  auto transport = make_http_transport(transport_options);
  if (!transport) return transport.error();
  return std::unique_ptr<WebPushSender>(
      new WebPushSender(std::move(vapid), options, std::move(*transport), clock, std::move(on_dead)));
}

WebPushSender::WebPushSender(Vapid vapid, const WebPushOptions& options, std::unique_ptr<Transport> transport,
                             const Clock& clock, OnDeadSubscription on_dead)
    : allow_private_(options.allow_private),
      vapid_(std::move(vapid)),
      worker_(
          options.limits, std::move(transport), clock,
          [this](const Delivery& delivery, std::chrono::seconds ttl_left, WallMs now) {
            return prepare(delivery, ttl_left, now);
          },
          std::move(on_dead)) {}

bool WebPushSender::send(PushMessage message, std::vector<PushSubscription> to) {
  const auto shared = std::make_shared<const PushMessage>(std::move(message));
  std::vector<Delivery> deliveries;
  deliveries.reserve(to.size());
  for (PushSubscription& subscription : to) deliveries.push_back({shared, std::move(subscription), {}, 0});
  return worker_.submit(std::move(deliveries));
}

// What is stored was judged when it came, perhaps under other rules; so it is judged again.
Result<HttpPost> WebPushSender::prepare(const Delivery& delivery, std::chrono::seconds ttl_left, WallMs now) {
  const auto target = check_push_endpoint(delivery.to.endpoint, allow_private_);
  if (!target) return target.error();
  Result<std::string> body =
      encrypt_web_push(delivery.message->payload_json, delivery.to.p256dh, delivery.to.auth);
  if (!body) return body.error();
  const Result<std::string> authorization = vapid_.authorization(target->origin, now);
  if (!authorization) return authorization.error();
  return HttpPost{delivery.to.endpoint, header_lines(delivery, ttl_left, *authorization), std::move(*body)};
}

}  // namespace wirehall::push
