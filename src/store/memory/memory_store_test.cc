// What is particular to the store in memory: its bounds. tests/contract/hall_store_test.cc holds the rest.
#include "store/memory/memory_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace wirehall::store {
namespace {

constexpr WallMs kNow = 1'700'000'000'000;

class MemoryStoreBounds : public testing::Test {
 protected:
  MemoryStore& make() {
    store_ = std::make_unique<MemoryStore>(options, std::make_unique<SeededRandom>(7));
    return *store_;
  }
  WriteOutcome one(HallWrite write, WallMs now = kNow) {
    auto outcomes = store_->commit({&write, 1}, now);
    EXPECT_TRUE(outcomes.ok());
    return (*outcomes)[0];
  }
  std::string why(HallWrite write, WallMs now = kNow) {
    return std::string(error_info(one(std::move(write), now).code).code);
  }
  PostMessage post(const std::string& room, std::size_t bytes = 1, const std::string& key = "") {
    PostMessage made;
    made.message.id = "m" + std::to_string(++last_id_);
    made.message.room = room;
    made.message.user_id = "ann";
    made.message.content = std::string(bytes, 'x');
    made.client_message_id = key;
    return made;
  }
  PostPrivate whisper(const std::string& id, std::size_t bytes = 1) {
    PostPrivate made;
    made.message.id = id;
    made.message.to_user = "bob";
    made.message.content = std::string(bytes, 'x');
    return made;
  }
  static CreateRoom create(const std::string& name, std::size_t bytes = 1, const std::string& by = "ann") {
    CreateRoom made;
    made.record.name = name;
    made.record.created_by = by;
    made.record.metadata_json = std::string(bytes, ' ');
    return made;
  }
  static SetRole grant(const std::string& room, const std::string& user, RoomRole role) {
    SetRole made;
    made.room = room;
    made.user_id = user;
    made.role = role;
    return made;
  }
  static BeginUpload upload(const std::string& id) {
    BeginUpload made;
    made.record.file.id = id;
    made.record.file.user_id = "ann";
    made.record.started_at = kNow;
    made.user_bytes_max = made.total_bytes_max = 1'000'000;
    made.user_uploads_max = 100;
    return made;
  }
  PostMessage post_file(const std::string& room, const std::string& id) {
    PostMessage made = post(room);
    made.message.file = std::make_shared<StoredFile>(upload(id).record.file);
    return made;
  }
  static SavePushSubscription subscribe(const std::string& user, const std::string& endpoint) {
    SavePushSubscription made;
    made.subscription.user_id = user;
    made.subscription.endpoint = endpoint;
    return made;
  }
  std::string seqs(const std::string& room) {
    const MessagePage page = *store_->read_newest(room, 0, 1000);
    std::string text;
    for (const StoredMessage& message : page.messages) text += std::to_string(message.seq) + " ";
    return text;
  }
  std::string epoch(const std::string& room) { return store_->read_newest(room, 0, 1)->top.epoch; }
  std::vector<std::string> told() { return store_->maintain(UpkeepOptions(), kNow)->files; }

