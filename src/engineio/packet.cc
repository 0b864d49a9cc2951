#include "engineio/packet.h"

#include <algorithm>

#include "base/base64.h"
#include "base/json.h"

namespace wirehall::engineio {

std::string_view transport_name(Transport transport) {
  return transport == Transport::kPolling ? "polling" : "websocket";
}

bool decode_text(std::string_view text, PacketView& out) {
  if (text.empty() || text[0] < '0' || text[0] > '6') return false;
  out.type = static_cast<PacketType>(text[0] - '0');
  out.binary = false;
  out.data = text.substr(1);
  return true;
}

bool decode_text_frame(std::string_view text, std::string& storage, PacketView& out) {
  if (text.empty() || text[0] != 'b') return decode_text(text, out);
  storage = from_base64_lenient(text.substr(1));
  out = {PacketType::kMessage, true, storage};
  return true;
}

PayloadReader::Step PayloadReader::next(PacketView& out) {
  if (done_) return Step::kDone;
  const std::size_t end = rest_.find(kRecordSeparator);
  const std::string_view packet = rest_.substr(0, end);
  done_ = end == std::string_view::npos;
  if (!done_) rest_.remove_prefix(end + 1);
  if (packets_left_ == 0) return Step::kError;
  --packets_left_;
  return decode_text_frame(packet, decoded_, out) ? Step::kPacket : Step::kError;
}

std::string encode_payload(std::span<const OutPacket> packets) {
  std::size_t size = 0;
  for (const OutPacket& packet : packets)
    size += packet.binary ? packet.bytes.view().size() * 4 / 3 + 6 : packet.bytes.view().size() + 1;
  std::string payload;
  payload.reserve(size);
  bool first = true;
  for (const OutPacket& packet : packets) {
    if (!first) payload.push_back(kRecordSeparator);
    first = false;
    if (packet.binary) {
      payload.push_back('b');
      append_base64(payload, packet.bytes.view());
    } else {
      payload.append(packet.bytes.view());
    }
  }
  return payload;
}

std::string encode_open(const OpenFields& fields) {
  std::string text;
  text.reserve(128 + fields.sid.size());  // more than its names and numbers have
  text.append(R"(0{"sid":")");
  text.append(fields.sid)
      .append(R"(","upgrades":[)")
      .append(fields.websocket_upgrade ? R"("websocket")" : "");
  text.append(R"(],"pingInterval":)");
  json::append_number(text, fields.ping_interval_ms);
  text.append(R"(,"pingTimeout":)");
  json::append_number(text, fields.ping_timeout_ms);
  text.append(R"(,"maxPayload":)");
  json::append_number(text, static_cast<std::int64_t>(fields.max_payload));
  text.push_back('}');
  return text;
}

std::optional<ReceivedOpen> decode_open(std::string_view data) {
  const Result<Value> parsed = json::parse(data);
  if (!parsed.ok() || !parsed->is_object()) return std::nullopt;
  constexpr std::int64_t kDayMs = 86'400'000;
  const auto number = [&](std::string_view name, std::int64_t most) -> std::optional<std::int64_t> {
    const Value* value = parsed->find(name);
    const auto exact = value == nullptr ? std::nullopt : exact_integer(*value);
    return exact && *exact > 0 && *exact <= most ? exact : std::nullopt;
  };
  ReceivedOpen open;
  const std::string* sid = parsed->find_string("sid");
  const auto interval = number("pingInterval", kDayMs);
  const auto timeout = number("pingTimeout", kDayMs);
  if (sid == nullptr || sid->empty() || !interval || !timeout) return std::nullopt;
  open.sid = *sid;
  open.ping_interval_ms = *interval;
  open.ping_timeout_ms = *timeout;
  open.max_payload = static_cast<std::uint64_t>(number("maxPayload", std::int64_t{1} << 40).value_or(0));
  const Value* upgrades = parsed->find("upgrades");
  if (upgrades != nullptr && upgrades->is_array()) {
    for (const Value& name : upgrades->as_array())
      open.websocket_upgrade |= name.is_string() && name.as_string() == "websocket";
  }
  return open;
}

}  // namespace wirehall::engineio
