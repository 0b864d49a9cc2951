#include "store/sqlite/reader.h"

#include <algorithm>

#include "store/sqlite/rows.h"

namespace wirehall::store::sqlite {

std::int64_t Reader::position(const std::string& room, RoomPosition& top) {
  Query query(db_, "SELECT id, seq, epoch FROM rooms WHERE name = ?", room);
  if (!query.next()) {
    top = {0, derived_epoch(epoch_base_, room)};
    return -1;
  }
  const std::int64_t id = query.integer(0);
  top = {std::max(static_cast<std::uint64_t>(query.integer(1)), newest_of(db_, id).seq), query.text(2)};
  return id;
}

MessagePage Reader::newest(const std::string& room, std::uint64_t before, std::uint32_t limit) {
  MessagePage page;
  const std::int64_t id = position(room, page.top);
  if (id < 0) return page;
  const std::uint64_t last = before == 0 ? kSeqMax : std::min(before - 1, kSeqMax);
  Query query(db_, "SELECT " WIREHALL_MESSAGE_COLUMNS "WHERE m.place BETWEEN ? AND ? ORDER BY m.place DESC LIMIT ?",
              place_of(id, 0), place_of(id, last), limit);
  while (query.next()) page.messages.push_back(message_of(query, room));
  std::reverse(page.messages.begin(), page.messages.end());
  return page;
}

MessagePage Reader::after(const std::string& room, std::uint64_t after, std::uint32_t limit) {
  MessagePage page;
  const std::int64_t id = position(room, page.top);
  if (id < 0 || after >= kSeqMax) return page;
  Query query(db_, "SELECT " WIREHALL_MESSAGE_COLUMNS "WHERE m.place BETWEEN ? AND ? ORDER BY m.place LIMIT ?",
              place_of(id, after + 1), place_of(id, kSeqMax), limit);
  while (query.next()) page.messages.push_back(message_of(query, room));
  return page;
}

RoomView Reader::room(const std::string& room, const std::string& user_id) {
  RoomView view;
  std::int64_t id = 0;
  {
    Query query(db_, "SELECT " WIREHALL_ROOM_COLUMNS "WHERE name = ?", room);
    if (!query.next()) return view;
    id = query.integer(0);
    view.record = room_of(query);
  }
  bring_up_to(*view.record, newest_of(db_, id));
  Query role(db_, "SELECT role FROM roles WHERE room_id = ? AND user_id = ?", id, user_id);
  if (role.next()) view.role = static_cast<RoomRole>(role.integer(0));
  Query mark(db_, "SELECT seq FROM read_marks WHERE room_id = ? AND user_id = ?", id, user_id);
  if (mark.next()) view.read_up_to = static_cast<std::uint64_t>(mark.integer(0));
  return view;
}

std::vector<RoomRecord> Reader::rooms(const std::string& after, std::uint32_t limit) {
  std::vector<RoomRecord> rooms;
  Query query(db_, "SELECT " WIREHALL_ROOM_COLUMNS "WHERE name > ? ORDER BY name LIMIT ?", after, limit);
  while (query.next()) bring_up_to(rooms.emplace_back(room_of(query)), newest_of(db_, query.integer(0)));
  return rooms;
}

std::optional<UserRecord> Reader::user(const std::string& id) {
  Query query(db_, "SELECT info, last_seen, rooms FROM users WHERE id = ?", id);
  if (!query.next()) return std::nullopt;
  UserRecord record;
  record.id = id;
  record.user_json = query.text(0);
  record.last_seen = query.integer(1);
  record.rooms = split(query.view(2));
  return record;
}

std::vector<PrivateMessage> Reader::pending(const std::string& user_id, std::uint32_t limit) {
  std::vector<PrivateMessage> messages;
  Query query(db_,
              "SELECT " WIREHALL_PRIVATE_COLUMNS "WHERE m.to_user = ? AND m.pending = 1 ORDER BY m.n LIMIT ?",
              user_id, limit);
  while (query.next()) {
    PrivateMessage message;
    if (private_of(query, message)) messages.push_back(std::move(message));
  }
  return messages;
}

std::optional<UploadRecord> Reader::upload(const std::string& id) {
  Query query(db_,
              "SELECT user_id, name, mime, sha256, size, room, target_user, started_at FROM uploads WHERE id = ?",
              id);
  if (!query.next()) return std::nullopt;
  UploadRecord record;
  record.file = {id,           query.text(0), query.text(1), query.text(2), query.text(3),
                 static_cast<std::uint64_t>(query.integer(4))};
  record.room = query.text(5);
  record.target_user = query.text(6);
  record.started_at = query.integer(7);
  return record;
}

std::optional<FileView> Reader::file(const std::string& id) {
  Query query(db_, "SELECT user_id, name, mime, sha256, size, room, from_user, to_user FROM files WHERE id = ?", id);
  if (!query.next()) return std::nullopt;
  FileView view;
  view.file = {id,           query.text(0), query.text(1), query.text(2), query.text(3),
               static_cast<std::uint64_t>(query.integer(4))};
  view.room = query.text(5);
  view.from_user = query.text(6);
  view.to_user = query.text(7);
  return view;
}

std::vector<PushSubscription> Reader::subscriptions(const std::string& user_id) {
  std::vector<PushSubscription> list;
  Query query(db_, "SELECT endpoint, p256dh, auth, created_at FROM push_subscriptions WHERE user_id = ? ORDER BY n",
              user_id);
  while (query.next()) list.push_back({user_id, query.text(0), query.text(1), query.text(2), query.integer(3)});
  return list;
}

}  // namespace wirehall::store::sqlite
