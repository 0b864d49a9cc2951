// Rooms: their streams, roles and read marks.
#include <algorithm>

#include "store/memory/memory_store.h"

namespace wirehall::store {
namespace {

std::size_t bytes_of(const StoredMessage& message) {
  const StoredFile* file = message.file.get();
  return sizeof(StoredMessage) + message.id.size() + message.room.size() + message.user_id.size() +
         message.user_json.size() + message.type.size() + message.content.size() + message.reply_to.size() +
         (file == nullptr ? 0 : sizeof(StoredFile) + file->name.size() + file->mime.size());
}

std::size_t bytes_of(const RoomRecord& record) {
  return sizeof(RoomRecord) + record.name.size() + record.type.size() + record.title.size() +
         record.metadata_json.size() + record.created_by.size();
}

std::uint64_t fingerprint_of(const StoredMessage& message) {
  static const std::string kNone;
  std::string text = "room";
  for (const std::string* part : {&message.room, &message.type, &message.reply_to, &message.content,
                                  message.file ? &message.file->id : &kNone}) {
    text.append(std::to_string(part->size())).append(":").append(*part);
  }
  return keyed_hash(text);
}

}  // namespace

// -- which rooms there are, and which give way ------------------------------------------------------

MemoryStore::Room* MemoryStore::find_room_record(const std::string& name) {
  const auto found = rooms_.find(name);
  return found == rooms_.end() ? nullptr : &found->second;
}

// Requires: is_room_left().
MemoryStore::Room& MemoryStore::make_room(RoomRecord record, WallMs now) {
  if (rooms_.size() >= options_.rooms_max) {
    evict(*rooms_by_need_.begin()->second);  // not all of them stay, so the first does not
    ++losses_.rooms;
  }
  record.top = {0, epoch_of(record.name)};
  if (record.created_at == 0) record.created_at = now;
  record.last_activity = record.created_at;
  Room& made = rooms_[record.name];
  made.record = std::move(record);
  touch(made);
  return made;
}

bool MemoryStore::may_stay(const RoomRecord& record) const {
  return lasting_rooms_bytes_ + bytes_of(record) <= options_.created_rooms_bytes_max;
}

void MemoryStore::let_stay(Room& room) {
  if (room.stays) return;
  leave_need(room);
  room.stays = true;
  touch(room);
  ++lasting_rooms_;
  lasting_rooms_bytes_ += bytes_of(room.record);
}

void MemoryStore::leave_need(Room& room) { rooms_by_need_.erase({room.stays, room.written}); }

// It was written to: it gives way as the last one of its kind. One that stays and is empty has nothing to
// give.
void MemoryStore::touch(Room& room) {
  leave_need(room);
  room.written = ++last_number_;
  if (!room.stays || !room.messages.empty())
    rooms_by_need_.emplace(std::pair(room.stays, room.written), &room);
}

void MemoryStore::drop_oldest_message(Room& room) {
  StoredMessage& oldest = room.messages.front();
  bytes_ -= bytes_of(oldest);
  drop_file(oldest.file);
  messages_.erase(oldest.id);
  room.messages.pop_front();
}

void MemoryStore::drop_messages(Room& room) {
  losses_.messages += room.messages.size();
  while (!room.messages.empty()) drop_oldest_message(room);
}

void MemoryStore::evict(Room& room) {
  drop_messages(room);
  while (!room.marks.empty()) forget_mark(room, std::string(room.marks.begin()->first));
  leave_need(room);
  rooms_.erase(std::string(room.record.name));
  renew_epochs();  // its name may come back, and counts from 1 then
}

void MemoryStore::give_way_to(Room& room) {
  while (room.messages.size() > options_.messages_per_room_max) {
    drop_oldest_message(room);
    ++losses_.messages;
  }
  for (auto it = rooms_by_need_.begin(); bytes_ > options_.bytes_max && it != rooms_by_need_.end();) {
    Room& other = *(it++)->second;
    if (&other == &room) continue;
    if (other.stays) {
      drop_messages(other);
      leave_need(other);
    } else {
      evict(other);
      ++losses_.rooms;
    }
  }
  while (bytes_ > options_.bytes_max && room.messages.size() > 1) {
    drop_oldest_message(room);
    ++losses_.messages;
  }
}

WriteOutcome MemoryStore::apply(const CreateRoom& write, WallMs now) {
  const RoomRecord& record = write.record;
  const std::string& creator = record.created_by;
  if (find_room_record(record.name) != nullptr) return refused(ErrorCode::kConflict);
  const auto created = rooms_created_.find(creator);
  if (!creator.empty() && (created == rooms_created_.end() ? 0 : created->second) >= write.rooms_per_user_max)
    return refused(ErrorCode::kLimitReached);
  if (!is_room_left() || !may_stay(record) || (!creator.empty() && roles_ >= options_.roles_max))
    return refused(ErrorCode::kLimitReached);

  Room& room = make_room(record, now);
  let_stay(room);
  if (!creator.empty()) {
    ++rooms_created_[creator];
    room.roles[creator] = RoomRole::kOwner;
    ++roles_;
  }
  WriteOutcome outcome;
  outcome.room = room.record;
  return outcome;
}

// -- messages ---------------------------------------------------------------------------------------

WriteOutcome MemoryStore::apply(const PostMessage& write, WallMs now) {
  StoredMessage message = write.message;
  message.edited = message.deleted = false;
  WriteOutcome outcome;
  std::string key = key_of(message.user_id, write.client_message_id);
  const std::uint64_t fingerprint = fingerprint_of(message);
  if (const Key* known = find_key(key)) {
    if (known->fingerprint != fingerprint) return refused(ErrorCode::kConflict);
    outcome.duplicate = true;
    outcome.message = std::move(message);
    outcome.message.id = known->id;
    outcome.message.seq = known->seq;
    outcome.message.timestamp = known->timestamp;
    return outcome;
  }
  if (messages_.contains(message.id)) return refused(ErrorCode::kConflict);
  Room* room = find_room_record(message.room);
  if (!message.reply_to.empty()) {
    const auto target = messages_.find(message.reply_to);
    if (target == messages_.end() || target->second.room != room) return refused(ErrorCode::kNotFound);
  }
  if (message.file && !is_uploaded(message.file)) return refused(ErrorCode::kNotFound);
  if (room == nullptr && !is_room_left()) return refused(ErrorCode::kLimitReached);

  if (room == nullptr) {
    RoomRecord record;
    record.name = message.room;
    room = &make_room(std::move(record), now);
  }
  message.seq = ++room->record.top.seq;
  room->record.last_activity = std::max(room->record.last_activity, message.timestamp);
  if (message.file) publish(*message.file, {*message.file, message.room, "", ""});
  messages_[message.id] = {room, message.seq};
  bytes_ += bytes_of(message);
  room->messages.push_back(message);
  remember_key(std::move(key), {fingerprint, message.id, message.seq, message.timestamp}, now);
  touch(*room);
  give_way_to(*room);
  outcome.message = std::move(message);
  return outcome;
}

WriteOutcome MemoryStore::apply(const ChangeMessage& write, WallMs) {
  const auto found = messages_.find(write.id);
  if (found == messages_.end()) return refused(ErrorCode::kNotFound);
  Room& room = *found->second.room;
  StoredMessage& message = room.at(found->second.seq);
  if (message.room != write.room || message.deleted) return refused(ErrorCode::kNotFound);
  const bool by_role =
      write.others_from != RoomRole::kNone && role_in(room, write.user_id) >= write.others_from;
  if (write.user_id != message.user_id && !by_role) return refused(ErrorCode::kAccessDenied);

  bytes_ -= bytes_of(message);
  if (write.content) {
    message.content = *write.content;
    message.edited = true;
  } else {
    drop_file(message.file);
    message.file = nullptr;
    message.content = std::string();
    message.deleted = true;
  }
  bytes_ += bytes_of(message);
  WriteOutcome outcome;
  outcome.message = message;
  touch(room);
  give_way_to(room);
  return outcome;
}

Result<MessagePage> MemoryStore::read_newest(const std::string& name, std::uint64_t before,
                                             std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  MessagePage page;
  const Room* room = find_room_record(name);
  page.top = room == nullptr ? RoomPosition{0, epoch_of(name)} : room->record.top;
  if (room == nullptr) return page;
  for (auto it = room->messages.rbegin(); it != room->messages.rend() && page.messages.size() < limit; ++it) {
    if (before == 0 || it->seq < before) page.messages.push_back(*it);
  }
  std::reverse(page.messages.begin(), page.messages.end());
  return page;
}

Result<MessagePage> MemoryStore::read_after(const std::string& name, std::uint64_t after,
                                            std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  MessagePage page;
  const Room* room = find_room_record(name);
  page.top = room == nullptr ? RoomPosition{0, epoch_of(name)} : room->record.top;
  if (room == nullptr) return page;
  for (const StoredMessage& message : room->messages) {
    if (page.messages.size() >= limit) break;
    if (message.seq > after) page.messages.push_back(message);
  }
  return page;
}

// The cut is at the stream's beginning: what stands behind a message that is young enough stays.
void MemoryStore::trim_rooms(const UpkeepOptions& options, WallMs now, UpkeepResult& result) {
  if (!options.retention) return;
  for (auto& [name, room] : rooms_) {
    if (room.messages.empty()) continue;
    const Retention kept = options.retention(name, room.record.type);
    while (result.rows < options.rows_max && !room.messages.empty()) {
      const bool too_many = kept.messages_max != 0 && room.messages.size() > kept.messages_max;
      const bool too_old = kept.age_ms_max != 0 && room.messages.front().timestamp <= now - kept.age_ms_max;
      if (!too_many && !too_old) break;
      drop_oldest_message(room);
      ++result.rows;
    }
  }
}

// -- what users have in rooms -----------------------------------------------------------------------

RoomRole MemoryStore::role_in(const Room& room, const std::string& user_id) {
  const auto found = room.roles.find(user_id);
  return found == room.roles.end() ? RoomRole::kNone : found->second;
}

WriteOutcome MemoryStore::apply(const SetRole& write, WallMs) {
  Room* room = find_room_record(write.room);
  if (room == nullptr) return refused(ErrorCode::kNotFound);
  WriteOutcome outcome;
  outcome.role = role_in(*room, write.user_id);
  if (!write.actor.empty()) {
    const RoomRole actor = role_in(*room, write.actor);
    if (actor < write.actor_min) return refused(ErrorCode::kAccessDenied);
    if (write.must_outrank && (actor <= outcome.role || actor <= write.role))
      return refused(ErrorCode::kAccessDenied);
  }
  if (write.role == outcome.role || (write.only_raise && write.role < outcome.role)) return outcome;
  if (outcome.role == RoomRole::kNone) {
    if (roles_ >= options_.roles_max || (!room->stays && !may_stay(room->record)))
      return refused(ErrorCode::kLimitReached);
    ++roles_;
    let_stay(*room);
  }
  if (write.role == RoomRole::kNone) {
    room->roles.erase(write.user_id);
    --roles_;
  } else {
    room->roles[write.user_id] = write.role;
  }
  return outcome;
}

WriteOutcome MemoryStore::apply(const MarkRoomRead& write, WallMs) {
  WriteOutcome outcome;
  Room* room = find_room_record(write.room);
  if (room == nullptr) return outcome;
  const auto found = room->marks.find(write.user_id);
  const std::uint64_t before = found == room->marks.end() ? 0 : found->second.up_to;
  const std::uint64_t up_to = std::min(write.up_to, room->record.top.seq);
  outcome.position = std::max(before, up_to);
  outcome.count = outcome.position - before;
  if (outcome.count == 0) return outcome;
  forget_mark(*room, write.user_id);
  room->marks[write.user_id] = {up_to, ++last_number_};
  marks_by_age_.emplace(last_number_, std::pair(room, write.user_id));
  if (marks_by_age_.size() > options_.marks_max) {
    const auto [in, user] = marks_by_age_.begin()->second;
    forget_mark(*in, user);
    ++losses_.marks;
  }
  return outcome;
}

void MemoryStore::forget_mark(Room& room, const std::string& user_id) {
  const auto found = room.marks.find(user_id);
  if (found == room.marks.end()) return;
  marks_by_age_.erase(found->second.moved);
  room.marks.erase(found);
}

Result<RoomView> MemoryStore::find_room(const std::string& name, const std::string& user_id) {
  const std::lock_guard lock(mutex_);
  RoomView view;
  const Room* room = find_room_record(name);
  if (room == nullptr) return view;
  view.record = room->record;
  view.role = role_in(*room, user_id);
  if (const auto mark = room->marks.find(user_id); mark != room->marks.end())
    view.read_up_to = mark->second.up_to;
  return view;
}

Result<std::vector<RoomRecord>> MemoryStore::list_rooms(const std::string& after, std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  std::vector<RoomRecord> records;
  for (auto it = rooms_.upper_bound(after); it != rooms_.end() && records.size() < limit; ++it)
    records.push_back(it->second.record);
  return records;
}

}  // namespace wirehall::store
