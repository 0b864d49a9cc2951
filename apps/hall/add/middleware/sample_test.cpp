// Which events the middleware `sample` lets through.
// It is src/middleware/sample.cpp.
#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(SampleMiddleware);

TEST_P(SampleMiddleware, RefusesAnEventWhoseFieldsSaySo) {
  Client& alice = connect("alice");
  EXPECT_EQ(refusal_of(alice, "no-such-event", {{"refuse", true}}), "access-denied");
}

TEST_P(SampleMiddleware, LetsEveryOtherEventThrough) {
  Client& alice = connect("alice");
  // It has come as far as where nobody knows it.
  EXPECT_EQ(refusal_of(alice, "no-such-event", {{"refuse", false}}), "unknown-event");
  EXPECT_EQ(refusal_of(alice, "no-such-event"), "unknown-event");
}

}  // namespace app
