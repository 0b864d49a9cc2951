// Web Push: who is away is told of private messages, by the push service of their browser. Here that is a
// server of this test.
#include "support/behaviour.h"
#include "support/push_service.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(Push);

static Settings push_settings() {
  const PushKeys keys = make_push_keys();
  return {{"WIREHALL_PUSH__VAPID__PUBLIC_KEY", keys.public_key},
          {"WIREHALL_PUSH__VAPID__PRIVATE_KEY", keys.private_key},
          {"WIREHALL_PUSH__VAPID__SUBJECT", "mailto:test@example.org"},
          {"WIREHALL_PUSH__ALLOW_PRIVATE_ENDPOINTS", "true"}};  // the push service is on this machine
}

TEST_P(Push, TellsWhoIsAwayOfAPrivateMessage) {
  start(push_settings());
  PushService service;
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ask(bob, "push-subscribe", {{"subscription", subscription_at(service.url())}});
  bob.close();
  while (at(value_of(alice.send_private("bob", "are you there?")), "delivered") == true) continue;
  const std::string head = service.received();
  EXPECT_NE(head.find("content-encoding: aes128gcm"), std::string::npos) << "only the browser can read it";
  EXPECT_NE(head.find("authorization: vapid t="), std::string::npos);
}

TEST_P(Push, IsGivenUp) {
  start(push_settings());
  Client& bob = connect("bob");
  const Value fields = {{"subscription", subscription_at("https://push.example.org/1")}};
  ask(bob, "push-subscribe", fields);
  ask(bob, "push-unsubscribe", fields);
  EXPECT_EQ(refusal_of(bob, "push-unsubscribe", fields), "not-found");
}

TEST_P(Push, TakesNothingThatIsNoSubscription) {
  start(push_settings());
  Client& bob = connect("bob");
  const Value nowhere = {{"endpoint", "nowhere"}};
  EXPECT_EQ(refusal_of(bob, "push-subscribe", {{"subscription", nowhere}}), "invalid-format");
}

}  // namespace app
