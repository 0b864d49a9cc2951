#include "services/hall/store_access.h"

namespace wirehall::services {

Task<Result<WriteOutcome>> StoreAccess::write(HallWrite write) {
  auto state = std::make_shared<hub::CompletionState<Result<WriteOutcome>>>(hub_);
  const std::uint64_t ticket = next_ticket_++;
  tickets_[ticket] = state;
  if (!shared_.submit(std::move(write), hub_.environment().shard(), ticket)) {
    tickets_.erase(ticket);
    state->complete(ErrorCode::kUnavailable);
  }
  return await(std::move(state));
}

bool StoreAccess::submit(HallWrite write) {
  return shared_.submit(std::move(write), hub_.environment().shard(), 0);
}

Task<Result<WriteOutcome>> StoreAccess::await(StatePtr state) {
  hub::Completion<Result<WriteOutcome>> committing(std::move(state));
  Result<WriteOutcome> outcome = co_await committing;
  if (outcome.ok() && outcome->code != ErrorCode::kOk) co_return Result<WriteOutcome>(outcome->code);
  co_return outcome;
}

void StoreAccess::complete(const CommittedBatch& batch) {
  for (const CommittedWrite& write : *batch) {
    if (write.origin != hub_.environment().shard()) continue;
    const auto found = tickets_.find(write.ticket);
    if (found == tickets_.end()) continue;
    const StatePtr state = std::move(found->second);
    tickets_.erase(found);
    state->complete(write.outcome);
  }
}

void StoreAccess::batch_told() {
  ++batches_told_;
  complete_reads();
}

// The store shows a row before its batch has come here; whoever reads waits for that, at most one commit.
void StoreAccess::complete_reads() {
  std::erase_if(waiting_, [this](const Waiting& waiting) {
    if (waiting.fence > batches_told_) return false;
    waiting.complete();
    return true;
  });
}

}  // namespace wirehall::services
