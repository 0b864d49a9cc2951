#include "store/sqlite/writer.h"

#include <algorithm>

#include "base/stable_hash.h"
#include "store/sqlite/rows.h"

namespace wirehall::store::sqlite {
namespace {

constexpr std::size_t kHeadsMax = 100'000;
constexpr std::size_t kInboxesMax = 100'000;

WriteOutcome refused(ErrorCode code) {
  WriteOutcome outcome;
  outcome.code = code;
  return outcome;
}

// What makes two messages the same one for their sender.
std::string fingerprint_of(std::string_view kind, std::string_view target, std::string_view type,
                           std::string_view reply_to, std::string_view content, const StoredFilePtr& file) {
  std::string text;
  for (const std::string_view part :
       {kind, target, type, reply_to, content, file ? std::string_view(file->id) : std::string_view()})
    text.append(std::to_string(part.size())).append(":").append(part);
  const auto hash = stable_fingerprint(text);
  return std::string(hash.data(), hash.size());
}

std::optional<std::string> id_of(const StoredFilePtr& file) {
  return file ? std::optional<std::string>(file->id) : std::nullopt;
}

}  // namespace

Writer::Writer(Database& db) : db_(db) {
  Query query(db_, "SELECT value FROM meta WHERE name = 'epoch_base'");
  if (query.next()) epoch_base_ = query.text(0);
}

void Writer::forget() {
  heads_.clear();
  inboxes_.clear();
}

void Writer::forget_some() {
  if (heads_.size() > kHeadsMax) heads_.clear();
  if (inboxes_.size() > kInboxesMax) inboxes_.clear();
}

// -- rooms' streams -----------------------------------------------------------------------------------

Writer::Head* Writer::find_head(const std::string& room) {
  if (const auto known = heads_.find(room); known != heads_.end()) return &known->second;
  Query query(db_, "SELECT id, seq, last_activity FROM rooms WHERE name = ?", room);
  if (!query.next()) return nullptr;
  const std::int64_t id = query.integer(0);
  const Newest newest = newest_of(db_, id);
  Head& head = heads_[room];
  head.id = id;
  head.seq = std::max(static_cast<std::uint64_t>(query.integer(1)), newest.seq);
  head.written_activity = query.integer(2);
  head.last_activity = std::max(head.written_activity, newest.timestamp);
  return &head;
}

Writer::Head& Writer::make_head(const RoomRecord& record) {
  Query(db_,
        "INSERT INTO rooms (name, type, title, metadata, created_by, created_at, last_activity, seq, epoch) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
        record.name, record.type, record.title, record.metadata_json, record.created_by, record.created_at,
        record.last_activity, record.top.epoch)
      .run();
  Head& head = heads_[record.name];
  head.id = db_.last_insert_id();
  head.last_activity = head.written_activity = record.last_activity;
  return head;
}

Writer::Head& Writer::head_to_write(const std::string& room, WallMs now) {
  if (Head* head = find_head(room)) return *head;
  RoomRecord record;
  record.name = room;
  record.created_at = record.last_activity = now;
  record.top.epoch = derived_epoch(epoch_base_, room);
  return make_head(record);
}

void Writer::advance(Head& head, const StoredMessage& message) {
  head.seq = message.seq;
  head.last_activity = std::max(head.last_activity, message.timestamp);
  // Clocks of shards and the system's clock may go back; else the newest message says it.
  if (head.last_activity <= std::max(head.written_activity, message.timestamp)) return;
  Query(db_, "UPDATE rooms SET last_activity = ? WHERE id = ?", head.last_activity, head.id).run();
  head.written_activity = head.last_activity;
}

// -- idempotency keys ---------------------------------------------------------------------------------

Writer::FirstUse Writer::first_use(const std::string& user, const std::string& key,
                                   std::string_view fingerprint) {
  FirstUse use;
  if (key.empty()) return use;
  Query query(db_, "SELECT fingerprint, message_id, seq, timestamp FROM keys WHERE user_id = ? AND key = ?",
              user, key);
  if (!query.next()) return use;
  use.found = true;
  use.same = query.view(0) == fingerprint;
  use.id = query.text(1);
  use.seq = static_cast<std::uint64_t>(query.integer(2));
  use.timestamp = query.integer(3);
  return use;
}

void Writer::remember_key(const std::string& user, const std::string& key, std::string_view fingerprint,
                          const std::string& id, std::uint64_t seq, WallMs timestamp, WallMs now) {
  if (key.empty()) return;
  Query(db_,
        "INSERT INTO keys (user_id, key, fingerprint, message_id, seq, timestamp, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        user, key, Blob{fingerprint}, id, seq, timestamp, now)
      .run();
}

// -- messages -----------------------------------------------------------------------------------------

bool Writer::has_message(const std::string& id) {
  Query query(db_, "SELECT 1 FROM messages WHERE id = ?", id);
  return query.next();
}

bool Writer::is_message_of(const std::string& id, const std::string& room) {
  const Head* head = find_head(room);
  if (head == nullptr) return false;
  Query query(db_, "SELECT place FROM messages WHERE id = ?", id);
  return query.next() && room_of_place(query.integer(0)) == head->id;
}

WriteOutcome Writer::apply(PostMessage& write, WallMs now) {
  StoredMessage& message = write.message;
  message.edited = message.deleted = false;
  std::string fingerprint;
  if (!write.client_message_id.empty()) {
    fingerprint = fingerprint_of("room", message.room, message.type, message.reply_to, message.content, message.file);
    const FirstUse use = first_use(message.user_id, write.client_message_id, fingerprint);
    if (use.found && !use.same) return refused(ErrorCode::kConflict);
    if (use.found) {
      WriteOutcome outcome;
      outcome.duplicate = true;
      message.id = use.id;
      message.seq = use.seq;
      message.timestamp = use.timestamp;
      outcome.message = std::move(message);
      return outcome;
    }
  }
  // Mostly the row itself finds out that its id is taken; but that comes before other refusals, and no room is
  // made for nothing.
  const bool ask_first = !message.reply_to.empty() || message.file || find_head(message.room) == nullptr;
  if (ask_first && has_message(message.id)) return refused(ErrorCode::kConflict);
  if (!message.reply_to.empty() && !is_message_of(message.reply_to, message.room))
    return refused(ErrorCode::kNotFound);
  if (message.file && !upload_matches(*message.file)) return refused(ErrorCode::kNotFound);
  Head& head = head_to_write(message.room, now);
  if (head.id > kRoomsMax || head.seq >= kSeqMax) return refused(ErrorCode::kUnavailable);
  message.seq = head.seq + 1;
  const std::int64_t place = place_of(head.id, message.seq);
  Query(db_,
        "INSERT INTO messages (place, id, user_id, user_json, type, content, reply_to, timestamp, flags, "
        "file_id, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT (id) DO NOTHING",
        place, message.id, message.user_id, message.user_json, message.type, message.content, message.reply_to,
        message.timestamp, id_of(message.file), checksum_of(message, place))
      .run();
  if (db_.changes() == 0) return refused(ErrorCode::kConflict);
  advance(head, message);
  if (message.file) publish_file(*message.file, message.room, {}, {});
  remember_key(message.user_id, write.client_message_id, fingerprint, message.id, message.seq,
               message.timestamp, now);
  WriteOutcome outcome;
  outcome.message = std::move(message);
  return outcome;
}

WriteOutcome Writer::apply(const ChangeMessage& write, WallMs) {
  const Head* head = find_head(write.room);
  if (head == nullptr) return refused(ErrorCode::kNotFound);
  StoredMessage message;
  std::int64_t place = 0;
  {
    Query query(db_, "SELECT " WIREHALL_MESSAGE_COLUMNS "WHERE m.id = ?", write.id);
    if (!query.next() || room_of_place(query.integer(0)) != head->id) return refused(ErrorCode::kNotFound);
    place = query.integer(0);
    message = message_of(query, write.room);
  }
  if (message.deleted) return refused(ErrorCode::kNotFound);
  const bool may = message.user_id == write.user_id || (write.others_from != RoomRole::kNone &&
                                                        role_of(head->id, write.user_id) >= write.others_from);
  if (!may) return refused(ErrorCode::kAccessDenied);
  if (write.content) {
    message.content = *write.content;
    message.edited = true;
  } else {
    message.content.clear();
    message.deleted = true;
    if (message.file) drop_file(message.file->id);
    message.file = nullptr;
  }
  const std::int64_t flags = (message.edited ? kEdited : 0) | (message.deleted ? kDeleted : 0);
  Query(db_, "UPDATE messages SET content = ?, flags = ?, file_id = ?, checksum = ? WHERE place = ?",
        message.content, flags, id_of(message.file), checksum_of(message, place), place)
      .run();
  WriteOutcome outcome;
  outcome.message = std::move(message);
  return outcome;
}

// -- private messages ---------------------------------------------------------------------------------

Writer::Inbox& Writer::inbox_of(const std::string& user) {
  const auto [entry, made] = inboxes_.try_emplace(user);
  if (made) {
    Query query(db_,
                "SELECT COUNT(*), COALESCE(SUM(LENGTH(CAST(content AS BLOB))), 0) FROM private_messages "
                "WHERE to_user = ? AND pending = 1",
                user);
    query.next();
    entry->second = {static_cast<std::uint64_t>(query.integer(0)), static_cast<std::uint64_t>(query.integer(1))};
  }
  return entry->second;
}

WriteOutcome Writer::apply(PostPrivate& write, WallMs now) {
  PrivateMessage& message = write.message;
  message.read = false;
  std::string fingerprint;
  if (!write.client_message_id.empty()) {
    fingerprint = fingerprint_of("private", message.to_user, message.type, {}, message.content, message.file);
    const FirstUse use = first_use(message.from_user, write.client_message_id, fingerprint);
    if (use.found && !use.same) return refused(ErrorCode::kConflict);
    if (use.found) {
      WriteOutcome outcome;
      outcome.duplicate = true;
      message.id = use.id;
      message.timestamp = use.timestamp;
      outcome.private_message = std::move(message);
      return outcome;
    }
  }
  {
    Query taken(db_, "SELECT 1 FROM private_messages WHERE id = ?", message.id);
    if (taken.next()) return refused(ErrorCode::kConflict);
  }
  if (message.file && !upload_matches(*message.file)) return refused(ErrorCode::kNotFound);
  Inbox& inbox = inbox_of(message.to_user);
  if (inbox.count >= write.pending_max || inbox.bytes + message.content.size() > write.pending_bytes_max)
    return refused(ErrorCode::kLimitReached);
  Query(db_,
        "INSERT INTO private_messages (id, from_user, from_json, to_user, type, content, timestamp, stored_at, "
        "read, pending, file_id, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 1, ?, ?)",
        message.id, message.from_user, message.from_json, message.to_user, message.type, message.content,
        message.timestamp, now, id_of(message.file), checksum_of(message))
      .run();
  ++inbox.count;
  inbox.bytes += message.content.size();
  if (message.file) publish_file(*message.file, {}, message.from_user, message.to_user);
  remember_key(message.from_user, write.client_message_id, fingerprint, message.id, 0, message.timestamp, now);
  WriteOutcome outcome;
  outcome.private_message = std::move(message);
  return outcome;
}

WriteOutcome Writer::apply(const SettlePrivate& write, WallMs) {
  struct Row {
    std::int64_t n;
    std::string sender;
    std::string id;
    std::uint64_t bytes;
    bool pending, unread;
    bool operator<(const Row& other) const { return n < other.n; }
  };
  std::vector<Row> rows;
  for (const std::string& id : write.ids) {
    Query query(db_,
                "SELECT n, from_user, read, pending, LENGTH(CAST(content AS BLOB)) FROM private_messages "
                "WHERE id = ? AND to_user = ?",
                id, write.user_id);
    if (query.next())
      rows.push_back({query.integer(0), query.text(1), id, static_cast<std::uint64_t>(query.integer(4)),
                      query.integer(3) != 0, query.integer(2) == 0});
  }
  std::sort(rows.begin(), rows.end());
  WriteOutcome outcome;
  std::int64_t last = 0;
  for (Row& row : rows) {
    if (std::exchange(last, row.n) == row.n) continue;  // named twice
    const bool reads = write.read && row.unread;
    if (!row.pending && !reads) continue;
    if (row.pending) {
      Inbox& inbox = inbox_of(write.user_id);
      --inbox.count;
      inbox.bytes -= row.bytes;
    }
    Query(db_, "UPDATE private_messages SET pending = 0, read = MAX(read, ?) WHERE n = ?", write.read ? 1 : 0,
          row.n)
        .run();
    if (reads) outcome.settled.emplace_back(std::move(row.sender), std::move(row.id));
  }
  outcome.count = outcome.settled.size();
  return outcome;
}

}  // namespace wirehall::store::sqlite
