// The store that lasts: the contract, the same answers as the plain one in memory, and what only files can show.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "contract/hall_store_differential.h"
#include "contract/hall_store_suite.h"
#include "store/memory/memory_store.h"
#include "store/sqlite/sqlite_store.h"
#include "support/temporary_directory.h"

namespace wirehall::test {
namespace {

using store::SqliteStore;
using store::SqliteStoreOptions;

// A store in a directory that goes with it.
class OwnDirectoryStore final : public HallStore {
 public:
  OwnDirectoryStore() {
    SqliteStoreOptions options;
    options.path = directory_.path() + "/wirehall.db";
    store_ = std::move(SqliteStore::open(options).value());
  }
  Result<std::vector<WriteOutcome>> commit(std::span<HallWrite> writes, WallMs now) override {
    return store_->commit(writes, now);
  }
  Result<UpkeepResult> maintain(const UpkeepOptions& options, WallMs now) override {
    return store_->maintain(options, now);
  }
  Result<MessagePage> read_newest(const std::string& room, std::uint64_t before, std::uint32_t limit) override {
    return store_->read_newest(room, before, limit);
  }
  Result<MessagePage> read_after(const std::string& room, std::uint64_t after, std::uint32_t limit) override {
    return store_->read_after(room, after, limit);
  }
  Result<RoomView> find_room(const std::string& room, const std::string& user) override {
    return store_->find_room(room, user);
  }
  Result<std::vector<RoomRecord>> list_rooms(const std::string& after, std::uint32_t limit) override {
    return store_->list_rooms(after, limit);
  }
  Result<std::optional<UserRecord>> find_user(const std::string& id) override { return store_->find_user(id); }
  Result<std::vector<PrivateMessage>> read_pending(const std::string& user, std::uint32_t limit) override {
    return store_->read_pending(user, limit);
  }
  Result<std::optional<UploadRecord>> find_upload(const std::string& id) override { return store_->find_upload(id); }
  Result<std::optional<FileView>> find_file(const std::string& id) override { return store_->find_file(id); }
  Result<std::vector<PushSubscription>> push_subscriptions(const std::string& user) override {
    return store_->push_subscriptions(user);
  }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<SqliteStore> store_;
};

std::unique_ptr<HallStore> in_file() { return std::make_unique<OwnDirectoryStore>(); }
std::unique_ptr<HallStore> in_memory() {
  return std::make_unique<store::MemoryStore>(store::MemoryStoreOptions(), std::make_unique<SeededRandom>(7));
}

INSTANTIATE_TEST_SUITE_P(Sqlite, HallStoreContract,
                         testing::Values(std::pair<const char*, HallStoreFactory>("sqlite", in_file)),
                         [](const auto& kind) { return kind.param.first; });

TEST(SqliteStore, AnswersAsThePlainOne) {
  const auto difference = first_difference(in_memory, in_file, 30, 60);
  EXPECT_FALSE(difference.has_value()) << *difference;
}

// -- files --------------------------------------------------------------------------------------------------

class SqliteFile : public testing::Test {
 protected:
  static constexpr WallMs kNow = 1'700'000'000'000;
  std::string path() const { return directory.path() + "/wirehall.db"; }
  std::unique_ptr<SqliteStore> open(std::uint64_t bytes_max = 0) {
    SqliteStoreOptions options;
    options.path = path();
    options.file_bytes_max = bytes_max;
    auto opened = SqliteStore::open(options);
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    return opened.ok() ? std::move(*opened) : nullptr;
  }
  static HallWrite post(const std::string& room, const std::string& id, std::string content = "hello") {
    PostMessage write;
    write.message.id = id;
    write.message.room = room;
    write.message.user_id = "ann";
    write.message.user_json = "{}";
    write.message.type = "text";
    write.message.content = std::move(content);
    write.message.timestamp = kNow;
    return write;
  }
  static Result<std::vector<WriteOutcome>> commit(HallStore& store, HallWrite write) {
    return store.commit({&write, 1}, kNow);
  }
  void run_sql(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
    sqlite3_close(db);
  }
  TemporaryDirectory directory;
};

TEST_F(SqliteFile, KeepsEverythingOverARestart) {
  std::string epoch;
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, post("r", "m1")).ok());
    SaveUser user;
    user.id = "ann";
    user.last_seen = 5;
    user.rooms = std::vector<std::string>{"r", "with space", "ümlaut"};
    ASSERT_TRUE(commit(*store, HallWrite(user)).ok());
    epoch = store->read_newest("r", 0, 1)->top.epoch;
    EXPECT_NE(store->read_newest("empty", 0, 1)->top.epoch, epoch);
  }
  const auto store = open();
  EXPECT_EQ(store->read_newest("r", 0, 10)->messages.at(0).content, "hello");
  EXPECT_EQ(store->read_newest("r", 0, 10)->top.epoch, epoch);
  EXPECT_EQ((*store->find_user("ann"))->rooms, (std::vector<std::string>{"r", "with space", "ümlaut"}));
  EXPECT_EQ(commit(*store, post("r", "m2"))->at(0).message.seq, 2u);
}

