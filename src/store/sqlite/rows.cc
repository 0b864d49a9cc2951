#include "store/sqlite/rows.h"

#include <algorithm>
#include <atomic>

#include "base/base64.h"
#include "base/log.h"
#include "base/stable_hash.h"

namespace wirehall::store::sqlite {
namespace {

std::atomic<std::uint64_t> g_damaged_rows{0};

// Lengths stand in front, so that no two rows give the same text.
void add(std::string& text, std::string_view part) {
  text.append(std::to_string(part.size())).append(":").append(part);
}

void report_damage(const char* table, std::int64_t row) {
  g_damaged_rows.fetch_add(1, std::memory_order_relaxed);
  log_line(LogLevel::kError, "store", "a damaged row was left out", {{"table", table}, {"row", row}});
}

StoredFilePtr file_of(const Query& query, int column) {
  if (query.is_null(column)) return nullptr;
  auto file = std::make_shared<StoredFile>();
  file->id = query.text(column);
  file->user_id = query.text(column + 1);
  file->name = query.text(column + 2);
  file->mime = query.text(column + 3);
  file->sha256 = query.text(column + 4);
  file->size_bytes = static_cast<std::uint64_t>(query.integer(column + 5));
  return file;
}

}  // namespace

std::uint64_t damaged_rows() { return g_damaged_rows.load(std::memory_order_relaxed); }

std::int64_t checksum_of(const StoredMessage& message, std::int64_t place) {
  std::string text;
  text.reserve(message.content.size() + message.user_json.size() + 128);
  add(text, std::to_string(place));
  for (const std::string* part : {&message.id, &message.user_id, &message.user_json, &message.type,
                                  &message.content, &message.reply_to})
    add(text, *part);
  add(text, std::to_string(message.timestamp));
  text.append(message.edited ? "e" : "-").append(message.deleted ? "d" : "-");
  return static_cast<std::int64_t>(stable_hash(text));
}

std::int64_t checksum_of(const PrivateMessage& message) {
  std::string text;
  for (const std::string* part : {&message.id, &message.from_user, &message.from_json, &message.to_user,
                                  &message.type, &message.content})
    add(text, *part);
  add(text, std::to_string(message.timestamp));
  return static_cast<std::int64_t>(stable_hash(text));
}

StoredMessage message_of(const Query& query, const std::string& room) {
  StoredMessage message;
  const std::int64_t place = query.integer(0);
  message.room = room;
  message.seq = seq_of_place(place);
  message.id = query.text(1);
  message.user_id = query.text(2);
  message.user_json = query.text(3);
  message.type = query.text(4);
  message.content = query.text(5);
  message.reply_to = query.text(6);
  message.timestamp = query.integer(7);
  message.edited = (query.integer(8) & kEdited) != 0;
  message.deleted = (query.integer(8) & kDeleted) != 0;
  message.file = file_of(query, 10);
  if (checksum_of(message, place) != query.integer(9)) {
    report_damage("messages", place);
    StoredMessage gap;
    gap.room = room;
    gap.seq = message.seq;
    gap.id = "damaged-" + std::to_string(place);
    gap.user_json = "{}";
    gap.type = "text";
    gap.deleted = true;
    return gap;
  }
  return message;
}

bool private_of(const Query& query, PrivateMessage& message) {
  message.id = query.text(1);
  message.from_user = query.text(2);
  message.from_json = query.text(3);
  message.to_user = query.text(4);
  message.type = query.text(5);
  message.content = query.text(6);
  message.timestamp = query.integer(7);
  message.read = query.integer(8) != 0;
  message.file = file_of(query, 10);
  if (checksum_of(message) == query.integer(9)) return true;
  report_damage("private_messages", query.integer(0));
  return false;
}

RoomRecord room_of(const Query& query) {
  RoomRecord record;
  record.name = query.text(1);
  record.type = query.text(2);
  record.title = query.text(3);
  record.metadata_json = query.text(4);
  record.created_by = query.text(5);
  record.created_at = query.integer(6);
  record.last_activity = query.integer(7);
  record.top.seq = static_cast<std::uint64_t>(query.integer(8));
  record.top.epoch = query.text(9);
  return record;
}

Newest newest_of(Database& db, std::int64_t room_id) {
  Query query(db, "SELECT place, timestamp FROM messages WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1",
              place_of(room_id, 1), place_of(room_id, kSeqMax));
  if (!query.next()) return {};
  return {seq_of_place(query.integer(0)), query.integer(1)};
}

void bring_up_to(RoomRecord& record, const Newest& newest) {
  record.top.seq = std::max(record.top.seq, newest.seq);
  record.last_activity = std::max(record.last_activity, newest.timestamp);
}

std::string derived_epoch(std::string_view base, std::string_view room) {
  std::string text(base);
  text.append(room);
  const std::uint64_t hash = stable_hash(text);
  return to_base64url({reinterpret_cast<const char*>(&hash), sizeof hash});
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : "\n").append(name);
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    names.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names;
}

}  // namespace wirehall::store::sqlite
