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

#include "base/json.h"
#include "wirehall/namespace.h"
#include "wirehall/value.h"

namespace wirehall::native {

enum class Codec : std::uint8_t { kJson, kMsgpack };

struct DecodeLimits {
  std::uint32_t json_depth_max = 32;
  std::uint32_t event_name_bytes_max = 128;
  std::uint32_t attachments_max = 10;  ///< values that are bytes; Socket.IO clients take no more in a packet
};

/// Decodes the frames of clients, one after another, without copying what nobody needs.
///
/// Thread:   shard-affine; one serves all connections of a shard.
class FrameDecoder {
 public:
  /// Decodes a frame.
  ///
  /// Requires: JSON text is valid UTF-8.
  /// Lifetime: everything below is about the last frame and points into `bytes`.
  /// Errors:   kJsonSyntax, kJsonDepth, kMsgpackSyntax, kTooLarge: the connection must be closed.
  ///           kInvalidFormat: more bytes values than the limit, an object without a usable `type`, or with an `id` that is neither a string
  ///           nor a number; id() is the id if there was a usable one.
  Status decode(std::string_view bytes, Codec codec, const DecodeLimits& limits);

  std::string_view type() const { return type_; }
  /// The id's bytes in the frame's codec, to be sent back as they are; empty when there is none.
  std::string_view id() const { return id_; }
  /// Which of our questions the frame answers.
  std::optional<std::uint64_t> ack_id() const { return ack_id_; }

  /// The other fields as the arguments of an event: named leading arguments, then one object of what is
  /// left (always one when nothing is named). To be called once.
  /// Lifetime: until the next frame is decoded, or release_args().
  std::vector<Value>& take_args(const NativeShape* shape);
  /// The arguments have been used.
  void release_args();
  /// The arguments of an answer: its fields as one object, or the list that stands under `args`, or the
  /// value that stands alone under `data`. To be called once.
  std::vector<Value> take_answer();

 private:
  Status decode_json(std::string_view text, const DecodeLimits& limits);
  Status decode_msgpack(std::string_view bytes, const DecodeLimits& limits);
  void keep_fields();
  Status checked(bool usable, const DecodeLimits& limits) const;
  std::optional<Value> take_field(std::string_view name);
  Value rest_as_object();

  std::string_view type_;
  std::string_view id_;
  std::optional<std::uint64_t> ack_id_;
  std::string type_storage_;
  std::string id_storage_;
  // The other fields: slices of JSON text while that is enough, else values.
  std::vector<json::MemberSlice> slices_;
  bool in_one_piece_ = false;  // the slices stand one behind the other in the frame, and keep their names
  Object fields_;
  std::vector<Value> args_;
};

// -- out ------------------------------------------------------------------------------------------

/// Appends an event as a frame.
void encode_event(std::string& out, Codec codec, std::string_view event, std::span<const Value> args,
                  const NativeShape* shape, std::optional<std::uint64_t> ack_id);
/// The same in JSON, of an event whose only argument is an object as text: what stands there is passed on as it is, and
/// only a member whose name is the frame's own gets another one.
/// Requires: `members` has the places of all members, no two of the same name.
void encode_event_text(std::string& out, std::string_view event, std::string_view object,
                       std::span<const json::MemberPlace> members, const NativeShape* shape,
                       std::optional<std::uint64_t> ack_id);
/// Appends the answer to a request; `id` as decode() gave it.
void encode_ack(std::string& out, Codec codec, std::string_view id, std::span<const Value> args);
/// Appends `{"type":"error",…}`.
void encode_error(std::string& out, Codec codec, const Error& error);
/// Appends `{"type":"pong",…}`; `id` may be empty.
void encode_pong(std::string& out, Codec codec, std::string_view id, std::int64_t timestamp);

}  // namespace wirehall::native
