// What was said in a room can be read page by page.
#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(History);

TEST_P(History, GoesBackAndForthInPages) {
  Client& alice = connect("alice");
  value_of(alice.join("lobby"));
  for (int i = 1; i <= 7; ++i) value_of(alice.send("lobby", "message " + std::to_string(i)));
  const auto expect_page = [&](const Object& bounds, const Array& seqs, bool more) {
    const Value page = value_of(alice.history("lobby", bounds));
    EXPECT_EQ(each(at(page, "messages"), "seq"), seqs);
    EXPECT_EQ(at(page, "hasMore"), more);
  };
  expect_page({{"limit", 3}}, {5, 6, 7}, true);
  expect_page({{"before", 5}, {"limit", 3}}, {2, 3, 4}, true);
  expect_page({{"before", 2}, {"limit", 3}}, {1}, false);
  expect_page({{"after", 5}, {"limit", 3}}, {6, 7}, false);
}

TEST_P(History, KeepsThePlaceOfADeletedMessage) {
  Client& alice = connect("alice");
  value_of(alice.join("lobby"));
  const Value id = at(value_of(alice.send("lobby", "a mistake")), "messageId");
  ask(alice, "delete-message", {{"roomId", "lobby"}, {"messageId", id}});
  const Value message = at(at(value_of(alice.history("lobby")), "messages"), 0);
  EXPECT_EQ(at(message, "id"), id);
  EXPECT_EQ(at(message, "deleted"), true);
  EXPECT_EQ(at(message, "content"), nullptr);
}

TEST_P(History, IsForWhoIsInTheRoom) { EXPECT_EQ(refusal(connect("bob").history("lobby")), "not-in-room"); }

}  // namespace app
