// The namespace /sample, over Socket.IO: the native protocol has none. It is src/namespaces/sample.cpp.
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
  EXPECT_EQ(refusal_of(connect("alice"), "hello"), "unknown-event");
}

TEST_P(SampleNamespace, LetsNobodyInWithoutAToken) {                                  // feature: jwt
  EXPECT_EQ(refusal(client_as({}, "/sample").connect()), "authentication-required");  // feature: jwt
}  // feature: jwt

}  // namespace app
