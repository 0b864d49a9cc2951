// Messages from one user to another, who may be away.
#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(PrivateMessages);

TEST_P(PrivateMessages, ReachTheirTargetAlone) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  Client& carol = connect("carol");
  ClientInbox by_bob = bob.inbox("private-message");
  ClientInbox by_carol = carol.inbox("private-message");
  const Value sent = value_of(alice.send_private("bob", "psst"));
  EXPECT_EQ(at(sent, "delivered"), true);
  const Value message = told(by_bob);
  EXPECT_EQ(at(message, "id"), at(sent, "messageId"));
  EXPECT_EQ(at(message, "fromUserId"), "alice");
  EXPECT_EQ(at(message, "content"), "psst");
  EXPECT_EQ(refusal_of(carol, "no-such-event"), "unknown-event");  // all that was sent to her is here now
  EXPECT_EQ(by_carol.size(), 0u);
}

TEST_P(PrivateMessages, WaitForWhoIsAway) {
  Client& alice = connect("alice");
  const Value sent = value_of(alice.send_private("bob", "for later"));
  EXPECT_EQ(at(sent, "delivered"), false);
  Client& bob = client_of("bob");
  ClientInbox pending = bob.inbox("pending-messages");
  succeed(bob.connect());
  const Value messages = told(pending);
  const Value list =
      messages.is_array() ? messages : at(messages, "messages");  // Socket.IO tells the list itself
  EXPECT_EQ(each(list, "id"), Array{at(sent, "messageId")});
  EXPECT_EQ(each(list, "content"), Array{"for later"});
}

TEST_P(PrivateMessages, ThatWereReadAreToldToTheSender) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox messages = bob.inbox("private-message");
  ClientInbox read = alice.inbox("message-read");
  value_of(alice.send_private("bob", "read me"));
  const Array ids{at(told(messages), "id")};
  EXPECT_EQ(at(ask(bob, "mark-read", {{"messageIds", ids}}), "count"), 1);
  const Value receipt = told(read);
  EXPECT_EQ(at(receipt, "messageIds"), ids);
  EXPECT_EQ(at(receipt, "userId"), "bob");
}

}  // namespace app
