#include "push/delivery_queue.h"

#include <gtest/gtest.h>

#include "support/seed.h"

namespace wirehall::push {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr MonoTime kStart{hours(1)};

Delivery delivery(const std::string& user = "ada", const std::string& endpoint = "https://push.example.com/1",
                  seconds ttl = hours(24)) {
  PushMessage message;
  message.user_id = user;
  message.payload_json = "{}";
  message.ttl = ttl;
  Delivery made;
  made.message = std::make_shared<const PushMessage>(message);
  made.to.user_id = user;
  made.to.endpoint = endpoint;
  return made;
}

std::vector<Delivery> many(std::size_t count, const std::string& user = "ada") {
  std::vector<Delivery> made;
  for (std::size_t i = 0; i < count; ++i) made.push_back(delivery(user));
  return made;
}

/// A queue with a time that the test moves.
class Queue {
 public:
  explicit Queue(const DeliveryLimits& limits = {}, std::uint64_t seed = 7) : queue(limits, seed) {}
  bool add(Delivery one) {
    std::vector<Delivery> list;
    list.push_back(std::move(one));
    return queue.add(std::move(list), now);
  }
  /// Takes what is due now; its number, or 0.
  std::uint64_t take() {
    const auto attempt = queue.take(now);
    last = attempt.value_or(DeliveryQueue::Try());
    return last.number;
  }
  Verdict finish(std::uint64_t number, TryResult result, Duration retry_after = {}) {
    return queue.finish(number, result, retry_after, now);
  }
  /// How long until something is due again; the time goes there.
  Duration pass_time() {
    const MonoTime before = now;
    now = queue.next_deadline();
    return now - before;
  }

  DeliveryQueue queue;
  MonoTime now = kStart;
  DeliveryQueue::Try last;
};

TEST(DeliveryQueue, GivesEachDeliveryOnceAndInOrder) {
  Queue q;
  EXPECT_EQ(q.take(), 0u);
  EXPECT_EQ(q.queue.next_deadline(), kNever);
  ASSERT_TRUE(q.add(delivery("ada", "https://a.example.com/")));
  ASSERT_TRUE(q.add(delivery("bob", "https://b.example.com/")));
  EXPECT_EQ(q.queue.next_deadline(), kStart);
  const auto first = q.take();
  EXPECT_EQ(q.last.delivery->to.endpoint, "https://a.example.com/");
  const auto second = q.take();
  EXPECT_EQ(q.last.delivery->to.endpoint, "https://b.example.com/");
  EXPECT_EQ(q.take(), 0u);
  EXPECT_EQ(q.queue.in_flight(), 2u);
  EXPECT_EQ(q.finish(second, TryResult::kDelivered), Verdict::kDelivered);
  EXPECT_EQ(q.finish(first, TryResult::kGone), Verdict::kGone);
  EXPECT_EQ(q.queue.size(), 0u);
  EXPECT_EQ(q.queue.bytes(), 0u);
  EXPECT_EQ(q.queue.in_flight(), 0u);
}

TEST(DeliveryQueue, RefusalEndsADelivery) {
  for (const TryResult result : {TryResult::kRefused, TryResult::kImpossible}) {
    Queue q;
    ASSERT_TRUE(q.add(delivery()));
    EXPECT_EQ(q.finish(q.take(), result), Verdict::kFailed);
    EXPECT_EQ(q.queue.size(), 0u);
  }
}

// -- trying again -------------------------------------------------------------------------------

TEST(DeliveryQueue, WaitsFourTimesAsLongAfterEachTryUntilItGivesUp) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Queue q({}, seed);
    ASSERT_TRUE(q.add(delivery()));
    for (const seconds backoff : {seconds(2), seconds(8), seconds(32), seconds(128)}) {
      EXPECT_EQ(q.finish(q.take(), TryResult::kTryLater), Verdict::kRetried);
      EXPECT_EQ(q.take(), 0u) << "too early";
      const Duration waited = q.pass_time();
      EXPECT_GE(waited, backoff);
      EXPECT_LE(waited, backoff + backoff / 2);
    }
    EXPECT_EQ(q.finish(q.take(), TryResult::kTryLater), Verdict::kFailed) << "the fifth try was the last one";
    EXPECT_EQ(q.queue.size(), 0u);
  }
}

TEST(DeliveryQueue, WaitsAreSpread) {
  std::set<Duration> waits;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Queue q({}, seed);
    ASSERT_TRUE(q.add(delivery()));
    EXPECT_EQ(q.finish(q.take(), TryResult::kTryLater), Verdict::kRetried);
    waits.insert(q.pass_time());
  }
  EXPECT_GT(waits.size(), 45u);
}

