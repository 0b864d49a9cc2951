// Replays every committed input of every fuzz target, then seeded mutations of each.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/random.h"
#include "support/fuzz.h"
#include "support/seed.h"

namespace wirehall::test {
namespace {

std::map<std::string, FuzzTarget>& targets() {
  static std::map<std::string, FuzzTarget> map;
  return map;
}

void run(FuzzTarget target, const std::string& bytes) {
  FuzzInput in(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  target(in);
}

std::string mutated(std::string bytes, SeededRandom& random, const std::vector<std::string>& corpus) {
  for (auto n = 1 + random.below(4); n > 0; --n) {
    const std::size_t at = random.below(bytes.size() + 1);
    switch (random.below(6)) {
      case 0: if (at < bytes.size()) bytes[at] = static_cast<char>(random.below(256)); break;
      case 1: bytes.insert(at, 1 + random.below(8), static_cast<char>(random.below(256))); break;
      case 2: bytes.erase(at, 1 + random.below(8)); break;
      case 3: if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8))); break;
      case 4: bytes.insert(at, bytes.substr(random.below(bytes.size() + 1), random.below(32))); break;
      default: {
        const std::string& other = corpus[random.below(corpus.size())];
        bytes.insert(at, other.substr(random.below(other.size() + 1), random.below(64)));
      }
    }
    if (bytes.size() > 4096) bytes.resize(4096);
  }
  return bytes;
}

class Replay : public testing::TestWithParam<std::pair<const std::string, FuzzTarget>> {};

TEST_P(Replay, CommittedInputsAndMutations) {
  const auto& [name, target] = GetParam();
  const std::filesystem::path folder = std::filesystem::path(WIREHALL_SOURCE_DIR) / "tests/corpus" / name;
  ASSERT_TRUE(std::filesystem::is_directory(folder)) << folder;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty());
  std::vector<std::string> corpus;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    std::stringstream text;
    text << stream.rdbuf();
    corpus.push_back(text.str());
    run(target, corpus.back());
  }
  SeededRandom random(seed());
  const int rounds = std::getenv("WIREHALL_TEST_FULL") != nullptr ? 200'000 : 10'000;
  for (int i = 0; i < rounds; ++i) run(target, mutated(corpus[random.below(corpus.size())], random, corpus));
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Replay, testing::ValuesIn(std::map<std::string, FuzzTarget>(targets())), [](const auto& parameter) { return parameter.param.first; });

}  // namespace

FuzzRegistration::FuzzRegistration(const char* name, FuzzTarget target) { targets()[name] = target; }

}  // namespace wirehall::test
