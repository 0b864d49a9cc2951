// With a scripted transport and a clock that only moves while the worker waits: nothing here sleeps.
#include "push/delivery_worker.h"

#include <gtest/gtest.h>

#include <condition_variable>

#include "base/log.h"

namespace wirehall::push {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class ManualClock final : public Clock {
 public:
  MonoTime now() const override { return MonoTime(Duration(now_.load())); }
  WallMs wall_now() const override { return 1'700'000'000'000 + now_.load() / 1'000'000; }
  void move(Duration by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{1'000'000'000};
};

/// Answers each post as the script says, in turn, and with the last answer from then on. When nothing is
/// under way time jumps to where the worker wants to be woken.
class ScriptedTransport final : public Transport {
 public:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<HttpAnswer> script;
    std::vector<HttpPost> posts;
    std::vector<Duration> times;  // when, since the first post
    bool woken = false;
    bool aborted = false;
    bool hangs = false;  // nothing is answered
    Duration takes{};    // until an answer
  };
  ScriptedTransport(Shared& shared, ManualClock& clock) : shared_(shared), clock_(clock) {}

  void start(std::uint64_t number, HttpPost post) override {
    const std::lock_guard lock(shared_.mutex);
    if (shared_.posts.empty()) first_ = clock_.now();
    shared_.times.push_back(clock_.now() - first_);
    const std::size_t at = std::min(shared_.posts.size(), shared_.script.size() - 1);
    shared_.posts.push_back(std::move(post));
    if (!shared_.hangs) finished_.push_back({number, shared_.script[at]});
    shared_.changed.notify_all();
  }
  std::vector<Finished> wait(Duration at_most) override {
    std::unique_lock lock(shared_.mutex);
    if (!finished_.empty()) {
      clock_.move(shared_.takes);
      return std::exchange(finished_, {});
    }
    if (!std::exchange(shared_.woken, false)) {
      if (at_most < hours(1)) {
        clock_.move(at_most);
      } else {
        shared_.changed.wait(lock, [&] { return shared_.woken; });
        shared_.woken = false;
      }
    }
    return {};
  }
  void wake() override {
    const std::lock_guard lock(shared_.mutex);
    shared_.woken = true;
    shared_.changed.notify_all();
  }
  void abort() override {
    const std::lock_guard lock(shared_.mutex);
    shared_.aborted = true;
  }

 private:
  Shared& shared_;
  ManualClock& clock_;
  MonoTime first_{};
  std::vector<Finished> finished_;
};

HttpAnswer status(int code, Duration retry_after = {}) { return {code, NoAnswer::kNone, retry_after}; }
HttpAnswer missing(NoAnswer why) { return {0, why, {}}; }

class WorkerTest : public testing::Test {
 protected:
  void start(std::vector<HttpAnswer> script, const DeliveryLimits& limits = {}, bool tells_dead = true) {
    shared.script = std::move(script);
    OnDeadSubscription on_dead;
    if (tells_dead) {
      on_dead = [this](const std::string& user, const std::string& endpoint) {
        const std::lock_guard lock(shared.mutex);
        dead.push_back(user + " " + endpoint);
      };
    }
    worker = std::make_unique<DeliveryWorker>(
        limits, std::make_unique<ScriptedTransport>(shared, clock), clock,
        [this](const Delivery& delivery, seconds ttl_left, WallMs) -> Result<HttpPost> {
          if (delivery.message->payload_json == "unfit") return Error(ErrorCode::kTooLarge, "unfit");
          last_ttl = ttl_left;
          return HttpPost{delivery.to.endpoint, {}, delivery.message->payload_json};
        },
        on_dead);
  }
  bool submit(const std::string& payload = "{}", std::size_t count = 1, seconds ttl = hours(1)) {
    PushMessage message;
    message.user_id = "ada";
    message.payload_json = payload;
    message.ttl = ttl;
    const auto shared_message = std::make_shared<const PushMessage>(message);
    std::vector<Delivery> deliveries;
    for (std::size_t i = 0; i < count; ++i) {
      Delivery delivery;
      delivery.message = shared_message;
      delivery.to.user_id = "ada";
      delivery.to.endpoint = "https://push.example.com/secret-path";
      deliveries.push_back(std::move(delivery));
    }
    return worker->submit(std::move(deliveries));
  }
  /// Waits until nothing is left to do.
  PushCounts settled() {
    PushCounts counts = worker->counts();
    for (const auto end = std::chrono::steady_clock::now() + seconds(20);
         counts.waiting > 0 && std::chrono::steady_clock::now() < end; counts = worker->counts())
      std::this_thread::yield();
    EXPECT_EQ(counts.waiting, 0u);
    return counts;
  }
  std::size_t posts() {
    const std::lock_guard lock(shared.mutex);
    return shared.posts.size();
  }

