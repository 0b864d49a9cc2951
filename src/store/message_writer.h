// The one thread that appends messages: it takes what queued during the previous commit, stores it in one
// transaction, and hands the outcomes over in commit order. It is the only sequencer.
//
//   I1  Outcomes are handed over in the order in which the rows were committed, and nothing before its
//       commit.
//   I2  It never waits to gather more: an idle writer commits a single row at once.
//   I3  The queue is bounded in rows and bytes; what does not fit is refused, not dropped.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "wirehall/message_store.h"

namespace wirehall::store {

struct WriterOptions {
  std::size_t batch_rows_max = 256;
  std::size_t batch_bytes_max = 1024 * 1024;
  std::size_t queue_rows_max = 65'536;
  std::size_t queue_bytes_max = 64 * 1024 * 1024;
};

/// Thread:   submit() from any thread.
class MessageWriter {
 public:
  /// A draft and where its outcome belongs.
  struct Row {
    MessageDraft draft;
    unsigned shard = 0;
    std::uint64_t ticket = 0;
  };
  /// Called on the writer's thread after each commit. `outcomes` is in step with `rows`; an error stands for
  /// all of them.
  using OnCommit = std::function<void(std::vector<Row> rows, Result<std::vector<AppendOutcome>> outcomes)>;

  MessageWriter(MessageStore& store, const Clock& clock, WriterOptions options, OnCommit on_commit);
  ~MessageWriter();

  /// Returns: false when the queue is full, or after stop().
  bool submit(Row row);
  /// How many batches have begun to be stored. Whoever asks after a read of the store knows that each row it
  /// saw belongs to one of so many first batches.
  std::uint64_t started() const { return started_.load(std::memory_order_acquire); }
  /// Commits what is queued and ends.
  void stop();

 private:
  void run();
  static std::size_t bytes_of(const Row& row) { return row.draft.message.content.size() + 256; }

  MessageStore& store_;
  const Clock& clock_;
  WriterOptions options_;
  OnCommit on_commit_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Row> queue_;
  std::size_t queued_bytes_ = 0;
  bool stopping_ = false;
  std::atomic<std::uint64_t> started_{0};
  std::thread thread_;
};

}  // namespace wirehall::store
