// Walking through JSON text, many bytes at once; what parser, scanner and writer share.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "base/byte_words.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace wirehall::json {

namespace detail {

constexpr std::array<std::uint8_t, 256> kStringStop = [] {
  std::array<std::uint8_t, 256> table{};
  for (int c = 0; c < 0x20; ++c) table[static_cast<std::size_t>(c)] = 1;
  table['"'] = table['\\'] = 1;
  return table;
}();

// Eight bytes at once: the lowest marked byte is the first that is a quote, a backslash or a control
// character (marks above it may be false).
inline byte_words::Word string_stops(byte_words::Word word) {
  using namespace byte_words;
  return (equal_to(word, '"') | equal_to(word, '\\') | below(word, 0x20)) & kMarks;
}

#if defined(__SSE2__)
// Sixteen bytes: those that end the walk are all ones.
inline __m128i stops_of(const char* bytes) {
  const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
  const __m128i quotes = _mm_cmpeq_epi8(chunk, _mm_set1_epi8('"'));
  const __m128i ends = _mm_or_si128(quotes, _mm_cmpeq_epi8(chunk, _mm_set1_epi8('\\')));
  return _mm_or_si128(ends, _mm_cmpeq_epi8(_mm_min_epu8(chunk, _mm_set1_epi8(0x1f)), chunk));
}
#endif

// The first of `end - cursor` bytes that cannot stand in a string as it is, or `end`; those from `begin` to `cursor`
// have been looked at.
[[gnu::noinline]] inline const char* skip_more_plain([[maybe_unused]] const char* begin, const char* cursor,
                                                     const char* end) {
#if defined(__SSE2__)
  for (int step = 0; step < 2 && end - cursor >= 16; ++step, cursor += 16) {
    const auto stops = static_cast<unsigned>(_mm_movemask_epi8(stops_of(cursor)));
    if (stops != 0) return cursor + std::countr_zero(stops);
  }
  for (; end - cursor >= 64; cursor += 64) {
    const __m128i low = _mm_or_si128(stops_of(cursor), stops_of(cursor + 16));
    const __m128i high = _mm_or_si128(stops_of(cursor + 32), stops_of(cursor + 48));
    if (_mm_movemask_epi8(_mm_or_si128(low, high)) != 0) break;
  }
  for (; end - cursor >= 16; cursor += 16) {
    const auto stops = static_cast<unsigned>(_mm_movemask_epi8(stops_of(cursor)));
    if (stops != 0) return cursor + std::countr_zero(stops);
  }
  // Fewer than sixteen are left: together with some that were passed before.
  if (end - begin >= 16) {
    const auto stops = static_cast<unsigned>(_mm_movemask_epi8(stops_of(end - 16))) >> (cursor - (end - 16));
    return stops != 0 ? cursor + std::countr_zero(stops) : end;
  }
#endif
  if constexpr (std::endian::native == std::endian::little) {
    for (; end - cursor >= 8; cursor += 8) {
      if (const byte_words::Word stops = string_stops(byte_words::load(cursor)); stops != 0)
        return cursor + std::countr_zero(stops) / 8;
    }
  }
  while (cursor != end && kStringStop[static_cast<unsigned char>(*cursor)] == 0) ++cursor;
  return cursor;
}

}  // namespace detail

/// The first byte that cannot stand in a string as it is: a quote, a backslash, a control character; or
/// `end`.
inline const char* skip_plain(const char* cursor, const char* end) {
#if defined(__SSE2__)
  // Short strings, as keys are, end within the first step.
  if (end - cursor >= 16) {
    const auto stops = static_cast<unsigned>(_mm_movemask_epi8(detail::stops_of(cursor)));
    return stops != 0 ? cursor + std::countr_zero(stops) : detail::skip_more_plain(cursor, cursor + 16, end);
  }
#endif
  return detail::skip_more_plain(cursor, cursor, end);
}

/// Whether `wanted(key, escaped)` is true for a key of an object, not of an object inside it; `escaped`: the
/// key is shown with its escapes.
///
/// Requires: the text was validated (json.h, I1).
template <class F>
bool any_key(std::string_view object, F&& wanted) {
  const char* const end = object.data() + object.size();
  std::uint32_t depth = 0;
  bool key_follows = false;
  for (const char* cursor = object.data(); cursor != end; ++cursor) {
    switch (*cursor) {
      case '{': key_follows = depth++ == 0; break;
      case '[': ++depth; break;
      case '}':
      case ']': --depth; break;
      case ',': key_follows = depth == 1; break;
      case '"': {
        const char* const begin = ++cursor;
        bool escaped = false;
        while (*(cursor = skip_plain(cursor, end)) != '"') {
          escaped = true;
          cursor += 2;
        }
        const std::string_view key(begin, static_cast<std::size_t>(cursor - begin));
        if (key_follows && wanted(key, escaped)) return true;
        key_follows = false;
        break;
      }
      default: break;
    }
  }
  return false;
}

}  // namespace wirehall::json
