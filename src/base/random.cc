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

std::string make_time_id(RandomSource& random, std::int64_t wall_ms) {
  // base64url's characters, in the order of their bytes.
  constexpr std::string_view kSorted = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
  std::array<char, 15> bytes;
  random.fill({bytes.data() + 6, 9});
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<char>(wall_ms >> (8 * (5 - i)) & 0xff);
  std::string id;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + k])); };
    const std::uint32_t three = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (const int shift : {18, 12, 6, 0}) id.push_back(kSorted[three >> shift & 63]);
  }
  return id;
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
  const auto bytes = from_base64url(id.substr(0, 4));  // that no id is called so shows where it is looked up
  if (!bytes) return -1;
  return static_cast<unsigned char>((*bytes)[0]) ^ static_cast<unsigned char>((*bytes)[1]);
}

}  // namespace wirehall
