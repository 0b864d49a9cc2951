// The bytes of which HTTP's fields are made.
//
// Spec: RFC 9110 sections 5.5 and 5.6.2.
#pragma once

#include <array>
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

}  // namespace wirehall::http1
