#include "loadgen/message.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "loadgen/frames.h"

namespace wirehall::loadgen {
namespace {

constexpr std::size_t kSenderAt = 10, kNumberAt = 16, kTimeAt = 24, kIdDigits = 7;
constexpr char kFiller = 'x';

static_assert(std::endian::native == std::endian::little);

std::uint64_t word_at(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Eight digits at once, the first in the lowest byte: each half byte spread to a byte of its own, and made a
// letter.
std::uint64_t hex_of(std::uint32_t value) {
  std::uint64_t digits = value;
  digits = (digits | digits << 16) & 0x0000ffff0000ffff;
  digits = (digits | digits << 8) & 0x00ff00ff00ff00ff;
  digits = (digits | digits << 4) & 0x0f0f0f0f0f0f0f0f;
  const std::uint64_t above_nine = (digits + 0x0606060606060606) >> 4 & 0x0101010101010101;
  digits += 0x3030303030303030 + above_nine * ('a' - '0' - 10);
  return __builtin_bswap64(digits);
}

void write_hex8(char* out, std::uint32_t value) {
  const std::uint64_t digits = hex_of(value);
  std::memcpy(out, &digits, sizeof digits);
}

// False for what hex_of() does not write.
bool read_hex8(const char* text, std::uint32_t& out) {
  const std::uint64_t digits = word_at(text);
  const std::uint64_t letters = digits >> 6 & 0x0101010101010101;
  std::uint64_t value = __builtin_bswap64((digits & 0x0f0f0f0f0f0f0f0f) + letters * 9);
  value = (value | value >> 4) & 0x00ff00ff00ff00ff;
  value = (value | value >> 8) & 0x0000ffff0000ffff;
  out = static_cast<std::uint32_t>(value | value >> 16);
  return hex_of(out) == digits;
}

std::string run_text(std::uint32_t run) {
  std::string text = "wh00000000";
  write_hex8(text.data() + 2, run);
  return text;
}

}  // namespace

MessageTemplate::MessageTemplate(std::string_view text, std::uint32_t run, std::size_t size_bytes) {
  constexpr std::string_view kId = "{id}", kData = "{data}";
  const std::size_t rest = text.size() - (text.find(kId) == std::string_view::npos ? 0 : kId.size()) +
                           (text.find(kId) == std::string_view::npos ? 0 : kIdDigits) - kData.size();
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view here = text.substr(at);
    if (id_at_ == kNone && here.starts_with(kId)) {
      id_at_ = text_.size();
      text_.append(kIdDigits, '0');
      at += kId.size();
    } else if (data_at_ == kNone && here.starts_with(kData)) {
      data_at_ = text_.size();
      data_bytes_ = std::max(kMarkBytes, size_bytes > rest ? size_bytes - rest : 0);
      text_ += run_text(run);
      text_.append(data_bytes_ - 10, kFiller);
      at += kData.size();
    } else {
      text_ += text[at++];
    }
  }
  mask_ = random_mask();
  append_masked_frame(frame_, kTextFrame, text_, mask_);
}

void MessageTemplate::fill(char* message, std::string_view mask, const Mark& mark,
                           std::uint64_t id_number) const {
  // `digits` begin where `at` is, and are masked in words of eight.
  std::array<char, 32> digits;
  const auto mask_from = [&](std::size_t at, std::size_t bytes) {
    if (mask.empty()) return;
    std::array<char, 8> turned;
    for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = mask[(at + i) & 3];
    for (std::size_t i = 0; i < bytes; i += sizeof(std::uint64_t)) {
      const std::uint64_t word = word_at(digits.data() + i) ^ word_at(turned.data());
      std::memcpy(digits.data() + i, &word, sizeof word);
    }
  };
  if (id_at_ != kNone) {
    digits[kIdDigits] = 0;
    std::to_chars(digits.data(), digits.data() + kIdDigits, kIdFirst + id_number % kIds);
    mask_from(id_at_, 8);
    std::memcpy(message + id_at_, digits.data(), kIdDigits);
  }
  if (data_at_ != kNone) {
    // A sender has six digits: the two in front stay here.
    constexpr std::size_t kSpare = 2;
    write_hex8(digits.data(), mark.sender);
    write_hex8(digits.data() + 8, mark.number);
    write_hex8(digits.data() + 16, static_cast<std::uint32_t>(mark.at_ns >> 32));
    write_hex8(digits.data() + 24, static_cast<std::uint32_t>(mark.at_ns));
    mask_from(data_at_ + kSenderAt - kSpare, digits.size());
    std::memcpy(message + data_at_ + kSenderAt, digits.data() + kSpare, digits.size() - kSpare);
  }
}

void MessageTemplate::append_frame(std::string& out, const Mark& mark, std::uint64_t id_number) const {
  out += frame_;
  fill(out.data() + (out.size() - text_.size()), mask_, mark, id_number);
}

void MessageTemplate::append_text(std::string& out, const Mark& mark, std::uint64_t id_number) const {
  out += text_;
  fill(out.data() + (out.size() - text_.size()), {}, mark, id_number);
}

MarkReader::MarkReader(std::uint32_t run, std::size_t data_bytes)
    : run_(run_text(run)), filler_(std::max(data_bytes, kMarkBytes) - kMarkBytes, kFiller) {}

MarkReader::Found MarkReader::read(std::string_view message, Mark& out) {
  std::size_t at = expected_at_;
  if (message.size() < at + run_.size() || std::memcmp(message.data() + at, run_.data(), run_.size()) != 0) {
    at = message.find(run_);
    if (at == std::string_view::npos) return Found::kNothing;
    expected_at_ = at;
  }
  const char* mark = message.data() + at;
  std::uint32_t sender = 0, number = 0, high = 0, low = 0;
  // The sender's six digits are read with the last two of the run.
  if (message.size() - at < kMarkBytes + filler_.size() || !read_hex8(mark + kNumberAt - 8, sender) ||
      !read_hex8(mark + kNumberAt, number) || !read_hex8(mark + kTimeAt, high) ||
      !read_hex8(mark + kTimeAt + 8, low) ||
      std::memcmp(mark + kMarkBytes, filler_.data(), filler_.size()) != 0) {
    return Found::kCorrupt;
  }
  out.sender = sender & 0xff'ffff;
  out.number = number;
  out.at_ns = std::uint64_t{high} << 32 | low;
  return Found::kMark;
}

bool find_number(std::string_view text, std::string_view key, std::size_t& hint, std::uint64_t& out) {
  if (text.size() < hint + key.size() || text.substr(hint, key.size()) != key) {
    const std::size_t at = text.find(key);
    if (at == std::string_view::npos) return false;
    hint = at;
  }
  const char* begin = text.data() + hint + key.size();
  return std::from_chars(begin, text.data() + text.size(), out).ec == std::errc();
}

}  // namespace wirehall::loadgen
