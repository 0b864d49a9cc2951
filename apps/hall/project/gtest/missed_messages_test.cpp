// What is said in a room while a client's connection is away reaches it all the same: once, and in order.
#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(MissedMessages);

using Texts = std::vector<std::string>;

// Waits for the message with this text. Returns: the texts of all messages up to it.
static Texts heard(ClientInbox& messages, const std::string& last) {
  Texts texts;
  while (texts.empty() || texts.back() != last) texts.push_back(at(told(messages), "content").as_string());
  return texts;
}

TEST_P(MissedMessages, AreToldOnceAndInOrder) {
  Client& alice = connect_by_cable("alice");
  Client& bob = connect("bob");
  ClientInbox by_alice = alice.inbox("new-message");
  ClientInbox by_bob = bob.inbox("new-message");
  value_of(alice.join("lobby"));
  value_of(bob.join("lobby"));

  value_of(bob.send("lobby", "before"));
  EXPECT_EQ(heard(by_alice, "before"), Texts{"before"});
  cable().cut();
  for (const char* text : {"one", "two", "three"}) value_of(bob.send("lobby", text));
  cable().mend();
  EXPECT_EQ(heard(by_alice, "three"), (Texts{"one", "two", "three"}));
  value_of(alice.send("lobby", "back"));
  EXPECT_EQ(heard(by_alice, "back"), Texts{"back"});
  EXPECT_EQ(heard(by_bob, "back"), (Texts{"before", "one", "two", "three", "back"}));
}

TEST_P(MissedMessages, AreStoredOnceWhereTheyAreSentTwice) {
  Client& alice = connect("alice");
  ClientInbox messages = alice.inbox("new-message");
  value_of(alice.join("lobby"));
  const Value first = value_of(alice.send("lobby", "once", {{"clientMessageId", "order-7"}}));
  const Value second = value_of(alice.send("lobby", "once", {{"clientMessageId", "order-7"}}));
  EXPECT_EQ(at(second, "messageId"), at(first, "messageId"));
  EXPECT_EQ(at(second, "duplicate"), true);
  value_of(alice.send("lobby", "end"));
  EXPECT_EQ(heard(messages, "end"), (Texts{"once", "end"}));
}

}  // namespace app
