#include "hub/room_index.h"

#include <algorithm>
#include <new>
#include <type_traits>

#include "hub/socket.h"

namespace wirehall::hub {

void MembershipList::push_back(const Membership& membership) {
  static_assert(std::is_trivially_copyable_v<Membership>);
  const std::size_t count = size();
  // At a power of two the block is as large as that, or larger for rooms that were left.
  if ((count & (count - 1)) == 0) {
    void* larger = std::realloc(first_, std::max<std::size_t>(2 * count, 1) * sizeof(Membership));
    if (larger == nullptr) throw std::bad_alloc();
    first_ = static_cast<Membership*>(larger);
  }
  new (first_ + count) Membership(membership);
  first_->count = static_cast<std::uint32_t>(count + 1);
}

void MembershipList::remove(std::size_t i) {
  const std::size_t last = size() - 1;
  if (last == 0) {
    std::free(first_);
    first_ = nullptr;
    return;
  }
  first_[i] = first_[last];
  first_->count = static_cast<std::uint32_t>(last);
}

bool RoomIndex::add(Socket& socket, std::string_view name) {
  for (const Membership& membership : socket.memberships()) {
    if (membership.room->name == name) return false;
  }
  auto found = rooms_.find(name);
  if (found == rooms_.end()) {
    auto room = std::make_unique<Room>();
    room->name.assign(name);
    found = rooms_.emplace(std::string(name), std::move(room)).first;
  }
  Room& room = *found->second;
  auto& memberships = socket.memberships();
  room.members.push_back({&socket, static_cast<std::uint32_t>(memberships.size())});
  memberships.push_back({&room, static_cast<std::uint32_t>(room.members.size() - 1)});
  return true;
}

bool RoomIndex::remove(Socket& socket, std::string_view name) {
  const auto& memberships = socket.memberships();
  for (std::uint32_t i = 0; i < memberships.size(); ++i) {
    if (memberships[i].room->name != name) continue;
    remove_at(socket, i);
    return true;
  }
  return false;
}

void RoomIndex::remove_all(Socket& socket) {
  while (!socket.memberships().empty())
    remove_at(socket, static_cast<std::uint32_t>(socket.memberships().size() - 1));
}

void RoomIndex::remove_at(Socket& socket, std::uint32_t index) {
  auto& memberships = socket.memberships();
  const Membership leaving = memberships[index];
  Room& room = *leaving.room;
  // The last of each list takes the place of what leaves, and its other side is told.
  room.members[leaving.place] = room.members.back();
  Room::Place& moved = room.members[leaving.place];
  moved.socket->memberships()[moved.membership].place = leaving.place;
  room.members.pop_back();
  memberships.remove(index);
  if (index < memberships.size())
    memberships[index].room->members[memberships[index].place].membership = index;
  if (room.members.empty()) rooms_.erase(rooms_.find(room.name));
}

Room* RoomIndex::find(std::string_view name) {
  const auto found = rooms_.find(name);
  return found == rooms_.end() ? nullptr : found->second.get();
}

std::vector<std::string> RoomIndex::names() const {
  std::vector<std::string> names;
  names.reserve(rooms_.size());
  for (const auto& [name, room] : rooms_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace wirehall::hub
