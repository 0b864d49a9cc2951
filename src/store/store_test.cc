// The writer: one sequencer, bounded, that never waits to gather.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "store/memory/memory_store.h"
#include "store/hall_writer.h"

namespace wirehall::store {
namespace {

std::atomic<int> g_drafts{0};

HallWrite draft(int i) {
  PostMessage made;
  made.message.id = "m" + std::to_string(i) + "-" + std::to_string(++g_drafts);
  made.message.room = "r" + std::to_string(i % 3);
  made.message.content = std::to_string(i);
  made.message.user_id = "u";
  return made;
}

const HallWriter::OnUpkeep kNoUpkeep = [](const std::vector<std::string>&) {};

class FixedClock final : public Clock {
 public:
  MonoTime now() const override { return MonoTime(); }
  WallMs wall_now() const override { return 1'700'000'000'000; }
};

// A store that waits until it may go on, and can fail. Nothing but commits is asked of it.
class SlowStore : public HallStore {
 public:
  Result<std::vector<WriteOutcome>> commit(std::span<HallWrite> drafts, WallMs now) override {
    std::unique_lock lock(mutex_);
    ++calls;
    sizes.push_back(drafts.size());
    entered_.notify_all();
    gate_.wait(lock, [&] { return open; });
    if (failing) return ErrorCode::kUnavailable;
    return memory_.commit(drafts, now);
  }
  Result<UpkeepResult> maintain(const UpkeepOptions&, WallMs) override {
    ++upkeeps;
    UpkeepResult result;
    result.more = upkeeps < 3;
    result.files = {"f" + std::to_string(upkeeps.load())};
    return result;
  }
  Result<MessagePage> read_newest(const std::string&, std::uint64_t, std::uint32_t) override { return nothing(); }
  Result<MessagePage> read_after(const std::string&, std::uint64_t, std::uint32_t) override { return nothing(); }
  Result<RoomView> find_room(const std::string&, const std::string&) override { return nothing(); }
  Result<std::vector<RoomRecord>> list_rooms(const std::string&, std::uint32_t) override { return nothing(); }
  Result<std::optional<UserRecord>> find_user(const std::string&) override { return nothing(); }
  Result<std::vector<PrivateMessage>> read_pending(const std::string&, std::uint32_t) override { return nothing(); }
  Result<std::optional<UploadRecord>> find_upload(const std::string&) override { return nothing(); }
  Result<std::optional<FileView>> find_file(const std::string&) override { return nothing(); }
  Result<std::vector<PushSubscription>> push_subscriptions(const std::string&) override { return nothing(); }
  void await_calls(int count) {
    std::unique_lock lock(mutex_);
    entered_.wait(lock, [&] { return calls >= count; });
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    open = true;
    gate_.notify_all();
  }
  bool open = false;
  bool failing = false;
  int calls = 0;
  std::vector<std::size_t> sizes;
  std::atomic<int> upkeeps{0};

