// JSON (RFC 8259): validating and slicing in one pass, parsing to values, writing.
//
// Incoming events are sliced, not rebuilt: a scan checks the whole text and remembers where the parts
// begin and end; a part becomes a Value only when somebody looks inside, and is passed on by its bytes.
//
//   I1  A slice is handed out only after the whole text was validated (grammar, depth).
//   I2  Callers have checked that the text is UTF-8; the scanner looks at ASCII structure only.
//   I3  The time is linear in the length, and the stack does not grow with the nesting.
//
// Spec: RFC 8259; numbers are written as ECMAScript's Number::toString writes them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wirehall/value.h"

namespace wirehall::json {

enum class Status : std::uint8_t { kOk, kSyntax, kDepth, kTooMany };

/// Elements of one sliced array, members of one sliced object; more are kTooMany.
inline constexpr std::size_t kSlicesMax = 4096;
/// Values in one text, nested ones counted; more are kTooMany. A value costs 40 bytes once somebody looks
/// inside, twenty times the shortest text of one, so bytes alone are no bound.
inline constexpr std::uint32_t kValuesMax = 262'144;

/// A part of a validated text.
struct Slice {
  std::string_view text;
  /// It contains a member whose key is, or with its escapes resolved may be, `_placeholder`; such a part
  /// must not be forwarded by its bytes inside a Socket.IO packet that has attachments.
  bool placeholder = false;
  /// The same for `$binary`, which on the native protocol stands for bytes.
  bool binary = false;
};

/// Slices of an array of which a few lie within itself, so that the usual event takes no memory for them.
///
/// Thread:   a plain value.
class FewSlices {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Slice& operator[](std::size_t i) const { return many_.empty() ? few_[i] : many_[i]; }
  void clear() {
    size_ = 0;
    many_.clear();
  }
  void push_back(const Slice& slice) {
    if (size_ < few_.size()) {
      few_[size_++] = slice;
      return;
    }
    if (many_.empty()) many_.assign(few_.begin(), few_.end());
    many_.push_back(slice);
    ++size_;
  }

 private:
  std::array<Slice, 4> few_;
  std::vector<Slice> many_;  // all of them, once they are more
  std::size_t size_ = 0;
};

struct MemberSlice {
  std::string_view key;  ///< between the quotes, escapes unresolved
  bool key_escaped = false;
  Slice value;
};

/// Where a member stands in the text of its object, told by who wrote it, so that nobody need look for it.
struct MemberPlace {
  std::uint32_t key_begin;  ///< behind the quote; the key has no escapes
  std::uint32_t key_size;
  std::uint32_t value_begin;
  std::uint32_t value_end;
};

/// Validates the text of one value.
Status validate(std::string_view text, std::uint32_t depth_max);

/// Validates the text of an array and slices its elements into `out` (cleared first).
///
/// Returns:  kSyntax also when the text is another kind of value.
Status slice_array(std::string_view text, std::uint32_t depth_max, std::vector<Slice>& out);
Status slice_array(std::string_view text, std::uint32_t depth_max, FewSlices& out);

/// Validates the text of an object and slices its members into `out` (cleared first), duplicates included.
Status slice_object(std::string_view text, std::uint32_t depth_max, std::vector<MemberSlice>& out);

/// Whether the slice is a string without escapes; then `out` is what stands between the quotes.
bool plain_string(std::string_view slice, std::string_view& out);

/// The string that stands between quotes, escapes resolved; lone surrogates in their three-byte form.
std::string unescape(std::string_view between_quotes);

/// Parses a text to a value, the last of duplicate keys winning as in JavaScript.
///
/// Errors:   kJsonSyntax, kJsonDepth, with the offset in the detail.
Result<Value> parse(std::string_view text, std::uint32_t depth_max = 32);

/// Parses a text that was validated (I1).
Value parse_validated(std::string_view text);
/// `{"$binary":"<base64>"}`, and nothing else in it, stands for bytes: puts them there.
void restore_bytes(Value& value);

/// How bytes inside a value are written.
enum class BytesAs : std::uint8_t {
  kObject,       ///< {"$binary":"<base64>"}: the native protocol
  kPlaceholder,  ///< {"_placeholder":true,"num":n}, the bytes collected apart: Socket.IO
};

/// Writes values.
///
/// Lifetime: with kPlaceholder, attachments() points into the values that were written.
class Writer {
 public:
  explicit Writer(std::string& out, BytesAs bytes_as = BytesAs::kObject) : out_(out), bytes_as_(bytes_as) {}
  void write(const Value& value);
  const std::vector<std::string_view>& attachments() const { return attachments_; }

 private:
  void write_object(const Object& object);
  std::string& out_;
  BytesAs bytes_as_;
  std::vector<std::string_view> attachments_;
};

/// Appends `text` quoted and escaped as JSON.stringify does; ill-formed UTF-8 becomes U+FFFD.
void append_string(std::string& out, std::string_view text);
void append_number(std::string& out, std::int64_t number);
/// JavaScript's format; NaN and infinities become null.
void append_number(std::string& out, double number);

}  // namespace wirehall::json
