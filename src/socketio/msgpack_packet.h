// Socket.IO 5 packets as MessagePack, one message each: what npm's socket.io-msgpack-parser 3.0 reads and
// writes (its codec is notepack.io 2.2).
//
//   I1  A decoded packet keeps what packet.h promises of one that came as text: the same kinds, names and
//       limits. What handles packets need not know how they came.
//   I2  Encoded bytes are the reference server's: its order of keys, its widths of numbers, texts and bytes.
//
// Spec: Socket.IO protocol v5; vectors that npm's parser is held to as well: tests/data/msgpack_vectors.json.
// Deliberate differences, listed there too:
//   - What the reference leaves unchecked is checked as in a text packet: the name of an event and of a
//     namespace, the id of an ack, UTF-8. Extension types that it does not know are refused.
//   - nil is taken where the reference takes only `undefined`: python-socketio has no other.
//   - Whole numbers beyond 64 bits are floats; the reference writes their low 64 bits, another number.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "socketio/packet.h"

namespace wirehall::socketio {

/// Decodes the packet that one binary message is.
///
/// `undefined` and nil become null, dates ISO 8601 text, ArrayBuffers bytes; keys that mean nothing are
/// skipped, and of equal keys the last wins.
///
/// Returns:  false for what is malformed or beyond a limit: the engine connection must be closed. `out` is
///           then unspecified.
/// Units:    limits.attachments_max counts the byte strings of the whole message; limits.packet_bytes_max
///           its bytes.
bool decode_msgpack_packet(std::string_view bytes, const DecoderLimits& limits, Packet& out);

// All append to `out`.

/// With an id the keys stand as in the reference's socket.emit(), not as in its broadcasts with an ack.
void encode_msgpack_event(std::string& out, std::string_view nsp, std::optional<std::uint64_t> id,
                          std::string_view event, std::span<const Value> args);
void encode_msgpack_ack(std::string& out, std::string_view nsp, std::uint64_t id,
                        std::span<const Value> args);
/// `pid` is written as `undefined` when empty.
void encode_msgpack_connect(std::string& out, std::string_view nsp, std::string_view sid,
                            std::string_view pid);
/// `data` is written as `undefined` when null.
void encode_msgpack_connect_error(std::string& out, std::string_view nsp, std::string_view message,
                                  const Value* data);
void encode_msgpack_disconnect(std::string& out, std::string_view nsp);

}  // namespace wirehall::socketio
