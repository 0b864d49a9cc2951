// The entry of every C++ test program. `--seed N` fixes the random tests; the seed is always printed.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "support/seed.h"

namespace wirehall::test {
namespace {
std::uint64_t g_seed = 20'240'601;
}
std::uint64_t seed() { return g_seed; }
}  // namespace wirehall::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--seed") == 0) wirehall::test::g_seed = std::strtoull(argv[i + 1], nullptr, 10);
  }
  std::printf("seed %llu\n", static_cast<unsigned long long>(wirehall::test::g_seed));
  return RUN_ALL_TESTS();
}
