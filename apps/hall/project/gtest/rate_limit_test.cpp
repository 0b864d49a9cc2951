// Who sends too much is told to wait; others are not held up.
#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(RateLimit);

static const Settings kFiveAMinute = {{"WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE", "5"}};

TEST_P(RateLimit, RefusesTheSixthEventWithinAMinute) {
  start(kFiveAMinute);
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  // Handled or not: whatever a client sends counts.
  for (int i = 0; i < 5; ++i) EXPECT_EQ(refusal_of(alice, "no-such-event"), "unknown-event");
  const Result<Value> sixth = alice.emit_and_wait("no-such-event", Object());
  EXPECT_EQ(refusal(sixth), "rate-limited");
  EXPECT_GT(sixth.error().retry_after_ms(), 0);
  EXPECT_LE(sixth.error().retry_after_ms(), 60'000);
  EXPECT_EQ(refusal_of(bob, "no-such-event"), "unknown-event");
}

TEST_P(RateLimit, IsOneForAllConnectionsOfAUser) {
  start(kFiveAMinute);
  Client& desk = connect("alice");
  Client& phone = connect("alice");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(refusal_of(desk, "no-such-event"), "unknown-event");
  EXPECT_EQ(refusal_of(phone, "no-such-event"), "rate-limited");
}

}  // namespace app
