// Text eight bytes at once, without instructions of one kind of processor: in a word each byte is looked at by
// arithmetic, and one that is looked for gets its highest bit set, its mark.
//
//   I1  Where any byte is marked, one of the marked is right; of those that lie behind it in memory's order some
//       may be false, none before it is (on a little-endian machine).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace wirehall::byte_words {

using Word = std::uint64_t;
inline constexpr Word kEach = 0x0101010101010101;   ///< times a byte: that byte in each place
inline constexpr Word kMarks = 0x8080808080808080;  ///< what else the functions below leave is noise

/// Requires: eight bytes can be read there.
inline Word load(const char* bytes) {
  Word word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}
/// Marks bytes that are that one.
constexpr Word equal_to(Word word, char byte) {
  const Word zero = word ^ kEach * static_cast<unsigned char>(byte);
  return (zero - kEach) & ~zero;
}
/// Marks bytes below that one. Requires: it is at most 0x80.
constexpr Word below(Word word, unsigned char byte) { return (word - kEach * byte) & ~word; }

/// Whether `is_good(byte)` holds for every byte of a text; a word in which `bad(word)` marks none is good without
/// looking at its bytes.
template <class Bad, class IsGood>
bool all_of(std::string_view text, Bad&& bad, IsGood&& is_good) {
  const char* cursor = text.data();
  const char* const end = cursor + text.size();
  const auto each = [&](const char* last) {
    for (; cursor != last; ++cursor) {
      if (!is_good(*cursor)) return false;
    }
    return true;
  };
  while (static_cast<std::size_t>(end - cursor) >= sizeof(Word)) {
    if ((bad(load(cursor)) & kMarks) == 0) {
      cursor += sizeof(Word);
    } else if (!each(cursor + sizeof(Word))) {
      return false;
    }
  }
  return each(end);
}

}  // namespace wirehall::byte_words
