#include "push/webhook_push_sender.h"

#include <openssl/rand.h>
#include <time.h>

#include <array>
#include <cstdio>

#include "base/base64.h"
#include "push/target_url.h"
#include "wirehall/value.h"

namespace wirehall::push {
namespace {

std::string make_webhook_id() {
  std::array<unsigned char, 18> bytes{};
  static_cast<void>(RAND_bytes(bytes.data(), bytes.size()));
  return "msg_" + to_base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string iso_time(WallMs at) {
  const time_t seconds = at / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(at % 1000));
  return text.data();
}

}  // namespace

Result<std::unique_ptr<WebhookPushSender>> WebhookPushSender::create(const WebhookPushOptions& options,
                                                                     const Clock& clock) {
  if (const auto url = parse_target_url(options.url); !url)
    return Error(ErrorCode::kConfig, "the push webhook: " + url.error().detail());
  auto secret = WebhookSecret::parse(options.secret);
  if (!secret) return secret.error();
  TransportOptions transport_options = options.transport;
  transport_options.public_only = false;
  transport_options.environment_proxy = true;
  auto transport = make_http_transport(transport_options);
  if (!transport) return transport.error();
  return std::unique_ptr<WebhookPushSender>(
      new WebhookPushSender(options, std::move(*secret), std::move(*transport), clock));
}

WebhookPushSender::WebhookPushSender(const WebhookPushOptions& options, WebhookSecret secret,
                                     std::unique_ptr<Transport> transport, const Clock& clock)
    : clock_(clock),
      url_(options.url),
      secret_(std::move(secret)),
      worker_(
          options.limits, std::move(transport), clock,
          [this](const Delivery& delivery, std::chrono::seconds, WallMs now) {
            return prepare(delivery, now);
          },
          nullptr) {}

bool WebhookPushSender::send(PushMessage message, std::vector<PushSubscription>) {
  Delivery delivery;
  delivery.to.user_id = message.user_id;
  delivery.to.endpoint = url_;
  delivery.message = std::make_shared<const PushMessage>(std::move(message));
  delivery.id = make_webhook_id();
  delivery.made_at = clock_.wall_now();
  std::vector<Delivery> deliveries;
  deliveries.push_back(std::move(delivery));
  return worker_.submit(std::move(deliveries));
}

// The body is the same for all tries, the signed time is that of the try.
Result<HttpPost> WebhookPushSender::prepare(const Delivery& delivery, WallMs now) const {
  const Value event = {
      {"type", "offline-delivery"},
      {"timestamp", iso_time(delivery.made_at)},
      {"data",
       {{"userId", delivery.message->user_id},
        {"payload", Value::from_validated_json(delivery.message->payload_json)}}},
  };
  HttpPost post;
  post.url = url_;
  post.body = event.to_json();
  post.header_lines = secret_.header_lines(delivery.id, now / 1000, post.body);
  post.header_lines.emplace_back("Content-Type: application/json");
  return post;
}

}  // namespace wirehall::push
