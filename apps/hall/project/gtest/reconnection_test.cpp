// A connection that is lost comes back by itself.
#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(Reconnection);

TEST_P(Reconnection, BringsAClientBackAsTheSameUser) {
  Client& alice = connect_by_cable("alice");
  ClientInbox connected = alice.inbox("connected");
  cable().cut();
  cable().mend();
  EXPECT_EQ(at(told(connected), "userId"), "alice");
  EXPECT_EQ(refusal_of(alice, "no-such-event"), "unknown-event");
}

}  // namespace app
