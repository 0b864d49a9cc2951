// Of what HTTP's fields are made.
//
// Spec: RFC 9110 sections 5.5, 5.6.1 and 5.6.2; RFC 9112 section 5.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/byte_words.h"

namespace wirehall::http1 {

inline constexpr auto kTokenChars = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&'*+-.^_`|~"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();
inline bool is_token_char(char c) { return kTokenChars[static_cast<unsigned char>(c)]; }
/// Whether each byte may stand in a token; an empty text has none that may not.
inline bool is_token_text(std::string_view text) { return std::all_of(text.begin(), text.end(), is_token_char); }

/// Tabs, spaces, and what is no control byte.
constexpr bool is_field_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}
/// Whether text may stand in the value of a field.
inline bool is_field_text(std::string_view text) {
  using namespace byte_words;
  return all_of(
      text, [](Word word) { return below(word, 0x20) | equal_to(word, '\x7f'); },
      [](char c) { return is_field_char(c); });
}

/// A text without the spaces and tabs around it.
inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// A line of a head, split at its colon.
struct FieldLine {
  std::string_view name;
  std::string_view value;  ///< trimmed; its bytes have not been looked at
};
/// Returns: nullopt where the line does not begin with a token and a colon right behind it, as a folded one does not.
inline std::optional<FieldLine> split_field_line(std::string_view line) {
  std::size_t colon = 0;
  while (colon < line.size() && is_token_char(line[colon])) ++colon;
  if (colon == 0 || colon == line.size() || line[colon] != ':') return std::nullopt;
  return FieldLine{line.substr(0, colon), trimmed(line.substr(colon + 1))};
}

/// Calls `visit(element)` for what stands between the commas of a list, trimmed, until it returns false. Empty
/// elements count for nothing, by the RFC, and are passed over. Returns: whether all were visited.
template <class Visit>
bool each_of_list(std::string_view list, Visit&& visit) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view element = trimmed(list.substr(0, comma));
    if (!element.empty() && !visit(element)) return false;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return true;
}

}  // namespace wirehall::http1
