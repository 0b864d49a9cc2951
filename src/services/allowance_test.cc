#include "services/allowance.h"

#include <gtest/gtest.h>


namespace wirehall::services {
namespace {

MonoTime at(std::int64_t ms) { return MonoTime(Milliseconds(ms)); }

TEST(Allowance, ABurstThenOneEachInterval) {
  const AllowanceOptions options{60, 5};
  Allowance allowance;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(allowance.take(options, at(1000)).ok()) << i;
  const Status refused = allowance.take(options, at(1000));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kRateLimited);
  EXPECT_EQ(refused.error().retry_after_ms(), 1001);
  EXPECT_FALSE(allowance.take(options, at(1999)).ok());
  EXPECT_TRUE(allowance.take(options, at(2000)).ok());
  EXPECT_FALSE(allowance.take(options, at(2000)).ok());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(allowance.take(options, at(60'000)).ok()) << "it has filled up";
  EXPECT_FALSE(allowance.take(options, at(60'000)).ok());
}

TEST(Allowance, EveryConfigurationThatIsAcceptedWorks) {
  for (const std::uint32_t per_minute : {1u, 100u, 1'000'000'000u}) {
    for (const std::uint32_t burst : {1u, 100u, 1'000'000'000u}) {
      const AllowanceOptions options{per_minute, burst};
      Allowance allowance;
      EXPECT_TRUE(allowance.take(options, at(0)).ok());
      EXPECT_LE(options.fill_time(), std::chrono::hours(24));
    }
  }
}

}  // namespace
}  // namespace wirehall::services
