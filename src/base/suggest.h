// What somebody may have meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace wirehall {

/// The one of `known` that is closest to `given`; empty when none is close: more than a third of the letters,
/// and more than three, are others. Cost:     O(letters²) for each of `known`.
std::string closest(std::string_view given, std::span<const std::string> known);

}  // namespace wirehall
