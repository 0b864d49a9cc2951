// The reading side: one transaction's worth of answers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/sqlite/database.h"
#include "wirehall/hall_store.h"

namespace wirehall::store::sqlite {

/// Thread:   one at a time. Every function may throw SqliteError.
class Reader {
 public:
  Reader(Database& db, const std::string& epoch_base) : db_(db), epoch_base_(epoch_base) {}

  MessagePage newest(const std::string& room, std::uint64_t before, std::uint32_t limit);
  MessagePage after(const std::string& room, std::uint64_t after, std::uint32_t limit);
  RoomView room(const std::string& room, const std::string& user_id);
  std::vector<RoomRecord> rooms(const std::string& after, std::uint32_t limit);
  std::optional<UserRecord> user(const std::string& id);
  std::vector<PrivateMessage> pending(const std::string& user_id, std::uint32_t limit);
  std::optional<UploadRecord> upload(const std::string& id);
  std::optional<FileView> file(const std::string& id);
  std::vector<PushSubscription> subscriptions(const std::string& user_id);

 private:
  /// Where the room's stream stands. Returns: its number; -1 when it has no record.
  std::int64_t position(const std::string& room, RoomPosition& top);

  Database& db_;
  const std::string& epoch_base_;
};

}  // namespace wirehall::store::sqlite
