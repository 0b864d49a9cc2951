#include "base/base64.h"

#include <array>
#include <cstdint>

namespace wirehall {
namespace {

constexpr char kStandard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kUrlSafe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNone = 0xFF;

constexpr std::array<std::uint8_t, 256> reverse(const char* alphabet) {
  std::array<std::uint8_t, 256> table{};
  for (auto& entry : table) entry = kNone;
  for (std::uint8_t i = 0; i < 64; ++i) table[static_cast<unsigned char>(alphabet[i])] = i;
  return table;
}
constexpr auto kFromStandard = reverse(kStandard);
constexpr auto kFromUrlSafe = reverse(kUrlSafe);

void append(std::string& out, std::string_view bytes, const char* alphabet, bool padded) {
  std::size_t i = 0;
  const auto at = [&](std::size_t k) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[k]));
  };
  const std::size_t before = out.size(), rest = bytes.size() % 3;
  out.resize(before + bytes.size() / 3 * 4 + (rest == 0 ? 0 : padded ? 4 : rest + 1));
  char* to = out.data() + before;
  for (; i + 2 < bytes.size(); i += 3) {
    const std::uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    to[0] = alphabet[group >> 18];
    to[1] = alphabet[group >> 12 & 63];
    to[2] = alphabet[group >> 6 & 63];
    to[3] = alphabet[group & 63];
    to += 4;
  }
  if (rest == 0) return;
  const std::uint32_t group = at(i) << 16 | (rest == 2 ? at(i + 1) << 8 : 0);
  *to++ = alphabet[group >> 18 & 63];
  *to++ = alphabet[group >> 12 & 63];
  if (rest == 2) *to++ = alphabet[group >> 6 & 63];
  for (std::size_t k = rest; padded && k < 3; ++k) *to++ = '=';
}

std::optional<std::string> decode(std::string_view text, const std::array<std::uint8_t, 256>& table) {
  const std::size_t rest = text.size() % 4;
  if (rest == 1) return std::nullopt;
  std::string out;
  out.resize(text.size() / 4 * 3 + (rest == 0 ? 0 : rest - 1));
  char* to = out.data();
  std::size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    const auto value = [&](std::size_t k) -> std::uint32_t { return table[static_cast<unsigned char>(text[i + k])]; };
    const std::uint32_t a = value(0), b = value(1), c = value(2), d = value(3);
    if (((a | b | c | d) & 0x80) != 0) return std::nullopt;  // only kNone has that bit
    const std::uint32_t group = a << 18 | b << 12 | c << 6 | d;
    to[0] = static_cast<char>(group >> 16);
    to[1] = static_cast<char>(group >> 8);
    to[2] = static_cast<char>(group);
    to += 3;
  }
  text.remove_prefix(i);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::uint8_t value = table[static_cast<unsigned char>(c)];
    if (value == kNone) return std::nullopt;
    bits = bits << 6 | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      *to++ = static_cast<char>(bits >> count);
      bits &= (1u << count) - 1;
    }
  }
  if (bits != 0) return std::nullopt;
  return out;
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) { append(out, bytes, kStandard, true); }

std::string to_base64(std::string_view bytes) {
  std::string out;
  append(out, bytes, kStandard, true);
  return out;
}

std::string to_base64url(std::string_view bytes) {
  std::string out;
  append(out, bytes, kUrlSafe, false);
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  return decode(text, kFromStandard);
}

std::optional<std::string> from_base64url(std::string_view text) { return decode(text, kFromUrlSafe); }

std::string from_base64_lenient(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    std::uint8_t value = kFromStandard[static_cast<unsigned char>(c)];
    if (value == kNone) value = kFromUrlSafe[static_cast<unsigned char>(c)];
    if (value == kNone) continue;
    bits = (bits << 6 | value) & 0xFFFF;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count));
    }
  }
  return out;
}

}  // namespace wirehall
