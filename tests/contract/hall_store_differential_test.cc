// Two stores in memory answer alike; and the comparison finds what is wrong.
#include <gtest/gtest.h>

#include "contract/hall_store_differential.h"
#include "store/memory/memory_store.h"

namespace wirehall::test {
namespace {

template <std::uint64_t kSeed>
std::unique_ptr<HallStore> in_memory() {
  return std::make_unique<store::MemoryStore>(store::MemoryStoreOptions(),
                                              std::make_unique<SeededRandom>(kSeed));
}

TEST(HallStoreDifferential, TwoStoresAnswerAlike) {
  const auto difference = first_difference(in_memory<1>, in_memory<2>, 200, 60);
  EXPECT_FALSE(difference) << difference.value_or("");
}

// -- the comparison finds what is wrong -------------------------------------------------------------

enum class Fault : std::uint8_t { kNone, kEpochChanges, kFileToldTwice, kPendingLate, kWriteLost };

class FaultyStore final : public HallStore {
 public:
  explicit FaultyStore(Fault fault) : store_(in_memory<1>()), fault_(fault) {}
  Result<std::vector<WriteOutcome>> commit(std::span<HallWrite> writes, WallMs now) override {
    // The answers are right, but what the last of ten batches wrote is not kept.
    const bool lost = fault_ == Fault::kWriteLost && ++batches_ == 10 && writes.size() > 1;
    auto outcomes = store_->commit(lost ? writes.first(writes.size() - 1) : writes, now);
    if (lost && outcomes.ok()) outcomes->emplace_back();
    return outcomes;
  }
  Result<UpkeepResult> maintain(const UpkeepOptions& options, WallMs now) override {
    auto result = store_->maintain(options, now);
    maintained_ = true;
    if (fault_ == Fault::kFileToldTwice && result.ok() && !result->files.empty())
      result->files.push_back(result->files.front());
    return result;
  }
  Result<MessagePage> read_newest(const std::string& room, std::uint64_t before,
                                  std::uint32_t limit) override {
    return changed(store_->read_newest(room, before, limit));
  }
  Result<MessagePage> read_after(const std::string& room, std::uint64_t after, std::uint32_t limit) override {
    return changed(store_->read_after(room, after, limit));
  }
  Result<RoomView> find_room(const std::string& room, const std::string& user_id) override {
    return store_->find_room(room, user_id);
  }
  Result<std::vector<RoomRecord>> list_rooms(const std::string& after, std::uint32_t limit) override {
    return store_->list_rooms(after, limit);
  }
  Result<std::optional<UserRecord>> find_user(const std::string& user_id) override {
    return store_->find_user(user_id);
  }
  Result<std::vector<PrivateMessage>> read_pending(const std::string& user_id, std::uint32_t limit) override {
    auto messages = store_->read_pending(user_id, limit);
    if (fault_ == Fault::kPendingLate && messages.ok() && messages->size() > 3) messages->pop_back();
    return messages;
  }
  Result<std::optional<UploadRecord>> find_upload(const std::string& id) override {
    return store_->find_upload(id);
  }
  Result<std::optional<FileView>> find_file(const std::string& id) override { return store_->find_file(id); }
  Result<std::vector<PushSubscription>> push_subscriptions(const std::string& user_id) override {
    return store_->push_subscriptions(user_id);
  }

 private:
  Result<MessagePage> changed(Result<MessagePage> page) const {
    if (fault_ == Fault::kEpochChanges && maintained_ && page.ok()) page->top.epoch += "'";
    return page;
  }
  std::unique_ptr<HallStore> store_;
  Fault fault_;
  int batches_ = 0;
  bool maintained_ = false;
};

class HallStoreFault : public testing::TestWithParam<Fault> {};

TEST_P(HallStoreFault, IsFound) {
  const HallStoreFactory faulty = [] { return std::make_unique<FaultyStore>(GetParam()); };
  const auto difference = first_difference(in_memory<2>, faulty, 20, 60);
  EXPECT_EQ(difference.has_value(), GetParam() != Fault::kNone) << difference.value_or("");
}

INSTANTIATE_TEST_SUITE_P(All, HallStoreFault,
                         testing::Values(Fault::kNone, Fault::kEpochChanges, Fault::kFileToldTwice,
                                         Fault::kPendingLate, Fault::kWriteLost));

}  // namespace
}  // namespace wirehall::test
