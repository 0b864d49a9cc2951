// Which part of a representation a request wants (RFC 9110 section 14).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http1/head.h"

namespace wirehall::http1 {

/// What to send.
struct RangeChoice {
  enum class Kind : std::uint8_t {
    kWhole,          ///< 200
    kPart,           ///< 206, with content_range()
    kUnsatisfiable,  ///< 416, with unsatisfied_range()
  };
  Kind kind = Kind::kWhole;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  ///< of the part, at least 1; of everything for kWhole; 0 for kUnsatisfiable
  friend bool operator==(const RangeChoice&, const RangeChoice&) = default;
};

/// Chooses by the value of a `Range` field.
///
/// Returns:  kPart for one range that overlaps the representation, cut at its end. kUnsatisfiable for one
///           that begins behind it, and for `bytes=-0`. kWhole for everything else: another unit, a malformed
///           or backward range, more than one range, and a suffix of an empty representation, which no
///           `Content-Range` could describe. A server may always ignore the field (section 14.2), and answers
///           of several parts are where its attacks are (section 17.15).
/// Units:    bytes; numbers beyond 64 bits count as the largest one.
RangeChoice choose_range(std::string_view range, std::uint64_t size);

/// The same for a request. `Range` counts for GET alone, when it stands there once, and when `If-Range`, if
/// there is one, has the strong tag `etag`.
RangeChoice choose_range(const RequestHead& head, std::uint64_t size, std::string_view etag);

/// `bytes 0-499/1234`
std::string content_range(const RangeChoice& part, std::uint64_t size);
/// `bytes */1234`
std::string unsatisfied_range(std::uint64_t size);

}  // namespace wirehall::http1
