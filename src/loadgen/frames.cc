#include "loadgen/frames.h"

#include <sys/random.h>

#include <array>

namespace wirehall::loadgen {
std::string random_mask() {
  std::array<char, 4> mask{};
  while (getrandom(mask.data(), mask.size(), 0) != 4) {
  }
  return {mask.data(), mask.size()};
}

void append_masked_frame(std::string& out, std::uint8_t opcode, std::string_view payload,
                         std::string_view mask) {
  out += static_cast<char>(0x80u | opcode);
  if (payload.size() < 126) {
    out += static_cast<char>(0x80u | payload.size());
  } else {
    const std::size_t extended = payload.size() <= 0xffff ? 2 : 8;
    out += static_cast<char>(0x80u | (extended == 2 ? 126u : 127u));
    for (std::size_t i = extended; i-- != 0;) out += static_cast<char>(payload.size() >> (8 * i) & 0xff);
  }
  out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ mask[i & 3]);
}

FrameStep parse_frame(std::string_view bytes, Frame& out) {
  if (bytes.size() < 2) return FrameStep::kNeedMore;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  if ((first & 0x70) != 0 || (second & 0x80) != 0) return FrameStep::kMalformed;
  std::uint64_t payload = second;
  const std::size_t extended = payload == 126 ? 2 : payload == 127 ? 8 : 0;
  if (bytes.size() < 2 + extended) return FrameStep::kNeedMore;
  if (extended != 0) payload = 0;
  for (std::size_t i = 0; i < extended; ++i)
    payload = payload << 8 | static_cast<unsigned char>(bytes[2 + i]);
  if (payload > kFrameBytesMax) return FrameStep::kMalformed;
  if (bytes.size() - 2 - extended < payload) return FrameStep::kNeedMore;
  out.opcode = first & 0x0f;
  out.final = (first & 0x80) != 0;
  out.payload = bytes.substr(2 + extended, payload);
  out.bytes = 2 + extended + payload;
  return FrameStep::kFrame;
}

void append_masked_frame(std::string& out, std::uint8_t opcode, std::string_view payload) {
  append_masked_frame(out, opcode, payload, random_mask());
}

}  // namespace wirehall::loadgen
