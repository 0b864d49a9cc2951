// Who is typing is told to the others, until they stop.
#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(Typing);

TEST_P(Typing, IsToldToTheOthersAndThatItStopped) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox typing = alice.inbox("user-typing");
  ClientInbox stopped = alice.inbox("user-stopped-typing");
  ClientInbox by_bob = bob.inbox("user-typing");
  value_of(alice.join("lobby"));
  value_of(bob.join("lobby"));
  ask(bob, "typing", {{"roomId", "lobby"}});
  EXPECT_EQ(at(told(typing), "userId"), "bob");
  ask(bob, "stop-typing", {{"roomId", "lobby"}});
  EXPECT_EQ(at(told(stopped), "userId"), "bob");
  EXPECT_EQ(by_bob.size(), 0u) << "not to who types";
}

TEST_P(Typing, StopsWhereNothingMoreIsSaid) {
  start({{"WIREHALL_TYPING_TIMEOUT", "200"}});
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox typing = alice.inbox("user-typing");
  ClientInbox stopped = alice.inbox("user-stopped-typing");
  value_of(alice.join("lobby"));
  value_of(bob.join("lobby"));
  ask(bob, "typing", {{"roomId", "lobby"}});
  told(typing);
  EXPECT_EQ(at(told(stopped), "userId"), "bob");
}

}  // namespace app
