#include "loadgen/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace wirehall::loadgen {
namespace {

TEST(Histogram, EmptyIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0u);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.min(), 0u);
  EXPECT_EQ(histogram.mean(), 0.0);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t ns = 1; ns <= 200; ++ns) histogram.add(ns);
  EXPECT_EQ(histogram.quantile(0), 1u);
  EXPECT_EQ(histogram.quantile(0.5), 100u);
  EXPECT_EQ(histogram.quantile(0.99), 198u);
  EXPECT_EQ(histogram.quantile(1), 200u);
  EXPECT_EQ(histogram.mean(), 100.5);
}

TEST(Histogram, TakesTheEdges) {
  Histogram histogram;
  histogram.add(0);
  histogram.add(~std::uint64_t{0});
  EXPECT_EQ(histogram.quantile(0.5), 0u);
  EXPECT_EQ(histogram.quantile(1), ~std::uint64_t{0});
}

// What the header promises, for values of all sizes and against sorting.
TEST(Histogram, ErrorIsBoundedAndNeverBelow) {
  SeededRandom random(1234);
  std::vector<std::uint64_t> values;
  Histogram histogram;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t value = random.next() >> random.below(64);
    values.push_back(value);
    histogram.add(value);
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
    const std::uint64_t exact = values[rank - 1];
    const std::uint64_t found = histogram.quantile(share);
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(found - exact, exact / 128) << share;
  }
}

TEST(Histogram, MergedIsAsIfCountedTogether) {
  SeededRandom random(99);
  Histogram together, parts[3];
  for (int i = 0; i < 9'000; ++i) {
    const std::uint64_t value = random.below(5'000'000);
    together.add(value);
    parts[i % 3].add(value);
  }
  Histogram merged;
  for (const Histogram& part : parts) merged.merge(part);
  EXPECT_EQ(merged.count(), together.count());
  EXPECT_EQ(merged.min(), together.min());
  EXPECT_EQ(merged.max(), together.max());
  EXPECT_EQ(merged.mean(), together.mean());
  for (int i = 0; i <= 1'000; ++i) EXPECT_EQ(merged.quantile(i / 1e3), together.quantile(i / 1e3));
}

}  // namespace
}  // namespace wirehall::loadgen
