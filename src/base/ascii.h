// The letters A to Z without regard to case; every other byte is itself.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_words.h"

namespace wirehall {

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
/// The same for each of eight bytes.
constexpr byte_words::Word ascii_lower(byte_words::Word bytes) {
  using byte_words::kEach;
  using byte_words::kMarks;
  const byte_words::Word low = bytes & ~kMarks;
  const byte_words::Word from_a = low + (0x80 - 'A') * kEach, beyond_z = low + (0x7f - 'Z') * kEach;
  return bytes | ((from_a & ~beyond_z & ~bytes & kMarks) >> 2);
}
inline void make_ascii_lower(std::span<char> text) {
  char* cursor = text.data();
  char* const end = cursor + text.size();
  for (; end - cursor >= static_cast<std::ptrdiff_t>(sizeof(byte_words::Word)); cursor += sizeof(byte_words::Word)) {
    const byte_words::Word lowered = ascii_lower(byte_words::load(cursor));
    std::memcpy(cursor, &lowered, sizeof lowered);
  }
  for (; cursor != end; ++cursor) *cursor = ascii_lower(*cursor);
}
inline std::string ascii_lower(std::string text) {
  make_ascii_lower(text);
  return text;
}

/// Whether texts are the same but for the case of ASCII letters. Requires: they are of one length.
inline bool equal_folded(std::string_view a, std::string_view b) {
  const char* one = a.data();
  const char* other = b.data();
  std::size_t left = a.size();
  for (; left >= sizeof(byte_words::Word); left -= sizeof(byte_words::Word)) {
    const byte_words::Word x = byte_words::load(one), y = byte_words::load(other);
    if (x != y && ascii_lower(x) != ascii_lower(y)) return false;
    one += sizeof(byte_words::Word);
    other += sizeof(byte_words::Word);
  }
  for (; left != 0; --left, ++one, ++other) {
    if (*one != *other && ascii_lower(*one) != ascii_lower(*other)) return false;
  }
  return true;
}

}  // namespace wirehall
