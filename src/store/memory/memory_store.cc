#include "store/memory/memory_store.h"

#include "base/base64.h"

namespace wirehall::store {

MemoryStore::MemoryStore(MemoryStoreOptions options, std::unique_ptr<RandomSource> random)
    : options_(options), random_(std::move(random)) {
  renew_epochs();
}

Result<std::vector<WriteOutcome>> MemoryStore::commit(std::span<HallWrite> writes, WallMs now) {
  const std::lock_guard lock(mutex_);
  std::vector<WriteOutcome> outcomes;
  outcomes.reserve(writes.size());
  for (HallWrite& write : writes)
    outcomes.push_back(std::visit([&](auto& kind) { return apply(kind, now); }, write));
  return outcomes;
}

Result<UpkeepResult> MemoryStore::maintain(const UpkeepOptions& options, WallMs now) {
  const std::lock_guard lock(mutex_);
  UpkeepResult result;
  forget_keys(options, now, result);
  trim_rooms(options, now, result);
  remove_old_private(options, now, result);
  remove_old_uploads(options, now, result);
  remove_old_users(options, now, result);
  tell_dropped(options, result);
  result.more = result.rows >= options.rows_max || !dropped_.empty();
  return result;
}

std::size_t MemoryStore::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::size_t MemoryStore::room_count() const {
  const std::lock_guard lock(mutex_);
  return rooms_.size();
}

MemoryLosses MemoryStore::losses() const {
  const std::lock_guard lock(mutex_);
  return losses_;
}

WriteOutcome MemoryStore::refused(ErrorCode code) {
  WriteOutcome outcome;
  outcome.code = code;
  return outcome;
}

// -- epochs -----------------------------------------------------------------------------------------

void MemoryStore::renew_epochs() {
  epoch_base_.resize(16);
  random_->fill({epoch_base_.data(), epoch_base_.size()});
}

std::string MemoryStore::epoch_of(std::string_view room) const {
  const std::uint64_t hash = keyed_hash(epoch_base_ + std::string(room));
  return to_base64url({reinterpret_cast<const char*>(&hash), sizeof hash});
}

// -- idempotency keys -------------------------------------------------------------------------------

// The length stands in front, so that no two pairs give the same text. Returns: an empty text for no key.
std::string MemoryStore::key_of(const std::string& user_id, const std::string& client_message_id) {
  if (client_message_id.empty()) return {};
  return std::to_string(user_id.size()) + ":" + user_id + client_message_id;
}

const MemoryStore::Key* MemoryStore::find_key(const std::string& key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : &found->second;
}

void MemoryStore::remember_key(std::string key, Key value, WallMs now) {
  if (key.empty()) return;
  keys_by_age_.emplace(Moment(now, ++last_number_), key);
  keys_.emplace(std::move(key), std::move(value));
  while (keys_.size() > options_.keys_max) {
    keys_.erase(keys_by_age_.begin()->second);
    keys_by_age_.erase(keys_by_age_.begin());
    ++losses_.keys;
  }
}

void MemoryStore::forget_keys(const UpkeepOptions& options, WallMs now, UpkeepResult& result) {
  while (result.rows < options.rows_max && !keys_by_age_.empty()) {
    const auto oldest = keys_by_age_.begin();
    if (oldest->first.first > now - options.key_lifetime_ms) return;
    keys_.erase(oldest->second);
    keys_by_age_.erase(oldest);
    ++result.rows;
  }
}

// -- files that nobody needs ------------------------------------------------------------------------

void MemoryStore::tell_dropped(const UpkeepOptions& options, UpkeepResult& result) {
  while (!dropped_.empty() && result.files.size() < options.rows_max)
    result.files.push_back(std::move(dropped_.extract(dropped_.begin()).value()));
}

}  // namespace wirehall::store
