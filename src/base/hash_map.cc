#include "base/hash_map.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <cstring>

namespace wirehall {
namespace {

// XXH3 with a whole secret, not only a seed: its short-input paths are then keyed too.
std::array<char, XXH3_SECRET_SIZE_MIN + 56> g_secret = [] {
  std::array<char, XXH3_SECRET_SIZE_MIN + 56> fixed{};
  XXH3_generateSecret(fixed.data(), fixed.size(), "wirehall", 8);
  return fixed;
}();

}  // namespace

void seed_hash(std::string_view secret) {
  XXH3_generateSecret(g_secret.data(), g_secret.size(), secret.data(), secret.size());
}

std::uint64_t keyed_hash(std::string_view text) {
  return XXH3_64bits_withSecret(text.data(), text.size(), g_secret.data(), g_secret.size());
}

}  // namespace wirehall