  ManualClock clock;
  ScriptedTransport::Shared shared;
  std::vector<std::string> dead;
  std::atomic<seconds> last_ttl{};
  std::unique_ptr<DeliveryWorker> worker;  // ends first
};

TEST_F(WorkerTest, EverySuccessIsOne) {
  start({status(201), status(200), status(202), status(204)});
  ASSERT_TRUE(submit("{}", 4));
  const PushCounts counts = settled();
  EXPECT_EQ(counts.sent, 4u);
  EXPECT_EQ(counts.retried + counts.failed + counts.dead + counts.dropped, 0u);
  EXPECT_EQ(posts(), 4u);
}

TEST_F(WorkerTest, WhatIsGoneIsReportedOnce) {
  start({status(404), status(410)});
  ASSERT_TRUE(submit("{}", 2));
  EXPECT_EQ(settled().dead, 2u);
  worker->stop();
  EXPECT_EQ(dead, std::vector<std::string>(2, "ada https://push.example.com/secret-path"));
  EXPECT_EQ(posts(), 2u);
}

TEST_F(WorkerTest, WithoutAListenerGoneIsAFailure) {
  start({status(404), status(410)}, {}, false);
  ASSERT_TRUE(submit("{}", 2));
  EXPECT_EQ(settled().failed, 2u);
}

TEST_F(WorkerTest, OtherRefusalsAreNotTriedAgain) {
  const std::vector<HttpAnswer> script = {
      status(400), status(401), status(403), status(408), status(413),
      status(301), status(302), status(307), status(308), missing(NoAnswer::kForbidden)};
  start(script);
  ASSERT_TRUE(submit("{}", script.size()));
  const PushCounts counts = settled();
  EXPECT_EQ(counts.failed, script.size());
  EXPECT_EQ(counts.retried, 0u);
  EXPECT_EQ(posts(), script.size());
}

TEST_F(WorkerTest, WhatIsBusyBrokenOrSilentIsTriedAgainLater) {
  for (const HttpAnswer& answer : {status(429), status(500), status(502), status(503), status(504),
                                   missing(NoAnswer::kNetwork), missing(NoAnswer::kTimeout)}) {
    worker.reset();
    shared.posts.clear();
    shared.times.clear();
    start({answer, answer, status(201)});
    ASSERT_TRUE(submit());
    const PushCounts counts = settled();
    EXPECT_EQ(counts.sent, 1u) << answer.status;
    EXPECT_EQ(counts.retried, 2u);
    worker->stop();
    ASSERT_EQ(shared.times.size(), 3u);
    EXPECT_GE(shared.times[1], seconds(2));
    EXPECT_LE(shared.times[1], seconds(3));
    EXPECT_GE(shared.times[2] - shared.times[1], seconds(8));
    EXPECT_LE(shared.times[2] - shared.times[1], seconds(12));
  }
}

TEST_F(WorkerTest, GivesUpAfterFiveTries) {
  start({status(503)});
  ASSERT_TRUE(submit());
  const PushCounts counts = settled();
  EXPECT_EQ(counts.failed, 1u);
  EXPECT_EQ(counts.retried, 4u);
  EXPECT_EQ(posts(), 5u);
}

TEST_F(WorkerTest, ComesBackWhenItWasAskedTo) {
  start({status(429, minutes(3)), status(503, seconds(90)), status(201)});
  ASSERT_TRUE(submit());
  EXPECT_EQ(settled().sent, 1u);
  worker->stop();
  EXPECT_GE(shared.times[1], minutes(3));
  EXPECT_LE(shared.times[1], minutes(3) + seconds(1));
  EXPECT_GE(shared.times[2] - shared.times[1], seconds(90));
  EXPECT_EQ(last_ttl.load(), hours(1) - std::chrono::floor<seconds>(shared.times[2]));
}

TEST_F(WorkerTest, ARequestThatCannotBeMadeFails) {
  start({status(201)});
  ASSERT_TRUE(submit("unfit"));
  ASSERT_TRUE(submit("fit"));
  const PushCounts counts = settled();
  EXPECT_EQ(counts.failed, 1u);
  EXPECT_EQ(counts.sent, 1u);
  EXPECT_EQ(posts(), 1u);
}

TEST_F(WorkerTest, WhatLayTooLongIsNotSentAnyMore) {
  DeliveryLimits limits;
  limits.in_flight_max = 1;
  shared.takes = minutes(1);
  start({status(201)}, limits);
  ASSERT_TRUE(submit("{}", 3, minutes(2)));
  const PushCounts counts = settled();
  EXPECT_EQ(counts.sent, 2u);
  EXPECT_EQ(counts.failed, 1u);
  EXPECT_EQ(posts(), 2u);
}

TEST_F(WorkerTest, AFullQueueRefusesAndCounts) {
  DeliveryLimits limits;
  limits.deliveries_max = 3;
  shared.hangs = true;
  start({status(201)}, limits);
  EXPECT_TRUE(submit("{}", 2));
  EXPECT_FALSE(submit("{}", 2));
  EXPECT_TRUE(submit("{}", 1));
  const PushCounts counts = worker->counts();
  EXPECT_EQ(counts.dropped, 2u);
  EXPECT_EQ(counts.waiting, 3u);
}

TEST_F(WorkerTest, StopAbortsWhatIsUnderWayAndDropsTheRest) {
  shared.hangs = true;
  start({status(201)});
  ASSERT_TRUE(submit("{}", 9));
  {
    std::unique_lock lock(shared.mutex);
    ASSERT_TRUE(shared.changed.wait_for(lock, seconds(10), [&] { return shared.posts.size() == 4; }));
  }
  worker->stop();
  EXPECT_TRUE(shared.aborted);
  EXPECT_EQ(worker->counts().dropped, 9u);
  EXPECT_EQ(worker->counts().waiting, 0u);
  EXPECT_FALSE(submit());
  EXPECT_EQ(worker->counts().dropped, 10u);
  worker->stop();
}

TEST_F(WorkerTest, LogsNoPathAndNoPayload) {
  std::mutex mutex;
  std::string lines;
  set_log_sink(
      [&](LogLevel, std::string_view module, std::string_view message, std::initializer_list<LogField> fields,
          std::uint64_t) {
        const std::lock_guard lock(mutex);
        lines.append(module).append(" ").append(message);
        for (const LogField& field : fields)
          lines.append(" ").append(field.key).append("=").append(field.value.to_json());
      },
      LogLevel::kInfo);
  start({status(403)});
  ASSERT_TRUE(submit("{\"private\":1}"));
  settled();
  worker->stop();
  set_log_sink(nullptr, LogLevel::kError);
  EXPECT_NE(lines.find("https://push.example.com\""), std::string::npos) << lines;
  EXPECT_NE(lines.find("403"), std::string::npos);
  EXPECT_EQ(lines.find("secret-path"), std::string::npos);
  EXPECT_EQ(lines.find("private"), std::string::npos);
}

TEST_F(WorkerTest, ManyThreadsMaySubmitAtOnce) {
  DeliveryLimits limits;
  limits.user_deliveries_max = 10'000;
  start({status(201)}, limits);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 250; ++n) EXPECT_TRUE(submit());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(settled().sent, 1000u);
  EXPECT_EQ(posts(), 1000u);
}

}  // namespace
}  // namespace wirehall::push
