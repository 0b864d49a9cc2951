#include "ws/frame.h"

#include <array>
#include <cstring>

namespace wirehall::ws {

bool is_valid_close_code(std::uint16_t code) {
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

HeaderStep parse_header(std::string_view bytes, FrameHeader& out) {
  if (bytes.size() < 2) {
    // Fail fast on a first byte that can begin no frame.
    if (bytes.empty()) return HeaderStep::kNeedMore;
    const auto first = static_cast<unsigned char>(bytes[0]);
    const unsigned opcode = first & 0x0f;
    const bool reserved = (opcode > 2 && opcode < 8) || opcode > 10;
    return reserved || (first & 0x30) != 0 ? HeaderStep::kMalformed : HeaderStep::kNeedMore;
  }
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  const unsigned opcode = first & 0x0f;
  out.fin = (first & 0x80) != 0;
  out.rsv1 = (first & 0x40) != 0;
  out.opcode = static_cast<Opcode>(opcode);
  out.masked = (second & 0x80) != 0;
  const unsigned length = second & 0x7f;
  if ((first & 0x30) != 0 || (opcode > 2 && opcode < 8) || opcode > 10) return HeaderStep::kMalformed;
  if (opcode >= 8 && (!out.fin || out.rsv1 || length > 125)) return HeaderStep::kMalformed;

  const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (bytes.size() < 2 + extended) return HeaderStep::kNeedMore;
  out.payload_bytes = length;
  if (extended != 0) {
    out.payload_bytes = 0;
    for (std::size_t i = 0; i < extended; ++i) {
      out.payload_bytes = out.payload_bytes << 8 | static_cast<unsigned char>(bytes[2 + i]);
    }
    if (out.payload_bytes < (extended == 2 ? 126u : 65'536u) || out.payload_bytes >> 63 != 0)
      return HeaderStep::kMalformed;
  }
  out.header_bytes = static_cast<std::uint8_t>(2 + extended + (out.masked ? 4 : 0));
  if (bytes.size() < out.header_bytes) return HeaderStep::kNeedMore;
  if (out.masked) std::memcpy(&out.mask, bytes.data() + 2 + extended, 4);
  return HeaderStep::kDone;
}

void apply_mask(char* bytes, std::size_t size, std::uint32_t mask, std::size_t offset) {
  std::array<char, 4> key;
  std::memcpy(key.data(), &mask, 4);
  const std::array<char, 4> rotated = {key[offset & 3], key[(offset + 1) & 3], key[(offset + 2) & 3],
                                       key[(offset + 3) & 3]};
  std::uint32_t word = 0;
  std::memcpy(&word, rotated.data(), 4);
  // A vector of the compiler's, which every processor has in some way: sixteen bytes at once.
  using Vector = std::uint32_t __attribute__((vector_size(16)));
  const Vector vector = {word, word, word, word};
  std::size_t i = 0;
#pragma GCC unroll 4
  for (; i + 16 <= size; i += 16) {
    Vector chunk;
    std::memcpy(&chunk, bytes + i, 16);
    chunk ^= vector;
    std::memcpy(bytes + i, &chunk, 16);
  }
  const std::uint64_t wide = static_cast<std::uint64_t>(word) << 32 | word;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t chunk = 0;
    std::memcpy(&chunk, bytes + i, 8);
    chunk ^= wide;
    std::memcpy(bytes + i, &chunk, 8);
  }
  for (; i < size; ++i) bytes[i] = static_cast<char>(bytes[i] ^ rotated[i & 3]);
}

std::size_t write_header(char* out, Opcode opcode, bool rsv1, std::size_t payload_bytes) {
  out[0] = static_cast<char>(0x80u | (rsv1 ? 0x40u : 0u) | static_cast<unsigned>(opcode));
  if (payload_bytes < 126) {
    out[1] = static_cast<char>(payload_bytes);
    return 2;
  }
  const std::size_t extended = payload_bytes <= 0xffff ? 2 : 8;
  out[1] = extended == 2 ? 126 : 127;
  for (std::size_t i = 0; i < extended; ++i) {
    out[2 + i] = static_cast<char>(static_cast<std::uint64_t>(payload_bytes) >> (8 * (extended - 1 - i)));
  }
  return 2 + extended;
}

void append_frame(Outbox& out, Opcode opcode, std::string_view payload, bool rsv1) {
  std::array<char, 10> header;
  const std::size_t header_bytes = write_header(header.data(), opcode, rsv1, payload.size());
  char* space = out.append_space(header_bytes + payload.size());
  std::memcpy(space, header.data(), header_bytes);
  if (!payload.empty()) std::memcpy(space + header_bytes, payload.data(), payload.size());
}

void append_masked_frame(Outbox& out, Opcode opcode, std::string_view payload, bool rsv1,
                         std::uint32_t mask) {
  std::array<char, 14> header;
  const std::size_t plain = write_header(header.data(), opcode, rsv1, payload.size());
  header[1] = static_cast<char>(static_cast<unsigned char>(header[1]) | 0x80u);
  std::memcpy(header.data() + plain, &mask, 4);
  char* space = out.append_space(plain + 4 + payload.size());
  std::memcpy(space, header.data(), plain + 4);
  if (!payload.empty()) std::memcpy(space + plain + 4, payload.data(), payload.size());
  apply_mask(space + plain + 4, payload.size(), mask, 0);
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload, bool rsv1) {
  std::array<char, 10> header;
  out.append(header.data(), write_header(header.data(), opcode, rsv1, payload.size()));
  out.append(payload);
}

}  // namespace wirehall::ws
