// Rooms and their roles, users, files, push subscriptions.
#include "store/sqlite/rows.h"
#include "store/sqlite/writer.h"

namespace wirehall::store::sqlite {
namespace {

WriteOutcome refused(ErrorCode code) {
  WriteOutcome outcome;
  outcome.code = code;
  return outcome;
}

}  // namespace

// -- rooms ----------------------------------------------------------------------------------------------

RoomRole Writer::role_of(std::int64_t room_id, const std::string& user) {
  Query query(db_, "SELECT role FROM roles WHERE room_id = ? AND user_id = ?", room_id, user);
  return query.next() ? static_cast<RoomRole>(query.integer(0)) : RoomRole::kNone;
}

WriteOutcome Writer::apply(const CreateRoom& write, WallMs now) {
  if (find_head(write.record.name) != nullptr) return refused(ErrorCode::kConflict);
  RoomRecord record = write.record;
  if (!record.created_by.empty()) {
    Query query(db_, "SELECT COUNT(*) FROM rooms WHERE created_by = ? AND created_by <> ''", record.created_by);
    query.next();
    if (query.integer(0) >= write.rooms_per_user_max) return refused(ErrorCode::kLimitReached);
  }
  if (record.created_at == 0) record.created_at = now;
  record.last_activity = record.created_at;
  record.top = {0, derived_epoch(epoch_base_, record.name)};
  const Head& head = make_head(record);
  if (!record.created_by.empty()) {
    Query(db_, "INSERT INTO roles VALUES (?, ?, ?)", head.id, record.created_by,
          static_cast<std::int64_t>(RoomRole::kOwner))
        .run();
  }
  WriteOutcome outcome;
  outcome.room = std::move(record);
  return outcome;
}

WriteOutcome Writer::apply(const SetRole& write, WallMs) {
  const Head* head = find_head(write.room);
  if (head == nullptr) return refused(ErrorCode::kNotFound);
  const RoomRole before = role_of(head->id, write.user_id);
  if (!write.actor.empty()) {
    const RoomRole actor = role_of(head->id, write.actor);
    if (actor < write.actor_min) return refused(ErrorCode::kAccessDenied);
    if (write.must_outrank && (actor <= before || actor <= write.role)) return refused(ErrorCode::kAccessDenied);
  }
  WriteOutcome outcome;
  outcome.role = before;
  if (before == write.role || (write.only_raise && before > write.role)) return outcome;
  if (write.role == RoomRole::kNone) {
    Query(db_, "DELETE FROM roles WHERE room_id = ? AND user_id = ?", head->id, write.user_id).run();
  } else {
    Query(db_,
          "INSERT INTO roles VALUES (?, ?, ?) "
          "ON CONFLICT (room_id, user_id) DO UPDATE SET role = excluded.role",
          head->id, write.user_id, static_cast<std::int64_t>(write.role))
        .run();
  }
  return outcome;
}

WriteOutcome Writer::apply(const MarkRoomRead& write, WallMs) {
  WriteOutcome outcome;
  const Head* head = find_head(write.room);
  if (head == nullptr) return outcome;
  {
    Query query(db_, "SELECT seq FROM read_marks WHERE room_id = ? AND user_id = ?", head->id, write.user_id);
    if (query.next()) outcome.position = static_cast<std::uint64_t>(query.integer(0));
  }
  const std::uint64_t mark = std::min(write.up_to, head->seq);
  if (mark <= outcome.position) return outcome;
  Query(db_,
        "INSERT INTO read_marks VALUES (?, ?, ?) "
        "ON CONFLICT (room_id, user_id) DO UPDATE SET seq = excluded.seq",
        head->id, write.user_id, mark)
      .run();
  outcome.count = mark - outcome.position;
  outcome.position = mark;
  return outcome;
}

// -- users ----------------------------------------------------------------------------------------------

WriteOutcome Writer::apply(const SaveUser& write, WallMs now) {
  const std::string rooms = write.rooms ? joined(*write.rooms) : std::string();
  Query(db_,
        "INSERT INTO users VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET "
        "info = CASE WHEN ?2 = '' THEN info ELSE ?2 END, "
        "last_seen = CASE WHEN ?3 = 0 THEN last_seen ELSE ?3 END, "
        "rooms = CASE WHEN ?6 THEN ?4 ELSE rooms END, saved_at = ?5",
        write.id, write.user_json, write.last_seen, rooms, now, write.rooms ? 1 : 0)
      .run();
  return {};
}

// -- files ----------------------------------------------------------------------------------------------

std::int64_t Writer::usage_of(const std::string& user) {
  Query query(db_, "SELECT bytes FROM usage WHERE user_id = ?", user);
  return query.next() ? query.integer(0) : 0;
}

void Writer::change_usage(const std::string& user, std::int64_t bytes) {
  for (const std::string& whose : {user, std::string()}) {
    Query(db_,
          "INSERT INTO usage VALUES (?, ?) ON CONFLICT (user_id) DO UPDATE SET bytes = bytes + excluded.bytes",
          whose, bytes)
        .run();
  }
  Query(db_, "DELETE FROM usage WHERE user_id = ? AND bytes <= 0", user).run();
}

bool Writer::over_quota(const BeginUpload& write) {
  const StoredFile& file = write.record.file;
  const auto exceeds = [&](std::int64_t used, std::uint64_t most) {
    return file.size_bytes > most || static_cast<std::uint64_t>(used) > most - file.size_bytes;
  };
  if (exceeds(usage_of(file.user_id), write.user_bytes_max)) return true;
  if (exceeds(usage_of({}), write.total_bytes_max)) return true;
  Query query(db_, "SELECT COUNT(*) FROM uploads WHERE user_id = ?", file.user_id);
  query.next();
  return query.integer(0) >= write.user_uploads_max;
}

WriteOutcome Writer::apply(const BeginUpload& write, WallMs now) {
  const StoredFile& file = write.record.file;
  {
    Query taken(db_,
                "SELECT 1 FROM uploads WHERE id = ?1 UNION ALL SELECT 1 FROM files WHERE id = ?1 "
                "UNION ALL SELECT 1 FROM dead_files WHERE id = ?1",
                file.id);
    if (taken.next()) return refused(ErrorCode::kConflict);
  }
  if (over_quota(write)) return refused(ErrorCode::kLimitReached);
  Query(db_, "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", file.id, file.user_id, file.name,
        file.mime, file.sha256, file.size_bytes, write.record.room, write.record.target_user,
        write.record.started_at != 0 ? write.record.started_at : now)
      .run();
  change_usage(file.user_id, static_cast<std::int64_t>(file.size_bytes));
  return {};
}

WriteOutcome Writer::apply(const EndUpload& write, WallMs) {
  std::string user;
  std::int64_t bytes = 0;
  {
    Query query(db_, "SELECT user_id, size FROM uploads WHERE id = ?", write.id);
    if (!query.next()) return {};
    user = query.text(0);
    bytes = query.integer(1);
  }
  Query(db_, "DELETE FROM uploads WHERE id = ?", write.id).run();
  Query(db_, "INSERT OR IGNORE INTO dead_files VALUES (?)", write.id).run();
  change_usage(user, -bytes);
  return {};
}

bool Writer::upload_matches(const StoredFile& file) {
  Query query(db_, "SELECT user_id, size FROM uploads WHERE id = ?", file.id);
  return query.next() && query.view(0) == file.user_id &&
         static_cast<std::uint64_t>(query.integer(1)) == file.size_bytes;
}

void Writer::publish_file(const StoredFile& file, const std::string& room, const std::string& from,
                          const std::string& to) {
  Query(db_, "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", file.id, file.user_id, file.name, file.mime,
        file.sha256, file.size_bytes, room, from, to)
      .run();
  Query(db_, "DELETE FROM uploads WHERE id = ?", file.id).run();
}

void Writer::drop_file(const std::string& id) {
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
  change_usage(user, -bytes);
}

// -- push subscriptions -----------------------------------------------------------------------------------

WriteOutcome Writer::apply(const SavePushSubscription& write, WallMs) {
  const PushSubscription& subscription = write.subscription;
  Query(db_, "DELETE FROM push_subscriptions WHERE endpoint = ?", subscription.endpoint).run();
  Query(db_,
        "INSERT INTO push_subscriptions (endpoint, user_id, p256dh, auth, created_at) VALUES (?, ?, ?, ?, ?)",
        subscription.endpoint, subscription.user_id, Blob{subscription.p256dh}, Blob{subscription.auth},
        subscription.created_at)
      .run();
  Query(db_,
        "DELETE FROM push_subscriptions WHERE n IN (SELECT n FROM push_subscriptions WHERE user_id = ? "
        "ORDER BY n DESC LIMIT -1 OFFSET ?)",
        subscription.user_id, write.per_user_max)
      .run();
  return {};
}

WriteOutcome Writer::apply(const DropPushSubscription& write, WallMs) {
  Query(db_, "DELETE FROM push_subscriptions WHERE endpoint = ?1 AND (?2 = '' OR user_id = ?2)", write.endpoint,
        write.user_id)
      .run();
  return db_.changes() == 0 ? refused(ErrorCode::kNotFound) : WriteOutcome();
}

}  // namespace wirehall::store::sqlite
