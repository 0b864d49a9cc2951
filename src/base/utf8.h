// UTF-8 (RFC 3629): whole texts at once, and texts that arrive in pieces.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wirehall {

/// Whether `text` is well-formed UTF-8 as a whole.
bool is_valid_utf8(std::string_view text);

/// Validates a text that arrives in pieces, failing at the first byte that cannot be mended.
///
/// Thread:   a plain value.
/// Spec:     RFC 3629 section 4; RFC 6455 section 8.1 (a text message may be failed early).
class Utf8Validator {
 public:
  /// Returns: false once the text so far is no prefix of any valid text; it stays false.
  bool feed(std::string_view piece);
  /// Whether the text may end here.
  bool complete() const { return state_ == 0; }
  void reset() { state_ = 0; }

 private:
  static constexpr std::uint32_t kReject = 12;
  std::uint32_t state_ = 0;
};

/// A copy in which every ill-formed sequence is U+FFFD; surrogates encoded as three bytes (WTF-8) too.
std::string replace_invalid_utf8(std::string_view text);

/// Appends the UTF-8 form of a code point; surrogates get their three-byte form.
void append_code_point(std::string& out, std::uint32_t code_point);

/// Decodes the sequence at the start of `text`.
///
/// Returns:  its length, or 0 if it is ill-formed. Three-byte surrogates (WTF-8) are accepted.
/// Requires: `text` is not empty.
std::uint32_t decode_code_point(std::string_view text, std::uint32_t& code_point);

}  // namespace wirehall
