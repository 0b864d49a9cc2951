// The native protocol from the client's side: a server's frames as values, a client's requests and answers.
//
// Spec: docs/protocol/native.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "native/frame.h"

namespace wirehall::native {

/// A server's frame.
struct ServerFrame {
  std::string type;
  std::optional<std::uint64_t> id;      ///< `ack` and `pong`: which of our requests, whose ids are numbers
  std::optional<std::uint64_t> ack_id;  ///< the server wants an answer
  Object fields;                        ///< all others; an event's own `type` has its name again
};

/// Errors:   kJsonSyntax, kJsonDepth, kMsgpackSyntax, kTooLarge, and kInvalidFormat for what is no object
/// with a
///           usable `type`. A server that sends one of these speaks another protocol.
/// Requires: JSON text is valid UTF-8.
Result<ServerFrame> decode_server_frame(std::string_view bytes, Codec codec, const DecodeLimits& limits);

/// An answer's fields as its arguments: the list that stands under `args`, the value that stands alone under
/// `data`, or the object of all.
std::vector<Value> answer_of(Object fields);

/// Appends a request; without `id` nobody answers it. Its arguments are laid out as a server's event.
void encode_request(std::string& out, std::string_view type, std::optional<std::uint64_t> id,
                    std::span<const Value> args, const NativeShape* shape);
/// Appends the answer to a frame with that `ackId`.
void encode_answer(std::string& out, std::uint64_t ack_id, std::span<const Value> args);

}  // namespace wirehall::native
