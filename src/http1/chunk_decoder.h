// Decodes the chunked transfer coding, accepting one spelling of everything.
//
//   I1  CRLF only; a size is hexadecimal digits and nothing else; extensions follow the grammar.
//   I2  Chunk lines, extensions and trailers are counted: many small ones end the request.
//   I3  Trailers are read and thrown away (RFC 9110 section 6.5.1 allows it): they cannot smuggle fields.
//
// Spec: RFC 9112 section 7.1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wirehall::http1 {

class ChunkDecoder {
 public:
  enum class Step : std::uint8_t { kNeedMore, kData, kDone, kMalformed, kTooMuchOverhead };

  ChunkDecoder(std::uint32_t overhead_bytes_max, std::uint32_t extension_bytes_max)
      : overhead_bytes_max_(overhead_bytes_max), extension_bytes_max_(extension_bytes_max) {}

  /// Consumes from the front of `input`; with kData, `data` is a piece of the body.
  /// Lifetime: `data` points into `input`'s bytes.
  Step next(std::string_view& input, std::string_view& data);

 private:
  enum class State : std::uint8_t {
    kSizeFirst,
    kSize,
    kExtensionStart,
    kExtensionName,
    kExtensionValueStart,
    kExtensionValue,
    kExtensionQuoted,
    kExtensionEscape,
    kExtensionEnd,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailer,
    kTrailerLf,
    kEndLf
  };
  Step line_byte(char c);
  bool extension_byte(char c);

  std::uint32_t overhead_bytes_max_;
  std::uint32_t extension_bytes_max_;
  std::uint32_t overhead_bytes_ = 0;
  std::uint32_t extension_bytes_ = 0;
  std::uint64_t size_ = 0;
  std::uint8_t size_digits_ = 0;
  bool trailer_has_colon_ = false;
  State state_ = State::kSizeFirst;
};

}  // namespace wirehall::http1
