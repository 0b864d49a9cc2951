// The hall's way to its store, from one shard: reads on the pool, writes through the one writer.
//
//   I1  A write takes its place in the order when write() is called.
//   I2  What a read saw has always been told on this shard before the read is used.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "hub/completion.h"
#include "hub/hub.h"
#include "services/hall/hall_shared.h"
#include "wirehall/task.h"

namespace wirehall::services {

/// What became of a write, to be awaited; the error where it was refused or could not be stored.
using Stored = hub::Completion<Result<OutcomePtr>>;

/// Thread:   shard-affine.
/// Lifetime: as long as its shard.
class StoreAccess {
 public:
  StoreAccess(hub::Hub& hub, HallShared& shared) : hub_(hub), shared_(shared) {}

  /// Asks the store, on the pool. Errors: those of `ask`, kUnavailable when the pool is busy.
  template <class T>
  Task<Result<T>> read(std::function<Result<T>(HallStore&)> ask) {
    struct Read {
      Result<T> result = ErrorCode::kUnavailable;
      std::uint64_t fence = 0;
    };
    auto state = std::make_shared<hub::CompletionState<Result<T>>>(hub_);
    auto read = std::make_shared<Read>();
    const bool queued = hub_.environment().run_blocking(
        [shared = &shared_, read, ask = std::move(ask)] {
          read->result = ask(*shared->store);
          read->fence = shared->batches_started();
        },
        [this, state, read] {
          waiting_.push_back({read->fence, [state, read] { state->complete(std::move(read->result)); }});
          complete_reads();
        });
    if (!queued) state->complete(ErrorCode::kUnavailable);
    hub::Completion<Result<T>> reading(state);
    Result<T> result = co_await reading;
    co_return result;
  }

  /// Runs something on the pool that is not the store's. Errors: kUnavailable when the pool is busy.
  template <class T>
  Task<Result<T>> run(std::function<Result<T>()> work) {
    auto state = std::make_shared<hub::CompletionState<Result<T>>>(hub_);
    auto result = std::make_shared<Result<T>>(ErrorCode::kUnavailable);
    const bool queued = hub_.environment().run_blocking(
        [result, work = std::move(work)] { *result = work(); },
        [state, result] { state->complete(std::move(*result)); });
    if (!queued) state->complete(ErrorCode::kUnavailable);
    hub::Completion<Result<T>> running(state);
    Result<T> done = co_await running;
    co_return done;
  }

  /// Queues a write; its commit is to be awaited. Errors: the outcome's code, kUnavailable.
  Stored write(HallWrite&& write);
  /// Queues a write whose outcome nobody waits for. Returns: false when the queue is full.
  bool submit(HallWrite&& write);

  /// The answers to writes of this shard.
  void complete(const CommittedBatchPtr& batch);
  /// A batch was told here completely.
  void batch_told();

 private:
  using State = hub::CompletionState<Result<OutcomePtr>>;
  struct Ticket {
    std::uint64_t number;
    std::shared_ptr<State> state;
  };
  void complete_reads();

  struct Waiting {
    std::uint64_t fence;
    std::function<void()> complete;
  };
  hub::Hub& hub_;
  HallShared& shared_;
  std::deque<Ticket> tickets_;  // ascending: the writer tells outcomes in the order in which it was asked
  std::uint64_t next_ticket_ = 1;
  std::vector<Waiting> waiting_;
  std::uint64_t batches_told_ = 0;
};

}  // namespace wirehall::services
