// Connections by address: how many there are, and how fast new ones come.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/hash_map.h"
#include "pipeline/world.h"

namespace wirehall::server {

/// Thread:   safe from every shard; a lock is taken when a session opens or ends, never for a message.
class AddressAdmission final : public pipeline::Admission {
 public:
  struct Options {
    std::uint32_t connections_per_minute = 120;
    std::uint32_t connections_max = 2'000;  ///< of one address
    std::uint32_t joining_max = 256;        ///< of these, not yet let into a namespace
    std::uint32_t refused_max = 64;  ///< of one address at a time, let in to be told; more get a plain 429
    bool exempt_loopback = false;
  };
  explicit AddressAdmission(const Options& options) : options_(options) {}

  Status admit(std::string_view address, bool loopback, MonoTime now) override;
  void joined(std::string_view address) override;
  void release(std::string_view address, bool had_joined) override;
  bool admit_refused(std::string_view address) override;
  void release_refused(std::string_view address) override;

  /// Addresses that are remembered; more are refused while all of them have connections.
  static constexpr std::size_t kAddressesMax = 262'144;

 private:
  struct Entry {
    std::uint32_t connections = 0;
    std::uint32_t joining = 0;  // of these
    std::uint32_t refused = 0;
    MonoTime next_at{};  // GCRA: when the bucket will have drained
  };
  struct Stripe {
    std::mutex mutex;
    TextMap<Entry> entries;
  };
  static constexpr std::size_t kStripes = 16;
  Stripe& stripe(std::string_view address) { return stripes_[keyed_hash(address) % kStripes]; }

  Options options_;
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace wirehall::server
