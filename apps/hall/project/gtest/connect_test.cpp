// Connecting, and what the server says first.
#include <chrono>

#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(Connecting);

TEST_P(Connecting, TellsAClientWhoTheyAre) {
  Client& alice = client_of("alice");
  ClientInbox connected = alice.inbox("connected");
  succeed(alice.connect());
  const Value welcome = told(connected);
  EXPECT_EQ(at(welcome, "userId"), "alice");
  const auto now = std::chrono::system_clock::now().time_since_epoch();  // times are milliseconds since 1970
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  EXPECT_NEAR(at(welcome, "serverTime").as_double(), static_cast<double>(now_ms), 60'000);
}

TEST_P(Connecting, GoesOnBehindAnEventThatNobodyHandles) {
  Client& alice = connect("alice");
  EXPECT_EQ(refusal_of(alice, "no-such-event", {{"text", "hi"}}), "unknown-event");
  EXPECT_EQ(refusal_of(alice, "no-such-event"), "unknown-event");
}

}  // namespace app
