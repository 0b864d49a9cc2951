// The namespace /sample.
// It is src/namespaces/sample.cpp.
// It is there over Socket.IO alone, for the native protocol has none.
#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_PROTOCOLS(SampleNamespace, std::vector{Protocol::kSocketIo});

TEST_P(SampleNamespace, GreetsWhoConnectsToIt) {
  Client& alice = client_of("alice", "/sample");
  succeed(alice.connect());
  EXPECT_EQ(ask(alice, "hello"), (Value{{"success", true}, {"hello", "alice"}}));
}

TEST_P(SampleNamespace, HasEventsOfItsOwn) {
  Client& alice = connect("alice");
  EXPECT_EQ(refusal_of(alice, "hello"), "unknown-event");
}

TEST_P(SampleNamespace, LetsNobodyInWithoutAToken) {            // feature: jwt
  const Status connected = client_as({}, "/sample").connect();  // feature: jwt
  EXPECT_EQ(refusal(connected), "authentication-required");     // feature: jwt
}  // feature: jwt

}  // namespace app
