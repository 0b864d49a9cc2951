// WebSocket frames as a client sees them: masked out, plain in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wirehall::loadgen {

constexpr std::uint8_t kContinuation = 0;
constexpr std::uint8_t kTextFrame = 1;
constexpr std::uint8_t kBinaryFrame = 2;
constexpr std::uint8_t kCloseFrame = 8;
constexpr std::uint8_t kPingFrame = 9;
constexpr std::uint8_t kPongFrame = 10;

/// The longest payload that is taken; unit: bytes.
constexpr std::uint64_t kFrameBytesMax = 64 << 20;

struct Frame {
  std::uint8_t opcode = 0;
  bool final = true;  ///< false: the message goes on in the next data frame
  std::string_view payload;
  std::size_t bytes = 0;  ///< of the whole frame
};

enum class FrameStep : std::uint8_t { kFrame, kNeedMore, kMalformed };

/// Reads the frame at the beginning of `bytes`.
///
/// Errors:   kMalformed for what no server may send to this client, which offers no extension: a masked
///           frame, a reserved bit, a payload above kFrameBytesMax.
/// Lifetime: the payload points into `bytes`.
FrameStep parse_frame(std::string_view bytes, Frame& out);

void append_masked_frame(std::string& out, std::uint8_t opcode, std::string_view payload);
/// The same with a mask of four bytes that is given.
void append_masked_frame(std::string& out, std::uint8_t opcode, std::string_view payload,
                         std::string_view mask);

/// Four random bytes.
std::string random_mask();

}  // namespace wirehall::loadgen
