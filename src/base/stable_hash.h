// Hashes that mean the same in every process and on every machine: for what is stored. Not for tables keyed by
// what peers choose (hash_map.h), and no proof against forgers.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace wirehall {

/// XXH3, 64 bits.
std::uint64_t stable_hash(std::string_view bytes, std::uint64_t seed = 0);

/// XXH3, 128 bits: says whether two texts are the same one.
std::array<char, 16> stable_fingerprint(std::string_view bytes);

}  // namespace wirehall
