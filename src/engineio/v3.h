// Engine.IO 3 packets and polling payloads as bytes, for the clients from before version 4.
//
//   text payload      <length>:<packet>…          length in UTF-16 code units, in decimal
//   binary payload    <0|1><digits>255<packet>…   0 text, 1 bytes; length in bytes, each decimal digit a byte
//                                                 of value 0 to 9
//   packet            <type><data>                the length counts the type; of bytes the type is a byte of
//                                                 value 0 to 6, not its digit
//   bytes as text     b<type><base64>
//
// Spec: Engine.IO protocol v3, "Encoding"; engine.io 6.6 `parser-v3` for what it leaves open. Deliberate
// differences, none of which a client's payload meets: a length is decimal digits (the reference takes
// "1e1" too); a binary payload whose length bytes are no digits, or whose last packet is cut short, is
// malformed (the reference guesses), and what stands in front of the mistake is delivered, as of a text
// payload; a text packet in a binary payload is UTF-8 without surrogates (the reference replaces them).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engineio/packet.h"

namespace wirehall::engineio {

/// What a polling body is made of.
enum class PayloadKind : std::uint8_t { kText, kBinary };

/// The `Content-Type` of the response that carries it. What a request says is binary only when it is exactly
/// `application/octet-stream`; every other body is text.
std::string_view content_type_of(PayloadKind kind);

struct PayloadV3 {
  std::string body;
  PayloadKind kind = PayloadKind::kText;
};

/// Joins packets to a polling body, binary if there is a binary packet and the client can take it.
///
/// Requires: the text packets are UTF-8.
/// Cost:     linear; one allocation.
PayloadV3 encode_payload_v3(std::span<const OutPacket> packets, bool supports_binary);

/// The payload of the WebSocket frame that carries a binary message: of a binary frame, or of a text frame
/// for a client that cannot take binary. Text packets travel as they are.
std::string encode_binary_v3(std::string_view message, bool supports_binary);

/// Decodes the payload of a WebSocket text frame: a digit and its data, or base64 behind `b` and a digit.
///
/// Effects:  `decoded` holds the bytes that were base64. A packet that came as base64 is `binary` whatever
///           its type; one of an unknown type is a noop: the reference ignores it.
/// Returns:  false when it is empty or, not being base64, of an unknown type: a parse error.
/// Lifetime: `out.data` points into `text` or `decoded`.
bool decode_text_v3(std::string_view text, std::string& decoded, PacketView& out);

/// Decodes the payload of a WebSocket binary frame: a byte that is the type, and its data.
///
/// Returns:  a packet that is `binary` whatever its type; one of an unknown type, or without any, is a noop.
/// Lifetime: its data points into `bytes`.
PacketView decode_binary_v3(std::string_view bytes);

/// Walks a polling body, packet by packet, without copying it.
///
/// Requires: a text body is UTF-8 as a whole; of any other one the packets are cut anywhere.
/// Errors:   kEngineParse at the first packet that is malformed, or beyond `packets_max`; every later call
///           says the same. A body without a byte is malformed as text, and no packets as binary.
/// Cost:     linear; nothing is allocated by a length that the peer only claims.
class PayloadReaderV3 {
 public:
  using Step = PayloadReader::Step;
  PayloadReaderV3(std::string_view payload, PayloadKind kind, std::uint32_t packets_max)
      : rest_(payload),
        packets_left_(packets_max),
        kind_(kind),
        failed_(kind == PayloadKind::kText && payload.empty()) {}
  /// Empty packets of a text payload are counted and skipped.
  /// Lifetime: a binary packet's data lives until the next call.
  Step next(PacketView& out);

 private:
  bool take_of_text(PacketView& out, bool& empty);
  bool take_of_binary(PacketView& out);

  std::string_view rest_;
  std::uint32_t packets_left_;
  PayloadKind kind_;
  bool failed_;
  std::string decoded_;
};

}  // namespace wirehall::engineio
