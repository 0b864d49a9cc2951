#include "engineio/v3.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "base/json.h"
#include "base/utf8.h"

namespace wirehall::engineio {
namespace {

constexpr char kMessageByte = 4;
constexpr char kLengthEnd = '\xff';
// The longest head of a packet: a byte, the digits, and what ends them.
constexpr std::size_t kHeadBytesMax = 24;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// What JavaScript calls the length of a text: a character of four bytes counts two.
std::size_t utf16_units(std::string_view utf8) {
  std::size_t units = 0;
  for (const char c : utf8) {
    units += continues_character(c) ? 0u : 1u;
    units += static_cast<unsigned char>(c) >= 0xF0 ? 1u : 0u;
  }
  return units;
}

// How many bytes hold so many units; npos when the text has fewer, or a character lies across the end.
std::size_t bytes_of_units(std::string_view text, std::size_t units) {
  std::size_t end = 0;
  while (units != 0) {
    const std::string_view piece = text.substr(end, units);  // as many bytes hold at most one unit more
    const std::size_t counted = utf16_units(piece);
    if (piece.empty() || counted > units) return std::string_view::npos;
    end += piece.size();
    units -= counted;
  }
  while (end < text.size() && continues_character(text[end])) ++end;
  return end;
}

PacketType type_of(unsigned value) {
  return value <= static_cast<unsigned>(PacketType::kNoop) ? static_cast<PacketType>(value)
                                                           : PacketType::kNoop;
}

void append_base64_message(std::string& out, std::string_view message) {
  out.append("b4");
  append_base64(out, message);
}

void append_text(std::string& body, const OutPacket& packet) {
  const std::string_view bytes = packet.bytes.view();
  const std::size_t base64_bytes = (bytes.size() + 2) / 3 * 4;
  const std::size_t length = packet.binary ? 2 + base64_bytes : utf16_units(bytes);
  json::append_number(body, static_cast<std::int64_t>(length));
  body.push_back(':');
  if (packet.binary) {
    append_base64_message(body, bytes);
  } else {
    body.append(bytes);
  }
}

void append_binary(std::string& body, const OutPacket& packet) {
  const std::string_view bytes = packet.bytes.view();
  body.push_back(packet.binary ? 1 : 0);
  const std::size_t digits = body.size();
  json::append_number(body, static_cast<std::int64_t>(bytes.size() + (packet.binary ? 1 : 0)));
  std::for_each(body.begin() + static_cast<std::ptrdiff_t>(digits), body.end(),
                [](char& digit) { digit = static_cast<char>(digit - '0'); });
  body.push_back(kLengthEnd);
  if (packet.binary) body.push_back(kMessageByte);
  body.append(bytes);
}

}  // namespace

std::string_view content_type_of(PayloadKind kind) {
  return kind == PayloadKind::kText ? "text/plain; charset=UTF-8" : "application/octet-stream";
}

PayloadV3 encode_payload_v3(std::span<const OutPacket> packets, bool supports_binary) {
  PayloadV3 payload;
  const bool any_binary = std::any_of(packets.begin(), packets.end(), [](const auto& p) { return p.binary; });
  if (any_binary && supports_binary) payload.kind = PayloadKind::kBinary;
  std::size_t bytes_max = kHeadBytesMax;
  for (const OutPacket& packet : packets) {
    const std::size_t bytes = packet.bytes.view().size();
    const bool base64 = packet.binary && payload.kind == PayloadKind::kText;
    bytes_max += kHeadBytesMax + (base64 ? bytes / 3 * 4 + 4 : bytes);
  }
  payload.body.reserve(bytes_max);
  for (const OutPacket& packet : packets) {
    if (payload.kind == PayloadKind::kText) {
      append_text(payload.body, packet);
    } else {
      append_binary(payload.body, packet);
    }
  }
  if (packets.empty()) payload.body = "0:";
  return payload;
}

std::string encode_binary_v3(std::string_view message, bool supports_binary) {
  std::string frame;
  if (supports_binary) {
    frame.reserve(1 + message.size());
    frame.push_back(kMessageByte);
    frame.append(message);
  } else {
    append_base64_message(frame, message);
  }
  return frame;
}

bool decode_text_v3(std::string_view text, std::string& decoded, PacketView& out) {
  if (!text.starts_with('b')) return decode_text(text, out);
  const std::string_view packet = text.substr(1);
  decoded = from_base64_lenient(packet.substr(std::min<std::size_t>(1, packet.size())));
  out = {packet.empty() ? PacketType::kNoop : type_of(static_cast<unsigned>(packet[0] - '0')), true, decoded};
  return true;
}

PacketView decode_binary_v3(std::string_view bytes) {
  if (bytes.empty()) return {PacketType::kNoop, true, {}};
  return {type_of(static_cast<unsigned char>(bytes[0])), true, bytes.substr(1)};
}

PayloadReaderV3::Step PayloadReaderV3::next(PacketView& out) {
  while (!failed_ && !rest_.empty()) {
    bool empty = false;
    failed_ =
        packets_left_ == 0 || !(kind_ == PayloadKind::kText ? take_of_text(out, empty) : take_of_binary(out));
    if (failed_) break;
    --packets_left_;
    if (!empty) return Step::kPacket;
  }
  return failed_ ? Step::kError : Step::kDone;
}

bool PayloadReaderV3::take_of_text(PacketView& out, bool& empty) {
  std::size_t units = 0;
  const char* const end = rest_.data() + rest_.size();
  const auto [colon, error] = std::from_chars(rest_.data(), end, units);
  if (error != std::errc() || colon == end || *colon != ':') return false;
  rest_.remove_prefix(static_cast<std::size_t>(colon + 1 - rest_.data()));
  const std::size_t bytes = bytes_of_units(rest_, units);
  if (bytes == std::string_view::npos) return false;
  const std::string_view packet = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  empty = packet.empty();
  return empty || decode_text_v3(packet, decoded_, out);
}

bool PayloadReaderV3::take_of_binary(PacketView& out) {
  const bool text = rest_[0] == 0;
  std::size_t bytes = 0;
  std::size_t at = 1;
  for (; at < rest_.size() && rest_[at] != kLengthEnd; ++at) {
    const auto digit = static_cast<unsigned char>(rest_[at]);
    if (digit > 9 || bytes > rest_.size()) return false;
    bytes = bytes * 10 + digit;
  }
  if (at == 1 || at == rest_.size()) return false;
  rest_.remove_prefix(at + 1);
  if (bytes > rest_.size()) return false;
  const std::string_view packet = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  if (text) return is_valid_utf8(packet) && decode_text_v3(packet, decoded_, out);
  out = decode_binary_v3(packet);
  return true;
}

}  // namespace wirehall::engineio
