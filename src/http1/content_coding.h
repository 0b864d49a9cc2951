// Compression of response bodies.
//
// Spec: RFC 9110 sections 8.4 and 12.5.3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wirehall::http1 {

enum class ContentCoding : std::uint8_t { kGzip, kDeflate };

/// `gzip`, `deflate`
std::string_view coding_name(ContentCoding coding);

/// The coding that a client prefers of those we have; nullopt: none. A coding with `q=0` is not acceptable.
std::optional<ContentCoding> choose_coding(std::string_view accept_encoding);

/// The body in that coding (zlib's format for `deflate`, as the RFC means it).
std::string encode_body(std::string_view body, ContentCoding coding);

}  // namespace wirehall::http1
