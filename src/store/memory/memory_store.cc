#include "store/memory/memory_store.h"

#include <algorithm>

#include "base/base64.h"

namespace wirehall::store {

MemoryStore::MemoryStore(MemoryStoreOptions options, std::unique_ptr<RandomSource> random)
    : options_(options), random_(std::move(random)) {}

MemoryStore::Room& MemoryStore::room(const std::string& name) {
  const auto found = rooms_.find(name);
  if (found != rooms_.end()) return found->second;
  if (rooms_.size() >= options_.rooms_max) {
    const auto oldest = std::min_element(rooms_.begin(), rooms_.end(), [](const auto& a, const auto& b) {
      return a.second.written < b.second.written;
    });
    rooms_.erase(oldest);
  }
  Room& made = rooms_[name];
  std::array<char, 9> bytes;
  random_->fill(bytes);
  made.top.epoch = to_base64url({bytes.data(), bytes.size()});
  return made;
}

void MemoryStore::forget_old_keys(WallMs now) {
  while (!key_order_.empty() && (key_order_.front().first <= now || keys_.size() > options_.keys_max)) {
    keys_.erase(key_order_.front().second);
    key_order_.pop_front();
  }
}

Result<std::vector<AppendOutcome>> MemoryStore::append(std::span<const MessageDraft> drafts, WallMs now) {
  const std::lock_guard lock(mutex_);
  forget_old_keys(now);
  std::vector<AppendOutcome> outcomes;
  outcomes.reserve(drafts.size());
  for (const MessageDraft& draft : drafts) {
    std::string key;
    if (!draft.client_message_id.empty()) {
      key = draft.message.user_id + '\0' + draft.client_message_id;
      if (const auto known = keys_.find(key); known != keys_.end()) {
        const StoredMessage& first = known->second.message;
        const bool same = first.room == draft.message.room && first.content == draft.message.content &&
                          first.type == draft.message.type && first.reply_to == draft.message.reply_to;
        outcomes.push_back({same ? AppendOutcome::Kind::kDuplicate : AppendOutcome::Kind::kConflict, first});
        continue;
      }
    }
    Room& target = room(draft.message.room);
    StoredMessage stored = draft.message;
    stored.seq = ++target.top.seq;
    target.written = ++writes_;
    target.messages.push_back(stored);
    if (target.messages.size() > options_.messages_per_room_max) target.messages.pop_front();
    if (!key.empty()) {
      key_order_.emplace_back(now + options_.key_lifetime_ms, key);
      keys_[std::move(key)] = Key{stored, now + options_.key_lifetime_ms};
    }
    outcomes.push_back({AppendOutcome::Kind::kStored, std::move(stored)});
  }
  return outcomes;
}

Result<MessagePage> MemoryStore::read_newest(const std::string& name, std::uint64_t before,
                                             std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  const Room& found = room(name);
  MessagePage page;
  page.top = found.top;
  for (auto it = found.messages.rbegin(); it != found.messages.rend() && page.messages.size() < limit; ++it) {
    if (before == 0 || it->seq < before) page.messages.push_back(*it);
  }
  std::reverse(page.messages.begin(), page.messages.end());
  return page;
}

Result<MessagePage> MemoryStore::read_after(const std::string& name, std::uint64_t after,
                                            std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  const Room& found = room(name);
  MessagePage page;
  page.top = found.top;
  for (const StoredMessage& message : found.messages) {
    if (message.seq > after && page.messages.size() < limit) page.messages.push_back(message);
  }
  return page;
}

}  // namespace wirehall::store
