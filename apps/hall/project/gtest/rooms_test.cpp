// Rooms: coming and going, messages, broadcasts, and who may do what.
#include <algorithm>

#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(Rooms);

TEST_P(Rooms, TellWhoIsThereAndWhoComes) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox joined = alice.inbox("user-joined");
  ClientInbox left = alice.inbox("user-left");
  value_of(alice.join("lobby"));
  Array members = each(at(value_of(bob.join("lobby")), "members"), "userId");
  std::ranges::sort(members, {}, [](const Value& user) { return user.as_string(); });
  EXPECT_EQ(members, (Array{"alice", "bob"}));
  EXPECT_EQ(at(told(joined), "userId"), "bob");
  value_of(bob.leave("lobby"));
  EXPECT_EQ(at(told(left), "userId"), "bob");
}

TEST_P(Rooms, CarryAMessageToEverybodyThere) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox by_alice = alice.inbox("new-message");
  ClientInbox by_bob = bob.inbox("new-message");
  value_of(alice.join("lobby"));
  value_of(bob.join("lobby"));
  const Value sent = value_of(alice.send("lobby", "hello"));
  for (ClientInbox* messages : {&by_alice, &by_bob}) {
    const Value message = told(*messages);
    EXPECT_EQ(at(message, "id"), at(sent, "messageId"));
    EXPECT_EQ(at(message, "seq"), at(sent, "seq"));
    EXPECT_EQ(at(message, "userId"), "alice");
    EXPECT_EQ(at(message, "content"), "hello");
  }
}

TEST_P(Rooms, AreClosedToWhoIsNotThere) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox messages = bob.inbox("new-message");
  value_of(alice.join("lobby"));
  EXPECT_EQ(refusal(bob.send("lobby", "hello")), "not-in-room");
  value_of(alice.send("lobby", "a secret"));
  value_of(bob.join("lobby"));  // whatever was told before is here now
  EXPECT_EQ(messages.size(), 0u);
}

TEST_P(Rooms, GiveTheNewestMessagesToWhoJoinsLater) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  value_of(alice.join("lobby"));
  for (const char* text : {"one", "two"}) value_of(alice.send("lobby", text));
  const Value joined = value_of(bob.join("lobby"));
  EXPECT_EQ(each(at(joined, "recentMessages"), "content"), (Array{"one", "two"}));
}

TEST_P(Rooms, CarryABroadcastToTheOthersAndDoNotKeepIt) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox by_alice = alice.inbox("broadcast");
  ClientInbox by_bob = bob.inbox("broadcast");
  value_of(alice.join("lobby"));
  value_of(bob.join("lobby"));
  const Value point = {{"x", 1}, {"y", 2}};
  EXPECT_EQ(at(ask(alice, "broadcast", {{"room", "lobby"}, {"data", point}}), "delivered"), 1);
  const Value broadcast = told(by_bob);
  EXPECT_EQ(at(broadcast, "room"), "lobby");
  EXPECT_EQ(at(broadcast, "data"), point);
  EXPECT_EQ(at(broadcast, "from"), "alice");
  EXPECT_EQ(by_alice.size(), 0u) << "not to who sent it";
  EXPECT_EQ(at(value_of(bob.join("lobby")), "recentMessages"), Array());
}

TEST_P(Rooms, LetTheAuthorAloneChangeAMessage) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox edited = bob.inbox("message-edited");
  ClientInbox deleted = bob.inbox("message-deleted");
  value_of(alice.join("lobby"));
  value_of(bob.join("lobby"));
  const Value id = at(value_of(alice.send("lobby", "helo")), "messageId");
  const auto edit = [&](const char* text) {
    return Value{{"roomId", "lobby"}, {"messageId", id}, {"content", text}};
  };
  EXPECT_EQ(refusal_of(bob, "edit-message", edit("mine")), "access-denied");
  ask(alice, "edit-message", edit("hello"));
  EXPECT_EQ(at(told(edited), "content"), "hello");
  ask(alice, "delete-message", {{"roomId", "lobby"}, {"messageId", id}});
  EXPECT_EQ(at(told(deleted), "id"), id);
}

TEST_P(Rooms, BelongToWhoCreatesThem) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox invited = bob.inbox("room-invited");
  ClientInbox changed = bob.inbox("role-changed");
  ClientInbox kicked = bob.inbox("room-kicked");
  ask(alice, "create-room", {{"roomId", "lobby"}});
  EXPECT_EQ(at(at(value_of(alice.join("lobby")), "room"), "role"), "owner");
  ask(alice, "invite", {{"roomId", "lobby"}, {"userId", "bob"}});
  EXPECT_EQ(at(told(invited), "byUserId"), "alice");
  value_of(bob.join("lobby"));
  EXPECT_EQ(refusal_of(bob, "kick", {{"roomId", "lobby"}, {"userId", "alice"}}), "access-denied");
  ask(alice, "set-role", {{"roomId", "lobby"}, {"userId", "bob"}, {"role", "moderator"}});
  EXPECT_EQ(at(told(changed), "role"), "moderator");
  ask(alice, "kick", {{"roomId", "lobby"}, {"userId", "bob"}});
  EXPECT_EQ(at(told(kicked), "byUserId"), "alice");
  EXPECT_EQ(refusal(bob.send("lobby", "still here?")), "not-in-room");
}

}  // namespace app
