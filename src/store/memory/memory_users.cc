// What belongs to users: private messages, who was seen, uploads and files, push subscriptions.
#include <algorithm>

#include "store/memory/memory_store.h"

namespace wirehall::store {
namespace {

std::size_t bytes_of(const PrivateMessage& message) {
  const StoredFile* file = message.file.get();
  return sizeof(PrivateMessage) + message.id.size() + message.from_user.size() + message.from_json.size() +
         message.to_user.size() + message.type.size() + message.content.size() +
         (file == nullptr ? 0 : sizeof(StoredFile) + file->name.size() + file->mime.size());
}

std::size_t bytes_of(const UserRecord& user) {
  std::size_t bytes = sizeof(UserRecord) + user.id.size() + user.user_json.size();
  for (const std::string& room : user.rooms) bytes += sizeof(std::string) + room.size();
  return bytes;
}

std::size_t bytes_of(const PushSubscription& subscription) {
  return sizeof(PushSubscription) + subscription.user_id.size() + subscription.endpoint.size() +
         subscription.p256dh.size() + subscription.auth.size();
}

std::uint64_t fingerprint_of(const PrivateMessage& message) {
  static const std::string kNone;
  std::string text = "private";
  for (const std::string* part :
       {&message.to_user, &message.type, &message.content, message.file ? &message.file->id : &kNone}) {
    text.append(std::to_string(part->size())).append(":").append(*part);
  }
  return keyed_hash(text);
}

// Whether `more` beside `used` is above `max`.
bool is_over(std::uint64_t used, std::uint64_t more, std::uint64_t max) {
  return used > max || more > max - used;
}

}  // namespace

// -- private messages -------------------------------------------------------------------------------

WriteOutcome MemoryStore::apply(const PostPrivate& write, WallMs now) {
  PrivateMessage message = write.message;
  message.read = false;
  WriteOutcome outcome;
  std::string key = key_of(message.from_user, write.client_message_id);
  const std::uint64_t fingerprint = fingerprint_of(message);
  if (const Key* known = find_key(key)) {
    if (known->fingerprint != fingerprint) return refused(ErrorCode::kConflict);
    outcome.duplicate = true;
    outcome.private_message = std::move(message);
    outcome.private_message.id = known->id;
    outcome.private_message.timestamp = known->timestamp;
    return outcome;
  }
  if (private_by_id_.contains(message.id)) return refused(ErrorCode::kConflict);
  if (message.file && !is_uploaded(message.file)) return refused(ErrorCode::kNotFound);
  static const Inbox kEmpty;
  const auto inbox = inboxes_.find(message.to_user);
  const Inbox& waiting = inbox == inboxes_.end() ? kEmpty : inbox->second;
  if (waiting.numbers.size() >= write.pending_max ||
      waiting.content_bytes + message.content.size() > write.pending_bytes_max)
    return refused(ErrorCode::kLimitReached);
  const std::size_t bytes = bytes_of(message);
  if (private_.size() - private_settled_.size() >= options_.private_max ||
      private_pending_bytes_ + bytes > options_.private_bytes_max)
    return refused(ErrorCode::kLimitReached);

  while (private_.size() >= options_.private_max || private_bytes_ + bytes > options_.private_bytes_max) {
    remove_private(*private_settled_.begin());
    ++losses_.private_messages;
  }
  if (message.file) publish(*message.file, {*message.file, "", message.from_user, message.to_user});
  const std::uint64_t number = ++last_number_;
  private_.emplace(number, Private{message, now, true});
  private_by_id_[message.id] = number;
  private_by_age_.emplace(now, number);
  Inbox& target = inboxes_[message.to_user];
  target.numbers.insert(number);
  target.content_bytes += message.content.size();
  private_bytes_ += bytes;
  private_pending_bytes_ += bytes;
  remember_key(std::move(key), {fingerprint, message.id, 0, message.timestamp}, now);
  outcome.private_message = std::move(message);
  return outcome;
}

WriteOutcome MemoryStore::apply(const SettlePrivate& write, WallMs) {
  std::set<std::uint64_t> numbers;  // in the order of the messages
  for (const std::string& id : write.ids) {
    const auto found = private_by_id_.find(id);
    if (found != private_by_id_.end() && private_.at(found->second).message.to_user == write.user_id)
      numbers.insert(found->second);
  }
  WriteOutcome outcome;
  for (const std::uint64_t number : numbers) {
    Private& entry = private_.at(number);
    settle(number, entry);
    if (!write.read || entry.message.read) continue;
    entry.message.read = true;
    outcome.settled.emplace_back(entry.message.from_user, entry.message.id);
    ++outcome.count;
  }
  return outcome;
}

void MemoryStore::settle(std::uint64_t number, Private& entry) {
  if (!entry.pending) return;
  entry.pending = false;
  private_settled_.insert(number);
  private_pending_bytes_ -= bytes_of(entry.message);
  const auto inbox = inboxes_.find(entry.message.to_user);
  inbox->second.numbers.erase(number);
  inbox->second.content_bytes -= entry.message.content.size();
  if (inbox->second.numbers.empty()) inboxes_.erase(inbox);
}

void MemoryStore::remove_private(std::uint64_t number) {
  const auto found = private_.find(number);
  Private& entry = found->second;
  settle(number, entry);
  private_settled_.erase(number);
  private_by_age_.erase({entry.stored_at, number});
  private_by_id_.erase(entry.message.id);
  private_bytes_ -= bytes_of(entry.message);
  drop_file(entry.message.file);
  private_.erase(found);
}

Result<std::vector<PrivateMessage>> MemoryStore::read_pending(const std::string& user_id,
                                                              std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  std::vector<PrivateMessage> messages;
  const auto inbox = inboxes_.find(user_id);
  if (inbox == inboxes_.end()) return messages;
  for (const std::uint64_t number : inbox->second.numbers) {
    if (messages.size() >= limit) break;
    messages.push_back(private_.at(number).message);
  }
  return messages;
}

void MemoryStore::remove_old_private(const UpkeepOptions& options, WallMs now, UpkeepResult& result) {
  while (result.rows < options.rows_max && !private_by_age_.empty()) {
    const auto [stored_at, number] = *private_by_age_.begin();
    if (stored_at > now - options.private_lifetime_ms) return;
    remove_private(number);
    ++result.rows;
  }
}

// -- users ------------------------------------------------------------------------------------------

WriteOutcome MemoryStore::apply(const SaveUser& write, WallMs now) {
  UserRecord record;
  if (const auto found = users_.find(write.id); found != users_.end()) record = found->second.record;
  record.id = write.id;
  if (!write.user_json.empty()) record.user_json = write.user_json;
  if (write.last_seen != 0) record.last_seen = write.last_seen;
  if (write.rooms) record.rooms = *write.rooms;
  remove_user(write.id);
  const std::size_t bytes = bytes_of(record);
  while (!users_.empty() &&
         (users_.size() >= options_.users_max || users_bytes_ + bytes > options_.users_bytes_max)) {
    remove_user(std::string(users_by_age_.begin()->second));
    ++losses_.users;
  }
  const Moment saved(now, ++last_number_);
  users_by_age_.emplace(saved, write.id);
  users_.emplace(write.id, User{std::move(record), saved});
  users_bytes_ += bytes;
  return {};
}

void MemoryStore::remove_user(const std::string& id) {
  const auto found = users_.find(id);
  if (found == users_.end()) return;
  users_bytes_ -= bytes_of(found->second.record);
  users_by_age_.erase(found->second.saved);
  users_.erase(found);
}

Result<std::optional<UserRecord>> MemoryStore::find_user(const std::string& user_id) {
  const std::lock_guard lock(mutex_);
  const auto found = users_.find(user_id);
  return found == users_.end() ? std::nullopt : std::optional(found->second.record);
}

void MemoryStore::remove_old_users(const UpkeepOptions& options, WallMs now, UpkeepResult& result) {
  while (result.rows < options.rows_max && !users_by_age_.empty()) {
    const auto oldest = users_by_age_.begin();
    if (oldest->first.first > now - options.user_lifetime_ms) return;
    remove_user(std::string(oldest->second));
    ++result.rows;
  }
}

// -- uploads and files ------------------------------------------------------------------------------

void MemoryStore::use(const std::string& user_id, std::uint64_t bytes, std::uint32_t uploads) {
  for (Usage* usage : {&usage_[user_id], &usage_of_all_}) {
    usage->bytes += bytes;
    usage->uploads += uploads;
  }
}

void MemoryStore::release(const std::string& user_id, std::uint64_t bytes, std::uint32_t uploads) {
  for (Usage* usage : {&usage_[user_id], &usage_of_all_}) {
    usage->bytes -= bytes;
    usage->uploads -= uploads;
  }
  if (const Usage& left = usage_[user_id]; left.bytes == 0 && left.uploads == 0) usage_.erase(user_id);
}

WriteOutcome MemoryStore::apply(const BeginUpload& write, WallMs now) {
  const StoredFile& file = write.record.file;
  if (uploads_.contains(file.id) || files_.contains(file.id) || dropped_.contains(file.id))
    return refused(ErrorCode::kConflict);
  const auto known = usage_.find(file.user_id);
  const Usage usage = known == usage_.end() ? Usage() : known->second;
  if (is_over(usage.uploads, 1, write.user_uploads_max) ||
      is_over(usage.bytes, file.size_bytes, write.user_bytes_max) ||
      is_over(usage_of_all_.bytes, file.size_bytes, write.total_bytes_max))
    return refused(ErrorCode::kLimitReached);
  if (uploads_.size() + files_.size() + dropped_.size() >= options_.files_max)
    return refused(ErrorCode::kLimitReached);
  UploadRecord& made = uploads_[file.id] = write.record;
  if (made.started_at == 0) made.started_at = now;
  use(file.user_id, file.size_bytes, 1);
  return {};
}

WriteOutcome MemoryStore::apply(const EndUpload& write, WallMs) {
  if (!uploads_.contains(write.id)) return {};
  end_upload(write.id);
  dropped_.insert(write.id);
  return {};
}

bool MemoryStore::is_uploaded(const StoredFilePtr& file) const {
  const auto found = uploads_.find(file->id);
  return found != uploads_.end() && found->second.file.user_id == file->user_id &&
         found->second.file.size_bytes == file->size_bytes;
}

// Requires: is_uploaded().
void MemoryStore::publish(const StoredFile& file, FileView view) {
  end_upload(file.id);
  files_[file.id] = std::move(view);
  use(file.user_id, file.size_bytes, 0);
}

// Nobody can read it any more; nothing happens without a file.
void MemoryStore::drop_file(const StoredFilePtr& file) {
  if (!file) return;
  release(file->user_id, file->size_bytes, 0);
  files_.erase(file->id);
  dropped_.insert(file->id);
}

void MemoryStore::end_upload(const std::string& id) {
  const auto found = uploads_.find(id);
  release(found->second.file.user_id, found->second.file.size_bytes, 1);
  uploads_.erase(found);
}

Result<std::optional<UploadRecord>> MemoryStore::find_upload(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = uploads_.find(id);
  return found == uploads_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::optional<FileView>> MemoryStore::find_file(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(id);
  return found == files_.end() ? std::nullopt : std::optional(found->second);
}

void MemoryStore::remove_old_uploads(const UpkeepOptions& options, WallMs now, UpkeepResult& result) {
  for (auto it = uploads_.begin(); it != uploads_.end() && result.rows < options.rows_max;) {
    const auto [id, upload] = *it++;
    if (upload.started_at > now - options.upload_lifetime_ms) continue;
    end_upload(id);
    dropped_.insert(id);
    ++result.rows;
  }
}

// -- push subscriptions -----------------------------------------------------------------------------

WriteOutcome MemoryStore::apply(const SavePushSubscription& write, WallMs) {
  const PushSubscription& given = write.subscription;
  const auto known = subscriptions_.find(given.endpoint);
  const std::size_t count = subscriptions_.size() - (known == subscriptions_.end() ? 0 : 1);
  const std::size_t bytes =
      subscriptions_bytes_ - (known == subscriptions_.end() ? 0 : bytes_of(known->second.value));
  if (count >= options_.subscriptions_max || bytes + bytes_of(given) > options_.subscriptions_bytes_max)
    return refused(ErrorCode::kLimitReached);
  remove_subscription(given.endpoint);
  subscriptions_[given.endpoint] = {given, ++last_number_};
  subscriptions_bytes_ += bytes_of(given);
  auto& endpoints = endpoints_of_[given.user_id];
  endpoints.emplace(last_number_, given.endpoint);
  for (std::size_t left = endpoints.size(); left > write.per_user_max; --left)
    remove_subscription(std::string(endpoints.begin()->second));
  return {};
}

WriteOutcome MemoryStore::apply(const DropPushSubscription& write, WallMs) {
  const auto found = subscriptions_.find(write.endpoint);
  if (found == subscriptions_.end() ||
      (!write.user_id.empty() && found->second.value.user_id != write.user_id))
    return refused(ErrorCode::kNotFound);
  remove_subscription(write.endpoint);
  return {};
}

// Nothing happens when there is none.
void MemoryStore::remove_subscription(const std::string& endpoint) {
  const auto found = subscriptions_.find(endpoint);
  if (found == subscriptions_.end()) return;
  const auto owner = endpoints_of_.find(found->second.value.user_id);
  owner->second.erase(found->second.number);
  if (owner->second.empty()) endpoints_of_.erase(owner);
  subscriptions_bytes_ -= bytes_of(found->second.value);
  subscriptions_.erase(found);
}

Result<std::vector<PushSubscription>> MemoryStore::push_subscriptions(const std::string& user_id) {
  const std::lock_guard lock(mutex_);
  std::vector<PushSubscription> result;
  const auto owned = endpoints_of_.find(user_id);
  if (owned == endpoints_of_.end()) return result;
  for (const auto& [number, endpoint] : owned->second)
    result.push_back(subscriptions_.find(endpoint)->second.value);
  return result;
}

}  // namespace wirehall::store
