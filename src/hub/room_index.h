// Who is in which room, on one shard, in one namespace. Pure data.
//
//   I1  A socket is in a room at most once; both sides know each other's place, so leaving costs O(1).
//   I2  A room exists exactly while it has members.
//   I3  The order of members follows from the calls alone, never from a hash.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"

namespace wirehall::hub {

class Socket;

struct Room {
  struct Place {
    Socket* socket;
    std::uint32_t membership;  // index in the socket's list
  };
  std::string name;
  std::vector<Place> members;
};

/// A socket's side of being in a room.
struct Membership {
  Room* room;
  std::uint32_t place;      // index in the room's list
  std::uint32_t count = 0;  // in the first of a list: how many there are; the list's own
  std::uint64_t since = 0;  // with connection state recovery: the log's position when it came in
};

/// The rooms of a socket: one pointer, and a block with room for a power of two of them.
class MembershipList {
 public:
  MembershipList() = default;
  MembershipList(const MembershipList&) = delete;
  MembershipList& operator=(const MembershipList&) = delete;
  ~MembershipList() { std::free(first_); }

  std::size_t size() const { return first_ == nullptr ? 0 : first_->count; }
  bool empty() const { return size() == 0; }
  Membership* begin() { return first_; }
  Membership* end() { return begin() + size(); }
  const Membership* begin() const { return const_cast<MembershipList*>(this)->begin(); }
  const Membership* end() const { return begin() + size(); }
  Membership& operator[](std::size_t i) { return first_[i]; }
  const Membership& operator[](std::size_t i) const { return first_[i]; }
  Membership& back() { return (*this)[size() - 1]; }
  void push_back(const Membership& membership);
  /// The last one takes the place of that one.
  void remove(std::size_t i);

 private:
  Membership* first_ = nullptr;  // none while it is empty
};

/// Thread:   shard-affine.
/// Lifetime: sockets are removed before they die.
class RoomIndex {
 public:
  /// Returns: false when it was there already.
  bool add(Socket& socket, std::string_view room);
  /// Returns: false when it was not there.
  bool remove(Socket& socket, std::string_view room);
  void remove_all(Socket& socket);

  Room* find(std::string_view room);
  std::size_t size() const { return rooms_.size(); }
  /// Names of all rooms, sorted (I3).
  std::vector<std::string> names() const;

 private:
  void remove_at(Socket& socket, std::uint32_t membership);
  TextMap<std::unique_ptr<Room>> rooms_;
};

}  // namespace wirehall::hub