TEST(DeliveryQueue, IsNeverEarlierThanItWasAskedToBe) {
  Queue q;
  ASSERT_TRUE(q.add(delivery()));
  EXPECT_EQ(q.finish(q.take(), TryResult::kTryLater, minutes(2)), Verdict::kRetried);
  Duration waited = q.pass_time();
  EXPECT_GE(waited, minutes(2));
  EXPECT_LE(waited, minutes(2) + seconds(1));
  EXPECT_EQ(q.finish(q.take(), TryResult::kTryLater, seconds(1)), Verdict::kRetried);
  waited = q.pass_time();
  EXPECT_GE(waited, seconds(8)) << "a short wish does not make it impatient";
}

TEST(DeliveryQueue, GivesUpWhenItIsAskedToWaitForTooLong) {
  Queue q;
  ASSERT_TRUE(q.add(delivery()));
  EXPECT_EQ(q.finish(q.take(), TryResult::kTryLater, minutes(15)), Verdict::kFailed);
  ASSERT_TRUE(q.add(delivery()));
  EXPECT_EQ(q.finish(q.take(), TryResult::kTryLater, kNever - kStart - hours(1)), Verdict::kFailed);
}

TEST(DeliveryQueue, NoTryBeginsAfterTheMessagesTime) {
  Queue q;
  ASSERT_TRUE(q.add(delivery("ada", "https://push.example.com/", seconds(60))));
  EXPECT_EQ(q.finish(q.take(), TryResult::kTryLater, seconds(30)), Verdict::kRetried);
  q.pass_time();
  EXPECT_EQ(q.finish(q.take(), TryResult::kTryLater, seconds(30)), Verdict::kFailed);
}

TEST(DeliveryQueue, AMessageWithoutTimeIsStillTriedForAWhile) {
  for (const seconds ttl : {seconds(0), seconds(-5), seconds::min()}) {
    Queue q;
    ASSERT_TRUE(q.add(delivery("ada", "https://push.example.com/", ttl)));
    ASSERT_NE(q.take(), 0u);
    EXPECT_EQ(q.last.ttl_left, seconds(0));
    EXPECT_EQ(q.finish(q.last.number, TryResult::kTryLater), Verdict::kRetried);
    EXPECT_LT(q.pass_time(), seconds(30));
    ASSERT_NE(q.take(), 0u);
    EXPECT_EQ(q.finish(q.last.number, TryResult::kTryLater, seconds(28)), Verdict::kFailed);
  }
}

TEST(DeliveryQueue, TheTtlThatIsLeftGoesDown) {
  Queue q;
  ASSERT_TRUE(q.add(delivery("ada", "https://push.example.com/", seconds(600))));
  q.now += seconds(100);
  ASSERT_NE(q.take(), 0u);
  EXPECT_EQ(q.last.ttl_left, seconds(500));
  EXPECT_FALSE(q.last.expired);
  Queue forever;
  ASSERT_TRUE(forever.add(delivery("ada", "https://push.example.com/", seconds::max())));
  ASSERT_NE(forever.take(), 0u);
  EXPECT_EQ(forever.last.ttl_left, seconds::max());
  EXPECT_EQ(forever.finish(forever.last.number, TryResult::kTryLater, minutes(14)), Verdict::kRetried);
}

TEST(DeliveryQueue, WhatLayTooLongIsOnlyToBeFinished) {
  Queue q;
  ASSERT_TRUE(q.add(delivery("ada", "https://push.example.com/", seconds(60))));
  q.now += seconds(60) - milliseconds(1);
  ASSERT_NE(q.take(), 0u);
  EXPECT_FALSE(q.last.expired);
  EXPECT_EQ(q.finish(q.last.number, TryResult::kDelivered), Verdict::kDelivered);
  ASSERT_TRUE(q.add(delivery("ada", "https://push.example.com/", seconds(60))));
  q.now += seconds(60);
  ASSERT_NE(q.take(), 0u);
  EXPECT_TRUE(q.last.expired);
  EXPECT_EQ(q.finish(q.last.number, TryResult::kImpossible), Verdict::kFailed);
}

// -- bounds -------------------------------------------------------------------------------------

TEST(DeliveryQueue, IsBoundedInDeliveries) {
  DeliveryLimits limits;
  limits.deliveries_max = 10;
  Queue q(limits);
  EXPECT_TRUE(q.queue.add(many(6), q.now));
  EXPECT_FALSE(q.queue.add(many(5), q.now));
  EXPECT_EQ(q.queue.size(), 6u) << "all, or none";
  EXPECT_TRUE(q.queue.add(many(4), q.now));
  EXPECT_FALSE(q.queue.add(many(1), q.now));
  EXPECT_TRUE(q.queue.add({}, q.now));
  const auto number = q.take();
  EXPECT_FALSE(q.queue.add(many(1), q.now)) << "what is in flight counts";
  q.finish(number, TryResult::kDelivered);
  EXPECT_TRUE(q.queue.add(many(1), q.now));
}

