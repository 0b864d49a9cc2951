// Who is in a room, and what others are told of it; no hub, no shard.
#include "services/hall/room_directory.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"

namespace wirehall::services {
namespace {

class Directory : public testing::Test {
 protected:
  explicit Directory(DirectoryOptions options = {4, 3})
      : rooms(options, [this](const auto& room, auto event, auto fields, const auto&) {
          told.push_back(event + " " + room + " " + Value(std::move(fields)).to_json());
        }) {}
  static RoomMember member(const std::string& id) {
    RoomMember made;
    made.user_id = id;
    made.user_json = std::make_shared<const std::string>("{}");
    made.status = "online";
    return made;
  }
  void come(const std::string& id) { EXPECT_TRUE(enter(id).ok()); }
  Status enter(const std::string& id, std::uint32_t most = 0) {
    return rooms.enter("r", member(id), "s-" + id, most, 7);
  }
  void leave(const std::string& id, MonoTime until = kNever) { rooms.leave("r", id, until, 7); }
  std::vector<std::string> take() { return std::exchange(told, {}); }
  static MonoTime at(int seconds) { return MonoTime(std::chrono::seconds(seconds)); }

  std::vector<std::string> told;
  RoomDirectory rooms;
};

TEST_F(Directory, TheFirstConnectionInAndTheLastOneOutAreTold) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(enter("ann").ok());
  ASSERT_EQ(take().size(), 1u);
  leave("ann");
  leave("ann");
  EXPECT_TRUE(take().empty());
  leave("ann");
  EXPECT_EQ(rooms.size(), 0u) << "an empty room is nobody's to tell";
  leave("ann");  // once more than it came
  EXPECT_TRUE(take().empty());
}

TEST_F(Directory, WhoIsLostIsWaitedForWhateverAnotherDeviceDoes) {
  come("bob");
  come("ann");
  come("ann");
  take();
  leave("ann", at(10));
  leave("ann");
  EXPECT_TRUE(rooms.is_member("r", "ann"));
  EXPECT_TRUE(take().empty());
  std::vector<std::string> gone;
  const auto note = [&](const std::string&, const std::string& user) { gone.push_back(user); };
  rooms.expire(at(9), 7, note);
  EXPECT_TRUE(gone.empty());
  rooms.expire(at(10), 7, note);
  EXPECT_EQ(gone, std::vector<std::string>{"ann"});
  EXPECT_EQ(take().size(), 1u) << "user-left";
}

TEST_F(Directory, WhoComesBackInTimeHasNeverBeenAway) {
  come("bob");
  come("ann");
  leave("ann", at(10));
  come("ann");
  take();
  rooms.expire(at(100), 7, [](const auto&, const auto&) { FAIL(); });
  EXPECT_TRUE(rooms.is_member("r", "ann"));
  EXPECT_TRUE(take().empty());
}

TEST_F(Directory, ALimitIsOfUsersNotOfConnections) {
  EXPECT_TRUE(enter("ann", 1).ok());
  EXPECT_TRUE(enter("ann", 1).ok());
  EXPECT_EQ(enter("bob", 1).error().code(), ErrorCode::kLimitReached);
}

TEST_F(Directory, ARoomThatIsBeingCreatedLetsNobodyIn) {
  EXPECT_TRUE(rooms.reserve("r"));
  EXPECT_TRUE(rooms.reserve("r"));
  rooms.release("r");
  EXPECT_EQ(enter("ann").error().code(), ErrorCode::kUnavailable);
  rooms.release("r");
  EXPECT_TRUE(enter("ann").ok());
  EXPECT_FALSE(rooms.reserve("r"));
}

TEST_F(Directory, ALargeRoomIsToldOnceATick) {
  for (const char* id : {"a", "b", "c"}) come(id);
  EXPECT_EQ(take().size(), 3u);
  for (const char* id : {"d", "e"}) come(id);
  leave("a");
  rooms.set_status("r", "b", "away", 0, 7);
  leave("e");  // came and went within the tick: nobody is told
  EXPECT_TRUE(take().empty());
  ASSERT_TRUE(rooms.wants_tick());
  rooms.tick(7);
  const std::vector<std::string> diffs = take();
  ASSERT_EQ(diffs.size(), 1u);
  EXPECT_NE(
      diffs[0].find(
          R"("joins":[{"userId":"d","user":{},"status":"online"}],"leaves":[{"userId":"a"}],"updates":[{"userId":"b","status":"away"}],"memberCount":3)"),
      std::string::npos)
      << diffs[0];
  EXPECT_FALSE(rooms.wants_tick());
}

class Stadium : public Directory {
 protected:
  Stadium() : Directory({200, 200}) {}
};

// Everybody is told by one event to everybody: messages grow with the members, not with their square.
TEST_F(Stadium, FifteenThousandWhoComeBackAreOneEventATick) {
  constexpr int kMembers = 15'000;
  for (int i = 0; i < kMembers; ++i) come("u" + std::to_string(i));
  rooms.tick(7);
  take();
  std::size_t bytes = 0;
  std::size_t events = 0;
  constexpr int kTicks = 10;
  for (int tick = 0; tick < kTicks; ++tick) {
    for (int i = tick; i < kMembers; i += kTicks) {
      leave("u" + std::to_string(i), at(100));
      rooms.set_status("r", "u" + std::to_string(i), "offline", 5, 7);
      come("u" + std::to_string(i));
      rooms.set_status("r", "u" + std::to_string(i), "online", 0, 7);
    }
    rooms.tick(7);
    for (const std::string& event : take()) {
      ++events;
      bytes = std::max(bytes, event.size());
    }
  }
  EXPECT_LE(events, static_cast<std::size_t>(kTicks)) << "of which each goes to every member once";
  EXPECT_LT(bytes, 64u * 1024u) << "and names no more than it says";
  EXPECT_EQ(rooms.member_count("r"), static_cast<std::size_t>(kMembers));
}

// An index comes above sixteen members and goes at eight: between them a room may have one or not.
TEST_F(Directory, MembersAreFoundHoweverARoomGrowsAndShrinks) {
  SeededRandom random(1);
  std::set<std::string> inside;
  for (int step = 0; step < 5'000; ++step) {
    const std::string id = "u" + std::to_string(random.next() % 24);
    if (inside.insert(id).second) {
      come(id);
    } else {
      leave(id);
      inside.erase(id);
    }
    ASSERT_EQ(rooms.member_count("r"), inside.size()) << step;
    for (int i = 0; i < 24; ++i) {
      const std::string each = "u" + std::to_string(i);
      ASSERT_EQ(rooms.is_member("r", each), inside.contains(each)) << each << " after step " << step;
    }
  }
}

// Small rooms are searched, large ones have an index; both ways back and forth.
TEST_F(Directory, MembersAreFoundInRoomsOfAnySize) {
  std::vector<std::string> inside;
  const auto check = [&] {
    ASSERT_EQ(rooms.member_count("r"), inside.size());
    for (int i = 0; i < 40; ++i) {
      const std::string id = "u" + std::to_string(i);
      const bool is_in = std::find(inside.begin(), inside.end(), id) != inside.end();
      ASSERT_EQ(rooms.is_member("r", id), is_in) << id << " of " << inside.size();
      ASSERT_EQ(rooms.connections_of("r", id), is_in ? 1u : 0u);
    }
  };
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 40; ++i) {
      inside.push_back("u" + std::to_string(i));
      come(inside.back());
      check();
    }
    while (!inside.empty()) {
      const auto next = inside.begin() + static_cast<std::ptrdiff_t>(inside.size() * 7 / 13);
      leave(*next);
      inside.erase(next);
      check();
    }
  }
}

}  // namespace
}  // namespace wirehall::services
