#include "cli/new/cut.h"

#include <array>
#include <utility>
#include <vector>

namespace wirehall::cli {
namespace {

using Comment = std::pair<std::string_view, std::string_view>;  // how it begins and ends
constexpr std::array<Comment, 4> kMarkers = {
    {{"// feature: ", ""}, {"# feature: ", ""}, {"<!-- feature: ", " -->"}, {"/* feature: ", " */"}}};

struct Marker {
  std::size_t begin = std::string_view::npos;  // of the comment
  std::string_view condition;
};

Marker find_marker(std::string_view line) {
  for (const auto& [begin, end] : kMarkers) {
    const std::size_t at = line.rfind(begin);
    if (at == std::string_view::npos || !line.ends_with(end)) continue;
    const std::string_view condition =
        line.substr(at + begin.size(), line.size() - at - begin.size() - end.size());
    if (!condition.empty() && condition.find(' ') == std::string_view::npos) return {at, condition};
  }
  return {};
}

std::string_view without_trailing_blanks(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

bool is_blank(std::string_view line) { return without_trailing_blanks(line).empty(); }

bool opens_block(std::string_view line) { return line.ends_with('{') || line.ends_with('('); }
bool closes_block(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  return first != std::string_view::npos && (line[first] == '}' || line[first] == ')');
}

}  // namespace

std::string_view marker_of(std::string_view line) { return find_marker(line).condition; }

std::string cut(std::string_view text, const Terms& terms) {
  std::vector<std::string_view> lines;  // that are kept
  bool dropped = false;                 // something between the last line and the one that comes
  // A blank line beside what is gone is superfluous where a block begins or ends, or behind another one.
  const auto drop_blank_end = [&] {
    while (!lines.empty() && is_blank(lines.back())) lines.pop_back();
  };
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    const Marker marker = find_marker(line);
    if (marker.begin != std::string_view::npos) {
      if (!holds(marker.condition, terms)) {
        dropped = true;
        continue;
      }
      line = without_trailing_blanks(line.substr(0, marker.begin));
    }
    if (dropped && is_blank(line) && (lines.empty() || is_blank(lines.back()) || opens_block(lines.back())))
      continue;
    if (dropped && closes_block(line)) drop_blank_end();
    lines.push_back(line);
    dropped = false;
  }
  if (dropped) drop_blank_end();
  std::string out;
  for (const std::string_view line : lines) out.append(line).append("\n");
  if (!out.empty() && !text.ends_with('\n')) out.pop_back();
  return out;
}

}  // namespace wirehall::cli
