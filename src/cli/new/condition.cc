#include "cli/new/condition.h"

#include <algorithm>

namespace wirehall::cli {
namespace {

// Calls `each` with the parts between separators until it returns true; whether one did.
template <class F>
bool any_part(std::string_view text, char separator, F each) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    if (each(text.substr(begin, end - begin))) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

bool holds(std::string_view condition, const Terms& terms) {
  if (condition.empty()) return true;
  return any_part(condition, '|', [&](std::string_view all) {
    return !any_part(all, '+', [&](std::string_view term) { return !terms.contains(term); });
  });
}

Terms terms_of(std::string_view condition) {
  Terms terms;
  if (condition.empty()) return terms;
  any_part(condition, '|', [&](std::string_view all) {
    return any_part(all, '+', [&](std::string_view term) {
      terms.emplace(term);
      return false;
    });
  });
  return terms;
}

}  // namespace wirehall::cli
