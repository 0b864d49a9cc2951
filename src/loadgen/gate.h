// Conditions under which a run has failed, as a script gives them: `p99>5ms`, `lost>0`, `rate<50000`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wirehall/result.h"

namespace wirehall::loadgen {

/// A figure that can be judged. Durations are in ns, everything else in its own unit.
struct Figure {
  std::string name;
  double value = 0;
  bool duration = false;
};

/// Thread:   a plain value.
struct Condition {
  enum class Relation : std::uint8_t { kAbove, kAtLeast, kBelow, kAtMost, kEqual, kNotEqual };
  std::string text;  ///< as it was given
  std::string name;
  Relation relation = Relation::kAbove;
  double limit = 0;  ///< ns when the figure is a duration

  bool holds(double value) const;
};

/// Takes NAME, one of > >= < <= == !=, and a number: behind a duration with its unit (ns, us, µs, ms, s),
/// else without, or with k, M or %. `known` are the figures that a run has; only their names and kinds count.
///
/// Errors:   kConfig; the detail names what is wrong and, for an unknown name, those that there are.
Result<Condition> parse_condition(std::string_view text, const std::vector<Figure>& known);

/// One line for each condition that holds, with the value that made it hold.
std::vector<std::string> failures(const std::vector<Condition>& conditions,
                                  const std::vector<Figure>& figures);

/// A duration as people read it: three digits and a unit.
std::string duration_text(double ns);

}  // namespace wirehall::loadgen
