#include "server/recovery_log.h"

#include <algorithm>

#include "base/base64.h"
#include "hub/encoded_message.h"
#include "io/system.h"

namespace wirehall::server {

std::optional<std::uint64_t> LockedRecoveryLog::append(std::shared_ptr<const hub::FrozenMessage> message,
                                                       hub::Selector to, EmitFlags flags, MonoTime now) {
  auto entry = std::make_shared<hub::LogEntry>();
  const std::size_t bytes = message->bytes() + sizeof(hub::LogEntry);
  entry->message = std::move(message);
  entry->to = std::move(to);
  entry->flags = flags;
  const std::lock_guard lock(mutex_);
  const std::uint64_t slowest = *std::min_element(consumed_.begin(), consumed_.end());
  if (newest_ - slowest >= options_.unconsumed_max) return std::nullopt;
  entry->number = ++newest_;
  entries_.push_back({std::move(entry), now, bytes});
  bytes_ += bytes;
  trim(now);
  return newest_;
}

// I4: what a shard has not consumed is never dropped.
void LockedRecoveryLog::trim(MonoTime now) {
  const std::uint64_t slowest = *std::min_element(consumed_.begin(), consumed_.end());
  while (!entries_.empty() && first() <= slowest &&
         (entries_.size() > options_.entries_max || bytes_ > options_.bytes_max ||
          entries_.front().at + options_.disconnection_max < now)) {
    bytes_ -= entries_.front().bytes;
    entries_.pop_front();
  }
}

hub::RecoveryLog::Entries LockedRecoveryLog::consume(unsigned shard, std::uint64_t after, std::size_t max) {
  Entries found;
  const std::lock_guard lock(mutex_);
  for (std::uint64_t number = after + 1; number <= newest_ && found.size() < max; ++number)
    found.push_back(entries_[static_cast<std::size_t>(number - first())].entry);
  consumed_[shard] = after + found.size();
  if (consumed_[shard] == newest_) told_[shard] = false;
  return found;
}

bool LockedRecoveryLog::must_tell(unsigned shard) {
  const std::lock_guard lock(mutex_);
  if (told_[shard] || consumed_[shard] == newest_) return false;
  told_[shard] = true;
  return true;
}

std::optional<hub::RecoveryLog::Entries> LockedRecoveryLog::replay(std::uint64_t after, std::uint64_t until) {
  const std::lock_guard lock(mutex_);
  if (after > until || until > newest_ || after + 1 < first()) return std::nullopt;
  Entries found;
  for (std::uint64_t number = after + 1; number <= until; ++number)
    found.push_back(entries_[static_cast<std::size_t>(number - first())].entry);
  return found;
}

std::uint64_t LockedRecoveryLog::skip(unsigned shard) {
  const std::lock_guard lock(mutex_);
  consumed_[shard] = newest_;
  told_[shard] = false;
  return newest_;
}

// -- sessions -----------------------------------------------------------------------------------

void LockedRecoveryLog::connected(const std::string& pid, hub::RecoveryOwner owner) {
  const std::lock_guard lock(mutex_);
  Saved& saved = sessions_[pid];
  saved = Saved();
  saved.owner = std::move(owner);
}

void LockedRecoveryLog::save(hub::RecoverySession session, MonoTime now) {
  const std::lock_guard lock(mutex_);
  trim(now);  // also where nothing is sent any more
  forget_expired(now);
  const std::string pid = session.pid;
  Saved& saved = sessions_[pid];
  saved = Saved();
  saved.session = std::move(session);
  saved.expires = now + options_.disconnection_max;
  order_.emplace_back(saved.expires, pid);
}

void LockedRecoveryLog::forget(const std::string& pid) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(pid);
}

void LockedRecoveryLog::forget_expired(MonoTime now) {
  while (!order_.empty() && (order_.front().first <= now || order_.size() >= options_.sessions_max)) {
    const auto found = sessions_.find(order_.front().second);
    // It may have come back since, and gone again: then a later entry decides.
    if (found != sessions_.end() && !found->second.owner && found->second.expires == order_.front().first)
      sessions_.erase(found);
    order_.pop_front();
  }
}

hub::RecoveryLog::Claim LockedRecoveryLog::claim(const std::string& pid, MonoTime now) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(pid);
  if (found == sessions_.end() || found->second.claimed || found->second.expires <= now) return {};
  if (found->second.owner) return *found->second.owner;
  found->second.claimed = true;
  return found->second.session;
}

void LockedRecoveryLog::put_back(hub::RecoverySession session) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(session.pid);
  if (found != sessions_.end() && !found->second.owner) found->second.claimed = false;
}

// -- RecoveryLogs -------------------------------------------------------------------------------

std::shared_ptr<hub::RecoveryLog> RecoveryLogs::of(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::erase_if(logs_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<hub::RecoveryLog>& known = logs_[name];
  if (auto log = known.lock()) return log;
  io::SystemRandom random;
  std::string bytes(6, '\0');
  random.fill({bytes.data(), bytes.size()});
  auto log = std::make_shared<LockedRecoveryLog>(options_, shards_, to_base64url(bytes));
  known = log;
  return log;
}

}  // namespace wirehall::server
