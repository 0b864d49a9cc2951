#include "services/hall/room_directory.h"

#include <algorithm>

#include "base/append_sparingly.h"
#include "services/hall/presentation.h"

namespace wirehall::services {
namespace {

constexpr std::size_t kUnindexedMembersMax = 16;

}  // namespace

// -- who is in a room -----------------------------------------------------------------------------------

std::optional<std::size_t> RoomDirectory::place_of(const Room& room, std::string_view user_id) {
  if (room.index) {
    const auto entry = room.index->find(user_id);
    return entry == room.index->end() ? std::nullopt : std::optional<std::size_t>(entry->second);
  }
  for (std::size_t place = 0; place < room.members.size(); ++place) {
    if (room.members[place].user_id == user_id) return place;
  }
  return std::nullopt;
}

RoomMember* RoomDirectory::member_of(Room& room, std::string_view user_id) {
  const auto place = place_of(room, user_id);
  return place ? &room.members[*place] : nullptr;
}

void RoomDirectory::add(Room& room, RoomMember member) {
  append_sparingly(room.members, std::move(member));
  // A room that was larger keeps its index for a while.
  if (!room.index && room.members.size() <= kUnindexedMembersMax) return;
  std::size_t missing = room.members.size() - 1;
  if (!room.index) {
    room.index = std::make_unique<TextMap<std::uint32_t>>();
    missing = 0;
  }
  for (; missing < room.members.size(); ++missing)
    room.index->emplace(room.members[missing].user_id, static_cast<std::uint32_t>(missing));
}

void RoomDirectory::erase(Room& room, std::size_t place) {
  if (room.index) room.index->erase(room.members[place].user_id);
  if (place + 1 != room.members.size()) {
    room.members[place] = std::move(room.members.back());
    if (room.index) room.index->find(room.members[place].user_id)->second = static_cast<std::uint32_t>(place);
  }
  room.members.pop_back();
  if (room.members.size() <= kUnindexedMembersMax / 2) room.index.reset();
}

// -- coming and going -----------------------------------------------------------------------------------

Status RoomDirectory::enter(const std::string& name, RoomMember user, const std::string& socket_id,
                            std::uint32_t members_max, WallMs wall_now) {
  if (reserved_.contains(name)) return ErrorCode::kUnavailable;
  const auto found = rooms_.find(name);
  if (found != rooms_.end()) {
    Room& room = found->second;
    if (RoomMember* member = member_of(room, user.user_id)) {
      ++room.connections;
      ++member->connections;
      member->lost_until = kNever;
      member->user_json = std::move(user.user_json);
      return {};
    }
    if (members_max != 0 && room.members.size() >= members_max)
      return Error(ErrorCode::kLimitReached, "the room is full");
  }
  Room& room = rooms_[name];
  ++room.connections;
  user.connections = 1;
  user.lost_until = kNever;
  add(room, std::move(user));
  const RoomMember& member = room.members.back();
  if (is_large(room) || room.diff) {
    note(name, room, member.user_id, Change::kJoined, 0);
    return {};
  }
  tell_(name, "user-joined",
        {{"userId", member.user_id}, {"user", object_of(*member.user_json)}, {"roomId", name}, {"timestamp", wall_now}},
        socket_id);
  // Who joins is taken to be online.
  if (member.status != "online")
    tell_(name, "presence-update",
          {{"userId", member.user_id}, {"status", member.status}, {"timestamp", wall_now}}, socket_id);
  return {};
}

bool RoomDirectory::reserve(const std::string& room) {
  if (rooms_.contains(room)) return false;
  ++reserved_[room];
  return true;
}

void RoomDirectory::release(const std::string& room) {
  const auto found = reserved_.find(room);
  if (found != reserved_.end() && --found->second == 0) reserved_.erase(found);
}

void RoomDirectory::leave(const std::string& name, const std::string& user_id, MonoTime lost_until, WallMs wall_now) {
  const auto found = rooms_.find(name);
  if (found == rooms_.end()) return;
  RoomMember* member = member_of(found->second, user_id);
  if (member == nullptr || member->connections == 0) return;
  --found->second.connections;
  --member->connections;
  constexpr std::size_t kLostMax = 1'000'000;  // beyond it nobody is waited for
  if (lost_until != kNever && lost_.size() < kLostMax) {
    member->lost_until = lost_until;
    lost_.push_back({lost_until, name, user_id});
  }
  // Another connection may have been lost before: the user is waited for then.
  if (member->connections == 0 && member->lost_until == kNever)
    remove_member(name, found->second, user_id, wall_now);
}

bool RoomDirectory::remove(const std::string& name, const std::string& user_id, WallMs wall_now) {
  const auto found = rooms_.find(name);
  if (found == rooms_.end() || member_of(found->second, user_id) == nullptr) return false;
  remove_member(name, found->second, user_id, wall_now);
  return true;
}

void RoomDirectory::remove_member(const std::string& name, Room& room, std::string_view user, WallMs wall_now) {
  const std::string user_id(user);
  const bool large = is_large(room);
  const std::size_t place = *place_of(room, user_id);
  room.connections -= room.members[place].connections;
  erase(room, place);
  if (room.members.empty()) {
    rooms_.erase(rooms_.find(name));
    return;
  }
  if (large || room.diff) return note(name, room, user_id, Change::kLeft, 0);
  tell_(name, "user-left", {{"userId", user_id}, {"roomId", name}, {"timestamp", wall_now}}, {});
}

void RoomDirectory::set_status(const std::string& name, const std::string& user_id, const std::string& status,
                               WallMs last_seen, WallMs wall_now) {
  const auto found = rooms_.find(name);
  if (found == rooms_.end()) return;
  RoomMember* member = member_of(found->second, user_id);
  if (member == nullptr || member->status == status) return;
  member->status = status;
  if (is_large(found->second) || found->second.diff) return note(name, found->second, user_id, Change::kUpdated, last_seen);
  Object fields{{"userId", user_id}, {"status", status}, {"timestamp", wall_now}};
  if (last_seen != 0) fields.set("lastSeen", last_seen);
  tell_(name, "presence-update", std::move(fields), {});
}

// Somebody may come back to one room, be lost again, and wait a second time: the entry that counts is the one
// whose time is the member's.
void RoomDirectory::expire(MonoTime now, WallMs wall_now,
                           const std::function<void(const std::string&, const std::string&)>& gone) {
  while (!lost_.empty() && lost_.front().until <= now) {
    const Lost lost = std::move(lost_.front());
    lost_.pop_front();
    const auto found = rooms_.find(lost.room);
    if (found == rooms_.end()) continue;
    RoomMember* member = member_of(found->second, lost.user_id);
    if (member == nullptr || member->lost_until != lost.until) continue;
    member->lost_until = kNever;
    if (member->connections != 0) continue;
    remove_member(lost.room, found->second, lost.user_id, wall_now);
    gone(lost.room, lost.user_id);
  }
}

// -- large rooms --------------------------------------------------------------------------------------

void RoomDirectory::note(const std::string& name, Room& room, const std::string& user_id, Change change,
                         WallMs last_seen) {
  if (!room.diff) {
    room.diff = std::make_unique<Diff>();
    changed_.push_back(name);
  }
  const auto [entry, made] = room.diff->entries.try_emplace(user_id, Diff::Entry{change, last_seen});
  if (made) {
    room.diff->order.push_back(user_id);
    return;
  }
  // Who joined in this tick is new whatever happened since; who came back has not left.
  const Change before = entry->second.change;
  if (before == Change::kJoined && change == Change::kUpdated) return;
  if ((before == Change::kJoined && change == Change::kLeft)) {
    room.diff->entries.erase(entry);  // nobody has seen it: nothing is told
    return;
  }
  entry->second.change = before == Change::kLeft && change == Change::kJoined ? Change::kUpdated : change;
  entry->second.last_seen = last_seen;
}

void RoomDirectory::tick(WallMs wall_now) {
  for (const std::string& name : std::exchange(changed_, {})) {
    const auto found = rooms_.find(name);
    if (found != rooms_.end() && found->second.diff) tell_diff(name, found->second, wall_now);
  }
}

void RoomDirectory::tell_diff(const std::string& name, Room& room, WallMs wall_now) {
  const std::unique_ptr<Diff> diff = std::move(room.diff);
  Array joins, leaves, updates;
  std::size_t left_out = 0;
  for (const std::string& user_id : diff->order) {
    const auto entry = diff->entries.find(user_id);
    if (entry == diff->entries.end()) continue;
    const RoomMember* member = member_of(room, user_id);
    Array& list = entry->second.change == Change::kLeft     ? leaves
                  : entry->second.change == Change::kJoined ? joins
                                                            : updates;
    const bool stale = (member == nullptr) != (entry->second.change == Change::kLeft);
    if (stale || list.size() >= options_.diff_max) {
      left_out += stale ? 0 : 1;
      continue;
    }
    Object fields{{"userId", user_id}};
    if (entry->second.change == Change::kJoined) fields.set("user", object_of(*member->user_json));
    if (member != nullptr) fields.set("status", member->status);
    if (entry->second.last_seen != 0) fields.set("lastSeen", entry->second.last_seen);
    list.emplace_back(std::move(fields));
    diff->entries.erase(entry);  // an id that stands in the order twice is told once
  }
  if (joins.empty() && leaves.empty() && updates.empty() && left_out == 0) return;
  Object fields{{"roomId", name}, {"joins", Value(std::move(joins))}, {"leaves", Value(std::move(leaves))}};
  fields.set("updates", Value(std::move(updates)));
  fields.set("memberCount", static_cast<std::int64_t>(room.members.size()));
  if (left_out != 0) fields.set("more", static_cast<std::int64_t>(left_out));
  fields.set("timestamp", wall_now);
  tell_(name, "presence-diff", std::move(fields), {});
}

// -- questions ----------------------------------------------------------------------------------------

const RoomDirectory::Room* RoomDirectory::find(std::string_view name) const {
  const auto found = rooms_.find(name);
  return found == rooms_.end() ? nullptr : &found->second;
}

std::vector<RoomMember> RoomDirectory::members(std::string_view name, std::size_t limit) const {
  const Room* room = find(name);
  if (room == nullptr) return {};
  const std::size_t count = std::min(limit, room->members.size());
  return {room->members.begin(), room->members.begin() + static_cast<std::ptrdiff_t>(count)};
}

bool RoomDirectory::is_member(std::string_view name, std::string_view user_id) const {
  const Room* room = find(name);
  return room != nullptr && place_of(*room, user_id).has_value();
}

std::uint32_t RoomDirectory::connections_of(std::string_view name, std::string_view user_id) const {
  const Room* room = find(name);
  if (room == nullptr) return 0;
  const auto place = place_of(*room, user_id);
  return place ? room->members[*place].connections : 0;
}

std::size_t RoomDirectory::member_count(std::string_view name) const {
  const Room* room = find(name);
  return room == nullptr ? 0 : room->members.size();
}

std::size_t RoomDirectory::connection_count(std::string_view name) const {
  const Room* room = find(name);
  return room == nullptr ? 0 : room->connections;
}

std::vector<std::string> RoomDirectory::names() const {
  std::vector<std::string> names;
  for (const auto& [name, room] : rooms_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace wirehall::services
