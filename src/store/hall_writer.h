// The one thread that changes the store: it takes what queued during the previous commit, commits it in one
// transaction, and hands the outcomes over in commit order. It is the only sequencer.
//
//   I1  Outcomes are handed over in the order in which the writes were committed, and nothing before its
//       commit.
//   I2  It never waits to gather more: an idle writer commits a single write at once.
//   I3  The queue is bounded in writes and bytes; what does not fit is refused, not dropped.
//   I4  Upkeep is done in small steps between commits, when its time has come, and takes at most a fifth of the
//       time: however much there is to remove, most commits wait for none of it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "wirehall/hall_store.h"

namespace wirehall::store {

struct WriterOptions {
  std::size_t batch_writes_max = 256;
  std::size_t batch_bytes_max = 1024 * 1024;
  std::size_t queue_writes_max = 65'536;
  std::size_t queue_bytes_max = 64 * 1024 * 1024;
  Duration upkeep_interval = std::chrono::minutes(1);
  UpkeepOptions upkeep;
};

/// Thread:   submit() from any thread.
class HallWriter {
 public:
  /// Where an outcome belongs.
  struct Origin {
    unsigned shard = 0;
    std::uint64_t ticket = 0;
  };
  /// Writes that are committed together, and in step with them who asked.
  struct Batch {
    std::vector<HallWrite> writes;
    std::vector<Origin> origins;
    std::size_t bytes = 0;
  };
  /// Called on the writer's thread after each commit, with the batch as HallStore::commit() has left it. `outcomes`
  /// is in step with it; an error stands for all of them.
  using OnCommit = std::function<void(const Batch& batch, Result<std::vector<WriteOutcome>> outcomes)>;
  /// Called on the writer's thread: files whose bytes nobody needs any more.
  using OnUpkeep = std::function<void(const std::vector<std::string>& files)>;

  HallWriter(HallStore& store, const Clock& clock, WriterOptions options, OnCommit on_commit, OnUpkeep on_upkeep);
  ~HallWriter();

  /// Returns: false when the queue is full, or after stop(); the write stays with the caller.
  bool submit(HallWrite&& write, Origin origin);
  /// How many batches have begun to be stored. Whoever asks after a read of the store knows that each row it
  /// saw belongs to one of so many first batches.
  std::uint64_t started() const { return started_.load(std::memory_order_acquire); }
  /// Commits what is queued and ends.
  void stop();

 private:
  void run();
  Batch take_batch();
  void commit(Batch batch);
  void upkeep();

  HallStore& store_;
  const Clock& clock_;
  WriterOptions options_;
  OnCommit on_commit_;
  OnUpkeep on_upkeep_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Batch> queue_;  // the last one is still filled
  std::size_t queued_writes_ = 0;
  std::size_t queued_bytes_ = 0;
  bool stopping_ = false;
  std::atomic<std::uint64_t> started_{0};
  MonoTime next_upkeep_;
  std::thread thread_;
};

/// About as many bytes as a write takes in the queue.
std::size_t bytes_of(const HallWrite& write);

}  // namespace wirehall::store
