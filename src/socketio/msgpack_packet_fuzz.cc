// One binary message: a packet within the limits that encodes to bytes which decode to the same packet.
#include "socketio/msgpack_packet.h"

#include "base/json.h"
#include "support/fuzz.h"

using namespace wirehall;

namespace {

std::string encoded(const socketio::Packet& packet) {
  std::string wire;
  if (packet.type == socketio::PacketType::kEvent) {
    socketio::encode_msgpack_event(wire, packet.nsp, packet.id, packet.event, packet.args);
  } else {
    socketio::encode_msgpack_ack(wire, packet.nsp, packet.id.value_or(0), packet.args);
  }
  return wire;
}

}  // namespace

FUZZ_TARGET(socketio_msgpack_packet) {
  static const socketio::DecoderLimits kLimits;
  socketio::Packet packet;
  if (!socketio::decode_msgpack_packet(in.rest(), kLimits, packet)) return;
  FUZZ_CHECK(packet.event.size() <= kLimits.event_name_bytes_max &&
             packet.nsp.size() <= kLimits.namespace_bytes_max);
  FUZZ_CHECK(packet.nsp.starts_with('/') && packet.nsp.find(',') == std::string::npos);
  FUZZ_CHECK(packet.auth.empty() || (packet.type == socketio::PacketType::kConnect && packet.auth[0] == '{'));
  FUZZ_CHECK(packet.auth.empty() || json::validate(packet.auth, kLimits.json_depth_max) == json::Status::kOk);
  if (packet.type != socketio::PacketType::kEvent && packet.type != socketio::PacketType::kAck) return;
  FUZZ_CHECK(!socketio::is_reserved_event(packet.event));
  std::uint32_t attachments = 0;
  for (const Value& arg : packet.args) attachments += socketio::count_attachments(arg);
  FUZZ_CHECK(attachments <= kLimits.attachments_max);
  // What was received can be sent on, and is received the same. Bytes are compared, because NaN is unequal
  // to itself and a whole double comes back as an integer.
  const std::string wire = encoded(packet);
  if (wire.size() > kLimits.packet_bytes_max) return;  // dates and small floats grow
  socketio::Packet copy;
  FUZZ_CHECK(socketio::decode_msgpack_packet(wire, kLimits, copy));
  FUZZ_CHECK(copy.type == packet.type && copy.event == packet.event &&
             copy.args.size() == packet.args.size());
  FUZZ_CHECK(encoded(copy) == wire);
}