// Where a room stands follows from its newest message, and is kept when that goes.
TEST_F(SqliteFile, ARoomStandsWhereItStoodAlsoWhenItsMessagesAreGone) {
  const auto at = [](HallWrite write, WallMs time) {
    std::get<PostMessage>(write).message.timestamp = time;
    return write;
  };
  const auto record = [](HallStore& store) { return *store.find_room("r", "ann")->record; };
  {
    const auto store = open();
    for (const auto& [id, time] : {std::pair("m1", kNow), {"m2", kNow + 90}, {"m3", kNow + 50}})
      ASSERT_TRUE(commit(*store, at(post("r", id), time)).ok());
    ASSERT_TRUE(commit(*store, post("other", "o1")).ok());
  }
  {
    const auto store = open();
    EXPECT_EQ(record(*store).top.seq, 3u);
    EXPECT_EQ(record(*store).last_activity, kNow + 90) << "its time has not gone back";
    UpkeepOptions upkeep;
    upkeep.retention = [](std::string_view room, std::string_view) { return Retention{0, room == "r" ? 1 : 0}; };
    ASSERT_EQ(store->maintain(upkeep, kNow + 100)->rows, 3u);
    EXPECT_EQ(record(*store).top.seq, 3u);
  }
  const auto store = open();
  EXPECT_EQ(record(*store).top.seq, 3u);
  EXPECT_EQ(record(*store).last_activity, kNow + 90);
  EXPECT_EQ(store->read_newest("r", 0, 10)->top.seq, 3u);
  const auto rooms = store->list_rooms("", 10);
  ASSERT_EQ(rooms->size(), 2u);
  EXPECT_EQ(rooms->at(0).top.seq, 1u);
  EXPECT_EQ(rooms->at(1).top.seq, 3u);
  EXPECT_EQ(commit(*store, at(post("r", "m4"), kNow + 200))->at(0).message.seq, 4u);
  EXPECT_EQ(record(*store).last_activity, kNow + 200);
}

// Version 1 wrote a room's position into its row with each message.
TEST_F(SqliteFile, OfVersionOneGoesOnWhereItStood) {
  {
    const auto store = open();
    for (const char* id : {"m1", "m2"}) ASSERT_TRUE(commit(*store, post("r", id)).ok());
    ASSERT_TRUE(commit(*store, post("emptied", "e1")).ok());
    ASSERT_TRUE(commit(*store, post("cut", "c1")).ok());
  }
  run_sql("UPDATE rooms SET seq = 2 WHERE name = 'r'; UPDATE rooms SET seq = 7 WHERE name = 'emptied';"
          "UPDATE rooms SET seq = 2 WHERE name = 'cut';"
          "DELETE FROM messages WHERE id = 'e1'; PRAGMA user_version = 1");
  const auto store = open();
  EXPECT_EQ(store->read_newest("r", 0, 10)->top.seq, 2u);
  EXPECT_EQ(commit(*store, post("r", "m3"))->at(0).message.seq, 3u);
  EXPECT_EQ(commit(*store, post("emptied", "e2"))->at(0).message.seq, 8u);
  EXPECT_EQ(store->read_newest("cut", 0, 10)->top.seq, 2u) << "its second message is missing, not its number";
  EXPECT_EQ(store->list_rooms("", 10)->at(0).top.seq, 2u);
  EXPECT_EQ(commit(*store, post("cut", "c3"))->at(0).message.seq, 3u) << "no number is given twice";
}

TEST_F(SqliteFile, BelongsToOneProcessAtATime) {
  const auto first = open();
  SqliteStoreOptions options;
  options.path = path();
  const auto second = SqliteStore::open(options);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), ErrorCode::kConfig);
  EXPECT_NE(second.error().detail().find("another server"), std::string::npos);
}

