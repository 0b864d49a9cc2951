#include "rooms/rooms.h"

using namespace wirehall;

namespace app {
namespace {

// Everybody reads, and whoever looks after the room writes. Rooms called "announcements" or "announcements-…"
// are of this kind, and whoever creates a room may ask for it by its name.
class Announcements final : public RoomType {
 public:
  Announcements() : RoomType(options()) {}

  // What the options cannot say: short, so that people read it.
  Status may_post(const User&, RoomRole, const StoredMessage& message) const override {
    constexpr std::size_t kBytesMax = 4 * 1024;
    if (message.content.size() <= kBytesMax) return {};
    return Error(ErrorCode::kTooLarge, "announcements have up to " + std::to_string(kBytesMax) + " bytes");
  }

 private:
  static RoomTypeOptions options() {
    RoomTypeOptions options;
    options.post_from = RoomRole::kModerator;
    options.names = {"announcements", "announcements-*"};
    return options;
  }
};

// Only for who was invited, and not for too many.
class Team final : public RoomType {
 public:
  Team() : RoomType(options()) {}

 private:
  static RoomTypeOptions options() {
    RoomTypeOptions options;
    options.access = RoomAccess::kInvite;
    options.members_max = 500;
    return options;
  }
};

}  // namespace

void add_room_types(Hall& hall) {
  hall.room_type("announcements", std::make_shared<const Announcements>());
  hall.room_type("team", std::make_shared<const Team>());
}

}  // namespace app
