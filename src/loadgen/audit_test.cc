#include "loadgen/audit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/random.h"

namespace wirehall::loadgen {
namespace {

TEST(StreamAudit, InOrderNothingIsWrong) {
  StreamAudit audit;
  for (std::uint64_t i = 0; i < 1'000; ++i) EXPECT_EQ(audit.observe(i), Arrival::kNext);
  EXPECT_EQ(audit.missing(1'000), 0u);
  EXPECT_EQ(audit.missing(1'003), 3u);
  EXPECT_EQ(audit.received(), 1'000u);
}

TEST(StreamAudit, TellsLossFromReorderingAndDuplicates) {
  StreamAudit audit;
  EXPECT_EQ(audit.observe(0), Arrival::kNext);
  EXPECT_EQ(audit.observe(5), Arrival::kAhead);
  EXPECT_EQ(audit.missing(6), 4u);
  EXPECT_EQ(audit.observe(3), Arrival::kReordered);
  EXPECT_EQ(audit.observe(3), Arrival::kDuplicate);
  EXPECT_EQ(audit.observe(5), Arrival::kDuplicate);
  EXPECT_EQ(audit.observe(1), Arrival::kReordered);
  EXPECT_EQ(audit.observe(4), Arrival::kReordered);
  EXPECT_EQ(audit.missing(6), 1u);
  EXPECT_EQ(audit.observe(2), Arrival::kReordered);
  EXPECT_EQ(audit.missing(6), 0u);
  EXPECT_EQ(audit.observe(0), Arrival::kDuplicate);
  EXPECT_EQ(audit.observe(6), Arrival::kNext);
}

TEST(StreamAudit, BeginsWhereOneJoined) {
  StreamAudit audit;
  audit.begin_at(10);
  EXPECT_EQ(audit.missing(10), 0u);
  EXPECT_EQ(audit.observe(10), Arrival::kNext);
  EXPECT_EQ(audit.observe(12), Arrival::kAhead);
  EXPECT_EQ(audit.observe(9), Arrival::kUnknown);
  EXPECT_EQ(audit.missing(13), 1u);
  EXPECT_EQ(audit.received(), 2u);
}

TEST(StreamAudit, MoreGapsThanItRemembersStayLost) {
  StreamAudit audit;
  const std::uint64_t numbers = 2 * (StreamAudit::kGapsMax + 10);
  for (std::uint64_t i = 1; i < numbers; i += 2) audit.observe(i);
  EXPECT_EQ(audit.missing(numbers), numbers / 2);
  EXPECT_EQ(audit.observe(0), Arrival::kDuplicate);  // its gap was forgotten
  EXPECT_EQ(audit.observe(numbers - 2), Arrival::kReordered);
  EXPECT_EQ(audit.missing(numbers), numbers / 2 - 1);
}

// Against a set, for random losses, repetitions and swaps.
TEST(StreamAudit, AgreesWithASetForRandomFaults) {
  SeededRandom random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::uint64_t> stream;
    for (std::uint64_t i = 0; i < 500; ++i) {
      if (random.below(20) == 0) continue;
      stream.push_back(i);
      if (random.below(20) == 0) stream.push_back(i);
    }
    for (int swaps = 0; swaps < 30; ++swaps) {
      const std::size_t at = random.below(stream.size() - 10);
      std::swap(stream[at], stream[at + random.below(10)]);
    }
    StreamAudit audit;
    std::set<std::uint64_t> seen;
    for (const std::uint64_t number : stream) {
      const bool first = seen.insert(number).second;
      const bool late = first && *seen.rbegin() != number;
      const Arrival arrival = audit.observe(number);
      EXPECT_EQ(arrival == Arrival::kDuplicate, !first);
      EXPECT_EQ(arrival == Arrival::kReordered, late);
    }
    EXPECT_EQ(audit.missing(500), 500 - seen.size());
    EXPECT_EQ(audit.received(), seen.size());
  }
}

TEST(InFlight, AnswersInOrder) {
  InFlight flight;
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(flight.sent(i + 1), i);
    const InFlight::Answer answer = flight.answered(i);
    EXPECT_EQ(answer.arrival, Arrival::kNext);
    EXPECT_EQ(answer.sent_at_ns, i + 1);
    EXPECT_TRUE(flight.empty());
  }
}

TEST(InFlight, KeepsTimesWhileItGrows) {
  InFlight flight;
  for (std::uint64_t i = 0; i < 3; ++i) flight.sent(100 + i);
  flight.answered(0);
  for (std::uint64_t i = 3; i < 1'000; ++i) flight.sent(100 + i);
  EXPECT_EQ(flight.waiting(), 999u);
  for (std::uint64_t i = 1; i < 1'000; ++i) EXPECT_EQ(flight.answered(i).sent_at_ns, 100 + i);
}

TEST(InFlight, FindsReorderedDuplicateAndUnknown) {
  InFlight flight;
  for (std::uint64_t i = 0; i < 4; ++i) flight.sent(1 + i);
  EXPECT_EQ(flight.answered(2).arrival, Arrival::kAhead);
  EXPECT_EQ(flight.answered(2).arrival, Arrival::kDuplicate);
  EXPECT_EQ(flight.answered(0).arrival, Arrival::kReordered);
  EXPECT_EQ(flight.answered(9).arrival, Arrival::kUnknown);
  EXPECT_EQ(flight.answered(1).arrival, Arrival::kReordered);
  EXPECT_EQ(flight.answered(3).arrival, Arrival::kNext);
}

TEST(InFlight, WhatIsGivenUpIsNotAnswered) {
  InFlight flight;
  flight.sent(5);
  flight.sent(6);
  EXPECT_EQ(flight.oldest_at(), 5u);
  flight.give_up();
  EXPECT_EQ(flight.oldest_at(), 6u);
  EXPECT_EQ(flight.answered(0).arrival, Arrival::kDuplicate);
  EXPECT_EQ(flight.answered(1).arrival, Arrival::kNext);
}

TEST(InFlight, IsFullInTheEnd) {
  InFlight flight;
  while (!flight.full()) flight.sent(1);
  EXPECT_EQ(flight.waiting(), InFlight::kWaitingMax);
  flight.answered(0);
  EXPECT_FALSE(flight.full());
}

}  // namespace
}  // namespace wirehall::loadgen