TEST(DeliveryQueue, IsBoundedInBytes) {
  Queue measured;
  ASSERT_TRUE(measured.add(delivery()));
  DeliveryLimits limits;
  limits.bytes_max = measured.queue.bytes() * 3;
  Queue q(limits);
  EXPECT_TRUE(q.queue.add(many(3), q.now));
  EXPECT_EQ(q.queue.bytes(), limits.bytes_max);
  EXPECT_FALSE(q.add(delivery()));
  q.finish(q.take(), TryResult::kTryLater);
  EXPECT_FALSE(q.add(delivery())) << "what waits for another try counts";
  q.finish(q.take(), TryResult::kGone);
  EXPECT_TRUE(q.add(delivery()));
}

TEST(DeliveryQueue, OneUserCannotFillIt) {
  DeliveryLimits limits;
  limits.user_deliveries_max = 5;
  Queue q(limits);
  EXPECT_FALSE(q.queue.add(many(6), q.now));
  EXPECT_TRUE(q.queue.add(many(5), q.now));
  EXPECT_FALSE(q.queue.add(many(1), q.now));
  EXPECT_TRUE(q.queue.add(many(5, "bob"), q.now));
  std::vector<Delivery> mixed = many(1, "eve");
  mixed.push_back(delivery("bob"));
  EXPECT_FALSE(q.queue.add(std::move(mixed), q.now));
  EXPECT_EQ(q.queue.size(), 10u);
  q.finish(q.take(), TryResult::kDelivered);
  EXPECT_TRUE(q.queue.add(many(1), q.now));
}

TEST(DeliveryQueue, SoManyAreInFlightAtMost) {
  DeliveryLimits limits;
  limits.in_flight_max = 3;
  limits.user_in_flight_max = 100;
  Queue q(limits);
  ASSERT_TRUE(q.queue.add(many(5), q.now));
  const auto first = q.take();
  q.take();
  q.take();
  EXPECT_EQ(q.take(), 0u);
  EXPECT_EQ(q.queue.next_deadline(), kNever) << "only an answer changes that";
  q.finish(first, TryResult::kDelivered);
  EXPECT_EQ(q.queue.next_deadline(), kStart);
  EXPECT_NE(q.take(), 0u);
  EXPECT_EQ(q.take(), 0u);
}

TEST(DeliveryQueue, AUserWhoseEndpointsHangHoldsUpNobodyElse) {
  DeliveryLimits limits;
  limits.user_in_flight_max = 2;
  Queue q(limits);
  ASSERT_TRUE(q.queue.add(many(100, "eve"), q.now));
  ASSERT_TRUE(q.add(delivery("bob")));
  std::vector<std::uint64_t> hanging = {q.take(), q.take()};
  EXPECT_EQ(q.last.delivery->to.user_id, "eve");
  ASSERT_NE(q.take(), 0u);
  EXPECT_EQ(q.last.delivery->to.user_id, "bob");
  EXPECT_EQ(q.take(), 0u);
  EXPECT_EQ(q.finish(hanging[0], TryResult::kDelivered), Verdict::kDelivered);
  EXPECT_NE(q.take(), 0u);
  EXPECT_EQ(q.last.delivery->to.user_id, "eve");
  EXPECT_EQ(q.take(), 0u);
}

// -- silent hosts -------------------------------------------------------------------------------

DeliveryLimits impatient() {
  DeliveryLimits limits;
  limits.silences_max = 3;
  limits.rest = seconds(20);
  limits.user_in_flight_max = 100;
  return limits;
}

TEST(DeliveryQueue, AHostThatIsSilentIsLeftAloneForAWhile) {
  Queue q(impatient());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(q.add(delivery("ada", "https://dead.example.com/" + std::to_string(i))));
    EXPECT_EQ(q.finish(q.take(), TryResult::kSilent), Verdict::kRetried);
  }
  ASSERT_TRUE(q.add(delivery("bob", "https://dead.example.com/x")));
  ASSERT_TRUE(q.add(delivery("bob", "https://push.example.com/x")));
  ASSERT_NE(q.take(), 0u);
  EXPECT_EQ(q.last.delivery->to.endpoint, "https://push.example.com/x");
  EXPECT_EQ(q.take(), 0u);
  q.now += seconds(19);
  EXPECT_EQ(q.take(), 0u) << "not even those whose backoff is over";
  q.now += seconds(1);
  ASSERT_NE(q.take(), 0u);
  EXPECT_EQ(q.finish(q.last.number, TryResult::kSilent), Verdict::kRetried);
  EXPECT_EQ(q.take(), 0u) << "one more silence is enough";
  q.now += seconds(20);
  EXPECT_NE(q.take(), 0u);
  EXPECT_EQ(q.finish(q.last.number, TryResult::kDelivered), Verdict::kDelivered);
  EXPECT_NE(q.take(), 0u) << "it speaks again";
}

