#include "loadgen/report.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace wirehall::loadgen {
namespace {

bool any_with(const std::vector<std::string>& lines, std::string_view text) {
  return std::any_of(lines.begin(), lines.end(),
                     [text](const std::string& line) { return line.find(text) != std::string::npos; });
}

struct Sample {
  Plan plan;
  Outcome outcome;
  Sample() {
    plan.options.url = "http://x";
    plan.options.connections = 10;
    outcome.connected = 10;
    outcome.window_s = 2;
    outcome.tally.operations = outcome.tally.arrived = 99;
    outcome.tally.sent = outcome.tally.expected = 100;
    outcome.tally.lost = 1;
    for (int i = 0; i < 99; ++i) outcome.tally.latency.add(1'000'000);
  }
};

TEST(Report, NothingIsDoubtedWithoutAReason) {
  const Sample sample;
  EXPECT_TRUE(warnings_of(sample.plan, sample.outcome).empty());
}

TEST(Report, DoubtsAGeneratorThatWasTheLimit) {
  Sample sample;
  sample.outcome.tally.busiest = 0.97;
  EXPECT_TRUE(any_with(warnings_of(sample.plan, sample.outcome), "the generator itself was the limit"));
  sample.outcome.tally.busiest = 0.5;
  for (int i = 0; i < 100; ++i) sample.outcome.tally.lag.add(20'000'000);
  EXPECT_TRUE(any_with(warnings_of(sample.plan, sample.outcome), "messages left late"));
}

TEST(Report, SaysWhatElseIsWrong) {
  Sample sample;
  sample.outcome.connected = 7;
  sample.outcome.tally.first_error = R"({"code":"rate-limited"})";
  const auto warnings = warnings_of(sample.plan, sample.outcome);
  EXPECT_TRUE(any_with(warnings, "only 7 of 10 connections"));
  EXPECT_TRUE(any_with(warnings, "WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE"));
}

// What a condition may name before the run is there behind it, in every mode.
TEST(Report, EveryFigureIsKnownBeforeTheRun) {
  for (const Mode mode : {Mode::kEcho, Mode::kFanout, Mode::kIdle, Mode::kChat, Mode::kJitter, Mode::kRestart,
                          Mode::kSlow, Mode::kConnect}) {
    Sample sample;
    sample.plan.options.mode = mode;
    const std::vector<Figure> known = figures_of(sample.plan.options);
    const std::vector<Figure> measured = figures_of(sample.plan, sample.outcome);
    ASSERT_EQ(known.size(), measured.size()) << name_of(mode);
    for (std::size_t i = 0; i < known.size(); ++i) {
      EXPECT_EQ(known[i].name, measured[i].name);
      EXPECT_EQ(known[i].duration, measured[i].duration);
    }
  }
}

TEST(Report, TheGateJudgesWhatTheTableShows) {
  const Sample sample;
  const std::vector<Figure> figures = figures_of(sample.plan, sample.outcome);
  const Result<Condition> lost = parse_condition("lost>0", figures);
  const Result<Condition> late = parse_condition("p99>1.1ms", figures);
  const Result<Condition> rate = parse_condition("rate<50", figures);
  ASSERT_TRUE(lost.ok() && late.ok() && rate.ok());
  EXPECT_EQ(failures({*lost, *late, *rate}, figures),
            (std::vector<std::string>{"lost>0 (it is 1)", "rate<50 (it is 49.5)"}));
  const std::string table = table_of(sample.plan, sample.outcome);
  EXPECT_NE(table.find("99 of 100 expected answers (99 %): lost 1, duplicated 0"), std::string::npos)
      << table;
  EXPECT_NE(table.find("50 answers/s"), std::string::npos) << table;
}

TEST(Report, JsonHasTheFiguresAndWhatFailed) {
  const Sample sample;
  const Value json = json_of(sample.plan, sample.outcome, {"lost>0 (it is 1)"});
  EXPECT_EQ(json.find("figures")->find("lost")->as_double(), 1);
  EXPECT_EQ(json.find("figures")->find("delivered")->as_double(), 0.99);
  EXPECT_EQ(json.find("failed")->as_array().size(), 1u);
  EXPECT_EQ(json.find("latency_us")->find("count")->as_int(), 99);
  EXPECT_EQ(json.find("server"), nullptr);
}

TEST(Report, GroupsDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1,000");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
  EXPECT_EQ(grouped(-12'345), "-12,345");
}

}  // namespace
}  // namespace wirehall::loadgen
