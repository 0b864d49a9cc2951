#include "services/hall/store_access.h"

#include "base/assert.h"

namespace wirehall::services {

Stored StoreAccess::write(HallWrite&& write) {
  auto state = std::make_shared<State>(hub_);
  const std::uint64_t number = next_ticket_++;
  tickets_.push_back({number, state});
  if (!shared_.submit(std::move(write), hub_.environment().shard(), number)) {
    tickets_.pop_back();
    state->complete(ErrorCode::kUnavailable);
  }
  return Stored(std::move(state));
}

bool StoreAccess::submit(HallWrite&& write) {
  return shared_.submit(std::move(write), hub_.environment().shard(), 0);
}

void StoreAccess::complete(const CommittedBatchPtr& batch) {
  for (std::size_t i = 0; i < batch->writes.size(); ++i) {
    const CommittedWrite& write = batch->writes[i];
    if (write.origin != hub_.environment().shard() || write.ticket == 0) continue;
    WIREHALL_ASSERT(!tickets_.empty() && tickets_.front().number == write.ticket);
    const std::shared_ptr<State> state = std::move(tickets_.front().state);
    tickets_.pop_front();
    const WriteOutcome& outcome = batch->outcomes[i];
    state->complete(outcome.code == ErrorCode::kOk ? Result<OutcomePtr>(OutcomePtr(batch, &outcome))
                                                   : Result<OutcomePtr>(outcome.code));
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
