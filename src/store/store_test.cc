// The writer: one sequencer, bounded, that never waits to gather.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "store/memory/memory_store.h"
#include "store/message_writer.h"

namespace wirehall::store {
namespace {

MessageDraft draft(int i) {
  MessageDraft made;
  made.message.room = "r" + std::to_string(i % 3);
  made.message.content = std::to_string(i);
  made.message.user_id = "u";
  return made;
}

class FixedClock final : public Clock {
 public:
  MonoTime now() const override { return MonoTime(); }
  WallMs wall_now() const override { return 1'700'000'000'000; }
};

// A store that waits until it may go on, and can fail.
class SlowStore final : public MessageStore {
 public:
  Result<std::vector<AppendOutcome>> append(std::span<const MessageDraft> drafts, WallMs now) override {
    std::unique_lock lock(mutex_);
    ++calls;
    sizes.push_back(drafts.size());
    entered_.notify_all();
    gate_.wait(lock, [&] { return open; });
    if (failing) return ErrorCode::kUnavailable;
    return memory_.append(drafts, now);
  }
  Result<MessagePage> read_newest(const std::string& room, std::uint64_t before,
                                  std::uint32_t limit) override {
    return memory_.read_newest(room, before, limit);
  }
  Result<MessagePage> read_after(const std::string& room, std::uint64_t after, std::uint32_t limit) override {
    return memory_.read_after(room, after, limit);
  }
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

 private:
  std::mutex mutex_;
  std::condition_variable gate_, entered_;
  MemoryStore memory_{MemoryStoreOptions(), std::make_unique<SeededRandom>(1)};
};

TEST(MessageWriter, CommitsInOrderAndTakesWhatQueuedMeanwhile) {
  SlowStore store;
  const FixedClock clock;
  std::vector<std::uint64_t> tickets;
  std::vector<std::uint64_t> seqs;
  MessageWriter writer(
      store, clock, WriterOptions(),
      [&](std::vector<MessageWriter::Row> rows, Result<std::vector<AppendOutcome>> outcomes) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
          tickets.push_back(rows[i].ticket);
          if (rows[i].draft.message.room == "r0") seqs.push_back((*outcomes)[i].message.seq);
        }
      });
  ASSERT_TRUE(writer.submit({draft(0), 0, 0}));
  store.await_calls(1);
  for (int i = 1; i < 600; ++i) ASSERT_TRUE(writer.submit({draft(i), 0, static_cast<std::uint64_t>(i)}));
  store.let_go();
  writer.stop();
  ASSERT_EQ(tickets.size(), 600u);
  for (std::size_t i = 0; i < 600; ++i) EXPECT_EQ(tickets[i], i);
  for (std::size_t i = 0; i < seqs.size(); ++i) EXPECT_EQ(seqs[i], i + 1);
  EXPECT_EQ(store.sizes, (std::vector<std::size_t>{1, 256, 256, 87}))
      << "a single row at once, then full batches";
}

TEST(MessageWriter, RefusesWhatDoesNotFitAndAfterItsEnd) {
  SlowStore store;
  const FixedClock clock;
  WriterOptions options;
  options.queue_rows_max = 3;
  std::atomic<int> committed{0};
  MessageWriter writer(store, clock, options,
                       [&](std::vector<MessageWriter::Row> rows, const Result<std::vector<AppendOutcome>>&) {
                         committed += static_cast<int>(rows.size());
                       });
  ASSERT_TRUE(writer.submit({draft(0), 0, 0}));
  store.await_calls(1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(writer.submit({draft(i), 0, 0}));
  EXPECT_FALSE(writer.submit({draft(9), 0, 0}));
  store.let_go();
  writer.stop();
  EXPECT_EQ(committed, 4);
  EXPECT_FALSE(writer.submit({draft(9), 0, 0}));
}

TEST(MessageWriter, AFailedCommitIsToldToAllOfItsRows) {
  SlowStore store;
  store.failing = true;
  store.open = true;
  const FixedClock clock;
  std::atomic<int> failed{0};
  MessageWriter writer(
      store, clock, WriterOptions(),
      [&](std::vector<MessageWriter::Row> rows, const Result<std::vector<AppendOutcome>>& outcomes) {
        if (!outcomes.ok()) failed += static_cast<int>(rows.size());
      });
  for (int i = 0; i < 10; ++i) writer.submit({draft(i), 0, 0});
  writer.stop();
  EXPECT_EQ(failed, 10);
}

TEST(MessageWriter, ManyThreadsGetOneOrder) {
  MemoryStore store(MemoryStoreOptions(), std::make_unique<SeededRandom>(1));
  const FixedClock clock;
  std::vector<std::uint64_t> seqs;
  MessageWriter writer(
      store, clock, WriterOptions(),
      [&](std::vector<MessageWriter::Row> rows, Result<std::vector<AppendOutcome>> outcomes) {
        for (std::size_t i = 0; i < rows.size(); ++i) seqs.push_back((*outcomes)[i].message.seq);
      });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) writer.submit({draft(0), 0, 0});
    });
  }
  for (auto& thread : threads) thread.join();
  writer.stop();
  ASSERT_EQ(seqs.size(), 8000u);
  for (std::size_t i = 0; i < seqs.size(); ++i) ASSERT_EQ(seqs[i], i + 1);
}

}  // namespace
}  // namespace wirehall::store
