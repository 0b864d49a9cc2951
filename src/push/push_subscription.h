// Subscriptions as browsers hand them over: whether one can be used at all.
#pragma once

#include "push/target_url.h"
#include "wirehall/hall_store.h"
#include "wirehall/value.h"

namespace wirehall::push {

/// Reads what `JSON.stringify(subscription)` gives in a browser: {endpoint, keys: {p256dh, auth}}, the keys
/// as base64url without padding; standard base64 with padding is read too, since pages write that by hand.
/// Other members are passed over. The user and the time are for the caller to fill in.
///
/// Errors:   kInvalidFormat: another shape, or longer texts than any subscription has. Whether the parts make
///           sense is what check_push_subscription() says.
Result<PushSubscription> parse_push_subscription(const Value& value);

/// Judges a subscription before it is stored, and again before it is used.
///
/// The endpoint must be https and no literal address outside of the public Internet; `allow_private` permits
/// http and every address. A name is judged when it is connected to, by the address that it has then.
///
/// Errors:   kInvalidFormat: the endpoint is no such URL (see parse_target_url()), p256dh no point of P-256,
/// or
///           auth has not 16 bytes. No text repeats anything of the subscription.
/// Cost:     20 µs.
Status check_push_subscription(const PushSubscription& subscription, bool allow_private);

/// The part of it that concerns the endpoint.
///
/// Returns:  the endpoint's parts.
Result<TargetUrl> check_push_endpoint(const std::string& endpoint, bool allow_private);

}  // namespace wirehall::push
