#include "base/suggest.h"

#include <gtest/gtest.h>

#include <vector>

namespace wirehall {
namespace {

const std::vector<std::string> kKnown = {"rooms", "presence", "private-messages", "push"};

TEST(Suggest, TheClosestIsMeant) {
  EXPECT_EQ(closest("room", kKnown), "rooms");
  EXPECT_EQ(closest("privat-message", kKnown), "private-messages");
}

TEST(Suggest, NothingIsMeantByWhatIsFarFromEverything) {
  EXPECT_EQ(closest("teleportation", kKnown), "");
  EXPECT_EQ(closest("presence", {}), "");
}

}  // namespace
}  // namespace wirehall
