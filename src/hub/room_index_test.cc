#include "hub/room_index.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace wirehall::hub {
namespace {

// Against a vector, through sizes at which the block grows, and back.
TEST(MembershipList, AgreesWithAVectorWhateverComesAndGoes) {
  SeededRandom random(3);
  MembershipList list;
  std::vector<Membership> model;
  std::vector<Room> rooms(50);
  for (int step = 0; step < 20'000; ++step) {
    const bool grows = model.size() < 50 && random.below(100) < (step / 2'000 % 2 == 0 ? 60u : 40u);
    if (grows) {
      const Membership added{&rooms[model.size()], static_cast<std::uint32_t>(step), 0,
                             static_cast<std::uint64_t>(step) << 32};
      list.push_back(added);
      model.push_back(added);
    } else if (!model.empty()) {
      const std::size_t i = random.below(model.size());
      list.remove(i);
      model[i] = model.back();
      model.pop_back();
    }
    ASSERT_EQ(list.size(), model.size());
    ASSERT_EQ(list.empty(), model.empty());
    for (std::size_t i = 0; i < model.size(); ++i) {
      ASSERT_EQ(list[i].room, model[i].room);
      ASSERT_EQ(list[i].place, model[i].place);
      ASSERT_EQ(list[i].since, model[i].since);
    }
    if (!model.empty()) {
      ASSERT_EQ(list.back().place, model.back().place);
    }
  }
}

}  // namespace
}  // namespace wirehall::hub
