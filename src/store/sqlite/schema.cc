#include "store/sqlite/schema.h"

#include <array>
#include <string>

namespace wirehall::store::sqlite {
namespace {

// docs/reference/storage-schema.md describes the tables.
//
// A message's place is one number, room and seq together (rows.h), so that a room's messages lie side
// by side and a page of them is one walk. Flags: 1 edited, 2 deleted.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('epoch_base', randomblob(16));

CREATE TABLE rooms (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  title TEXT NOT NULL,
  metadata TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_activity INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  epoch TEXT NOT NULL);
CREATE INDEX rooms_by_creator ON rooms(created_by) WHERE created_by <> '';

CREATE TABLE messages (
  place INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  user_json TEXT NOT NULL,
  type TEXT NOT NULL,
  content TEXT NOT NULL,
  reply_to TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  file_id TEXT,
  checksum INTEGER NOT NULL);

CREATE TABLE keys (
  n INTEGER PRIMARY KEY,
  user_id TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  message_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (user_id, key));

CREATE TABLE roles (
  room_id INTEGER NOT NULL, user_id TEXT NOT NULL, role INTEGER NOT NULL,
  PRIMARY KEY (room_id, user_id)) WITHOUT ROWID;

CREATE TABLE read_marks (
  room_id INTEGER NOT NULL, user_id TEXT NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (room_id, user_id)) WITHOUT ROWID;

CREATE TABLE private_messages (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  from_user TEXT NOT NULL,
  from_json TEXT NOT NULL,
  to_user TEXT NOT NULL,
  type TEXT NOT NULL,
  content TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  stored_at INTEGER NOT NULL,
  read INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  file_id TEXT,
  checksum INTEGER NOT NULL);
CREATE INDEX pending_private_messages ON private_messages(to_user, n) WHERE pending = 1;

CREATE TABLE users (
  id TEXT PRIMARY KEY, info TEXT NOT NULL, last_seen INTEGER NOT NULL, rooms TEXT NOT NULL,
  saved_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX users_by_age ON users(saved_at);

CREATE TABLE uploads (
  id TEXT PRIMARY KEY, user_id TEXT NOT NULL, name TEXT NOT NULL, mime TEXT NOT NULL, sha256 TEXT NOT NULL,
  size INTEGER NOT NULL, room TEXT NOT NULL, target_user TEXT NOT NULL, started_at INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE INDEX uploads_by_user ON uploads(user_id);
CREATE INDEX uploads_by_age ON uploads(started_at);

CREATE TABLE files (
  id TEXT PRIMARY KEY, user_id TEXT NOT NULL, name TEXT NOT NULL, mime TEXT NOT NULL, sha256 TEXT NOT NULL,
  size INTEGER NOT NULL, room TEXT NOT NULL, from_user TEXT NOT NULL, to_user TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX files_by_user ON files(user_id);
CREATE TABLE dead_files (id TEXT PRIMARY KEY) WITHOUT ROWID;

-- One row for each user who has files or uploads, and one, with an empty id, for all of them.
CREATE TABLE usage (user_id TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE push_subscriptions (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  endpoint TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  p256dh BLOB NOT NULL,
  auth BLOB NOT NULL,
  created_at INTEGER NOT NULL);
CREATE INDEX push_subscriptions_by_user ON push_subscriptions(user_id, n);
)sql";

// A room's position follows from its newest message. No table changes; but a program that knows version 1 alone would
// take the position from the room's row, and number anew.
constexpr const char* kVersion2 = "";

// The n-th brings a file from version n to version n + 1. What was released is never changed.
constexpr std::array kMigrations = {kVersion1, kVersion2};

}  // namespace

int schema_version() { return static_cast<int>(kMigrations.size()); }

void migrate(Database& db) {
  const auto version_of = [&db] {
    Query query(db, "PRAGMA user_version");
    query.next();
    return static_cast<int>(query.integer(0));
  };
  const int found = version_of();
  if (found > schema_version())
    throw SqliteError(SQLITE_MISMATCH, "the database has version " + std::to_string(found) +
                                           " and this program knows " + std::to_string(schema_version()) +
                                           ": a newer wirehall has written it");
  for (int version = found; version < schema_version(); ++version) {
    Transaction transaction(db, Transaction::Kind::kWrite);
    db.execute(kMigrations[static_cast<std::size_t>(version)]);
    db.execute("PRAGMA user_version = " + std::to_string(version + 1));
    transaction.commit();
  }
}

}  // namespace wirehall::store::sqlite
