// Rooms of a HallStore: their records, roles and read marks.
#include "contract/hall_store_suite.h"

namespace wirehall::test {
namespace {

constexpr std::uint64_t kFar = UINT64_MAX;

// -- rooms ------------------------------------------------------------------------------------------

TEST_P(HallStoreContract, ARoomIsCreatedOnceWithItsCreatorAsOwner) {
  CreateRoom write = create(kHostileText);
  write.record.type = "private";
  write.record.title = kHostileText;
  write.record.metadata_json = R"({"a":[1]})";
  write.record.created_at = kNow - 5;
  write.record.last_activity = kNow + 99;
  write.record.top = {9, "made up"};
  const WriteOutcome outcome = one(write);
  EXPECT_EQ(why(outcome), "ok");
  const RoomView view = room(kHostileText, "ann");
  ASSERT_TRUE(view.record);
  for (const RoomRecord& record : {outcome.room, *view.record}) {
    EXPECT_EQ(record.name, kHostileText);
    EXPECT_EQ(record.type, "private");
    EXPECT_EQ(record.title, kHostileText);
    EXPECT_EQ(record.metadata_json, R"({"a":[1]})");
    EXPECT_EQ(record.created_by, "ann");
    EXPECT_EQ(record.created_at, kNow - 5);
    EXPECT_EQ(record.last_activity, kNow - 5);
    EXPECT_EQ(record.top.seq, 0u);
    EXPECT_EQ(record.top.epoch, newest(kHostileText).top.epoch);
  }
  EXPECT_EQ(view.role, RoomRole::kOwner);
  EXPECT_EQ(room(kHostileText, "bob").role, RoomRole::kNone);

  CreateRoom again = create(kHostileText, "bob");
  again.record.title = "taken over";
  EXPECT_EQ(why(again), "conflict");
  EXPECT_EQ(room(kHostileText, "bob").role, RoomRole::kNone);
  EXPECT_EQ(room(kHostileText).record->title, kHostileText);
}

TEST_P(HallStoreContract, ARoomWithMessagesHasARecord) {
  PostMessage write = post("r", "x");
  write.message.timestamp = kNow - 7;
  one(write);
  const RoomView view = room("r", "ann");
  ASSERT_TRUE(view.record);
  EXPECT_EQ(view.record->type, "");
  EXPECT_EQ(view.record->title, "");
  EXPECT_EQ(view.record->metadata_json, "");
  EXPECT_EQ(view.record->created_by, "");
  EXPECT_EQ(view.record->created_at, kNow) << "the commit's time";
  EXPECT_EQ(view.record->last_activity, kNow);
  EXPECT_EQ(view.record->top.seq, 1u);
  EXPECT_EQ(view.role, RoomRole::kNone) << "writing first makes no owner";
  EXPECT_EQ(why(create("r")), "conflict");
}

TEST_P(HallStoreContract, ActivityIsTheLastMessages) {
  CreateRoom undated = create("undated");
  undated.record.created_at = 0;
  one(undated, kNow + 5);
  EXPECT_EQ(room("undated").record->created_at, kNow + 5) << "the commit's time";
  EXPECT_EQ(room("undated").record->last_activity, kNow + 5);
  one(create("r"));
  PostMessage write = post("r", "x");
  write.message.timestamp = kNow + 100;
  commit({write, grant("r", "bob", RoomRole::kMember), MarkRoomRead{"r", "bob", 1}}, kNow + 200);
  commit({change("r", "id-rx", "ann", "y"), change("r", "id-rx", "ann", std::nullopt)}, kNow + 300);
  EXPECT_EQ(room("r").record->last_activity, kNow + 100) << "not an edit's, nor a role's";
  EXPECT_EQ(room("r").record->created_at, kNow);
  PostMessage older = post("r", "late");
  older.message.timestamp = kNow + 50;
  one(older);
  EXPECT_EQ(room("r").record->last_activity, kNow + 100) << "it does not go back";
}

TEST_P(HallStoreContract, AUserCreatesSoManyRooms) {
  const auto limited = [](const std::string& name, const std::string& by) {
    CreateRoom write = create(name, by);
    write.rooms_per_user_max = 2;
    return write;
  };
  commit({limited("a", "ann"), limited("b", "ann"), post("c", "x", "", "ann")});
  EXPECT_EQ(why(limited("d", "ann")), "limit-reached");
  EXPECT_EQ(why(limited("a", "ann")), "conflict") << "what would not help is not the limit's fault";
  EXPECT_FALSE(room("d").record);
  EXPECT_EQ(why(limited("d", "bob")), "ok");
  for (const char* name : {"e", "f", "g"}) EXPECT_EQ(why(limited(name, "")), "ok") << "the server's";
  EXPECT_EQ(room("e", "").role, RoomRole::kNone);
  EXPECT_EQ(why(create("h", "ann")), "ok") << "under another limit";
}

TEST_P(HallStoreContract, RoomsAreListedByTheBytesOfTheirNames) {
  for (const char* name : {"b", "a", "B", "aa", "\xC3\xA9", "~", "10", "9"}) one(post(name, name));
  one(create("created"));
  EXPECT_EQ(room_names(), "10 9 B a aa b created ~ \xC3\xA9 ");
  EXPECT_EQ(room_names("", 3), "10 9 B ");
  EXPECT_EQ(room_names("B", 2), "a aa ") << "exclusive";
  EXPECT_EQ(room_names("a!", 1), "aa ") << "no name of a room";
  EXPECT_EQ(room_names("\xC3\xA9"), "");
  EXPECT_EQ(room_names("", 0), "");
  const auto records = store->list_rooms("b", UINT32_MAX);
  ASSERT_TRUE(records.ok());
  ASSERT_EQ(records->size(), 3u);
  EXPECT_EQ((*records)[0].created_by, "ann");
  EXPECT_EQ((*records)[1].top.seq, 1u);
  EXPECT_EQ((*records)[1].top.epoch, newest("~").top.epoch);
}

// -- roles ------------------------------------------------------------------------------------------

TEST_P(HallStoreContract, TheServerGivesAndTakesRoles) {
  EXPECT_EQ(why(grant("r", "bob", RoomRole::kMember)), "not-found");
  one(post("r", "x"));
  WriteOutcome outcome = one(grant("r", "bob", RoomRole::kMember));
  EXPECT_EQ(why(outcome), "ok");
  EXPECT_EQ(outcome.role, RoomRole::kNone) << "the one before";
  EXPECT_EQ(room("r", "bob").role, RoomRole::kMember);
  outcome = one(grant("r", "bob", RoomRole::kMember));
  EXPECT_EQ(why(outcome), "ok");
  EXPECT_EQ(outcome.role, RoomRole::kMember) << "the same again";
  SetRole strict = grant("r", "bob", RoomRole::kOwner);
  strict.actor_min = RoomRole::kOwner;
  strict.must_outrank = true;
  EXPECT_EQ(why(strict), "ok") << "no rank binds the server";
  EXPECT_EQ(one(grant("r", "bob", RoomRole::kNone)).role, RoomRole::kOwner);
  EXPECT_EQ(room("r", "bob").role, RoomRole::kNone);
  EXPECT_EQ(one(grant("r", "bob", RoomRole::kNone)).role, RoomRole::kNone);
  one(create("s", "bob"));
  EXPECT_EQ(room("r", "bob").role, RoomRole::kNone) << "roles are of one room";
}

TEST_P(HallStoreContract, AnActorNeedsARoleOfItsOwn) {
  commit({create("r"), grant("r", "mod", RoomRole::kModerator), create("s", "stranger")});
  const auto by = [](const std::string& actor) {
    SetRole write = grant("r", "bob", RoomRole::kMember, actor);
    write.actor_min = RoomRole::kModerator;
    return write;
  };
  EXPECT_EQ(why(by("stranger")), "access-denied");
  EXPECT_EQ(why(by("bob")), "access-denied");
  const WriteOutcome refused = one(by("stranger"));
  EXPECT_EQ(refused.role, RoomRole::kNone);
  EXPECT_EQ(room("r", "bob").role, RoomRole::kNone);
  EXPECT_EQ(why(by("mod")), "ok");
  EXPECT_EQ(why(by("ann")), "ok");
  EXPECT_EQ(why(by("bob")), "access-denied") << "a member";
  EXPECT_EQ(why(grant("r", "eve", RoomRole::kInvited, "nobody")), "ok") << "nothing was asked for";
}

TEST_P(HallStoreContract, AnActorMustOutrank) {
  commit({create("r"), grant("r", "mod", RoomRole::kModerator), grant("r", "mod2", RoomRole::kModerator),
          grant("r", "bob", RoomRole::kMember)});
  const auto by = [](const std::string& actor, const std::string& user, RoomRole role) {
    SetRole write = grant("r", user, role, actor);
    write.actor_min = RoomRole::kModerator;
    write.must_outrank = true;
    return write;
  };
  EXPECT_EQ(why(by("mod", "bob", RoomRole::kNone)), "ok");
  EXPECT_EQ(why(by("mod", "bob", RoomRole::kMember)), "ok");
  EXPECT_EQ(why(by("mod", "bob", RoomRole::kModerator)), "access-denied") << "what it would get";
  EXPECT_EQ(why(by("mod", "mod2", RoomRole::kNone)), "access-denied") << "what it has";
  EXPECT_EQ(why(by("mod", "ann", RoomRole::kNone)), "access-denied");
  EXPECT_EQ(why(by("mod", "mod", RoomRole::kNone)), "access-denied") << "not even itself";
  EXPECT_EQ(why(by("ann", "mod2", RoomRole::kMember)), "ok");
  EXPECT_EQ(why(by("ann", "mod2", RoomRole::kOwner)), "access-denied");
  EXPECT_EQ(room("r", "mod2").role, RoomRole::kMember);
}

TEST_P(HallStoreContract, ARoleIsOnlyRaisedWhereThatIsWanted) {
  commit({create("r"), grant("r", "mod", RoomRole::kModerator)});
  const auto raise = [](const std::string& user, RoomRole role, const std::string& actor = "") {
    SetRole write = grant("r", user, role, actor);
    write.only_raise = true;
    return write;
  };
  const WriteOutcome kept = one(raise("mod", RoomRole::kMember));
  EXPECT_EQ(why(kept), "ok");
  EXPECT_EQ(kept.role, RoomRole::kModerator);
  EXPECT_EQ(room("r", "mod").role, RoomRole::kModerator);
  EXPECT_EQ(one(raise("mod", RoomRole::kNone)).role, RoomRole::kModerator);
  EXPECT_EQ(room("r", "mod").role, RoomRole::kModerator);
  EXPECT_EQ(one(raise("bob", RoomRole::kInvited)).role, RoomRole::kNone);
  EXPECT_EQ(one(raise("bob", RoomRole::kMember)).role, RoomRole::kInvited);
  EXPECT_EQ(room("r", "bob").role, RoomRole::kMember);
  SetRole denied = raise("mod", RoomRole::kMember, "bob");
  denied.actor_min = RoomRole::kModerator;
  EXPECT_EQ(why(denied), "access-denied") << "even where nothing would change";
}

// -- read marks -------------------------------------------------------------------------------------

TEST_P(HallStoreContract, AReadMarkMovesForwardUpToTheNewestMessage) {
  commit({post("r", "1"), post("r", "2"), post("r", "3")});
  const auto mark = [this](std::uint64_t up_to, const std::string& user = "ann") {
    const WriteOutcome outcome = one(MarkRoomRead{"r", user, up_to});
    EXPECT_EQ(why(outcome), "ok");
    return std::pair(outcome.count, outcome.position);
  };
  using Moved = std::pair<std::uint64_t, std::uint64_t>;
  EXPECT_EQ(mark(0), Moved(0, 0));
  EXPECT_EQ(mark(2), Moved(2, 2));
  EXPECT_EQ(mark(2), Moved(0, 2));
  EXPECT_EQ(mark(1), Moved(0, 2)) << "never backwards";
  EXPECT_EQ(room("r", "ann").read_up_to, 2u);
  EXPECT_EQ(mark(kFar), Moved(1, 3)) << "beyond the newest is the newest";
  EXPECT_EQ(mark(kFar), Moved(0, 3));
  one(post("r", "4"));
  EXPECT_EQ(room("r", "ann").read_up_to, 3u) << "not what came later";
  EXPECT_EQ(mark(4), Moved(1, 4));
  EXPECT_EQ(mark(4, "bob"), Moved(4, 4)) << "each user has one";
  EXPECT_EQ(room("r", "eve").read_up_to, 0u);
}

TEST_P(HallStoreContract, AMarkInARoomWithoutMessagesIsNone) {
  one(create("empty"));
  for (const char* name : {"none", "empty"}) {
    const WriteOutcome outcome = one(MarkRoomRead{name, "ann", 5});
    EXPECT_EQ(why(outcome), "ok");
    EXPECT_EQ(outcome.count, 0u);
    EXPECT_EQ(outcome.position, 0u);
  }
  EXPECT_FALSE(room("none").record);
  commit({post("empty", "1"), post("empty", "2")});
  EXPECT_EQ(room("empty", "ann").read_up_to, 0u);
}

}  // namespace
}  // namespace wirehall::test