TEST(DeliveryQueue, AnAnswerOfAnyKindEndsTheCount) {
  for (const TryResult answer :
       {TryResult::kDelivered, TryResult::kGone, TryResult::kRefused, TryResult::kTryLater}) {
    Queue q(impatient());
    for (int round = 0; round < 5; ++round) {
      for (const TryResult result : {TryResult::kSilent, TryResult::kSilent, answer}) {
        ASSERT_TRUE(q.add(delivery("user" + std::to_string(round))));
        ASSERT_NE(q.take(), 0u);
        q.finish(q.last.number, result);
      }
    }
  }
  Queue q(impatient());
  for (const TryResult result :
       {TryResult::kSilent, TryResult::kSilent, TryResult::kImpossible, TryResult::kSilent}) {
    ASSERT_TRUE(q.add(delivery()));
    ASSERT_NE(q.take(), 0u);
    q.finish(q.last.number, result);
  }
  ASSERT_TRUE(q.add(delivery("bob")));
  EXPECT_EQ(q.take(), 0u) << "who was not asked has not answered";
}

TEST(DeliveryQueue, WaitingForAHostCostsNoTryButTime) {
  DeliveryLimits limits = impatient();
  limits.rest = minutes(5);
  Queue q(limits);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(q.add(delivery("eve", "https://dead.example.com/")));
    q.finish(q.take(), TryResult::kSilent);
  }
  ASSERT_TRUE(q.add(delivery("ada", "https://dead.example.com/", seconds(45))));
  while (q.now < kStart + seconds(45)) {
    ASSERT_EQ(q.take(), 0u);
    q.pass_time();
  }
  EXPECT_EQ(q.now, kStart + seconds(45));
  ASSERT_NE(q.take(), 0u);
  EXPECT_TRUE(q.last.expired);
  EXPECT_EQ(q.last.delivery->to.user_id, "ada");
  EXPECT_EQ(q.take(), 0u);
  q.now = kStart + minutes(5);
  for (int i = 0; i < 3; ++i) EXPECT_NE(q.take(), 0u) << "the others are where they were";
}

// -- against a model ----------------------------------------------------------------------------

// Random adds, answers and waits: the bounds hold all the time, each delivery ends exactly once after at most
// five tries, and nothing is left behind.
TEST(DeliveryQueue, KeepsItsBooksUnderRandomUse) {
  SeededRandom random(wirehall::test::seed());
  DeliveryLimits limits;
  limits.deliveries_max = 200;
  limits.user_deliveries_max = 50;
  limits.in_flight_max = 8;
  limits.user_in_flight_max = 3;
  Queue q(limits);
  std::vector<std::uint64_t> flying;
  std::map<std::uint64_t, unsigned> tries;
  std::size_t added = 0;
  std::size_t ended = 0;
  const auto land = [&](TryResult result) {
    const std::size_t at = random.below(flying.size());
    if (q.finish(flying[at], result, seconds(random.below(3))) != Verdict::kRetried) ++ended;
    flying.erase(flying.begin() + static_cast<std::ptrdiff_t>(at));
  };
  for (int step = 0; step < 20'000; ++step) {
    const auto choice = random.below(10);
    if (choice < 3) {
      const auto count = random.below(4);
      const std::string user = "user" + std::to_string(random.below(7));
      std::vector<Delivery> more;
      for (std::uint64_t i = 0; i < count; ++i)
        more.push_back(delivery(user, "https://" + std::to_string(random.below(5)) + ".example.com/",
                                seconds(random.below(400))));
      if (q.queue.add(std::move(more), q.now)) added += count;
    } else if (choice < 6) {
      if (const auto number = q.take(); number != 0) {
        EXPECT_LE(++tries[number], 5u);
        flying.push_back(number);
      }
    } else if (choice < 9) {
      if (!flying.empty()) land(static_cast<TryResult>(random.below(6)));
    } else {
      q.now += milliseconds(random.below(4'000));
    }
    ASSERT_EQ(q.queue.in_flight(), flying.size());
    ASSERT_LE(flying.size(), limits.in_flight_max);
    ASSERT_LE(q.queue.size(), limits.deliveries_max);
    ASSERT_EQ(q.queue.size(), added - ended);
  }
  for (int step = 0; step < 100'000 && q.queue.size() > 0; ++step) {
    if (const auto number = q.take(); number != 0)
      flying.push_back(number);
    else if (!flying.empty())
      land(TryResult::kDelivered);
    else
      q.now = std::max(q.now, q.queue.next_deadline());
  }
  EXPECT_EQ(q.queue.size(), 0u);
  EXPECT_EQ(q.queue.bytes(), 0u);
  EXPECT_EQ(added, ended);
}

}  // namespace
}  // namespace wirehall::push
