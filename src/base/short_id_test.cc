#include "base/short_id.h"

#include <gtest/gtest.h>

#include <optional>

namespace wirehall {
namespace {

const std::string kInside = "abcdefghijklmnopqrst";           // as long as an id
const std::string kOutside = "/a-namespace#abcdefghijklmnopqrst";  // of revision 3

TEST(ShortId, GivesBackItsTextOfAnyLength) {
  EXPECT_EQ(ShortId().view(), "");
  for (const std::size_t size : {0, 1, 19, 20, 21, 254, 255, 256, 1000}) {
    const std::string text(size, 'x');
    EXPECT_EQ(ShortId(text).view(), text) << size;
  }
}

TEST(ShortId, StandsInsideUpToTheLengthOfAnId) {
  const ShortId id(kInside);
  const auto* begin = reinterpret_cast<const char*>(&id);
  EXPECT_GE(id.view().data(), begin);
  EXPECT_LT(id.view().data(), begin + sizeof id);
  EXPECT_EQ(sizeof id, 21u);
}

TEST(ShortId, MovesAndLeavesNothingBehind) {
  for (const std::string& text : {kInside, kOutside}) {
    for (const std::string& before : {kInside, kOutside}) {
      ShortId from(text), to(before);
      to = std::move(from);
      EXPECT_EQ(to.view(), text);
      EXPECT_EQ(from.view(), "");  // NOLINT: that is what is tested
      const ShortId made(std::move(to));
      EXPECT_EQ(made.view(), text);
      EXPECT_EQ(to.view(), "");  // NOLINT
    }
  }
}

TEST(ShortId, ACopyStandsForItself) {
  for (const std::string& text : {kInside, kOutside}) {
    for (const std::string& before : {kInside, kOutside}) {
      std::optional<ShortId> from(text);
      ShortId to(before);
      to = *from;
      const ShortId made(*from);
      EXPECT_EQ(from->view(), text);
      from.reset();
      EXPECT_EQ(to.view(), text);
      EXPECT_EQ(made.view(), text);
    }
  }
}

TEST(ShortId, SurvivesAnAssignmentOfItself) {
  ShortId id(kOutside);
  ShortId& same = id;
  id = std::move(same);
  EXPECT_EQ(id.view(), kOutside);
  id = same;
  EXPECT_EQ(id.view(), kOutside);
}

}  // namespace
}  // namespace wirehall
