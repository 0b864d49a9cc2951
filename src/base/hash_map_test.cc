#include "base/hash_map.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "base/random.h"

namespace wirehall {
namespace {

struct Named {
  std::string name;
  std::uint32_t place = 0;
};
struct NamedTraits {
  static std::string_view name_of(const Named& named) { return named.name; }
  static std::uint32_t& place_of(Named& named) { return named.place; }
};

TEST(NamedRow, FindsWhatIsInItAndNothingElse) {
  NamedRow<Named, NamedTraits> row;
  EXPECT_EQ(row.find("a"), nullptr);
  Named a{"a"}, b{"b"};
  row.add(a);
  row.add(b);
  EXPECT_EQ(row.find("a"), &a);
  EXPECT_EQ(row.find("b"), &b);
  EXPECT_EQ(row.find("c"), nullptr);
  row.remove(a);
  EXPECT_EQ(row.find("a"), nullptr);
  EXPECT_EQ(row.find("b"), &b);
  row.remove(b);
  EXPECT_EQ(row.find("b"), nullptr);
  EXPECT_TRUE(row.row().empty());
}

// Against a map, through all sizes at which a table grows.
TEST(NamedRow, AgreesWithAMapWhateverComesAndGoes) {
  SeededRandom random(7);
  NamedRow<Named, NamedTraits> row;
  std::map<std::string, Named*> model;
  std::deque<Named> all;
  for (int step = 0; step < 20'000; ++step) {
    const std::string name = std::to_string(random.below(4'000));
    const auto found = model.find(name);
    ASSERT_EQ(row.find(name), found == model.end() ? nullptr : found->second);
    if (found == model.end()) {
      all.push_back({name});
      row.add(all.back());
      model.emplace(name, &all.back());
    } else if (step % 3 == 0) {
      row.remove(*found->second);
      model.erase(found);
    }
    ASSERT_EQ(row.row().size(), model.size());
  }
  for (const auto& [name, named] : model) {
    EXPECT_EQ(row.find(name), named);
    EXPECT_EQ(row.row()[named->place], named);
  }
}

}  // namespace
}  // namespace wirehall
