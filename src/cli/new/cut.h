// A template's text, cut to what was chosen.
#pragma once

#include <string>
#include <string_view>

#include "cli/new/condition.h"

namespace wirehall::cli {

/// Keeps the lines that carry no marker, and those whose marker's condition holds, without the marker.
///
/// A marker is a comment at the end of a line: `// feature: NAME`, `# feature: NAME`, `<!-- feature: NAME
/// -->` or
/// `/* feature: NAME */`, with a condition (condition.h) for NAME. Where lines are gone, blank lines that
/// have become superfluous go too: at the beginning or end of a block, and the second of two.
///
/// Cost:     O(bytes).
std::string cut(std::string_view text, const Terms& terms);

/// The condition of a line's marker; empty when it has none.
std::string_view marker_of(std::string_view line);

}  // namespace wirehall::cli
