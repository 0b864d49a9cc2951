// Comparing what must not be guessed byte by byte.
#pragma once

#include <string_view>

namespace wirehall {

/// Compares in a time that depends on the lengths alone.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace wirehall
