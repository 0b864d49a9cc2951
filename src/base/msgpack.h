// MessagePack: values to bytes and back, in the dialect that npm's notepack.io and @msgpack/msgpack share.
//
//   I1  Decoding allocates no more than a small multiple of the bytes that are really there: a count on
//       the wire is believed only as far as the remaining bytes could fill it.
//   I2  Nesting is bounded, so recursion is.
//
// Spec: the MessagePack specification (msgpack.org); tests/vectors beside npm's codecs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wirehall/value.h"

namespace wirehall::msgpack {

/// Appends the value. Doubles that are integers are written as integers, as JavaScript's encoders do.
void encode(std::string& out, const Value& value);

// Parts, for writers that lay out a map themselves.
void append_map_header(std::string& out, std::uint32_t members);
void append_array_header(std::string& out, std::uint32_t elements);
void append_string(std::string& out, std::string_view text);
void append_integer(std::string& out, std::int64_t number);
void append_bytes(std::string& out, std::string_view bytes);
/// JavaScript's `undefined` in notepack's dialect: fixext1 of type 0.
void append_undefined(std::string& out);

/// Decodes exactly one value that fills `bytes`.
///
/// `undefined` becomes null, dates become ISO 8601 strings (what JSON would carry), integer keys their
/// decimal text; of equal keys the last wins.
/// Units:    at most json::kValuesMax values, nested ones counted.
/// Errors:   kTooLarge, kMsgpackSyntax (also ill-formed UTF-8, unknown extensions, bytes left over),
/// kJsonDepth.
Result<Value> decode(std::string_view bytes, std::uint32_t depth_max = 32);

}  // namespace wirehall::msgpack
