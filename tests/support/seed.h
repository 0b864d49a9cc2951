// The seed of this run's random tests.
#pragma once

#include <cstdint>

namespace wirehall::test {
std::uint64_t seed();
}
