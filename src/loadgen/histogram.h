// Counts durations in buckets whose width grows with the value, so that percentiles of any range cost the
// same memory and those of several threads are merged by adding up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace wirehall::loadgen {

/// Thread:   a plain value of 58 KiB.
/// Units:    ns; any value of 64 bits is taken.
class Histogram {
 public:
  void add(std::uint64_t ns);
  void merge(const Histogram& other);
  void clear() { *this = Histogram(); }

  /// Returns:  at least the value that `share` (0 to 1) of all values do not exceed, and at most 1/128 more;
  ///           never more than max(); 0 when empty.
  std::uint64_t quantile(double share) const;
  std::uint64_t max() const { return max_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  std::uint64_t count() const { return count_; }
  double mean() const { return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_); }

 private:
  // A bucket is 1/128 of the power of two it lies in.
  static constexpr unsigned kSubBits = 7;
  static constexpr std::size_t kBuckets = (64 - kSubBits + 1) << kSubBits;
  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t min_ = ~std::uint64_t{0};
  std::uint64_t max_ = 0;
};

}  // namespace wirehall::loadgen
