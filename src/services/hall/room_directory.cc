#include "services/hall/room_directory.h"

#include <algorithm>

namespace wirehall::services {

bool RoomDirectory::enter(std::string_view name, std::string_view user_id, const std::string& user_json) {
  Room& room = rooms_[std::string(name)];
  ++room.connections;
  const auto [entry, first] =
      room.index.try_emplace(std::string(user_id), static_cast<std::uint32_t>(room.members.size()));
  if (first) room.members.push_back({std::string(user_id), user_json, 0});
  ++room.members[entry->second].connections;
  return first;
}

bool RoomDirectory::leave(std::string_view name, std::string_view user_id) {
  const auto found = rooms_.find(name);
  if (found == rooms_.end()) return false;
  Room& room = found->second;
  const auto entry = room.index.find(user_id);
  if (entry == room.index.end()) return false;
  --room.connections;
  const std::uint32_t place = entry->second;
  if (--room.members[place].connections != 0) return false;
  room.index.erase(entry);
  if (place + 1 != room.members.size()) {
    room.members[place] = std::move(room.members.back());
    room.index.find(room.members[place].user_id)->second = place;
  }
  room.members.pop_back();
  if (room.members.empty()) rooms_.erase(found);
  return true;
}

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

std::size_t RoomDirectory::member_count(std::string_view name) const {
  const Room* room = find(name);
  return room == nullptr ? 0 : room->members.size();
}

std::size_t RoomDirectory::connection_count(std::string_view name) const {
  const Room* room = find(name);
  return room == nullptr ? 0 : room->connections;
}

}  // namespace wirehall::services
