// The streams of a HallStore: messages, keys, replies, edits and deletions. It also names the
// implementations.
#include "contract/hall_store_suite.h"

#include "base/random.h"
#include "store/memory/memory_store.h"

namespace wirehall::test {
namespace {

constexpr std::uint64_t kFar = UINT64_MAX;

// -- streams ----------------------------------------------------------------------------------------

TEST_P(HallStoreContract, SeqCountsPerRoomWithoutHoles) {
  const auto first = commit({post("a", "1"), post("b", "2"), post("a", "3")});
  EXPECT_EQ(first[0].message.seq, 1u);
  EXPECT_EQ(first[1].message.seq, 1u);
  EXPECT_EQ(first[2].message.seq, 2u);
  EXPECT_EQ(one(post("a", "4")).message.seq, 3u);
  EXPECT_EQ(contents(newest("a")), "11 23 34 ");
  EXPECT_EQ(newest("a").top.seq, 3u);
  EXPECT_EQ(after("a", 0).top.seq, 3u);
  EXPECT_TRUE(commit({}).empty());
}

TEST_P(HallStoreContract, AMessageIsReadAsItWasPosted) {
  PostMessage write = post(kHostileText, kHostileText, kHostileText, kHostileText);
  write.message.user_json = R"({"name":"A\u0000 \"nn"})";
  write.message.type = kHostileText;
  write.message.seq = 77;
  write.message.edited = write.message.deleted = true;
  PostMessage reply = post(kHostileText, std::string(300'000, 'x'));
  reply.message.reply_to = write.message.id;
  const auto outcomes = commit({write, reply});
  const MessagePage page = newest(kHostileText);
  ASSERT_EQ(page.messages.size(), 2u);
  for (const StoredMessage& message : {outcomes[0].message, page.messages[0]}) {
    EXPECT_EQ(message.id, write.message.id);
    EXPECT_EQ(message.room, kHostileText);
    EXPECT_EQ(message.seq, 1u) << "the store's";
    EXPECT_EQ(message.user_id, kHostileText);
    EXPECT_EQ(message.user_json, write.message.user_json);
    EXPECT_EQ(message.type, kHostileText);
    EXPECT_EQ(message.content, kHostileText);
    EXPECT_EQ(message.reply_to, "");
    EXPECT_EQ(message.timestamp, kNow);
    EXPECT_FALSE(message.edited) << "what is posted is neither";
    EXPECT_FALSE(message.deleted);
    EXPECT_EQ(message.file, nullptr);
  }
  EXPECT_EQ(page.messages[1].reply_to, write.message.id);
  EXPECT_EQ(page.messages[1].content, reply.message.content);
  EXPECT_EQ(contents(newest("a")), "") << "no other room's";
}

TEST_P(HallStoreContract, PagesAreAscendingAndTheirBoundsExclusive) {
  std::vector<HallWrite> writes;
  for (int i = 1; i <= 9; ++i) writes.push_back(post("r", std::string(1, static_cast<char>('a' + i))));
  writes.push_back(post("s", "other"));
  commit(writes);
  EXPECT_EQ(contents(newest("r", 0, 3)), "7h 8i 9j ");
  EXPECT_EQ(contents(newest("r", 7, 3)), "4e 5f 6g ");
  EXPECT_EQ(contents(newest("r", 1, 3)), "");
  EXPECT_EQ(contents(newest("r", 10, 2)), "8i 9j ");
  EXPECT_EQ(contents(newest("r", kFar, 2)), "8i 9j ");
  EXPECT_EQ(contents(newest("r", 0, 0)), "");
  EXPECT_EQ(contents(newest("r", 3, UINT32_MAX)), "1b 2c ");
  EXPECT_EQ(contents(after("r", 7, 5)), "8i 9j ");
  EXPECT_EQ(contents(after("r", 0, 2)), "1b 2c ");
  EXPECT_EQ(contents(after("r", 9, 2)), "");
  EXPECT_EQ(contents(after("r", kFar, 2)), "");
  EXPECT_EQ(contents(after("r", 0, 0)), "");
  EXPECT_EQ(contents(after("r", 6, UINT32_MAX)), "7h 8i 9j ");
  EXPECT_EQ(after("r", kFar, 0).top.seq, 9u) << "however little is asked for";
}

TEST_P(HallStoreContract, ARoomsStreamHasAnIdentity) {
  const std::string before = newest("r").top.epoch;
  EXPECT_FALSE(before.empty());
  EXPECT_EQ(after("r", 0).top.epoch, before);
  EXPECT_EQ(newest("r").top.seq, 0u);
  one(post("r", "x"));
  one(post("s", "x"));
  EXPECT_EQ(newest("r").top.epoch, before) << "the record keeps it";
  EXPECT_EQ(after("r", 0).top.epoch, before);
  EXPECT_EQ(room("r").record->top.epoch, before);
  EXPECT_NE(newest("s").top.epoch, before);
  EXPECT_NE(newest("none").top.epoch, before);
  const std::string made = newest("made").top.epoch;
  EXPECT_EQ(one(create("made")).room.top.epoch, made);
  EXPECT_EQ(newest("made").top.epoch, made);
}

TEST_P(HallStoreContract, ReadingMakesNothing) {
  newest("r");
  after("r", 0);
  EXPECT_FALSE(room("r", "ann").record);
  EXPECT_EQ(room("r", "ann").role, RoomRole::kNone);
  EXPECT_EQ(room("r", "ann").read_up_to, 0u);
  EXPECT_EQ(room_names(), "");
}

// -- keys -------------------------------------------------------------------------------------------

TEST_P(HallStoreContract, ARepeatedKeyGivesTheFirstResult) {
  PostMessage again = post("r", "x", "key");
  again.message.id = "another";
  again.message.timestamp = kNow + 5;
  const auto first = commit({post("r", "x", "key"), again});
  EXPECT_FALSE(first[0].duplicate);
  EXPECT_EQ(first[0].message.seq, 1u);
  for (const WriteOutcome& outcome : {first[1], one(again, kNow + 5)}) {
    EXPECT_EQ(why(outcome), "ok");
    EXPECT_TRUE(outcome.duplicate) << "in the same batch, and later";
    EXPECT_EQ(outcome.message.id, "id-rx");
    EXPECT_EQ(outcome.message.seq, 1u);
    EXPECT_EQ(outcome.message.timestamp, kNow);
    EXPECT_EQ(outcome.message.room, "r");
    EXPECT_EQ(outcome.message.content, "x");
    EXPECT_EQ(outcome.message.user_id, "ann");
  }
  PostMessage of_bob = post("r", "x", "key", "bob");
  of_bob.message.id = "of bob";
  EXPECT_FALSE(one(of_bob).duplicate) << "another user's key";
  EXPECT_EQ(newest("r").messages.size(), 2u);
}

TEST_P(HallStoreContract, ADuplicateIsAnsweredAsFirstStored) {
  commit({post("r", "x", "edited"), post("r", "y", "deleted")});
  commit({change("r", "id-rx", "ann", "changed"), change("r", "id-ry", "ann", std::nullopt)});
  for (const auto& [content, key] : {std::pair("x", "edited"), std::pair("y", "deleted")}) {
    const WriteOutcome outcome = one(post("r", content, key));
    EXPECT_TRUE(outcome.duplicate);
    EXPECT_EQ(outcome.message.content, content);
    EXPECT_FALSE(outcome.message.edited);
    EXPECT_FALSE(outcome.message.deleted);
  }
  EXPECT_EQ(contents(newest("r")), "1changed 2 ") << "which brings nothing back";
}

TEST_P(HallStoreContract, TheSameKeyForSomethingElseIsAConflictThatStoresNothing) {
  one(post("r", "first"));
  one(post("r", "x", "key"));
  PostMessage other_type = post("r", "x", "key");
  other_type.message.type = "emote";
  PostMessage other_reply = post("r", "x", "key");
  other_reply.message.reply_to = "id-rfirst";
  PostMessage other_file = post("r", "x", "key");
  other_file.message.file = std::make_shared<StoredFile>(file("f"));
  PostMessage lost_reply = post("r", "y", "key");
  lost_reply.message.reply_to = "missing";
  one(upload("f"));
  const auto outcomes = commit({post("r", "other", "key"), post("s", "x", "key"), other_type, other_reply,
                                other_file, lost_reply, whisper("r", "x", "key"), post("r", "good")});
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(why(outcomes[i]), "conflict") << i;
    EXPECT_EQ(outcomes[i].message.id, "") << "a refusal is its code alone";
    EXPECT_FALSE(outcomes[i].duplicate);
  }
  EXPECT_EQ(why(outcomes[7]), "ok") << "the rest of the batch is stored";
  EXPECT_EQ(outcomes[7].message.seq, 3u);
  EXPECT_EQ(contents(newest("r")), "1first 2x 3good ");
  EXPECT_FALSE(room("s").record);
  EXPECT_EQ(pending("r"), "");
  EXPECT_TRUE(find_upload("f"));
}

TEST_P(HallStoreContract, AKeyIsOneOverRoomsAndPrivateMessages) {
  one(whisper("bob", "x", "key"));
  EXPECT_EQ(why(post("bob", "x", "key")), "conflict");
  EXPECT_EQ(why(post("bob", "x", "another")), "ok");
  EXPECT_EQ(why(whisper("bob", "y", "another")), "conflict");
}

TEST_P(HallStoreContract, KeysOfUsersDoNotRunIntoEachOther) {
  PostMessage first = post("r", "1", "bc", "a");
  PostMessage second = post("r", "2", "c", "ab");
  PostMessage third = post("r", "3", std::string("\0c", 2), "ab");
  PostMessage fourth = post("r", "4", "c", std::string("ab\0", 3));
  for (const WriteOutcome& outcome : commit({first, second, third, fourth})) EXPECT_EQ(why(outcome), "ok");
  EXPECT_TRUE(one(second).duplicate);
}

TEST_P(HallStoreContract, ARefusedMessageDoesNotUseItsKeyUp) {
  PostMessage write = post("r", "x", "key");
  write.message.reply_to = "id-rfirst";
  EXPECT_EQ(why(write), "not-found");
  one(post("r", "first"));
  const WriteOutcome outcome = one(write);
  EXPECT_EQ(why(outcome), "ok");
  EXPECT_FALSE(outcome.duplicate);
}

TEST_P(HallStoreContract, AnIdIsTakenOnce) {
  one(post("r", "x"));
  PostMessage again = post("s", "other");
  again.message.id = "id-rx";
  const auto outcomes = commit({again, post("r", "x"), post("r", "y")});
  EXPECT_EQ(why(outcomes[0]), "conflict") << "over all rooms";
  EXPECT_EQ(why(outcomes[1]), "conflict");
  EXPECT_EQ(why(outcomes[2]), "ok");
  EXPECT_EQ(contents(newest("r")), "1x 2y ");
  EXPECT_FALSE(room("s").record);
}

// -- replies and refusals ---------------------------------------------------------------------------

TEST_P(HallStoreContract, AReplyNeedsAMessageOfItsRoom) {
  const auto reply = [](const std::string& to_room, const std::string& content, const std::string& to) {
    PostMessage made = post(to_room, content);
    made.message.reply_to = to;
    return made;
  };
  const auto outcomes = commit({post("r", "x"), reply("r", "in the same batch", "id-rx"),
                                reply("r", "to nothing", "id-no"), reply("s", "in another room", "id-rx"),
                                reply("r", "to itself", "id-rto itself"), post("r", "z")});
  EXPECT_EQ(why(outcomes[1]), "ok");
  EXPECT_EQ(why(outcomes[2]), "not-found");
  EXPECT_EQ(why(outcomes[3]), "not-found");
  EXPECT_EQ(why(outcomes[4]), "not-found");
  EXPECT_EQ(outcomes[5].message.seq, 3u) << "refused ones use no number";
  EXPECT_FALSE(room("s").record) << "and make no room";
  commit({change("r", "id-rx", "ann", std::nullopt)});
  EXPECT_EQ(why(reply("r", "to a deleted one", "id-rx")), "ok") << "it keeps its place in the stream";
}

TEST_P(HallStoreContract, ARefusedWriteTakesNoOthersWithIt) {
  one(create("taken"));
  const auto outcomes =
      commit({create("taken"), post("r", "1"), change("r", "no", "ann", "x"), post("r", "2"),
              grant("none", "bob", RoomRole::kMember), post_file("r", "no upload"),
              DropPushSubscription{"ann", "nothing"}, whisper("bob", "3"), create("new")});
  std::string text;
  for (const WriteOutcome& outcome : outcomes) text += why(outcome) + " ";
  EXPECT_EQ(text, "conflict ok not-found ok not-found not-found not-found ok ok ");
  EXPECT_EQ(contents(newest("r")), "11 22 ");
  EXPECT_EQ(pending("bob"), "3 ");
  EXPECT_EQ(room_names(), "new r taken ");
}

// -- edits and deletions ----------------------------------------------------------------------------

TEST_P(HallStoreContract, TheAuthorEditsAndDeletes) {
  commit({post("r", "x"), post("r", "y")});
  const WriteOutcome edited = one(change("r", "id-rx", "ann", "changed"));
  EXPECT_EQ(why(edited), "ok");
  EXPECT_EQ(edited.message.content, "changed");
  EXPECT_TRUE(edited.message.edited);
  EXPECT_EQ(edited.message.seq, 1u);
  EXPECT_EQ(edited.message.timestamp, kNow);
  EXPECT_EQ(contents(newest("r")), "1changed 2y ");
  EXPECT_EQ(why(change("r", "id-rx", "ann", "")), "ok") << "to nothing is no deletion";
  EXPECT_FALSE(newest("r").messages[0].deleted);

  const WriteOutcome deleted = one(change("r", "id-rx", "ann", std::nullopt));
  EXPECT_EQ(why(deleted), "ok");
  const MessagePage page = newest("r");
  for (const StoredMessage& message : {deleted.message, page.messages[0]}) {
    EXPECT_EQ(message.id, "id-rx");
    EXPECT_EQ(message.seq, 1u);
    EXPECT_EQ(message.content, "");
    EXPECT_TRUE(message.deleted);
    EXPECT_TRUE(message.edited) << "as it was";
    EXPECT_EQ(message.user_id, "ann");
    EXPECT_EQ(message.user_json, R"({"name":"Ann"})");
    EXPECT_EQ(message.timestamp, kNow);
  }
  EXPECT_FALSE(one(change("r", "id-ry", "ann", std::nullopt)).message.edited);
  EXPECT_EQ(page.top.seq, 2u);
}

TEST_P(HallStoreContract, WhatIsMissingOrDeletedCannotBeChanged) {
  commit({post("r", "x"), post("s", "y"), change("r", "id-rx", "ann", std::nullopt)});
  const auto outcomes =
      commit({change("r", "id-rx", "ann", "back"), change("r", "id-rx", "ann", std::nullopt),
              change("r", "id-rx", "bob", std::nullopt), change("r", "id-sy", "ann", "moved"),
              change("r", "nothing", "ann", "x"), change("none", "id-rx", "ann", "x")});
  for (const WriteOutcome& outcome : outcomes) EXPECT_EQ(why(outcome), "not-found");
  EXPECT_EQ(contents(newest("r")), "1 ");
  EXPECT_EQ(contents(newest("s")), "1y ");
}

TEST_P(HallStoreContract, OthersNeedARoleToChangeAMessage) {
  commit({create("r"), post("r", "x", "", "bob"), grant("r", "mod", RoomRole::kModerator),
          grant("r", "member", RoomRole::kMember), create("s", "mod")});
  const RoomRole from = RoomRole::kModerator;
  EXPECT_EQ(why(change("r", "id-rx", "member", "no", from)), "access-denied");
  EXPECT_EQ(why(change("r", "id-rx", "stranger", "no", from)), "access-denied");
  EXPECT_EQ(why(change("r", "id-rx", "", "no", from)), "access-denied");
  EXPECT_EQ(why(change("r", "id-rx", "mod", "no")), "access-denied") << "the author alone";
  EXPECT_EQ(contents(newest("r")), "1x ");
  EXPECT_EQ(why(change("r", "id-rx", "bob", "by bob", from)), "ok") << "the author needs no role";
  EXPECT_EQ(why(change("r", "id-rx", "mod", "by mod", from)), "ok");
  EXPECT_EQ(contents(newest("r")), "1by mod ");
  EXPECT_EQ(why(change("r", "id-rx", "ann", std::nullopt, from)), "ok") << "a higher one";
}

// -- implementations --------------------------------------------------------------------------------

std::unique_ptr<HallStore> in_memory() {
  return std::make_unique<store::MemoryStore>(store::MemoryStoreOptions(), std::make_unique<SeededRandom>(7));
}

INSTANTIATE_TEST_SUITE_P(Stores, HallStoreContract,
                         testing::Values(std::pair<const char*, HallStoreFactory>("memory", in_memory)),
                         [](const auto& kind) { return kind.param.first; });

}  // namespace
}  // namespace wirehall::test
