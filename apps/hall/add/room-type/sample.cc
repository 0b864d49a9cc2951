#include "rooms/rooms.h"

using namespace wirehall;

namespace app {
namespace {

// Rooms called "sample-…", and those that are created with the type
// "sample".
class SampleRooms final : public RoomType {
 public:
  SampleRooms() : RoomType(options()) {}

  // What the options cannot say. Other questions that a kind of rooms answers: wirehall/room_type.h.
  Status may_post(const User&, RoomRole, const StoredMessage& message) const override {
    constexpr std::size_t kBytesMax = 100;
    if (message.content.size() <= kBytesMax) return {};
    return Error(ErrorCode::kTooLarge, "messages here have up to " + std::to_string(kBytesMax) + " bytes");
  }

 private:
  static RoomTypeOptions options() {
    RoomTypeOptions options;
    options.names = {"sample-*"};
    options.members_max = 1'000;
    return options;
  }
};

}  // namespace

void add_sample_rooms(Hall& hall) {
  auto type = std::make_shared<const SampleRooms>();
  hall.room_type("sample", std::move(type));
}

}  // namespace app
