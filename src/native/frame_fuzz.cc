// Frames decode or are refused as documented; what an event becomes can be sent and is valid JSON.
#include "native/frame.h"

#include "base/json.h"
#include "base/msgpack.h"
#include "base/utf8.h"
#include "support/fuzz.h"

using namespace wirehall;

FUZZ_TARGET(native_frame) {
  static const native::DecodeLimits kLimits;
  const native::Codec codec = (in.byte() & 1) != 0 ? native::Codec::kMsgpack : native::Codec::kJson;
  if (codec == native::Codec::kJson && !is_valid_utf8(in.rest())) return;
  native::FrameDecoder frame;
  const Status status = frame.decode(in.rest(), codec, kLimits);
  if (!status.ok()) {
    const ErrorCode code = status.error().code();
    FUZZ_CHECK(code == ErrorCode::kJsonSyntax || code == ErrorCode::kJsonDepth || code == ErrorCode::kMsgpackSyntax || code == ErrorCode::kTooLarge || code == ErrorCode::kInvalidFormat);
    return;
  }
  FUZZ_CHECK(!frame.type().empty() && frame.type().size() <= kLimits.event_name_bytes_max);
  NativeShape shape;
  shape.arguments = {"roomId|room", "data"};
  shape.sent_copies = {{"userId", "from"}};
  const std::vector<Value> args = frame.take_args(&shape);
  std::string json, packed, answer;
  native::encode_event(json, native::Codec::kJson, frame.type(), args, &shape, 7);
  FUZZ_CHECK(json::validate(json, 64) == json::Status::kOk);
  native::encode_event(packed, native::Codec::kMsgpack, frame.type(), args, nullptr, std::nullopt);
  FUZZ_CHECK(msgpack::decode(packed, 64).ok());
  FUZZ_CHECK(frame.decode(in.rest(), codec, kLimits).ok());
  const std::vector<Value> answers = frame.take_answer();
  if (!frame.id().empty()) {
    native::encode_ack(answer, codec, frame.id(), answers);
    FUZZ_CHECK(codec == native::Codec::kJson ? json::validate(answer, 64) == json::Status::kOk : msgpack::decode(answer, 64).ok());
  }
}
