#include "loadgen/message.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "loadgen/frames.h"

namespace wirehall::loadgen {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::size_t kSenderAt = 10, kNumberAt = 16, kTimeAt = 24, kIdDigits = 7;
constexpr char kFiller = 'x';

void write_hex(char* out, std::size_t digits, std::uint64_t value) {
  for (std::size_t i = digits; i-- != 0; value >>= 4) out[i] = kHexDigits[value & 15];
}

bool read_hex(const char* text, std::size_t digits, std::uint64_t& out) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const char c = text[i];
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a' + 10);
    } else {
      return false;
    }
    value = value << 4 | digit;
  }
  out = value;
  return true;
}

std::string run_text(std::uint32_t run) {
  std::string text = "wh00000000";
  write_hex(text.data() + 2, 8, run);
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
  std::array<char, kMarkBytes> digits;
  const auto put = [&](std::size_t at, std::size_t count) {
    if (mask.empty()) {
      std::memcpy(message + at, digits.data(), count);
    } else {
      for (std::size_t i = 0; i < count; ++i)
        message[at + i] = static_cast<char>(digits[i] ^ mask[(at + i) & 3]);
    }
  };
  if (id_at_ != kNone) {
    std::to_chars(digits.data(), digits.data() + kIdDigits, kIdFirst + id_number % kIds);
    put(id_at_, kIdDigits);
  }
  if (data_at_ != kNone) {
    write_hex(digits.data(), kNumberAt - kSenderAt, mark.sender);
    write_hex(digits.data() + (kNumberAt - kSenderAt), kTimeAt - kNumberAt, mark.number);
    write_hex(digits.data() + (kTimeAt - kSenderAt), kMarkBytes - kTimeAt, mark.at_ns);
    put(data_at_ + kSenderAt, kMarkBytes - kSenderAt);
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
  std::uint64_t sender = 0, number = 0;
  if (message.size() - at < kMarkBytes + filler_.size() ||
      !read_hex(mark + kSenderAt, kNumberAt - kSenderAt, sender) ||
      !read_hex(mark + kNumberAt, kTimeAt - kNumberAt, number) ||
      !read_hex(mark + kTimeAt, kMarkBytes - kTimeAt, out.at_ns) ||
      std::memcmp(mark + kMarkBytes, filler_.data(), filler_.size()) != 0) {
    return Found::kCorrupt;
  }
  out.sender = static_cast<std::uint32_t>(sender);
  out.number = static_cast<std::uint32_t>(number);
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
