// Maps keyed by what peers choose: the keyed hash beside the standard library's, which is not keyed.
#include "base/hash_map.h"

#include <vector>

#include "support/micro.h"

namespace wirehall {
namespace {

constexpr std::size_t kEntries = 10'000;

// Names of rooms and ids of sockets.
std::vector<std::string> keys(std::size_t bytes) {
  std::vector<std::string> made;
  for (std::size_t i = 0; i < kEntries; ++i) {
    std::string key = "room-" + std::to_string(i * 7919 % 1'000'003);
    key.resize(bytes, 'r');
    made.push_back(std::move(key));
  }
  return made;
}

template <class Map>
void find(benchmark::State& state, std::size_t bytes) {
  const std::vector<std::string> names = keys(bytes);
  Map map;
  for (std::size_t i = 0; i < kEntries; ++i) map.emplace(names[i], i);
  std::size_t next = 0;
  bench::measure(state, bytes, [&] {
    benchmark::DoNotOptimize(map.find(names[next]));
    next = next + 7 < kEntries ? next + 7 : next + 7 - kEntries;
  });
}

template <class Map>
void insert_and_erase(benchmark::State& state, std::size_t bytes) {
  const std::vector<std::string> names = keys(bytes);
  Map map;
  for (std::size_t i = 0; i + 1 < kEntries; ++i) map.emplace(names[i], i);
  bench::measure(state, bytes, [&] { map.erase(map.emplace(names.back(), 1).first); });
}

const bench::Suite suite([] {
  using Standard = std::unordered_map<std::string, std::size_t>;
  for (const std::size_t bytes : {12u, 20u, 128u}) {
    const std::string input = std::to_string(bytes) + "B-of-10000/";
    bench::add("hash_map/find/" + input + "wirehall",
               [bytes](benchmark::State& state) { find<TextMap<std::size_t>>(state, bytes); });
    bench::add("hash_map/find/" + input + "std-hash",
               [bytes](benchmark::State& state) { find<Standard>(state, bytes); });
    bench::add("hash_map/insert_and_erase/" + input + "wirehall",
               [bytes](benchmark::State& state) { insert_and_erase<TextMap<std::size_t>>(state, bytes); });
    bench::add("hash_map/insert_and_erase/" + input + "std-hash",
               [bytes](benchmark::State& state) { insert_and_erase<Standard>(state, bytes); });
  }
});

}  // namespace
}  // namespace wirehall
