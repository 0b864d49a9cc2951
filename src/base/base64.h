// Base64 (RFC 4648): the standard alphabet with padding, and the URL-safe one without.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wirehall {

/// Standard alphabet, padded (RFC 4648 section 4).
void append_base64(std::string& out, std::string_view bytes);
std::string to_base64(std::string_view bytes);

/// URL-safe alphabet, no padding (RFC 4648 section 5).
std::string to_base64url(std::string_view bytes);

/// Strict: that alphabet, correct padding, unused bits zero, nothing else; nullopt otherwise.
std::optional<std::string> from_base64(std::string_view text);
/// Strict, without padding: one text for each byte string, as RFC 7515 section 2 wants.
std::optional<std::string> from_base64url(std::string_view text);

/// As Node's `Buffer.from(text, "base64")`, which Engine.IO's reference applies: either alphabet,
/// padding optional, other characters skipped.
std::string from_base64_lenient(std::string_view text);

}  // namespace wirehall
