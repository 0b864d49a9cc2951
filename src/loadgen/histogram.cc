#include "loadgen/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace wirehall::loadgen {

// A value's bucket: exact below 256, above by its highest bit and the seven bits after it.
void Histogram::add(std::uint64_t ns) {
  const auto width = static_cast<unsigned>(std::bit_width(ns));
  const unsigned shift = width > kSubBits + 1 ? width - kSubBits - 1 : 0;
  ++buckets_[(static_cast<std::size_t>(shift) << kSubBits) + (ns >> shift)];
  ++count_;
  sum_ += ns;
  min_ = std::min(min_, ns);
  max_ = std::max(max_, ns);
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::quantile(double share) const {
  if (count_ == 0) return 0;
  const double rank = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  const auto wanted = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen < wanted) continue;
    const std::size_t shift = i < (2u << kSubBits) ? 0 : (i >> kSubBits) - 1;
    const std::uint64_t step = i - (shift << kSubBits);
    return std::min(max_, ((step + 1) << shift) - 1);
  }
  return max_;
}

}  // namespace wirehall::loadgen
