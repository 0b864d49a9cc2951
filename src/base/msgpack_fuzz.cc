// Accepted bytes give a value that encodes to bytes which decode to the same value.
#include "base/msgpack.h"
#include "support/fuzz.h"

using namespace wirehall;

FUZZ_TARGET(base_msgpack) {
  const Result<Value> value = msgpack::decode(in.rest());
  if (!value.ok()) {
    const ErrorCode code = value.error().code();
    FUZZ_CHECK(code == ErrorCode::kMsgpackSyntax || code == ErrorCode::kJsonDepth || code == ErrorCode::kTooLarge);
    return;
  }
  std::string encoded;
  msgpack::encode(encoded, *value);
  const Result<Value> again = msgpack::decode(encoded);
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(again->to_json() == value->to_json());
}
