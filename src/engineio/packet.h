// Engine.IO 4 packets and polling payloads as bytes.
//
// Spec: Engine.IO protocol v4, "Packet encoding", "Payload encoding".
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/frame.h"
#include "wirehall/result.h"

namespace wirehall::engineio {

enum class PacketType : std::uint8_t { kOpen, kClose, kPing, kPong, kMessage, kUpgrade, kNoop };

/// How a session's packets travel.
enum class Transport : std::uint8_t { kPolling, kWebSocket };

std::string_view transport_name(Transport transport);

/// A packet as it arrived.
///
/// Lifetime: `data` points into the bytes that were decoded.
struct PacketView {
  PacketType type = PacketType::kNoop;
  bool binary = false;  ///< a message of bytes
  std::string_view data;
};

/// Decodes a text packet: a digit and its data.
///
/// Returns:  false when it is empty or its type unknown.
bool decode_text(std::string_view text, PacketView& out);
/// The same on a WebSocket, where `b` and base64 are a message of bytes, too, from clients that send no bytes.
///
/// Lifetime: such a message's data lives in `storage`.
bool decode_text_frame(std::string_view text, std::string& storage, PacketView& out);

/// Separates the packets of a polling body.
inline constexpr char kRecordSeparator = '\x1e';

/// Walks a polling body, packet by packet, without copying it.
///
/// Errors:   kEngineParse at the first packet that is malformed, or beyond `packets_max`.
class PayloadReader {
 public:
  PayloadReader(std::string_view payload, std::uint32_t packets_max)
      : rest_(payload), packets_left_(packets_max) {}
  enum class Step : std::uint8_t { kPacket, kDone, kError };
  /// Lifetime: a binary packet's data lives until the next call.
  Step next(PacketView& out);

 private:
  std::string_view rest_;
  std::uint32_t packets_left_;
  bool done_ = false;
  std::string decoded_;
};

/// One packet on its way out: `4` and its text, or the bytes of a binary message.
struct OutPacket {
  FrameRef bytes;
  bool binary = false;
  bool compress = true;  ///< whether the transport may compress it
};

/// Packets that leave together; as a rule there is one, or a message and what answers it.
using OutPackets = boost::container::small_vector<OutPacket, 2>;

/// Joins packets to a polling body.
std::string encode_payload(std::span<const OutPacket> packets);

/// What the open packet says.
struct OpenFields {
  std::string_view sid;
  bool websocket_upgrade = false;
  std::int64_t ping_interval_ms = 0;
  std::int64_t ping_timeout_ms = 0;
  std::uint64_t max_payload = 0;
};
std::string encode_open(const OpenFields& fields);

/// What a client takes of the open packet.
struct ReceivedOpen {
  std::string sid;
  bool websocket_upgrade = false;
  std::int64_t ping_interval_ms = 0;
  std::int64_t ping_timeout_ms = 0;
  std::uint64_t max_payload = 0;  ///< 0: the server said none
};
/// Reads the data of an open packet; nullopt when it is none: no id, or a heartbeat that is none.
std::optional<ReceivedOpen> decode_open(std::string_view data);

}  // namespace wirehall::engineio
