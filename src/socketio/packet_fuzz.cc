// A sequence of text and binary inputs: packets whose attachments are complete, an error that is final.
#include "socketio/packet.h"

#include "base/utf8.h"
#include "support/fuzz.h"

using namespace wirehall;

FUZZ_TARGET(socketio_packet) {
  static const socketio::DecoderLimits kLimits;
  socketio::PacketDecoder decoder(kLimits);
  bool failed = false;
  while (!in.rest().empty()) {
    const std::uint8_t control = in.byte();
    const std::string input = in.take(1 + control / 2);
    const bool binary = (control & 1) != 0;
    if (!binary && !is_valid_utf8(input)) continue;
    socketio::Packet packet;
    const auto step = binary ? decoder.feed_binary(input, packet) : decoder.feed_text(input, MonoTime(), packet);
    FUZZ_CHECK(!failed || step == socketio::PacketDecoder::Step::kError);
    failed = step == socketio::PacketDecoder::Step::kError;
    if (step != socketio::PacketDecoder::Step::kPacket) continue;
    FUZZ_CHECK(packet.event.size() <= kLimits.event_name_bytes_max && packet.nsp.size() <= kLimits.namespace_bytes_max);
    if (packet.type != socketio::PacketType::kEvent) continue;
    FUZZ_CHECK(!socketio::is_reserved_event(packet.event));
    // What was received can be sent on, and is received the same.
    socketio::EncodedPacket wire;
    socketio::encode_event(wire, packet.nsp, packet.id, packet.event, packet.args);
    if (wire.attachments.size() > kLimits.attachments_max) continue;
    socketio::PacketDecoder other(kLimits);
    socketio::Packet copy;
    auto again = other.feed_text(wire.text, MonoTime(), copy);
    for (const auto bytes : wire.attachments) {
      FUZZ_CHECK(again == socketio::PacketDecoder::Step::kNeedMore);
      again = other.feed_binary(bytes, copy);
    }
    FUZZ_CHECK(again == socketio::PacketDecoder::Step::kPacket);
    FUZZ_CHECK(copy.event == packet.event && copy.id == packet.id && copy.args.size() == packet.args.size());
  }
}
