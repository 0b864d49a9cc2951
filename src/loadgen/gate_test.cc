#include "loadgen/gate.h"

#include <gtest/gtest.h>

namespace wirehall::loadgen {
namespace {

const std::vector<Figure> kKnown = {{"p99", 0, true}, {"lost", 0, false}, {"rate", 0, false}};

Condition parsed(std::string_view text) {
  const Result<Condition> condition = parse_condition(text, kKnown);
  EXPECT_TRUE(condition.ok()) << text;
  return condition.ok() ? *condition : Condition();
}

std::string refusal(std::string_view text) {
  const Result<Condition> condition = parse_condition(text, kKnown);
  EXPECT_FALSE(condition.ok()) << text;
  return condition.ok() ? "" : condition.error().detail();
}

TEST(Gate, ReadsUnits) {
  EXPECT_EQ(parsed("p99>5ms").limit, 5e6);
  EXPECT_EQ(parsed("p99 >= 1.5 s").limit, 1.5e9);
  EXPECT_EQ(parsed("p99<250us").limit, 250e3);
  EXPECT_EQ(parsed("p99<250µs").limit, 250e3);
  EXPECT_EQ(parsed("lost>0").limit, 0);
  EXPECT_EQ(parsed("rate<50k").limit, 50e3);
  EXPECT_DOUBLE_EQ(parsed("lost>1%").limit, 0.01);
}

TEST(Gate, EveryRelation) {
  struct Case {
    const char* text;
    bool below, equal, above;
  };
  const Case kCases[] = {{"lost>2", false, false, true},  {"lost>=2", false, true, true},
                         {"lost<2", true, false, false},  {"lost<=2", true, true, false},
                         {"lost==2", false, true, false}, {"lost!=2", true, false, true}};
  for (const Case& one : kCases) {
    const Condition condition = parsed(one.text);
    EXPECT_EQ(condition.holds(1), one.below) << one.text;
    EXPECT_EQ(condition.holds(2), one.equal) << one.text;
    EXPECT_EQ(condition.holds(3), one.above) << one.text;
  }
}

TEST(Gate, RefusesWhatItDoesNotUnderstand) {
  EXPECT_NE(refusal("p99").find("p99>5ms"), std::string::npos);
  EXPECT_NE(refusal("p98>5ms").find("p99, lost, rate"), std::string::npos);
  EXPECT_NE(refusal("p99>5").find("unit"), std::string::npos);
  EXPECT_NE(refusal("p99>fast").find("no number"), std::string::npos);
  EXPECT_NE(refusal("p99>nanms").find("no number"), std::string::npos);
  EXPECT_NE(refusal("lost>5ms").find("\"ms\""), std::string::npos);
  EXPECT_NE(refusal("").find("has none of"), std::string::npos);
  EXPECT_NE(refusal("lost=3").find("has none of"), std::string::npos);
}

TEST(Gate, TellsWhatFailedAndHowMuch) {
  const std::vector<Figure> measured = {{"p99", 7'250'000, true}, {"lost", 3, false}, {"rate", 10, false}};
  const auto lines = failures({parsed("p99>5ms"), parsed("lost>0"), parsed("rate<5")}, measured);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "p99>5ms (it is 7.25 ms)");
  EXPECT_EQ(lines[1], "lost>0 (it is 3)");
}

TEST(Gate, DurationsHaveThreeDigits) {
  EXPECT_EQ(duration_text(0), "0 ns");
  EXPECT_EQ(duration_text(999), "999 ns");
  EXPECT_EQ(duration_text(1'234), "1.23 µs");
  EXPECT_EQ(duration_text(12'345), "12.3 µs");
  EXPECT_EQ(duration_text(123'456), "123 µs");
  EXPECT_EQ(duration_text(999'600), "1.00 ms");
  EXPECT_EQ(duration_text(1.5e9), "1.50 s");
}

}  // namespace
}  // namespace wirehall::loadgen
