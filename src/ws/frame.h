// WebSocket frames as bytes: headers, masks, and whole frames of ours.
//
// Spec: RFC 6455 section 5.2 (base framing), 5.3 (masking), 7.4 (status codes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/frame.h"

namespace wirehall::ws {

enum class Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

/// Status codes that we send; see error_catalog.inc for which error gets which.
enum class CloseCode : std::uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kNoStatus = 1005,  ///< never on the wire: a close frame without a body
  kAbnormal = 1006,  ///< never on the wire: the connection broke
  kInvalidData = 1007,
  kPolicy = 1008,
  kTooBig = 1009,
  kInternal = 1011,
  kRestart = 1012,
  kTryAgainLater = 1013,
};

/// Whether a peer may send that status code (RFC 6455 section 7.4.2 and the IANA registry).
bool is_valid_close_code(std::uint16_t code);

struct FrameHeader {
  bool fin = false;
  bool rsv1 = false;
  Opcode opcode = Opcode::kContinuation;
  bool masked = false;
  std::uint8_t header_bytes = 0;
  std::uint32_t mask = 0;  ///< in memory order
  std::uint64_t payload_bytes = 0;
};

enum class HeaderStep : std::uint8_t { kDone, kNeedMore, kMalformed };

/// Reads one frame header; checks what one header alone can break: reserved bits and opcodes, lengths that
/// are not minimal or have the top bit set, control frames that are long or fragmented.
HeaderStep parse_header(std::string_view bytes, FrameHeader& out);

/// XORs the payload with the mask, the first byte at `offset` within it.
void apply_mask(char* bytes, std::size_t size, std::uint32_t mask, std::size_t offset);

/// Writes the header of an unmasked frame. Returns: its size, at most 10.
std::size_t write_header(char* out, Opcode opcode, bool rsv1, std::size_t payload_bytes);

/// Appends a whole unmasked frame.
void append_frame(Outbox& out, Opcode opcode, std::string_view payload, bool rsv1 = false);
/// Appends a whole masked frame (a client's).
void append_masked_frame(Outbox& out, Opcode opcode, std::string_view payload, bool rsv1, std::uint32_t mask);
/// Appends a whole unmasked frame to a string.
void append_frame(std::string& out, Opcode opcode, std::string_view payload, bool rsv1 = false);

}  // namespace wirehall::ws
