// Where random bytes come from, and the ids made of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace wirehall {

/// Source of random bytes: the operating system's in production, a seeded one in tests.
///
/// Thread:   one instance per shard.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void fill(std::span<char> out) = 0;

  std::uint64_t next();
  /// Uniform in [0, bound). Requires: bound > 0.
  std::uint64_t below(std::uint64_t bound);
};

/// A seeded, reproducible source (splitmix64); not for secrets.
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<char> out) override;

 private:
  std::uint64_t state_;
};

/// An id of 20 base64url characters, as Engine.IO's reference makes them: 15 bytes, of which the first
/// holds the shard, masked by the second so that it does not show, and 14 are random.
std::string make_id(RandomSource& random, std::uint8_t shard);

/// An id of 20 base64url characters that sorts (by bytes) by the time when it was made, to the millisecond:
/// 6 bytes of time, 9 random ones. Ids made one after another lie side by side in an index.
std::string make_time_id(RandomSource& random, std::int64_t wall_ms);

/// Of an id, its shard; of another text perhaps some number, by its length and its first letters, else -1.
int shard_of_id(std::string_view id);

/// The same for a socket: its last four bytes are a keyed check over the others, so that every shard knows a
/// socket's id when it sees one, and no other name is taken for one.
std::string make_socket_id(RandomSource& random, std::uint8_t shard);
bool is_socket_id(std::string_view text);

}  // namespace wirehall
