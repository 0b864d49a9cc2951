#include "store/sqlite/rows.h"
#include "store/sqlite/writer.h"

namespace wirehall::store::sqlite {
namespace {
constexpr std::int64_t kRoomsPerStep = 1'000;
}

UpkeepResult Upkeep::step(const UpkeepOptions& options, WallMs now) {
  result_ = {};
  rows_max_ = options.rows_max;
  Transaction transaction(db_, Transaction::Kind::kWrite);
  remove_keys(now - options.key_lifetime_ms);
  remove_private(now - options.private_lifetime_ms);
  remove_uploads(now - options.upload_lifetime_ms);
  remove_users(now - options.user_lifetime_ms);
  trim_rooms(options, now);
  collect_dead_files();
  transaction.commit();
  result_.more = left() == 0 || room_cursor_ != 0 || result_.files.size() == rows_max_;
  return std::move(result_);
}

// What was made first goes first, and a younger row behind it ends the walk: it costs what it removes.
void Upkeep::remove_keys(WallMs before) {
  std::int64_t last = -1;
  std::uint32_t count = 0;
  {
    Query query(db_, "SELECT n, created_at FROM keys ORDER BY n LIMIT ?", left());
    while (query.next() && query.integer(1) <= before) {
      last = query.integer(0);
      ++count;
    }
  }
  if (count == 0) return;
  Query(db_, "DELETE FROM keys WHERE n <= ?", last).run();
  result_.rows += count;
}

void Upkeep::remove_private(WallMs before) {
  std::vector<std::pair<std::int64_t, std::string>> old;
  {
    Query query(db_, "SELECT n, stored_at, COALESCE(file_id, '') FROM private_messages ORDER BY n LIMIT ?", left());
    while (query.next() && query.integer(1) <= before) old.emplace_back(query.integer(0), query.text(2));
  }
  if (old.empty()) return;
  for (const auto& [n, file] : old) {
    if (!file.empty()) kill_file(file);
  }
  Query(db_, "DELETE FROM private_messages WHERE n <= ?", old.back().first).run();
  result_.rows += old.size();
}

void Upkeep::remove_uploads(WallMs before) {
  struct Old {
    std::string id, user;
    std::int64_t bytes;
  };
  std::vector<Old> old;
  {
    Query query(db_, "SELECT id, user_id, size FROM uploads WHERE started_at <= ? ORDER BY started_at LIMIT ?",
                before, left());
    while (query.next()) old.push_back({query.text(0), query.text(1), query.integer(2)});
  }
  for (const Old& upload : old) {
    Query(db_, "DELETE FROM uploads WHERE id = ?", upload.id).run();
    Query(db_, "INSERT OR IGNORE INTO dead_files VALUES (?)", upload.id).run();
    Query(db_, "UPDATE usage SET bytes = bytes - ? WHERE user_id IN (?, '')", upload.bytes, upload.user).run();
  }
  result_.rows += old.size();
}

void Upkeep::remove_users(WallMs before) {
  Query(db_,
        "DELETE FROM users WHERE id IN (SELECT id FROM users WHERE saved_at <= ? ORDER BY saved_at LIMIT ?)",
        before, left())
      .run();
  result_.rows += static_cast<std::uint64_t>(db_.changes());
}

void Upkeep::trim_rooms(const UpkeepOptions& options, WallMs now) {
  if (!options.retention) return;
  struct Room {
    std::int64_t id;
    Retention retention;
  };
  std::vector<Room> rooms;
  {
    Query query(db_, "SELECT id, name, type FROM rooms WHERE id > ? ORDER BY id LIMIT ?", room_cursor_,
                kRoomsPerStep);
    while (query.next())
      rooms.push_back({query.integer(0), options.retention(query.text(1), query.text(2))});
  }
  for (const Room& room : rooms) {
    if (room.retention.messages_max != 0 || room.retention.age_ms_max != 0)
      trim_room(room.id, room.retention, now);
    if (left() == 0) return;  // the rest of this room comes next time
    room_cursor_ = room.id;
  }
  if (static_cast<std::int64_t>(rooms.size()) < kRoomsPerStep) room_cursor_ = 0;
}

// The oldest ones that are too many or too old, up to the first that may stay.
void Upkeep::trim_room(std::int64_t id, const Retention& retention, WallMs now) {
  const Newest newest = newest_of(db_, id);
  const std::int64_t first = place_of(id, 1);
  std::int64_t last = -1;
  std::uint32_t count = 0;
  {
    Query query(db_, "SELECT place, timestamp FROM messages WHERE place BETWEEN ? AND ? ORDER BY place LIMIT ?",
                first, place_of(id, kSeqMax), left());
    while (query.next()) {
      const std::uint64_t behind = newest.seq - seq_of_place(query.integer(0));  // how many are newer
      const bool too_many = retention.messages_max != 0 && behind >= retention.messages_max;
      const bool too_old = retention.age_ms_max != 0 && query.integer(1) + retention.age_ms_max <= now;
      if (!too_many && !too_old) break;
      last = query.integer(0);
      ++count;
    }
  }
  if (count == 0) return;
  // What follows from the newest message must outlive it.
  if (seq_of_place(last) == newest.seq) {
    Query(db_, "UPDATE rooms SET seq = MAX(seq, ?), last_activity = MAX(last_activity, ?) WHERE id = ?", newest.seq,
          newest.timestamp, id)
        .run();
  }
  remove_messages(first, last);
  result_.rows += count;
}

void Upkeep::remove_messages(std::int64_t first, std::int64_t last) {
  std::vector<std::string> files;
  {
    Query query(db_, "SELECT file_id FROM messages WHERE place BETWEEN ? AND ? AND file_id IS NOT NULL", first,
                last);
    while (query.next()) files.push_back(query.text(0));
  }
  for (const std::string& id : files) kill_file(id);
  Query(db_, "DELETE FROM messages WHERE place BETWEEN ? AND ?", first, last).run();
}

void Upkeep::kill_file(const std::string& id) {
  std::string user;
  std::int64_t bytes = 0;
  {
    Query query(db_, "SELECT user_id, size FROM files WHERE id = ?", id);
    if (!query.next()) return;
    user = query.text(0);
    bytes = query.integer(1);
  }
  Query(db_, "DELETE FROM files WHERE id = ?", id).run();
  Query(db_, "INSERT OR IGNORE INTO dead_files VALUES (?)", id).run();
  Query(db_, "UPDATE usage SET bytes = bytes - ? WHERE user_id IN (?, '')", bytes, user).run();
}

void Upkeep::collect_dead_files() {
  {
    Query query(db_, "SELECT id FROM dead_files ORDER BY id LIMIT ?", rows_max_);
    while (query.next()) result_.files.push_back(query.text(0));
  }
  for (const std::string& id : result_.files) Query(db_, "DELETE FROM dead_files WHERE id = ?", id).run();
}

}  // namespace wirehall::store::sqlite
