// The writing side: applies writes inside a transaction that somebody else opens and commits.
//
//   I1  A refusal is found before anything of its write is changed, so that nothing has to be taken back.
//   I2  A message goes over from its write into the outcome once nothing can refuse it any more.
//   I3  What is remembered of rooms between transactions is what was committed: forget() after a rollback.
#pragma once

#include <string>
#include <string_view>

#include "base/hash_map.h"
#include "store/sqlite/database.h"
#include "wirehall/hall_store.h"

namespace wirehall::store::sqlite {

/// Thread:   one at a time. Every function may throw SqliteError.
class Writer {
 public:
  explicit Writer(Database& db);

  WriteOutcome apply(PostMessage& write, WallMs now);
  WriteOutcome apply(const ChangeMessage& write, WallMs now);
  WriteOutcome apply(PostPrivate& write, WallMs now);
  WriteOutcome apply(const SettlePrivate& write, WallMs now);
  WriteOutcome apply(const MarkRoomRead& write, WallMs now);
  WriteOutcome apply(const CreateRoom& write, WallMs now);
  WriteOutcome apply(const SetRole& write, WallMs now);
  WriteOutcome apply(const SaveUser& write, WallMs now);
  WriteOutcome apply(const BeginUpload& write, WallMs now);
  WriteOutcome apply(const EndUpload& write, WallMs now);
  WriteOutcome apply(const SavePushSubscription& write, WallMs now);
  WriteOutcome apply(const DropPushSubscription& write, WallMs now);

  /// Called between transactions, so that what is remembered stays within its bounds.
  void forget_some();
  /// The transaction was rolled back.
  void forget();
  /// Something else has removed private messages.
  void forget_inboxes() { inboxes_.clear(); }

  const std::string& epoch_base() const { return epoch_base_; }

 private:
  /// Where a room's stream stands.
  struct Head {
    std::int64_t id = 0;
    std::uint64_t seq = 0;
    WallMs last_activity = 0;
    WallMs written_activity = 0;  ///< the row's
  };
  /// What waits for a user.
  struct Inbox {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
  };
  /// A key's first use.
  struct FirstUse {
    bool found = false;
    bool same = false;
    std::string id;
    std::uint64_t seq = 0;
    WallMs timestamp = 0;
  };
  Head* find_head(const std::string& room);
  Head& make_head(const RoomRecord& record);
  Head& head_to_write(const std::string& room, WallMs now);
  /// A message was added; the room's activity does not go back.
  void advance(Head& head, const StoredMessage& message);
  bool has_message(const std::string& id);
  bool is_message_of(const std::string& id, const std::string& room);
  Inbox& inbox_of(const std::string& user);
  FirstUse first_use(const std::string& user, const std::string& key, std::string_view fingerprint);
  void remember_key(const std::string& user, const std::string& key, std::string_view fingerprint,
                    const std::string& id, std::uint64_t seq, WallMs timestamp, WallMs now);
  /// The declared upload, as the file that it becomes. Returns: false when there is none of that user.
  bool upload_matches(const StoredFile& file);
  void publish_file(const StoredFile& file, const std::string& room, const std::string& from,
                    const std::string& to);
  void drop_file(const std::string& id);
  void change_usage(const std::string& user, std::int64_t bytes);
  std::int64_t usage_of(const std::string& user);
  RoomRole role_of(std::int64_t room_id, const std::string& user);
  bool over_quota(const BeginUpload& write);

  Database& db_;
  std::string epoch_base_;
  TextMap<Head> heads_;
  TextMap<Inbox> inboxes_;
};

/// Removes what is too old or too much; a step at a time, in transactions of its own.
///
/// Thread:   the writer's.
class Upkeep {
 public:
  explicit Upkeep(Database& db) : db_(db) {}
  /// Throws: SqliteError.
  UpkeepResult step(const UpkeepOptions& options, WallMs now);

 private:
  std::uint32_t left() const { return rows_max_ - static_cast<std::uint32_t>(result_.rows); }
  void remove_keys(WallMs before);
  void remove_private(WallMs before);
  void remove_uploads(WallMs before);
  void remove_users(WallMs before);
  void trim_rooms(const UpkeepOptions& options, WallMs now);
  void trim_room(std::int64_t id, const Retention& retention, WallMs now);
  void remove_messages(std::int64_t first, std::int64_t last);
  void kill_file(const std::string& id);
  void collect_dead_files();

  Database& db_;
  UpkeepResult result_;
  std::uint32_t rows_max_ = 0;
  std::int64_t room_cursor_ = 0;  // rooms up to here were looked at in this round
};

}  // namespace wirehall::store::sqlite
