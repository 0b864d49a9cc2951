// permessage-deflate: negotiation, and the two codecs that the connections of a shard share.
//
// Both directions are always agreed without context takeover, so a connection keeps no compressor: one
// inflater and one deflater per window size serve a whole shard, and a broadcast is deflated once.
//
//   I1  Inflating stops at the budget while it inflates; the output never exceeds it.
//   I2  An offer that is malformed or cannot be kept is declined; that is never an error of the connection.
//
// Spec: RFC 7692 section 7.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wirehall/result.h"

struct z_stream_s;

namespace wirehall::ws {

/// What was agreed for one connection.
struct DeflateAgreement {
  std::uint8_t server_window_bits = 15;  ///< 9 to 15
};

/// Chooses the first acceptable offer of a `Sec-WebSocket-Extensions` value (fields joined by commas).
///
/// Units:    at most 8 offers with 8 parameters each are looked at; a list with more is declined.
/// Returns:  nullopt when none is acceptable.
std::optional<DeflateAgreement> negotiate_deflate(std::string_view offers);

/// The `Sec-WebSocket-Extensions` value that answers an agreement.
std::string deflate_response(const DeflateAgreement& agreement);

/// Inflates whole messages.
///
/// Thread:   shard-affine; holds about 44 KiB from its first use on.
class Inflater {
 public:
  Inflater();
  ~Inflater();
  /// Appends the message's plain bytes to `out`.
  ///
  /// Errors:   kWsTooBig when it would pass `bytes_max`, kWsInvalidData when it is no DEFLATE data; `out`
  ///           then holds a part of no use.
  Status inflate(std::string_view compressed, std::size_t bytes_max, std::string& out);

 private:
  std::unique_ptr<z_stream_s> stream_;
};

/// Deflates whole messages, each with an empty window.
///
/// Thread:   shard-affine.
class Deflater {
 public:
  Deflater();
  ~Deflater();
  /// Appends the compressed message (without the four bytes of RFC 7692 section 7.2.1) to `out`.
  void deflate(std::string_view plain, std::uint8_t window_bits, std::string& out);

 private:
  std::array<std::unique_ptr<z_stream_s>, 16> streams_;
};

}  // namespace wirehall::ws
