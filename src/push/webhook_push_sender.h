// Telling a configured URL that somebody is away and has something waiting, instead of telling browsers.
//
//   POST {"type": "offline-delivery", "timestamp": "2026-08-01T12:00:00.000Z",
//         "data": {"userId": "ada", "payload": {…}}}
//
// The URL comes from the configuration: it may be http and lie anywhere, also behind a proxy of the
// environment.
#pragma once

#include <memory>
#include <string>

#include "push/delivery_worker.h"
#include "push/http_transport.h"
#include "push/webhook_signature.h"
#include "wirehall/push_sender.h"

namespace wirehall::push {

struct WebhookPushOptions {
  std::string url;
  std::string secret;  ///< see WebhookSecret
  DeliveryLimits limits;
  TransportOptions transport;  ///< its `public_only` and `environment_proxy` are set by the sender
};

/// Thread:   as PushSender.
/// Lifetime: `clock` outlives it.
class WebhookPushSender final : public PushSender {
 public:
  /// Errors:   kConfig: the URL or the secret cannot be used; kIo: libcurl cannot start.
  static Result<std::unique_ptr<WebhookPushSender>> create(const WebhookPushOptions& options,
                                                           const Clock& clock);

  /// One delivery for each message; `to` is not looked at.
  bool send(PushMessage message, std::vector<PushSubscription> to) override;
  PushCounts counts() const override { return worker_.counts(); }
  void stop() override { worker_.stop(); }

 private:
  WebhookPushSender(const WebhookPushOptions& options, WebhookSecret secret,
                    std::unique_ptr<Transport> transport, const Clock& clock);
  Result<HttpPost> prepare(const Delivery& delivery, WallMs now) const;

  const Clock& clock_;
  const std::string url_;
  const WebhookSecret secret_;
  DeliveryWorker worker_;
};

}  // namespace wirehall::push
