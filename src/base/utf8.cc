#include "base/utf8.h"

#include <simdjson.h>

#include <array>

namespace wirehall {
namespace {

// A DFA over byte classes. States: 0 accept, 12 reject, the others count continuation bytes that are
// still missing, apart by the range the next byte may have.
//   1: one more   2: two more   3: three more   4: after E0 (A0..BF)   5: after ED (80..9F)
//   6: after F0 (90..BF)   7: after F4 (80..8F)
constexpr std::uint32_t kRejectState = 12;

std::uint32_t first_byte(unsigned char byte) {
  if (byte < 0x80) return 0;
  if (byte < 0xC2) return kRejectState;
  if (byte < 0xE0) return 1;
  if (byte == 0xE0) return 4;
  if (byte == 0xED) return 5;
  if (byte < 0xF0) return 2;
  if (byte == 0xF0) return 6;
  if (byte < 0xF4) return 3;
  if (byte == 0xF4) return 7;
  return kRejectState;
}

struct Range {
  unsigned char low, high;
  std::uint32_t next;
};
constexpr std::array<Range, 8> kNext = {{{0, 0, kRejectState},
                                         {0x80, 0xBF, 0},
                                         {0x80, 0xBF, 1},
                                         {0x80, 0xBF, 2},
                                         {0xA0, 0xBF, 1},
                                         {0x80, 0x9F, 1},
                                         {0x90, 0xBF, 2},
                                         {0x80, 0x8F, 2}}};

}  // namespace

bool is_valid_utf8(std::string_view text) {
  // The library's own function looks the processor's implementation up for each text.
  static const simdjson::implementation& best = *simdjson::get_available_implementations().detect_best_supported();
  return best.validate_utf8(text.data(), text.size());
}

bool Utf8Validator::feed(std::string_view piece) {
  if (state_ == kReject) return false;
  std::size_t i = 0;
  // Finish the sequence that the last piece left open, then let the vectorised validator take the bulk.
  for (; i < piece.size() && state_ != 0; ++i) {
    const auto byte = static_cast<unsigned char>(piece[i]);
    const Range& range = kNext[state_];
    state_ = byte >= range.low && byte <= range.high ? range.next : kReject;
    if (state_ == kReject) return false;
  }
  std::size_t tail = piece.size();
  for (std::size_t back = 0; back < 3 && tail > i; ++back) {
    const auto byte = static_cast<unsigned char>(piece[--tail]);
    if (byte < 0x80) {
      ++tail;
      break;
    }
    if (byte >= 0xC0) break;
  }
  if (tail > i && is_valid_utf8(piece.substr(i, tail - i))) i = tail;
  for (; i < piece.size(); ++i) {
    const auto byte = static_cast<unsigned char>(piece[i]);
    if (state_ == 0) {
      state_ = first_byte(byte);
    } else {
      const Range& range = kNext[state_];
      state_ = byte >= range.low && byte <= range.high ? range.next : kReject;
    }
    if (state_ == kReject) return false;
  }
  return true;
}

void append_code_point(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (c >> 6)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (c >> 12)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | (c >> 18)));
    out.push_back(static_cast<char>(0x80 | ((c >> 12) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
}

std::uint32_t decode_code_point(std::string_view text, std::uint32_t& code_point) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) {
    code_point = first;
    return 1;
  }
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::uint32_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  code_point = first & (0x7Fu >> length);
  for (std::uint32_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return 0;
    code_point = (code_point << 6) | (byte & 0x3F);
  }
  const bool overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  return overlong || code_point > 0x10FFFF ? 0 : length;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::uint32_t code_point = 0;
    const std::uint32_t length = decode_code_point(text, code_point);
    if (length == 0 || (code_point >= 0xD800 && code_point <= 0xDFFF)) {
      append_code_point(out, 0xFFFD);
      text.remove_prefix(length == 0 ? 1 : length);
    } else {
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    }
  }
  return out;
}

}  // namespace wirehall