 private:
  static Error nothing() { return ErrorCode::kUnavailable; }
  std::mutex mutex_;
  std::condition_variable gate_, entered_;
  MemoryStore memory_{MemoryStoreOptions(), std::make_unique<SeededRandom>(1)};
};

TEST(HallWriter, CommitsInOrderAndTakesWhatQueuedMeanwhile) {
  SlowStore store;
  const FixedClock clock;
  std::vector<std::uint64_t> tickets;
  std::vector<std::uint64_t> seqs;
  HallWriter writer(
      store, clock, WriterOptions(),
      [&](const HallWriter::Batch& batch, Result<std::vector<WriteOutcome>> outcomes) {
        for (std::size_t i = 0; i < batch.writes.size(); ++i) {
          tickets.push_back(batch.origins[i].ticket);
          if ((*outcomes)[i].message.room == "r0") seqs.push_back((*outcomes)[i].message.seq);
        }
      }, kNoUpkeep);
  ASSERT_TRUE(writer.submit(draft(0), {0, 0}));
  store.await_calls(1);
  for (int i = 1; i < 600; ++i) ASSERT_TRUE(writer.submit(draft(i), {0, static_cast<std::uint64_t>(i)}));
  store.let_go();
  writer.stop();
  ASSERT_EQ(tickets.size(), 600u);
  for (std::size_t i = 0; i < 600; ++i) EXPECT_EQ(tickets[i], i);
  for (std::size_t i = 0; i < seqs.size(); ++i) EXPECT_EQ(seqs[i], i + 1);
  EXPECT_EQ(store.sizes, (std::vector<std::size_t>{1, 256, 256, 87}))
      << "a single row at once, then full batches";
}

TEST(HallWriter, RefusesWhatDoesNotFitAndAfterItsEnd) {
  SlowStore store;
  const FixedClock clock;
  WriterOptions options;
  options.queue_writes_max = 3;
  std::atomic<int> committed{0};
  HallWriter writer(store, clock, options,
                       [&](const HallWriter::Batch& batch, const Result<std::vector<WriteOutcome>>&) {
                         committed += static_cast<int>(batch.writes.size());
                       }, kNoUpkeep);
  ASSERT_TRUE(writer.submit(draft(0), {0, 0}));
  store.await_calls(1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(writer.submit(draft(i), {0, 0}));
  EXPECT_FALSE(writer.submit(draft(9), {0, 0}));
  store.let_go();
  writer.stop();
  EXPECT_EQ(committed, 4);
  EXPECT_FALSE(writer.submit(draft(9), {0, 0}));
}

TEST(HallWriter, AFailedCommitIsToldToAllOfItsRows) {
  SlowStore store;
  store.failing = true;
  store.open = true;
  const FixedClock clock;
  std::atomic<int> failed{0};
  HallWriter writer(
      store, clock, WriterOptions(),
      [&](const HallWriter::Batch& batch, const Result<std::vector<WriteOutcome>>& outcomes) {
        if (!outcomes.ok()) failed += static_cast<int>(batch.writes.size());
      }, kNoUpkeep);
  for (int i = 0; i < 10; ++i) writer.submit(draft(i), {0, 0});
  writer.stop();
  EXPECT_EQ(failed, 10);
}

TEST(HallWriter, DoesItsUpkeepInStepsUntilNothingIsLeft) {
  SlowStore store;
  store.open = true;
  const FixedClock clock;
  std::vector<std::string> removed;
  HallWriter writer(
      store, clock, WriterOptions(), [](const HallWriter::Batch&, const Result<std::vector<WriteOutcome>>&) {},
      [&](const std::vector<std::string>& files) { removed.insert(removed.end(), files.begin(), files.end()); });
  while (store.upkeeps < 3) std::this_thread::yield();
  writer.stop();
  EXPECT_EQ(store.upkeeps, 3);
  EXPECT_EQ(removed, (std::vector<std::string>{"f1", "f2", "f3"}));
}

TEST(HallWriter, LeavesMostOfTheTimeToMessagesWhileItsUpkeepHasMuchToDo) {
  class ByHand final : public Clock {
   public:
    MonoTime now() const override { return MonoTime(Duration(at)); }
    WallMs wall_now() const override { return 1'700'000'000'000; }
    mutable std::atomic<std::int64_t> at{0};
  };
  // Each step takes ten seconds of the clock.
  class Untidy final : public SlowStore {
   public:
    explicit Untidy(ByHand& clock) : clock_(clock) {}
    Result<UpkeepResult> maintain(const UpkeepOptions&, WallMs) override {
      clock_.at += Duration(std::chrono::seconds(10)).count();
      ++upkeeps;
      UpkeepResult result;
      result.more = true;
      return result;
    }

   private:
    ByHand& clock_;
  };
  ByHand clock;
  Untidy store(clock);
  store.open = true;
  std::atomic<int> committed{0};
  HallWriter writer(
      store, clock, WriterOptions(),
      [&](const HallWriter::Batch& batch, const Result<std::vector<WriteOutcome>>&) {
        committed += static_cast<int>(batch.writes.size());
      },
      kNoUpkeep);
  const auto commit_one = [&] {
    const int before = committed;
    writer.submit(draft(0), {0, 0});
    while (committed == before) std::this_thread::yield();
  };
  while (store.upkeeps < 1) std::this_thread::yield();
  for (int i = 0; i < 5; ++i) commit_one();
  EXPECT_EQ(store.upkeeps, 1);
  clock.at += Duration(std::chrono::seconds(39)).count();
  for (int i = 0; i < 5; ++i) commit_one();
  EXPECT_EQ(store.upkeeps, 1) << "four times as long as the step took";
  clock.at += Duration(std::chrono::seconds(2)).count();
  commit_one();
  while (store.upkeeps < 2) std::this_thread::yield();
  writer.stop();
}

TEST(HallWriter, ManyThreadsGetOneOrder) {
  MemoryStore store(MemoryStoreOptions(), std::make_unique<SeededRandom>(1));
  const FixedClock clock;
  std::vector<std::uint64_t> seqs;
  HallWriter writer(
      store, clock, WriterOptions(),
      [&](const HallWriter::Batch& batch, Result<std::vector<WriteOutcome>> outcomes) {
        for (std::size_t i = 0; i < batch.writes.size(); ++i) seqs.push_back((*outcomes)[i].message.seq);
      }, kNoUpkeep);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) writer.submit(draft(0), {0, 0});
    });
  }
  for (auto& thread : threads) thread.join();
  writer.stop();
  ASSERT_EQ(seqs.size(), 8000u);
  for (std::size_t i = 0; i < seqs.size(); ++i) ASSERT_EQ(seqs[i], i + 1);
}

}  // namespace
}  // namespace wirehall::store