  MemoryStoreOptions options;
  std::unique_ptr<MemoryStore> store_;
  int last_id_ = 0;
};

TEST_F(MemoryStoreBounds, ReadingMakesNothingAndBytesAreBounded) {
  options.bytes_max = 100'000;
  MemoryStore& memory = make();
  for (int i = 0; i < 1000; ++i) (void)memory.read_newest("r" + std::to_string(i), 0, 50);
  EXPECT_EQ(memory.room_count(), 0u);
  const std::string old = epoch("r0");
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(why(post("r" + std::to_string(i), 10'000)), "ok");
    EXPECT_LE(memory.bytes(), options.bytes_max);
  }
  EXPECT_NE(epoch("r0"), old) << "it counts from 1 again";
  for (std::uint64_t i = 1; i <= 100; ++i) {
    EXPECT_EQ(one(post("one", 10'000)).message.seq, i);
    EXPECT_LE(memory.bytes(), options.bytes_max);
  }
  EXPECT_EQ(memory.losses().messages, 200 - memory.bytes() / 10'000);
  EXPECT_EQ(memory.losses().rooms, 100u);
}

TEST_F(MemoryStoreBounds, ARoomKeepsItsNewestMessages) {
  options.messages_per_room_max = 3;
  MemoryStore& memory = make();
  one(upload("f"));
  one(post_file("r", "f"));
  const std::string before = epoch("r");
  for (int i = 0; i < 4; ++i) one(post("r"));
  EXPECT_EQ(seqs("r"), "3 4 5 ");
  EXPECT_EQ(epoch("r"), before) << "it was cut, no number means something else";
  EXPECT_EQ(memory.losses().messages, 2u);
  EXPECT_EQ(told(), std::vector<std::string>{"f"}) << "the files of what went are told";
  EXPECT_EQ(why(ChangeMessage{"r", "m1", "ann", RoomRole::kNone, "x"}), "not-found");
  EXPECT_EQ(why(ChangeMessage{"r", "m3", "ann", RoomRole::kNone, "edited"}), "ok");
  EXPECT_EQ(memory.read_newest("r", 4, 1)->messages[0].content, "edited");
}

TEST_F(MemoryStoreBounds, AnEditIsCountedInBytes) {
  options.bytes_max = 20'000;
  MemoryStore& memory = make();
  one(post("old", 5'000));
  one(post("r", 5'000));
  EXPECT_EQ(why(ChangeMessage{"r", "m2", "ann", RoomRole::kNone, std::string(18'000, 'y')}), "ok");
  EXPECT_LE(memory.bytes(), options.bytes_max);
  EXPECT_EQ(seqs("old"), "");
  EXPECT_EQ(seqs("r"), "1 ");
  one(ChangeMessage{"r", "m2", "ann", RoomRole::kNone, std::nullopt});
  EXPECT_LT(memory.bytes(), 1'000u);
}

TEST_F(MemoryStoreBounds, RoomsThatNobodyCreatedGiveWay) {
  options.rooms_max = 3;
  MemoryStore& memory = make();
  one(create("created"));
  one(post("old"));
  one(post("role"));
  one(grant("role", "bob", RoomRole::kMember));
  one(MarkRoomRead{"old", "bob", 1});
  one(post("created"));
  EXPECT_EQ(why(post("new")), "ok");
  EXPECT_EQ(memory.room_count(), 3u);
  EXPECT_FALSE(memory.find_room("old", "bob")->record);
  EXPECT_EQ(memory.find_room("old", "bob")->read_up_to, 0u);
  EXPECT_EQ(memory.find_room("created", "ann")->role, RoomRole::kOwner);
  EXPECT_EQ(memory.find_room("role", "bob")->role, RoomRole::kMember);
  EXPECT_EQ(memory.losses().rooms, 1u);
  EXPECT_EQ(why(create("created too")), "ok") << "in the place of the new one";
  EXPECT_EQ(why(post("newer")), "limit-reached") << "there is nothing to give way";
  EXPECT_EQ(why(create("newer")), "limit-reached");
  EXPECT_EQ(why(post("created")), "ok");
  EXPECT_EQ(seqs("created"), "1 2 ");
  one(post("old"));
  EXPECT_EQ(memory.room_count(), 3u);
}

TEST_F(MemoryStoreBounds, ACreatedRoomLosesItsMessagesAndNothingElse) {
  options.bytes_max = 30'000;
  MemoryStore& memory = make();
  one(create("created"));
  one(post("created", 10'000));
  one(post("created", 10'000));
  const std::string before = epoch("created");
  one(post("passing", 5'000));
  one(post("new", 12'000));
  EXPECT_EQ(seqs("passing"), "") << "first who is not needed, however new";
  EXPECT_EQ(seqs("created"), "");
  EXPECT_EQ(seqs("new"), "1 ");
  EXPECT_EQ(epoch("created"), before);
  EXPECT_EQ(one(post("created")).message.seq, 3u);
  EXPECT_EQ(memory.find_room("created", "ann")->role, RoomRole::kOwner);
  EXPECT_EQ(memory.losses().rooms, 1u);
  EXPECT_EQ(memory.losses().messages, 3u);
}

TEST_F(MemoryStoreBounds, TheRecordsOfCreatedRoomsAreBounded) {
  options.created_rooms_bytes_max = 2'000;
  options.roles_max = 2;
  make();
  EXPECT_EQ(why(create("large", 2'000)), "limit-reached");
  EXPECT_EQ(why(create("r", 1'000)), "ok");
  EXPECT_EQ(why(create("s", 1'000)), "limit-reached");
  one(post("s"));
  EXPECT_EQ(why(grant("r", "bob", RoomRole::kMember)), "ok");
  EXPECT_EQ(why(grant("r", "eve", RoomRole::kMember)), "limit-reached") << "two roles";
  EXPECT_EQ(why(grant("r", "bob", RoomRole::kModerator)), "ok") << "it has one";
  EXPECT_EQ(why(create("t")), "limit-reached") << "its owner";
  EXPECT_EQ(why(create("t", 1, "")), "ok");
  EXPECT_EQ(why(grant("r", "bob", RoomRole::kNone)), "ok");
  EXPECT_EQ(why(grant("r", "eve", RoomRole::kMember)), "ok");
}

TEST_F(MemoryStoreBounds, TheReadMarkThatMovedLongestAgoGoes) {
  options.marks_max = 2;
  MemoryStore& memory = make();
  for (int i = 0; i < 3; ++i) one(post("r"));
  one(MarkRoomRead{"r", "ann", 1});
  one(MarkRoomRead{"r", "bob", 1});
  one(MarkRoomRead{"r", "ann", 2});
  one(MarkRoomRead{"r", "eve", 1});
  EXPECT_EQ(memory.find_room("r", "ann")->read_up_to, 2u);
  EXPECT_EQ(memory.find_room("r", "bob")->read_up_to, 0u);
  EXPECT_EQ(memory.find_room("r", "eve")->read_up_to, 1u);
  EXPECT_EQ(memory.losses().marks, 1u);
}

TEST_F(MemoryStoreBounds, TheOldestKeyIsForgotten) {
  options.keys_max = 2;
  MemoryStore& memory = make();
  for (const char* key : {"1", "2", "3"}) one(post("r", 1, key));
  EXPECT_TRUE(one(post("r", 1, "3")).duplicate);
  EXPECT_TRUE(one(post("r", 1, "2")).duplicate);
  EXPECT_EQ(memory.losses().keys, 1u);
  EXPECT_FALSE(one(post("r", 1, "1")).duplicate);
  EXPECT_EQ(memory.losses().keys, 2u);
}

TEST_F(MemoryStoreBounds, PrivateMessagesThatHaveArrivedGiveWay) {
  options.private_max = 3;
  MemoryStore& memory = make();
  for (const char* id : {"1", "2", "3"}) EXPECT_EQ(why(whisper(id)), "ok");
  EXPECT_EQ(why(whisper("4")), "limit-reached") << "what is pending is not lost";
  one(SettlePrivate{"bob", {"2", "3"}, false});
  EXPECT_EQ(why(whisper("4")), "ok");
  EXPECT_EQ(memory.losses().private_messages, 1u);
  EXPECT_EQ(one(SettlePrivate{"bob", {"2", "3"}, true}).settled.size(), 1u) << "2 is gone";
  EXPECT_EQ(memory.read_pending("bob", 9)->size(), 2u);
}

TEST_F(MemoryStoreBounds, PrivateMessagesAreBoundedInBytes) {
  options.private_bytes_max = 10'000;
  MemoryStore& memory = make();
  EXPECT_EQ(why(whisper("large", 10'000)), "limit-reached");
  EXPECT_EQ(why(whisper("1", 4'000)), "ok");
  EXPECT_EQ(why(whisper("2", 4'000)), "ok");
  one(SettlePrivate{"bob", {"1"}, false});
  EXPECT_EQ(why(whisper("3", 6'000)), "limit-reached");
  EXPECT_EQ(memory.losses().private_messages, 0u) << "nothing goes for a write that is refused";
  EXPECT_EQ(why(whisper("3", 4'000)), "ok");
  EXPECT_EQ(memory.losses().private_messages, 1u);
  EXPECT_EQ(why(whisper("4", 4'000)), "limit-reached");
}

TEST_F(MemoryStoreBounds, TheUserWhoWasSavedLongestAgoIsForgotten) {
  options.users_max = 2;
  options.users_bytes_max = 10'000;
  MemoryStore& memory = make();
  const auto save = [this](const std::string& id, WallMs now, std::size_t bytes = 2) {
    one(SaveUser{id, std::string(bytes, ' '), 0, std::nullopt}, now);
  };
  save("1", kNow);
  save("2", kNow + 1);
  save("1", kNow + 2);
  save("3", kNow + 3);
  EXPECT_FALSE(*memory.find_user("2"));
  EXPECT_TRUE(*memory.find_user("1"));
  save("1", kNow + 4, 9'850);
  EXPECT_FALSE(*memory.find_user("3"));
  EXPECT_TRUE(*memory.find_user("1"));
  EXPECT_EQ(memory.losses().users, 2u);
}

TEST_F(MemoryStoreBounds, FilesAreBoundedUntilTheyAreTold) {
  options.files_max = 2;
  make();
  one(upload("1"));
  one(post_file("r", "1"));
  EXPECT_EQ(why(upload("2")), "ok");
  EXPECT_EQ(why(upload("3")), "limit-reached");
  one(EndUpload{"2"});
  EXPECT_EQ(why(upload("3")), "limit-reached") << "its bytes are there";
  EXPECT_EQ(told(), std::vector<std::string>{"2"});
  EXPECT_EQ(why(upload("3")), "ok");
}

TEST_F(MemoryStoreBounds, SubscriptionsAreBounded) {
  options.subscriptions_max = 2;
  options.subscriptions_bytes_max = 1'000;
  MemoryStore& memory = make();
  EXPECT_EQ(why(subscribe("ann", std::string(1'000, 'e'))), "limit-reached");
  EXPECT_EQ(why(subscribe("ann", "1")), "ok");
  EXPECT_EQ(why(subscribe("ann", "2")), "ok");
  EXPECT_EQ(why(subscribe("bob", "3")), "limit-reached");
  EXPECT_EQ(why(subscribe("bob", "2")), "ok") << "moving needs no room";
  EXPECT_EQ(memory.push_subscriptions("ann")->size(), 1u);
  SavePushSubscription none = subscribe("bob", "2");
  none.per_user_max = 0;
  EXPECT_EQ(why(none), "ok");
  EXPECT_TRUE(memory.push_subscriptions("bob")->empty());
  EXPECT_EQ(why(subscribe("bob", "3")), "ok");
}

TEST_F(MemoryStoreBounds, ReadersSeeWholeBatches) {
  MemoryStore& memory = make();
  std::atomic<bool> done{false};
  std::atomic<bool> torn{false};
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&] {
      while (!done) {
        const auto page = memory.read_newest("r", 0, 10);
        if (page->top.seq % 4 != 0) torn = true;
        if (!page->messages.empty() && page->messages.back().seq != page->top.seq) torn = true;
        (void)memory.find_room("r", "ann").ok();
        (void)memory.list_rooms("", 10).ok();
        (void)memory.losses();
      }
    });
  }
  for (int i = 0; i < 500; ++i) {
    std::vector<HallWrite> batch = {post("r"), post("r"), post("r"), post("r")};
    ASSERT_TRUE(memory.commit(batch, kNow + i).ok());
    ASSERT_TRUE(memory.maintain(UpkeepOptions(), kNow + i).ok());
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(torn);
}

}  // namespace
}  // namespace wirehall::store
