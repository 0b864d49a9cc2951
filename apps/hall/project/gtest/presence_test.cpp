// How people are: online, away, busy, gone.
#include <chrono>

#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(Presence);

TEST_P(Presence, IsToldToTheRoomAndToWhoAsks) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox updates = alice.inbox("presence-update");
  value_of(alice.join("lobby"));
  value_of(bob.join("lobby"));
  ask(bob, "update-status", {{"status", "busy"}});
  const Value update = told(updates);
  EXPECT_EQ(at(update, "userId"), "bob");
  EXPECT_EQ(at(update, "status"), "busy");
  const Value users = at(value_of(alice.presence({{"userIds", Array{"bob", "nobody"}}})), "users");
  EXPECT_EQ(each(users, "userId"), (Array{"bob", "nobody"}));
  EXPECT_EQ(each(users, "status"), (Array{"busy", "offline"}));
}

TEST_P(Presence, OfWhoIsInvisibleIsOffline) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox updates = alice.inbox("presence-update");
  value_of(alice.join("lobby"));
  value_of(bob.join("lobby"));
  ask(bob, "update-status", {{"status", "invisible"}});
  EXPECT_EQ(at(told(updates), "status"), "offline");
}

TEST_P(Presence, OfWhoIsLostIsOfflineSinceNow) {
  start({{"WIREHALL_PRESENCE__GRACE_PERIOD", "100"}});
  Client& alice = connect("alice");
  Client& bob = connect_by_cable("bob");
  ClientInbox updates = alice.inbox("presence-update");
  ClientInbox left = alice.inbox("user-left");
  value_of(alice.join("lobby"));
  value_of(bob.join("lobby"));
  cable().cut();
  const Value update = told(updates);
  EXPECT_EQ(at(update, "userId"), "bob");
  EXPECT_EQ(at(update, "status"), "offline");
  const auto now = std::chrono::system_clock::now().time_since_epoch();  // times are milliseconds since 1970
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  EXPECT_NEAR(at(update, "lastSeen").as_double(), static_cast<double>(now_ms), 60'000);
  EXPECT_EQ(left.size(), 0u) << "he may come back";
  const Value users = at(value_of(alice.presence({{"userIds", Array{"bob"}}})), "users");
  EXPECT_EQ(each(users, "connections"), Array{0});
  cable().mend();
  EXPECT_EQ(at(told(updates), "status"), "online");
}

}  // namespace app
