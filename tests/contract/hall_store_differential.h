// Gives two implementations of HallStore the same random script, and compares everything that they answer.
// `--seed N` of the message replays a difference as the first script.
#pragma once

#include <gtest/gtest.h>

#include "base/random.h"
#include "contract/hall_store_script.h"
#include "contract/hall_store_suite.h"
#include "contract/hall_store_text.h"
#include "support/seed.h"

namespace wirehall::test {

class TwoStores {
 public:
  TwoStores(const HallStoreFactory& one, const HallStoreFactory& other, std::uint64_t seed)
      : stores_{one(), other()}, script_(seed), seed_(seed) {}

  /// Returns: the first difference; nothing when there is none.
  std::optional<std::string> run(int steps) {
    for (step_ = 0; step_ < steps && !difference_; ++step_) {
      script_.pass_time();
      if (script_.one_in(8)) {
        maintain();
      } else {
        commit();
      }
      read_rooms();
      read_users();
    }
    return difference_;
  }

 private:
  /// Asks both stores, and compares what they say.
  template <class Ask>
  void same(const std::string& what, const Ask& ask) {
    const std::string one = texts_[0].of(ask(*stores_[0]));
    const std::string other = texts_[1].of(ask(*stores_[1]));
    if (one == other || difference_) return;
    difference_ = "seed " + std::to_string(seed_) + ", step " + std::to_string(step_) + ", " + what +
                  "\n- one:   " + one + "\n- other: " + other;
  }

  void commit() {
    const std::vector<HallWrite> writes = script_.batch();
    std::array<std::vector<WriteOutcome>, 2> outcomes;
    for (std::size_t i = 0; i < 2; ++i) {
      std::vector<HallWrite> given = writes;  // a store may take messages out of it
      auto result = stores_[i]->commit(given, script_.now());
      outcomes[i] = result.ok() ? *result : std::vector<WriteOutcome>();
      if (outcomes[i].size() != writes.size()) difference_ = "a batch was refused, or not answered";
    }
    for (std::size_t w = 0; w < writes.size() && !difference_; ++w) {
      same("write " + std::to_string(w) + " of the batch: " + HallText().of(writes[w]),
           [&](const HallStore& store) { return outcomes[&store == stores_[0].get() ? 0 : 1][w]; });
    }
  }

  /// All that there is to remove: how much of it goes in one call is the implementation's business.
  void maintain() {
    const UpkeepOptions options = script_.upkeep();
    same("maintain: rows and files", [&](HallStore& store) {
      std::pair<std::uint64_t, std::vector<std::string>> removed;
      bool more = true;
      for (int calls = 0; more && calls < 10'000; ++calls) {
        const auto result = store.maintain(options, script_.now());
        more = result.ok() && result->more;
        if (!result.ok() || result->rows > options.rows_max) continue;
        removed.first += result->rows;
        removed.second.insert(removed.second.end(), result->files.begin(), result->files.end());
      }
      EXPECT_FALSE(more) << "it never says that it is done";
      std::sort(removed.second.begin(), removed.second.end());
      return removed;
    });
  }

  void read_rooms() {
    for (const std::string& room : HallScript::kRooms) {
      const std::string& user = script_.user();
      same("newest of " + named(room), [&](HallStore& store) { return store.read_newest(room, 0, 1'000); });
      same("view of " + named(room) + " for " + named(user),
           [&](HallStore& store) { return store.find_room(room, user); });
    }
    const std::string& room = script_.room();
    const std::uint64_t position = script_.position();
    const std::uint32_t limit = script_.limit();
    const std::string where =
        std::to_string(position) + ", limit " + std::to_string(limit) + " of " + named(room);
    same("before " + where, [&](HallStore& store) { return store.read_newest(room, position, limit); });
    same("after " + where, [&](HallStore& store) { return store.read_after(room, position, limit); });
    same("rooms", [&](HallStore& store) { return store.list_rooms("", 1'000); });
    same("rooms behind " + named(room), [&](HallStore& store) { return store.list_rooms(room, limit); });
  }

  void read_users() {
    const std::uint32_t limit = script_.limit();
    for (const std::string& user : HallScript::kUsers) {
      const std::string of = " of " + named(user);
      same("record" + of, [&](HallStore& store) { return store.find_user(user); });
      same("pending messages" + of, [&](HallStore& store) { return store.read_pending(user, 1'000); });
      same("first pending messages" + of, [&](HallStore& store) { return store.read_pending(user, limit); });
      same("subscriptions" + of, [&](HallStore& store) { return store.push_subscriptions(user); });
    }
    for (std::uint64_t n = 0; n < HallScript::kFiles; ++n) {
      const std::string id = HallScript::file_id(n);
      same("upload " + id, [&](HallStore& store) { return store.find_upload(id); });
      same("file " + id, [&](HallStore& store) { return store.find_file(id); });
    }
  }

  static std::string named(const std::string& name) { return HallText().of(name); }

  std::array<std::unique_ptr<HallStore>, 2> stores_;
  std::array<HallText, 2> texts_;
  HallScript script_;
  std::uint64_t seed_;
  int step_ = 0;
  std::optional<std::string> difference_;
};

inline std::optional<std::string> first_difference(const HallStoreFactory& one, const HallStoreFactory& other,
                                            int seeds, int steps) {
  for (int i = 0; i < seeds; ++i) {
    auto difference = TwoStores(one, other, seed() + static_cast<std::uint64_t>(i)).run(steps);
    if (difference) return difference;
  }
  return std::nullopt;
}

}  // namespace wirehall::test
