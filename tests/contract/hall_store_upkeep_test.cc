// The upkeep of a HallStore: what maintain() removes, and what it leaves.
#include <map>

#include "contract/hall_store_suite.h"

namespace wirehall::test {
namespace {

TEST_P(HallStoreContract, NothingIsRemovedBeforeItsTime) {
  commit({post("r", "x", "key"), whisper("bob", "1"), upload("f"), subscribe("ann", "a"), create("s"),
          SaveUser{"ann", "{}", kNow, std::nullopt}});
  const auto result = store->maintain(UpkeepOptions(), kNow);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->rows, 0u);
  EXPECT_FALSE(result->more);
  EXPECT_TRUE(result->files.empty());
  EXPECT_EQ(contents(newest("r")), "1x ");
  EXPECT_EQ(pending("bob"), "1 ");
  EXPECT_TRUE(find_upload("f"));
  EXPECT_TRUE(user("ann"));
}

TEST_P(HallStoreContract, KeysAreForgottenAfterADay) {
  PostMessage again = post("r", "x", "key");
  again.message.id = "again";
  commit({post("r", "x", "key"), whisper("bob", "y", "another")});
  EXPECT_EQ(sweep({}, kNow + kDay - 1).rows, 0u);
  EXPECT_TRUE(one(again, kNow + kDay - 1).duplicate);
  EXPECT_EQ(sweep({}, kNow + kDay).rows, 2u) << "counted from the first use";
  EXPECT_FALSE(one(again, kNow + kDay).duplicate);
  EXPECT_EQ(why(whisper("eve", "z", "another"), kNow + kDay), "ok");
  EXPECT_EQ(newest("r").messages.size(), 2u);
  EXPECT_EQ(pending("bob"), "y ") << "the messages stay";
}

TEST_P(HallStoreContract, AKeyIsAsOldAsItsCommit) {
  PostMessage write = post("r", "x", "key");
  write.message.timestamp = kNow - kDay;
  one(write, kNow);
  sweep({}, kNow + kHour);
  EXPECT_TRUE(one(write, kNow + kHour).duplicate) << "whatever the message's time";
  UpkeepOptions options;
  options.key_lifetime_ms = kHour;
  sweep(options, kNow + kHour);
  EXPECT_EQ(why(write, kNow + kHour), "conflict") << "the id is still there, the key is not";
}

// -- history ----------------------------------------------------------------------------------------

TEST_P(HallStoreContract, HistoryIsKeptWithoutLimitUnlessOneIsGiven) {
  commit({post("r", "1"), post("r", "2")});
  EXPECT_EQ(sweep({}, kNow + 3650 * kDay).rows, 0u) << "no function";
  EXPECT_EQ(sweep(keeping(0, 0), kNow + 3650 * kDay).rows, 0u);
  EXPECT_EQ(contents(newest("r")), "11 22 ");
}

TEST_P(HallStoreContract, HistoryIsKeptByCount) {
  std::vector<HallWrite> writes;
  for (int i = 1; i <= 6; ++i) writes.push_back(post("r", std::string(1, static_cast<char>('a' + i))));
  commit(writes);
  const std::string epoch = newest("r").top.epoch;
  EXPECT_EQ(sweep(keeping(6)).rows, 0u);
  EXPECT_EQ(sweep(keeping(2)).rows, 4u);
  EXPECT_EQ(contents(newest("r")), "5f 6g ") << "the numbers of what is left stay";
  EXPECT_EQ(contents(newest("r", 6)), "5f ");
  EXPECT_EQ(contents(newest("r", 3)), "");
  EXPECT_EQ(contents(after("r", 0)), "5f 6g ") << "what is there, from behind the cut";
  EXPECT_EQ(contents(after("r", 5)), "6g ");
  EXPECT_EQ(newest("r").top.seq, 6u);
  EXPECT_EQ(newest("r").top.epoch, epoch) << "no number means something else";
  EXPECT_EQ(one(post("r", "next")).message.seq, 7u);
  PostMessage reply = post("r", "reply");
  reply.message.reply_to = "id-rb";
  EXPECT_EQ(why(reply), "not-found") << "to one that is gone";
  EXPECT_EQ(why(change("r", "id-rb", "ann", "x")), "not-found");
  EXPECT_EQ(why(post("r", "b")), "ok") << "its id is free";
}

TEST_P(HallStoreContract, HistoryIsKeptByAge) {
  const auto posted = [](const std::string& content, WallMs when) {
    PostMessage write = post("r", content);
    write.message.timestamp = when;
    return write;
  };
  commit({posted("a", kNow), posted("b", kNow + 10), posted("young", kNow + 500), posted("c", kNow + 20),
          posted("d", kNow + 600)},
         kNow + 9 * kDay);
  EXPECT_EQ(sweep(keeping(0, 1'000), kNow + 999).rows, 0u);
  EXPECT_EQ(sweep(keeping(0, 1'000), kNow + 1'000).rows, 1u) << "as old as that is too old";
  EXPECT_EQ(sweep(keeping(0, 1'000), kNow + 1'100).rows, 1u);
  EXPECT_EQ(contents(newest("r")), "3young 4c 5d ") << "what stands behind a younger one stays";
  EXPECT_EQ(sweep(keeping(0, 1'000), kNow + 1'500).rows, 2u);
  EXPECT_EQ(contents(after("r", 0)), "5d ");
  EXPECT_EQ(sweep(keeping(5, 1'000), kNow + kDay).rows, 1u) << "the last one too";
  EXPECT_EQ(newest("r").top.seq, 5u);
  EXPECT_TRUE(room("r").record);
  EXPECT_EQ(room_names(), "r ");
  EXPECT_EQ(one(posted("e", kNow + kDay)).message.seq, 6u);
}

TEST_P(HallStoreContract, BothLimitsHold) {
  const auto posted = [](const std::string& content, WallMs when) {
    PostMessage write = post("r", content);
    write.message.timestamp = when;
    return write;
  };
  commit({posted("a", kNow), posted("b", kNow + 10), posted("c", kNow + 20), posted("d", kNow + 30)});
  EXPECT_EQ(sweep(keeping(3, 1'000), kNow + 500).rows, 1u);
  EXPECT_EQ(sweep(keeping(3, 1'000), kNow + 1'010).rows, 1u);
  EXPECT_EQ(contents(newest("r")), "3c 4d ");
}

TEST_P(HallStoreContract, RetentionIsOfARoomByNameAndType) {
  CreateRoom typed = create("typed");
  typed.record.type = "brief";
  one(typed);
  std::vector<HallWrite> writes;
  for (const char* name : {"typed", "named", "other"})
    for (const char* content : {"1", "2", "3"}) writes.push_back(post(name, content));
  commit(writes);
  std::map<std::string, std::string> asked;
  UpkeepOptions options;
  options.retention = [&](std::string_view name, std::string_view type) {
    asked[std::string(name)] = type;
    return Retention{type == "brief" ? 1u : name == "named" ? 2u : 0u, 0};
  };
  EXPECT_EQ(sweep(options).rows, 3u);
  EXPECT_EQ(contents(newest("typed")), "33 ");
  EXPECT_EQ(contents(newest("named")), "22 33 ");
  EXPECT_EQ(contents(newest("other")), "11 22 33 ");
  EXPECT_EQ(asked, (std::map<std::string, std::string>{{"typed", "brief"}, {"named", ""}, {"other", ""}}));
}

TEST_P(HallStoreContract, MarksRolesAndKeysOutliveTheMessages) {
  commit({create("r"), post("r", "1", "key"), post("r", "2"), MarkRoomRead{"r", "bob", 1}});
  EXPECT_EQ(sweep(keeping(0, 1), kNow + 1).rows, 2u);
  EXPECT_EQ(room("r", "bob").read_up_to, 1u);
  EXPECT_EQ(room("r", "ann").role, RoomRole::kOwner);
  const WriteOutcome marked = one(MarkRoomRead{"r", "bob", 9});
  EXPECT_EQ(marked.position, 2u) << "the newest that there was";
  const WriteOutcome again = one(post("r", "1", "key"));
  EXPECT_TRUE(again.duplicate) << "its message is gone, and it was sent";
  EXPECT_EQ(again.message.seq, 1u);
  EXPECT_EQ(contents(newest("r")), "");
}

TEST_P(HallStoreContract, FilesOfMessagesThatAreCutAreTold) {
  commit({upload("f"), upload("g"), post_file("r", "f"), post_file("r", "g"), post("r", "x")});
  EXPECT_EQ(sweep(keeping(2)).files, std::set<std::string>{"f"});
  EXPECT_FALSE(find_file("f"));
  EXPECT_TRUE(find_file("g"));
  one(change("r", "id-rpicture g", "ann", std::nullopt));
  EXPECT_EQ(sweep(keeping(1)).files, std::set<std::string>{"g"}) << "deleted and cut, it is told once";
  EXPECT_TRUE(sweep(keeping(1)).files.empty());
}

// -- what belongs to users --------------------------------------------------------------------------

TEST_P(HallStoreContract, PrivateMessagesLiveForAWeek) {
  commit({whisper("bob", "pending"), whisper("bob", "settled"), upload("f"), whisper_file("bob", "f"),
          SettlePrivate{"bob", {"private-settled"}, false}});
  PostPrivate old_time = whisper("bob", "later");
  old_time.message.timestamp = 1;
  one(old_time, kNow + 1);
  UpkeepOptions options;
  options.upload_lifetime_ms = 100 * kDay;
  EXPECT_EQ(sweep(options, kNow + 7 * kDay - 1).rows, 0u);
  const Swept swept = sweep(options, kNow + 7 * kDay);
  EXPECT_EQ(swept.rows, 3u) << "counted from the commit";
  EXPECT_EQ(swept.files, std::set<std::string>{"f"});
  EXPECT_EQ(pending("bob"), "later ");
  EXPECT_FALSE(find_file("f"));
  EXPECT_EQ(settled(one(SettlePrivate{"bob", {"private-settled", "private-pending"}, true})), "");
  EXPECT_EQ(why(whisper("bob", "pending")), "ok") << "its id is free";
  PostPrivate limited = whisper("bob", "again");
  limited.pending_max = 3;
  EXPECT_EQ(why(limited), "ok") << "what is gone is not pending";
}

TEST_P(HallStoreContract, UnfinishedUploadsLiveForADay) {
  BeginUpload later = upload("later");
  later.record.started_at = kNow + 1;
  BeginUpload bounded = upload("next");
  bounded.user_uploads_max = 2;
  bounded.user_bytes_max = 200;
  commit({upload("f"), later});
  EXPECT_EQ(sweep({}, kNow + kDay - 1).rows, 0u);
  EXPECT_EQ(why(bounded), "limit-reached");
  const Swept swept = sweep({}, kNow + kDay);
  EXPECT_EQ(swept.rows, 1u);
  EXPECT_EQ(swept.files, std::set<std::string>{"f"});
  EXPECT_FALSE(find_upload("f"));
  EXPECT_TRUE(find_upload("later"));
  EXPECT_EQ(why(bounded), "ok");
  EXPECT_EQ(why(post_file("r", "f")), "not-found");
}

TEST_P(HallStoreContract, UsersAreForgottenAfterAWhile) {
  commit({SaveUser{"ann", "{}", kNow, std::nullopt}, SaveUser{"bob", "{}", 0, std::nullopt}});
  one(SaveUser{"ann", "", 0, std::vector<std::string>{"r"}}, kNow + kDay);
  EXPECT_EQ(sweep({}, kNow + 90 * kDay - 1).rows, 0u);
  EXPECT_EQ(sweep({}, kNow + 90 * kDay).rows, 1u) << "counted from the commit that saved it last";
  EXPECT_FALSE(user("bob"));
  EXPECT_TRUE(user("ann"));
  EXPECT_EQ(sweep({}, kNow + 91 * kDay).rows, 1u);
  EXPECT_FALSE(user("ann"));
}

TEST_P(HallStoreContract, RoomsRolesAndSubscriptionsStay) {
  commit({create("r"), subscribe("ann", "a")});
  EXPECT_EQ(sweep(keeping(1, 1), kNow + 3650 * kDay).rows, 0u);
  EXPECT_EQ(room("r", "ann").role, RoomRole::kOwner);
  EXPECT_EQ(endpoints("ann"), "a ");
}

// -- in steps ---------------------------------------------------------------------------------------

TEST_P(HallStoreContract, ALongUpkeepIsDoneInSteps) {
  std::vector<HallWrite> writes;
  for (int i = 0; i < 7; ++i) {
    const std::string n = std::to_string(i);
    writes.push_back(post("a", n, n));
    writes.push_back(post("b", n));
    writes.push_back(whisper("bob", n));
    writes.push_back(upload("upload " + n));
    writes.push_back(SaveUser{"user " + n, "{}", kNow, std::nullopt});
  }
  commit(writes);
  UpkeepOptions options = keeping(1, 0);
  options.rows_max = 3;
  const WallMs later = kNow + 1000 * kDay;
  const auto first = store->maintain(options, later);
  ASSERT_TRUE(first.ok());
  EXPECT_LE(first->rows, 3u);
  EXPECT_LE(first->files.size(), 3u);
  EXPECT_TRUE(first->more);
  const Swept rest = sweep(options, later);
  EXPECT_EQ(first->rows + rest.rows, 7u + 6 + 6 + 7 + 7 + 7) << "keys, messages, private, uploads, users";
  EXPECT_EQ(first->files.size() + rest.files.size(), 7u);
  EXPECT_EQ(contents(newest("a")), "76 ");
  EXPECT_EQ(contents(newest("b")), "76 ");
  EXPECT_EQ(sweep(options, later).calls, 1u);
}

TEST_P(HallStoreContract, ManyDroppedFilesAreToldInSteps) {
  std::vector<HallWrite> writes;
  std::set<std::string> ids;
  for (int i = 0; i < 10; ++i) {
    ids.insert("f" + std::to_string(i));
    writes.push_back(upload("f" + std::to_string(i)));
    writes.push_back(EndUpload{"f" + std::to_string(i)});
  }
  commit(writes);
  UpkeepOptions options;
  options.rows_max = 4;
  const Swept swept = sweep(options);
  EXPECT_EQ(swept.files, ids);
  EXPECT_EQ(swept.rows, 0u) << "an id that is told is no row";
}

}  // namespace
}  // namespace wirehall::test
