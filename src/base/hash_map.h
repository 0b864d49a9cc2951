// Hash maps keyed by text that peers choose: the hash is keyed with a secret of the process, so that nobody
// can make keys collide on purpose. Iteration order must never decide what goes on the wire.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace wirehall {

/// Sets the secret; called once at start-up, before the first map exists. Without a call the secret is
/// fixed, which tests and the simulator use.
void seed_hash(std::string_view secret);

std::uint64_t keyed_hash(std::string_view text);

struct KeyedHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return static_cast<std::size_t>(keyed_hash(text)); }
};

template <class V>
using TextMap = std::unordered_map<std::string, V, KeyedHash, std::equal_to<>>;
using TextSet = std::unordered_set<std::string, KeyedHash, std::equal_to<>>;

}  // namespace wirehall
