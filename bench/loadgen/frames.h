// WebSocket frames as a client sees them: masked out, plain in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

constexpr std::uint8_t kTextFrame = 1;
constexpr std::uint8_t kCloseFrame = 8;
constexpr std::uint8_t kPingFrame = 9;
constexpr std::uint8_t kPongFrame = 10;

struct Frame {
  std::uint8_t opcode = 0;
  std::string_view payload;
  std::size_t bytes = 0;  ///< of the whole frame
};

enum class FrameStep : std::uint8_t { kFrame, kNeedMore, kMalformed };

/// Reads the frame at the beginning of `bytes`.
///
/// Errors:   kMalformed for what no server may send to this client, which offers no extension: a masked
///           frame, a reserved bit; and for a fragment, which would be counted as a message.
/// Lifetime: the payload points into `bytes`.
FrameStep parse_frame(std::string_view bytes, Frame& out);

void append_masked_frame(std::string& out, std::uint8_t opcode, std::string_view payload);

/// A text frame of which only one field of fixed width changes, so that sending costs a copy.
///
/// The mask is drawn once: a server does the same work whatever the mask is.
class FrameTemplate {
 public:
  FrameTemplate(std::string_view prefix, std::size_t field_bytes, std::string_view suffix);
  /// Appends the frame with `field`, which has the width given above.
  void append_to(std::string& out, std::string_view field) const;

 private:
  std::string frame_;
  std::size_t field_at_;          // in the frame
  std::size_t field_payload_at_;  // in the payload, which the mask goes by
  std::string mask_;
};

}  // namespace bench
