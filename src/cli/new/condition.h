// What a template's file or line belongs to: `uploads`, `js+native`, `rooms|private-messages`.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace wirehall::cli {

/// What holds for a project: its features, `socketio`, `native`, `jwt`, `js`, …
using Terms = std::set<std::string, std::less<>>;

/// Whether a condition holds: alternatives stand between `|`, each is one or more terms that all hold, with
/// `+` between. An empty condition always holds.
bool holds(std::string_view condition, const Terms& terms);

/// The terms that a condition names.
Terms terms_of(std::string_view condition);

}  // namespace wirehall::cli
