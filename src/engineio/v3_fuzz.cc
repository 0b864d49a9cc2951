// Engine.IO 3 bodies, frames and forms: packets up to the bound or a refusal; what was read can be written
// and read again, as text and as binary; what goes through JSONP comes out of it.
#include "engineio/v3.h"

#include "base/json.h"
#include "base/utf8.h"
#include "engineio/jsonp.h"
#include "support/fuzz.h"

using namespace wirehall;

namespace {

constexpr std::uint32_t kPacketsMax = 64;

struct Read {
  bool refused = false;
  std::vector<engineio::OutPacket> packets;
  std::string seen;
};

Read read(std::string_view body, engineio::PayloadKind kind) {
  Read result;
  engineio::PayloadReaderV3 reader(body, kind, kPacketsMax);
  std::uint32_t count = 0;
  for (;;) {
    engineio::PacketView packet;
    const auto step = reader.next(packet);
    if (step != engineio::PayloadReaderV3::Step::kPacket) {
      result.refused = step == engineio::PayloadReaderV3::Step::kError;
      FUZZ_CHECK(reader.next(packet) == step);
      return result;
    }
    FUZZ_CHECK(++count <= kPacketsMax);
    FUZZ_CHECK(packet.data.size() <= body.size());
    FUZZ_CHECK(packet.type <= engineio::PacketType::kNoop);
    if (packet.binary && packet.type != engineio::PacketType::kMessage) continue;  // cannot be sent
    const std::string type = packet.binary ? "" : std::to_string(static_cast<int>(packet.type));
    const std::string bytes = type + std::string(packet.data);
    result.packets.push_back({FrameRef::copy_of(bytes), packet.binary});
    result.seen += (packet.binary ? "b" : "t") + std::to_string(bytes.size()) + ":" + bytes;
  }
}

void check_body(std::string_view body, engineio::PayloadKind kind) {
  const Read first = read(body, kind);
  // The caller has refused ill-formed text.
  if (kind == engineio::PayloadKind::kText && !is_valid_utf8(body)) return;
  for (const bool supports_binary : {true, false}) {
    const engineio::PayloadV3 written = engineio::encode_payload_v3(first.packets, supports_binary);
    const bool text = written.kind == engineio::PayloadKind::kText;
    FUZZ_CHECK(!text || is_valid_utf8(written.body));
    FUZZ_CHECK(text || supports_binary);
    const Read second = read(written.body, written.kind);
    FUZZ_CHECK(!second.refused && second.seen == first.seen);
  }
}

void check_frame(std::string_view frame) {
  std::string decoded;
  engineio::PacketView packet;
  if (engineio::decode_text_v3(frame, decoded, packet)) FUZZ_CHECK(packet.data.size() <= frame.size());
  const engineio::PacketView binary = engineio::decode_binary_v3(frame);
  FUZZ_CHECK(binary.binary && binary.data.size() <= frame.size());
  const std::string bytes = engineio::encode_binary_v3(frame, true);
  FUZZ_CHECK(engineio::decode_binary_v3(bytes).data == frame);
  const std::string text = engineio::encode_binary_v3(frame, false);
  FUZZ_CHECK(engineio::decode_text_v3(text, decoded, packet));
  FUZZ_CHECK(packet.binary && packet.type == engineio::PacketType::kMessage && packet.data == frame);
}

void check_jsonp(std::string_view bytes) {
  if (const auto payload = engineio::jsonp_body(bytes)) FUZZ_CHECK(is_valid_utf8(*payload));
  const std::string script = engineio::jsonp_response(bytes.substr(0, 8), bytes);
  const std::size_t open = script.find('(');
  FUZZ_CHECK(script.starts_with("___eio[") && script.ends_with("\");") && open != std::string::npos);
  FUZZ_CHECK(script.find_first_not_of("0123456789", 7) == open - 1);
  FUZZ_CHECK(script.find("\xe2\x80\xa8") == std::string::npos);
  FUZZ_CHECK(script.find("\xe2\x80\xa9") == std::string::npos);
  const auto value = json::parse(std::string_view(script).substr(open + 1, script.size() - open - 3));
  FUZZ_CHECK(value.ok() && value->is_string());
  FUZZ_CHECK(!is_valid_utf8(bytes) || value->as_string() == bytes);
}

}  // namespace

FUZZ_TARGET(engineio_v3) {
  switch (in.byte() % 4) {
    case 0: return check_body(in.rest(), engineio::PayloadKind::kText);
    case 1: return check_body(in.rest(), engineio::PayloadKind::kBinary);
    case 2: return check_frame(in.rest());
    default: return check_jsonp(in.rest());
  }
}
