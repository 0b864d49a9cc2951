#include "contract/message_store_suite.h"

#include "base/random.h"
#include "store/memory/memory_store.h"

namespace wirehall::test {
namespace {

using Kind = AppendOutcome::Kind;

TEST_P(MessageStoreContract, SeqCountsPerRoomWithoutHoles) {
  const auto first = append({draft("a", "1"), draft("b", "2"), draft("a", "3")});
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[0].message.seq, 1u);
  EXPECT_EQ(first[1].message.seq, 1u);
  EXPECT_EQ(first[2].message.seq, 2u);
  EXPECT_EQ(append({draft("a", "4")})[0].message.seq, 3u);
  const auto page = store->read_newest("a", 0, 50);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(contents(*page), "11 23 34 ");
  EXPECT_EQ(page->top.seq, 3u);
  const StoredMessage& message = page->messages[0];
  EXPECT_EQ(message.id, "id-1");
  EXPECT_EQ(message.user_id, "ann");
  EXPECT_EQ(message.user_json, R"({"name":"Ann"})");
  EXPECT_EQ(message.timestamp, 1000);
}

TEST_P(MessageStoreContract, PagesAreAscendingAndTheirBoundsExclusive) {
  std::vector<MessageDraft> drafts;
  for (int i = 1; i <= 9; ++i) drafts.push_back(draft("r", std::string(1, static_cast<char>('a' + i))));
  append(drafts);
  EXPECT_EQ(contents(*store->read_newest("r", 0, 3)), "7h 8i 9j ");
  EXPECT_EQ(contents(*store->read_newest("r", 7, 3)), "4e 5f 6g ");
  EXPECT_EQ(contents(*store->read_newest("r", 1, 3)), "");
  EXPECT_EQ(contents(*store->read_after("r", 7, 5)), "8i 9j ");
  EXPECT_EQ(contents(*store->read_after("r", 0, 2)), "1b 2c ");
  EXPECT_EQ(contents(*store->read_after("r", 9, 2)), "");
}

TEST_P(MessageStoreContract, ARepeatedKeyGivesTheFirstResult) {
  const auto first = append({draft("r", "x", "key"), draft("r", "x", "key")});
  EXPECT_EQ(first[0].kind, Kind::kStored);
  EXPECT_EQ(first[1].kind, Kind::kDuplicate) << "in the same batch too";
  EXPECT_EQ(first[1].message.seq, 1u);
  const auto later = append({draft("r", "x", "key")});
  EXPECT_EQ(later[0].kind, Kind::kDuplicate);
  EXPECT_EQ(later[0].message.id, first[0].message.id);
  EXPECT_EQ(append({draft("r", "x", "key", "bob")})[0].kind, Kind::kStored) << "another user's key";
  EXPECT_EQ(store->read_newest("r", 0, 50)->messages.size(), 2u);
}

TEST_P(MessageStoreContract, TheSameKeyForSomethingElseIsAConflictThatStoresNothing) {
  append({draft("r", "x", "key")});
  const auto outcomes = append({draft("r", "other", "key"), draft("s", "x", "key"), draft("r", "good")});
  EXPECT_EQ(outcomes[0].kind, Kind::kConflict);
  EXPECT_EQ(outcomes[1].kind, Kind::kConflict) << "another room";
  EXPECT_EQ(outcomes[2].kind, Kind::kStored) << "the rest of the batch is stored";
  EXPECT_EQ(outcomes[2].message.seq, 2u);
  EXPECT_EQ(store->read_newest("s", 0, 50)->messages.size(), 0u);
}

TEST_P(MessageStoreContract, KeysAreForgottenAfterADay) {
  append({draft("r", "x", "key")}, 1000);
  EXPECT_EQ(append({draft("r", "x", "key")}, 24LL * 3600 * 1000)[0].kind, Kind::kDuplicate);
  EXPECT_EQ(append({draft("r", "x", "key")}, 1000 + 24LL * 3600 * 1000)[0].kind, Kind::kStored);
}

TEST_P(MessageStoreContract, ARoomsStreamHasAnIdentity) {
  const std::string before = store->read_newest("r", 0, 1)->top.epoch;
  EXPECT_FALSE(before.empty());
  append({draft("r", "x")});
  EXPECT_EQ(store->read_newest("r", 0, 1)->top.epoch, before);
  EXPECT_NE(store->read_newest("other", 0, 1)->top.epoch, before);
}

TEST(MemoryStore, ReadingMakesNothingAndBytesAreBounded) {
  store::MemoryStoreOptions options;
  options.bytes_max = 100'000;
  store::MemoryStore memory(options, std::make_unique<SeededRandom>(7));
  for (int i = 0; i < 1000; ++i) (void)memory.read_newest("r" + std::to_string(i), 0, 50);
  EXPECT_EQ(memory.room_count(), 0u);
  MessageDraft draft;
  draft.message.content = std::string(10'000, 'x');
  const std::string old = memory.read_newest("r0", 0, 1)->top.epoch;
  for (int i = 0; i < 100; ++i) {
    draft.message.room = "r" + std::to_string(i);
    ASSERT_TRUE(memory.append({&draft, 1}, 1).ok());
    EXPECT_LE(memory.bytes(), options.bytes_max);
  }
  EXPECT_NE(memory.read_newest("r0", 0, 1)->top.epoch, old) << "it counts from 1 again";
  draft.message.room = "one";
  for (int i = 1; i <= 100; ++i) EXPECT_EQ((*memory.append({&draft, 1}, 1))[0].message.seq, static_cast<std::uint64_t>(i));
  EXPECT_LE(memory.bytes(), options.bytes_max);
}

INSTANTIATE_TEST_SUITE_P(Stores, MessageStoreContract,
                         testing::Values(std::pair<const char*, StoreFactory>(
                             "memory",
                             [] {
                               return std::make_unique<store::MemoryStore>(store::MemoryStoreOptions(),
                                                                           std::make_unique<SeededRandom>(7));
                             })),
                         [](const auto& kind) { return kind.param.first; });

}  // namespace
}  // namespace wirehall::test
