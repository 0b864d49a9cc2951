#include "store/memory/memory_store.h"

#include <algorithm>

#include "base/base64.h"

namespace wirehall::store {
namespace {

std::size_t bytes_of(const StoredMessage& message) {
  return sizeof(StoredMessage) + message.content.size() + message.user_json.size() + message.room.size() +
         message.id.size() + message.user_id.size();
}

std::uint64_t fingerprint_of(const StoredMessage& message) {
  std::string text;
  for (const std::string* part : {&message.room, &message.type, &message.reply_to, &message.content}) {
    text.append(std::to_string(part->size())).append(":").append(*part);
  }
  return keyed_hash(text);
}

}  // namespace

MemoryStore::MemoryStore(MemoryStoreOptions options, std::unique_ptr<RandomSource> random)
    : options_(options), random_(std::move(random)) {
  renew_epochs();
}

void MemoryStore::renew_epochs() {
  epoch_base_.resize(16);
  random_->fill({epoch_base_.data(), epoch_base_.size()});
}

std::string MemoryStore::epoch_of(std::string_view room) const {
  const std::uint64_t hash = keyed_hash(epoch_base_ + std::string(room));
  return to_base64url({reinterpret_cast<const char*>(&hash), sizeof hash});
}

MemoryStore::Room& MemoryStore::room_to_write(const std::string& name) {
  if (const auto found = rooms_.find(name); found != rooms_.end()) {
    by_age_.splice(by_age_.end(), by_age_, found->second.place);
    return found->second;
  }
  if (rooms_.size() >= options_.rooms_max) evict_oldest_room();
  Room& made = rooms_[name];
  made.top.epoch = epoch_of(name);
  made.place = by_age_.insert(by_age_.end(), name);
  return made;
}

void MemoryStore::drop_oldest(Room& room) {
  bytes_ -= bytes_of(room.messages.front());
  room.messages.pop_front();
}

void MemoryStore::evict_oldest_room() {
  const auto found = rooms_.find(by_age_.front());
  while (!found->second.messages.empty()) drop_oldest(found->second);
  rooms_.erase(found);
  by_age_.pop_front();
  renew_epochs();  // its name may come back, and counts from 1 then
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
        const bool same = known->second.fingerprint == fingerprint_of(draft.message);
        StoredMessage first = draft.message;
        first.id = known->second.id;
        first.seq = known->second.seq;
        first.timestamp = known->second.timestamp;
        outcomes.push_back({same ? AppendOutcome::Kind::kDuplicate : AppendOutcome::Kind::kConflict, first});
        continue;
      }
    }
    Room& target = room_to_write(draft.message.room);
    StoredMessage stored = draft.message;
    stored.seq = ++target.top.seq;
    target.messages.push_back(stored);
    bytes_ += bytes_of(stored);
    if (target.messages.size() > options_.messages_per_room_max) drop_oldest(target);
    while (bytes_ > options_.bytes_max && by_age_.size() > 1) evict_oldest_room();
    while (bytes_ > options_.bytes_max && target.messages.size() > 1) drop_oldest(target);
    if (!key.empty()) {
      key_order_.emplace_back(now + options_.key_lifetime_ms, key);
      keys_[std::move(key)] = Key{fingerprint_of(stored), stored.id, stored.seq, stored.timestamp};
    }
    outcomes.push_back({AppendOutcome::Kind::kStored, std::move(stored)});
  }
  return outcomes;
}

Result<MessagePage> MemoryStore::read_newest(const std::string& name, std::uint64_t before,
                                             std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  MessagePage page;
  const auto found = rooms_.find(name);
  if (found == rooms_.end()) {
    page.top.epoch = epoch_of(name);
    return page;
  }
  const Room& room = found->second;
  page.top = room.top;
  for (auto it = room.messages.rbegin(); it != room.messages.rend() && page.messages.size() < limit; ++it) {
    if (before == 0 || it->seq < before) page.messages.push_back(*it);
  }
  std::reverse(page.messages.begin(), page.messages.end());
  return page;
}

Result<MessagePage> MemoryStore::read_after(const std::string& name, std::uint64_t after,
                                            std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  MessagePage page;
  const auto found = rooms_.find(name);
  if (found == rooms_.end()) {
    page.top.epoch = epoch_of(name);
    return page;
  }
  const Room& room = found->second;
  page.top = room.top;
  for (const StoredMessage& message : room.messages) {
    if (message.seq > after && page.messages.size() < limit) page.messages.push_back(message);
  }
  return page;
}

}  // namespace wirehall::store
