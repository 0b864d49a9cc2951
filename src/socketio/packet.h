// Socket.IO 5 packets: text and attachments to packets, packets to text and attachments.
//
//   I1  A packet is handed out complete: its attachments have all come, each placeholder names one of them
//       and each is named once.
//   I2  After an error the decoder refuses all further input; the engine connection must be closed.
//   I3  Arguments keep the bytes in which they came unless they hold attachments or a `_placeholder` key.
//
// Spec: Socket.IO protocol v5; socket.io-parser 4.2.7 for the strictness (it refuses a binary event that
// announces no attachments; before it was delivered, and the decoder wedged).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "wirehall/clock.h"
#include "wirehall/value.h"

namespace wirehall::socketio {

enum class PacketType : std::uint8_t {
  kConnect,
  kDisconnect,
  kEvent,
  kAck,
  kConnectError,
  kBinaryEvent,
  kBinaryAck
};

/// A decoded packet. Binary kinds are reported as kEvent and kAck.
struct Packet {
  PacketType type = PacketType::kConnect;
  std::string nsp = "/";
  std::optional<std::uint64_t> id;
  std::string event;        ///< kEvent: its name
  std::vector<Value> args;  ///< kEvent: without the name; kAck: all
  std::string auth;         ///< kConnect: the JSON text of an object, or empty; kConnectError: text as it came
};

struct DecoderLimits {
  std::uint32_t namespace_bytes_max = 255;
  std::uint32_t event_name_bytes_max = 128;
  std::uint32_t attachments_max = 10;
  std::uint32_t json_depth_max = 32;
  std::uint64_t packet_bytes_max = 1'000'000;  ///< text and attachments together
  Duration attachments_timeout = std::chrono::seconds(30);
};

/// Whether a name may not be used for an event.
bool is_reserved_event(std::string_view name);

/// Puts the packets of one client together.
///
/// Thread:   shard-affine.
/// Lifetime: the limits must outlive it.
class PacketDecoder {
 public:
  enum class Step : std::uint8_t { kPacket, kNeedMore, kError };

  /// Lifetime: the limits outlive it.
  explicit PacketDecoder(const DecoderLimits& limits) : limits_(&limits) {}
  const DecoderLimits& limits() const { return *limits_; }

  /// Requires: `text` is valid UTF-8.
  Step feed_text(std::string_view text, MonoTime now, Packet& out);
  Step feed_binary(std::string_view bytes, Packet& out);

  /// When the attachments of a begun packet are overdue; kNever when none are missing.
  MonoTime next_deadline() const { return pending_ ? pending_->deadline : kNever; }
  /// Forgets a half-received packet.
  void reset() { pending_.reset(); }

 private:
  struct Pending {
    Packet packet;
    std::uint32_t expected = 0;
    std::uint64_t bytes = 0;
    MonoTime deadline;
    std::vector<std::string> attachments;
  };
  Step fail();
  bool decode(std::string_view text, Packet& out, std::uint32_t& attachments);
  bool decode_payload(std::string_view json, std::uint32_t attachments, Packet& out);
  bool decode_event_name(std::string_view slice, Packet& out);

  const DecoderLimits* limits_;
  std::unique_ptr<Pending> pending_;
  bool failed_ = false;
};

/// A packet as bytes: its text, and its attachments in document order.
///
/// Lifetime: attachments point into the values that were encoded.
struct EncodedPacket {
  std::string text;    ///< empty: the attachments are all there is
  std::string binary;  ///< holds an attachment that is no value's own
  std::vector<std::string_view> attachments;
  void clear() {
    text.clear();
    binary.clear();
    attachments.clear();
  }
};

/// Appends to `out.text`, so that the caller may put an Engine.IO `4` in front.
void encode_event(EncodedPacket& out, std::string_view nsp, std::optional<std::uint64_t> id,
                  std::string_view event, std::span<const Value> args);
/// The same of arguments that are text, with commas in between, and `last` as one more unless it is empty.
void encode_event_text(std::string& out, std::string_view nsp, std::optional<std::uint64_t> id,
                       std::string_view event, std::string_view args, std::string_view last);
void encode_ack(EncodedPacket& out, std::string_view nsp, std::uint64_t id, std::span<const Value> args);
/// `pid` is left out when empty.
void encode_connect(std::string& out, std::string_view nsp, std::string_view sid, std::string_view pid);
void encode_connect_error(std::string& out, std::string_view nsp, std::string_view message,
                          const Value* data);
void encode_disconnect(std::string& out, std::string_view nsp);
/// A client's CONNECT; `auth` is its payload.
void encode_connect_request(std::string& out, std::string_view nsp, const Object& auth);
/// The same to clients of Socket.IO 2 (protocol 4): CONNECT has no payload, and that of ERROR is any value.
void encode_connect_v3(std::string& out, std::string_view nsp);
void encode_error_v3(std::string& out, std::string_view nsp, const Value& error);

/// How many byte strings a value holds.
std::uint32_t count_attachments(const Value& value);

}  // namespace wirehall::socketio
