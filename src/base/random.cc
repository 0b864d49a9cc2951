#include "base/random.h"

#include <array>
#include <cstring>

#include "base/base64.h"
#include "base/hash_map.h"

namespace wirehall {

std::uint64_t RandomSource::next() {
  std::array<char, 8> bytes;
  fill(bytes);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::uint64_t RandomSource::below(std::uint64_t bound) {
  // Rejection keeps it uniform; at most two tries on average.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  for (;;) {
    const std::uint64_t value = next();
    if (value < limit) return value % bound;
  }
}

void SeededRandom::fill(std::span<char> out) {
  for (std::size_t i = 0; i < out.size(); i += 8) {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    std::memcpy(out.data() + i, &z, out.size() - i < 8 ? out.size() - i : 8);
  }
}

std::string make_id(RandomSource& random, std::uint8_t shard) {
  std::array<char, 15> bytes;
  random.fill(bytes);
  bytes[0] = static_cast<char>(shard ^ static_cast<unsigned char>(bytes[1]));
  return to_base64url({bytes.data(), bytes.size()});
}

namespace {

constexpr std::size_t kCheckedBytes = 11;

std::array<char, 4> check_of(std::string_view bytes) {
  const std::uint64_t hash = keyed_hash(bytes.substr(0, kCheckedBytes));
  std::array<char, 4> check;
  std::memcpy(check.data(), &hash, check.size());
  return check;
}

}  // namespace

std::string make_socket_id(RandomSource& random, std::uint8_t shard) {
  std::array<char, 15> bytes;
  random.fill({bytes.data(), kCheckedBytes});
  bytes[0] = static_cast<char>(shard ^ static_cast<unsigned char>(bytes[1]));
  const std::array<char, 4> check = check_of({bytes.data(), kCheckedBytes});
  std::memcpy(bytes.data() + kCheckedBytes, check.data(), check.size());
  return to_base64url({bytes.data(), bytes.size()});
}

bool is_socket_id(std::string_view text) {
  if (text.size() != 20) return false;
  const auto bytes = from_base64url(text);
  if (!bytes) return false;
  const std::array<char, 4> check = check_of(*bytes);
  return std::memcmp(bytes->data() + kCheckedBytes, check.data(), check.size()) == 0;
}

int shard_of_id(std::string_view id) {
  if (id.size() != 20) return -1;
  const auto bytes = from_base64url(id);
  if (!bytes) return -1;
  return static_cast<unsigned char>((*bytes)[0]) ^ static_cast<unsigned char>((*bytes)[1]);
}

}  // namespace wirehall
