#include "hub/room_index.h"

#include <algorithm>
#include <new>
#include <type_traits>

#include "hub/socket.h"

namespace wirehall::hub {

void MembershipList::push_back(const Membership& membership) {
  static_assert(std::is_trivially_copyable_v<Membership> && alignof(Membership) <= alignof(Block) * 2);
  const std::uint32_t count = block_ == nullptr ? 0 : block_->size;
  if (block_ == nullptr || count == block_->capacity) {
    const std::uint32_t capacity = count == 0 ? 1 : count + (count + 1) / 2;
    void* larger = std::realloc(block_, sizeof(Block) + capacity * sizeof(Membership));
    if (larger == nullptr) throw std::bad_alloc();
    block_ = static_cast<Block*>(larger);
    block_->capacity = capacity;
  }
  new (block_->items() + count) Membership(membership);
  block_->size = count + 1;
}

void MembershipList::pop_back() {
  if (--block_->size != 0) return;
  std::free(block_);
  block_ = nullptr;
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
  memberships.push_back({&room, static_cast<std::uint32_t>(room.members.size() - 1), 0});
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
  memberships[index] = memberships.back();
  memberships.pop_back();
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
