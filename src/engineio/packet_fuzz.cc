// Payloads: packets up to the bound or a refusal; what was read can be written and read again.
#include "engineio/packet.h"

#include "engineio/handshake.h"
#include "support/fuzz.h"

using namespace wirehall;

FUZZ_TARGET(engineio_packet) {
  engineio::PayloadReader reader(in.rest(), 64);
  std::vector<engineio::OutPacket> packets;
  std::string read;
  for (;;) {
    engineio::PacketView packet;
    const auto step = reader.next(packet);
    if (step == engineio::PayloadReader::Step::kError) return;
    if (step == engineio::PayloadReader::Step::kDone) break;
    std::string bytes = packet.binary ? std::string(packet.data) : std::to_string(static_cast<int>(packet.type)) + std::string(packet.data);
    read += (packet.binary ? "b" : "t") + bytes;
    packets.push_back({FrameRef::copy_of(bytes), packet.binary});
  }
  FUZZ_CHECK(packets.size() <= 64);
  const std::string written = engineio::encode_payload(packets);
  engineio::PayloadReader second(written, 64);
  std::string again;
  for (;;) {
    engineio::PacketView packet;
    const auto step = second.next(packet);
    FUZZ_CHECK(step != engineio::PayloadReader::Step::kError);
    if (step == engineio::PayloadReader::Step::kDone) break;
    again += packet.binary ? "b" + std::string(packet.data) : "t" + std::to_string(static_cast<int>(packet.type)) + std::string(packet.data);
  }
  FUZZ_CHECK(again == read);
  const auto parameters = engineio::read_parameters(in.rest());
  FUZZ_CHECK(parameters.protocol == 3 || parameters.protocol == 4);
}
