// The native protocol's frames as values: an object with a `type`, as JSON text or as MessagePack.
//
//   {"type":"join","roomId":"lobby","id":1}      a request; `id` asks for one answer
//   {"type":"ack","id":1,"success":true,…}       the answer
//   {"type":"error","error":"…","code":"…"}      a failure nobody asked about
//   {"type":"chat","roomId":…,"ackId":7}         a frame of the server that wants an answer
//   {"type":"ack","ackId":7,…}                   the client's answer
//
// Bytes are {"$binary":"<base64>"} in JSON and bin in MessagePack.
//
// Spec: docs/protocol/native.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wirehall/namespace.h"
#include "wirehall/value.h"

namespace wirehall::native {

enum class Codec : std::uint8_t { kJson, kMsgpack };

struct DecodeLimits {
  std::uint32_t json_depth_max = 32;
  std::uint32_t event_name_bytes_max = 128;
};

/// A frame of a client.
struct Frame {
  std::string type;
  bool has_id = false;
  std::string id;                       ///< the id's bytes in the frame's codec, sent back as they are
  std::optional<std::uint64_t> ack_id;  ///< of an answer
  Object fields;                        ///< everything else; JSON fields unparsed
};

/// Decodes a frame.
///
/// Requires: JSON text is valid UTF-8.
/// Errors:   kJsonSyntax, kJsonDepth, kMsgpackSyntax, kTooLarge: the connection must be closed.
///           kInvalidFormat: an object without a usable `type`, or with an `id` that is neither a string nor
///           a number; `out` holds the id if there was one.
Status decode(std::string_view bytes, Codec codec, const DecodeLimits& limits, Frame& out);

/// The fields as the arguments of an event: named leading arguments, then one object of what is left (always
/// one when nothing is named).
std::vector<Value> to_args(Object fields, const NativeShape* shape);

/// The arguments of an answer: its fields as one object, or the list that stands under `args`.
std::vector<Value> answer_args(Object fields);

// -- out ------------------------------------------------------------------------------------------

/// Appends an event as a frame.
void encode_event(std::string& out, Codec codec, std::string_view event, std::span<const Value> args,
                  const NativeShape* shape, std::optional<std::uint64_t> ack_id);
/// Appends the answer to a request; `id` as decode() gave it.
void encode_ack(std::string& out, Codec codec, std::string_view id, std::span<const Value> args);
/// Appends `{"type":"error",…}`.
void encode_error(std::string& out, Codec codec, const Error& error);
/// Appends `{"type":"pong",…}`; `id` may be empty.
void encode_pong(std::string& out, Codec codec, std::string_view id, std::int64_t timestamp);

}  // namespace wirehall::native
