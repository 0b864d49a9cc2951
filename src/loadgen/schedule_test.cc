#include "loadgen/schedule.h"

#include <gtest/gtest.h>

namespace wirehall::loadgen {
namespace {

TEST(Schedule, EvenGapsKeepTheRateForHours) {
  Schedule schedule(3, 1'000, false, 0);
  EXPECT_EQ(schedule.take(), 1'000u);
  EXPECT_EQ(schedule.take(), 1'000u + 333'333'333);
  EXPECT_EQ(schedule.take(), 1'000u + 666'666'666);
  for (int i = 3; i < 36'000; ++i) schedule.take();
  EXPECT_EQ(schedule.next_due(), 1'000u + 12'000 * 1'000'000'000ull);
}

// What was due while nobody could send stays due at its own time.
TEST(Schedule, DoesNotWaitForAnybody) {
  Schedule schedule(1'000, 0, false, 0);
  const std::uint64_t now = 1'000'000'000;  // a second of silence
  std::uint64_t overdue = 0, newest = 0;
  while (schedule.next_due() <= now) newest = schedule.take(), ++overdue;
  EXPECT_EQ(overdue, 1'001u);
  EXPECT_EQ(newest, now);
}

TEST(Schedule, RandomGapsHaveTheRateAndTheSpreadOfIndependentUsers) {
  Schedule schedule(10'000, 0, true, 42);
  const int kCount = 100'000;
  double sum = 0, squares = 0;
  std::uint64_t before = schedule.take();
  for (int i = 0; i < kCount; ++i) {
    const std::uint64_t due = schedule.take();
    ASSERT_GE(due, before);
    const auto gap = static_cast<double>(due - before);
    before = due;
    sum += gap;
    squares += gap * gap;
  }
  const double mean = sum / kCount;
  EXPECT_NEAR(mean, 100'000, 2'000);
  EXPECT_NEAR(squares / kCount / (mean * mean), 2.0, 0.1);  // of an exponential distribution
}

TEST(Schedule, AnotherSeedIsAnotherRun) {
  Schedule first(100, 0, true, 1), same(100, 0, true, 1), other(100, 0, true, 2);
  first.take(), same.take(), other.take();
  EXPECT_EQ(first.next_due(), same.next_due());
  EXPECT_NE(first.next_due(), other.next_due());
}

}  // namespace
}  // namespace wirehall::loadgen
