#include "auth/turn_credential.h"

#include <gtest/gtest.h>

namespace wirehall::auth {
namespace {

// Computed with: printf '%s' NAME | openssl dgst -sha1 -hmac SECRET -binary | base64
TEST(TurnCredential, IsTheHmacOfTheUserName) {
  EXPECT_EQ(turn_credential("north", "1700000000:ann"), "jeamH6dA5l2I9g3jmieza7CzEDo=");
  EXPECT_EQ(turn_credential("key", "The quick brown fox jumps over the lazy dog"), "3nybhbi3iqa8ino29wqQcBydtNk=");
  EXPECT_NE(turn_credential("south", "1700000000:ann"), turn_credential("north", "1700000000:ann"));
}

}  // namespace
}  // namespace wirehall::auth
