// Rows as the port's values, and what guards them: shared by the writer and the readers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite/database.h"
#include "wirehall/hall_store.h"

namespace wirehall::store::sqlite {

/// A message's place in the table: the room's number and the message's, so that a room's messages lie side by
/// side. 2^26 rooms with 2^37 messages each.
inline constexpr int kSeqBits = 37;
inline constexpr std::int64_t kRoomsMax = (std::int64_t{1} << 26) - 1;
inline constexpr std::uint64_t kSeqMax = (std::uint64_t{1} << kSeqBits) - 1;
inline std::int64_t place_of(std::int64_t room_id, std::uint64_t seq) {
  return (room_id << kSeqBits) | static_cast<std::int64_t>(seq);
}
inline std::int64_t room_of_place(std::int64_t place) { return place >> kSeqBits; }
inline std::uint64_t seq_of_place(std::int64_t place) { return static_cast<std::uint64_t>(place) & kSeqMax; }

inline constexpr std::int64_t kEdited = 1;
inline constexpr std::int64_t kDeleted = 2;

/// What a message's row must still say when it is read (RELIABILITY Q6).
std::int64_t checksum_of(const StoredMessage& message, std::int64_t place);
std::int64_t checksum_of(const PrivateMessage& message);

// The columns that message_of() and private_of() expect, with the file's behind them.
#define WIREHALL_MESSAGE_COLUMNS                                                                             \
  "m.place, m.id, m.user_id, m.user_json, m.type, m.content, m.reply_to, m.timestamp, m.flags, m.checksum, " \
  "f.id, f.user_id, f.name, f.mime, f.sha256, f.size "                                                       \
  "FROM messages m LEFT JOIN files f ON f.id = m.file_id "
#define WIREHALL_PRIVATE_COLUMNS                                                                 \
  "m.n, m.id, m.from_user, m.from_json, m.to_user, m.type, m.content, m.timestamp, m.read, "     \
  "m.checksum, f.id, f.user_id, f.name, f.mime, f.sha256, f.size "                               \
  "FROM private_messages m LEFT JOIN files f ON f.id = m.file_id "

/// A row as a message. One that is damaged is counted and comes as a deleted one: a wrong text is never shown.
StoredMessage message_of(const Query& query, const std::string& room);
/// Returns: false when it is damaged.
bool private_of(const Query& query, PrivateMessage& message);

#define WIREHALL_ROOM_COLUMNS \
  "id, name, type, title, metadata, created_by, created_at, last_activity, seq, epoch FROM rooms "
/// A row as a room that has no messages.
RoomRecord room_of(const Query& query);

/// A room's newest message. Where a room stands follows from it, so that a message writes no second row. What the
/// room's own row says about that is for what the newest message does not know: where the room stood when all of
/// its messages were removed, and a later time than its own.
struct Newest {
  std::uint64_t seq = 0;  ///< 0: the room has no messages
  WallMs timestamp = 0;
};
Newest newest_of(Database& db, std::int64_t room_id);
/// The room as it stands with its messages.
void bring_up_to(RoomRecord& record, const Newest& newest);

/// The epoch of a room without a record.
std::string derived_epoch(std::string_view base, std::string_view room);

/// Room names, none of which has a control character, as one text.
std::string joined(const std::vector<std::string>& names);
std::vector<std::string> split(std::string_view text);

/// Rows that were found damaged since the start.
std::uint64_t damaged_rows();

}  // namespace wirehall::store::sqlite
