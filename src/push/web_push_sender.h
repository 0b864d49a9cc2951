// Web Push: messages to browsers, through the push services that the browsers name.
//
// The endpoints come from users. They are asked under the rules of http_transport.h (`public_only`): https,
// public addresses judged at connect time, no proxy, no redirects. Who must reach push services through a
// proxy uses the webhook instead.
//
// Spec: RFC 8030 (the request), RFC 8291 (encryption), RFC 8292 (who sends it).
#pragma once

#include <memory>

#include "push/delivery_worker.h"
#include "push/http_transport.h"
#include "push/vapid.h"
#include "wirehall/push_sender.h"

namespace wirehall::push {

struct WebPushOptions {
  bool allow_private = false;  ///< endpoints may be http, and lie anywhere: for development and tests
  DeliveryLimits limits;
  TransportOptions transport;  ///< its `public_only` and `environment_proxy` are set by the sender
};

/// Push services keep nothing longer, and refuse who asks for more.
inline constexpr std::chrono::seconds kPushTtlMax{28 * 24 * 3600};

/// What the header Topic says for a topic: nothing to those who do not know the subscription's secret.
///
/// Returns:  32 characters of base64url.
std::string push_topic(std::string_view topic, std::string_view auth_secret);

/// Thread:   as PushSender.
/// Lifetime: `clock` outlives it.
class WebPushSender final : public PushSender {
 public:
  /// Errors:   kIo: libcurl cannot start.
  static Result<std::unique_ptr<WebPushSender>> create(Vapid vapid, const WebPushOptions& options,
                                                       const Clock& clock, OnDeadSubscription on_dead);

  bool send(PushMessage message, std::vector<PushSubscription> to) override;
  PushCounts counts() const override { return worker_.counts(); }
  void stop() override { worker_.stop(); }

 private:
  WebPushSender(Vapid vapid, const WebPushOptions& options, std::unique_ptr<Transport> transport,
                const Clock& clock, OnDeadSubscription on_dead);
  Result<HttpPost> prepare(const Delivery& delivery, std::chrono::seconds ttl_left, WallMs now);

  const bool allow_private_;
  Vapid vapid_;  // of the worker's thread
  DeliveryWorker worker_;
};

}  // namespace wirehall::push