TEST_F(SqliteFile, OfANewerProgramIsRefused) {
  open();
  run_sql("PRAGMA user_version = 999");
  SqliteStoreOptions options;
  options.path = path();
  const auto opened = SqliteStore::open(options);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().detail().find("newer"), std::string::npos) << opened.error().detail();
}

TEST_F(SqliteFile, WhichIsNoDatabaseIsRefused) {
  std::ofstream(path()) << std::string(10'000, 'x');
  SqliteStoreOptions options;
  options.path = path();
  EXPECT_FALSE(SqliteStore::open(options).ok());
}

TEST_F(SqliteFile, ADamagedRowIsNeverShown) {
  {
    const auto store = open();
    for (const char* id : {"m1", "m2", "m3"}) ASSERT_TRUE(commit(*store, post("r", id)).ok());
  }
  run_sql("UPDATE messages SET content = 'hellp' WHERE id = 'm2'");
  const auto store = open();
  const auto page = store->read_newest("r", 0, 10);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->messages.size(), 3u) << "its place in the stream stays";
  EXPECT_TRUE(page->messages[1].deleted);
  EXPECT_EQ(page->messages[1].content, "");
  EXPECT_EQ(page->messages[2].content, "hello");
}

TEST_F(SqliteFile, AFullFileRefusesAndGoesOnWhenThereIsRoom) {
  const auto store = open(400 * 1024);
  std::vector<std::string> stored;
  bool full = false;
  for (int i = 0; i < 200 && !full; ++i) {
    const std::string id = "m" + std::to_string(i);
    const auto outcomes = commit(*store, post("r", id, std::string(10'000, 'x')));
    if (outcomes.ok()) {
      EXPECT_EQ(outcomes->at(0).message.seq, stored.size() + 1);
      stored.push_back(id);
    } else {
      EXPECT_EQ(outcomes.error().code(), ErrorCode::kUnavailable);
      full = true;
    }
  }
  ASSERT_TRUE(full);
  EXPECT_FALSE(store->failed());
  const auto page = store->read_newest("r", 0, 200);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->messages.size(), stored.size());
  for (std::size_t i = 0; i < stored.size(); ++i) EXPECT_EQ(page->messages[i].id, stored[i]);
  UpkeepOptions upkeep;
  upkeep.retention = [](std::string_view, std::string_view) { return Retention{5, 0}; };
  ASSERT_TRUE(store->maintain(upkeep, kNow).ok());
  const auto after = commit(*store, post("r", "again", std::string(10'000, 'x')));
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->at(0).message.seq, stored.size() + 1) << "no number was lost";
}

TEST_F(SqliteFile, ABackupIsWholeAndItsPositionsAreItsOwn) {
  SeededRandom random(3);
  const std::string target = directory.path() + "/copy.db";
  std::string epoch;
  {
    const auto store = open();
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(commit(*store, post("r", "m" + std::to_string(i))).ok());
    epoch = store->read_newest("r", 0, 1)->top.epoch;
    const Status made = store::backup_database(path(), target, random);  // while it is in use
    ASSERT_TRUE(made.ok()) << made.error().text();
    EXPECT_FALSE(store::backup_database(path(), target, random).ok()) << "nothing is overwritten";
    ASSERT_TRUE(commit(*store, post("r", "later")).ok());
  }
  SqliteStoreOptions options;
  options.path = target;
  const auto copy = SqliteStore::open(options);
  ASSERT_TRUE(copy.ok());
  const auto page = (*copy)->read_newest("r", 0, 100);
  EXPECT_EQ(page->messages.size(), 50u);
  EXPECT_NE(page->top.epoch, epoch);
  EXPECT_FALSE(store::backup_database(directory.path() + "/none.db", target + "2", random).ok());
}

TEST_F(SqliteFile, ALongRoomIsReadAtItsEnd) {
  const auto store = open();
  std::vector<HallWrite> writes;
  for (int i = 0; i < 20'000; ++i) writes.push_back(post("r", "m" + std::to_string(i)));
  ASSERT_TRUE(store->commit(writes, kNow).ok());
  const auto page = store->read_newest("r", 0, 50);
  ASSERT_EQ(page->messages.size(), 50u);
  EXPECT_EQ(page->messages.back().seq, 20'000u);
  EXPECT_EQ(store->read_after("r", 19'990, 50)->messages.size(), 10u);
}

}  // namespace
}  // namespace wirehall::test
