// The vectors that npm's parser is held to as well (tests/conformance/msgpack_parser_test.mjs), the limits,
// and the properties of the MessagePack form of packets.
#include "socketio/msgpack_packet.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/base64.h"
#include "base/random.h"
#include "support/seed.h"

namespace wirehall::socketio {
namespace {

const DecoderLimits kLimits;

std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kDigits[c & 15]);
  }
  return out;
}
std::string bytes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return out;
}

/// What stands for what JSON lacks: `$undefined`, `$binary` and `$number`.
Value revived(const Value& value) {
  if (value.is_array()) {
    Array array;
    for (const Value& element : value.as_array()) array.push_back(revived(element));
    return array;
  }
  if (!value.is_object()) return value;
  if (value.find("$undefined") != nullptr) return nullptr;
  if (const std::string* text = value.find_string("$number")) return std::strtod(text->c_str(), nullptr);
  if (const std::string* text = value.find_string("$binary")) return Bytes{from_base64(*text).value()};
  Object object;
  for (const Member& member : value.as_object()) object.append(member.key, revived(member.value));
  return object;
}

/// One list of tests/data/msgpack_vectors.json.
Array vectors(const char* list) {
  static const Value kFile = [] {
    std::ifstream stream(WIREHALL_SOURCE_DIR "/tests/data/msgpack_vectors.json");
    std::stringstream text;
    text << stream.rdbuf();
    return Value::from_json(text.str()).value();
  }();
  Array array = kFile.find(list)->as_array();
  EXPECT_FALSE(array.empty()) << list;
  return array;
}
std::string text_of(const Value& vector, const char* key) { return vector.find(key)->as_string(); }

std::string show(const Packet& packet) {
  std::string text = std::to_string(static_cast<int>(packet.type)) + " " + packet.nsp;
  if (packet.id) text += " #" + std::to_string(*packet.id);
  if (packet.type == PacketType::kEvent) text += " " + packet.event;
  for (const Value& arg : packet.args) text += " " + arg.to_json();
  return text + packet.auth;
}
/// The same of a vector's packet.
std::string show(const Value& packet) {
  const auto type = static_cast<PacketType>(packet.find("type")->as_int());
  std::string text = std::to_string(static_cast<int>(type)) + " " + *packet.find_string("nsp");
  if (const Value* id = packet.find("id")) text += " #" + std::to_string(id->as_int());
  const Value* data = packet.find("data");
  if (data == nullptr || type == PacketType::kConnectError) return text;
  if (type == PacketType::kConnect) return text + revived(*data).to_json();
  bool name = type == PacketType::kEvent;
  for (const Value& element : data->as_array()) {
    text += " " + (name && element.is_string() ? element.as_string() : revived(element).to_json());
    name = false;
  }
  return text;
}

std::string decoded(std::string_view wire, const DecoderLimits& limits = kLimits) {
  Packet packet;
  return decode_msgpack_packet(wire, limits, packet) ? show(packet) : "error";
}

std::string encoded(const Value& packet) {
  const std::string nsp = *packet.find_string("nsp");
  const Value data = packet.find("data") == nullptr ? Value() : revived(*packet.find("data"));
  std::optional<std::uint64_t> id;
  if (const Value* number = packet.find("id")) id = static_cast<std::uint64_t>(number->as_int());
  std::string out = "before";
  switch (static_cast<PacketType>(packet.find("type")->as_int())) {
    case PacketType::kConnect: {
      const std::string* pid = data.find_string("pid");
      encode_msgpack_connect(out, nsp, *data.find_string("sid"), pid == nullptr ? "" : *pid);
      break;
    }
    case PacketType::kDisconnect: encode_msgpack_disconnect(out, nsp); break;
    case PacketType::kEvent:
      encode_msgpack_event(out, nsp, id, data.as_array()[0].as_string(),
                           std::span<const Value>(data.as_array()).subspan(1));
      break;
    case PacketType::kAck: encode_msgpack_ack(out, nsp, *id, data.as_array()); break;
    default: {
      const Value* inner = data.find("data");
      const bool given = inner != nullptr && !inner->is_null();
      encode_msgpack_connect_error(out, nsp, *data.find_string("message"), given ? inner : nullptr);
    }
  }
  EXPECT_TRUE(out.starts_with("before")) << "the encoders append";
  return hex(std::string_view(out).substr(6));
}

/// The bytes of a value in its place in a packet.
std::string encoded_value(const Value& value) {
  std::string out;
  encode_msgpack_ack(out, "/", 0, std::vector<Value>{value});
  const std::string before = bytes("84a2696400a47479706503a46461746191"), after = bytes("a36e7370a12f");
  EXPECT_TRUE(out.starts_with(before) && out.ends_with(after));
  return out.substr(before.size(), out.size() - before.size() - after.size());
}

/// A packet in "/" whose `data` is the given bytes.
std::string packet_of(int type, std::string_view data) {
  std::string out = bytes("83a474797065");
  out.push_back(static_cast<char>(type));
  return out.append(bytes("a464617461")).append(data).append(bytes("a36e7370a12f"));
}

TEST(MsgpackEncode, BytesOfTheReference) {
  for (const Value& vector : vectors("server"))
    EXPECT_EQ(encoded(*vector.find("packet")), text_of(vector, "hex")) << text_of(vector, "name");
}

TEST(MsgpackEncode, ValuesInTheWidthsOfTheReference) {
  for (const char* list : {"values", "larger"}) {
    for (const Value& vector : vectors(list)) {
      const Value& value = *vector.find("value");
      EXPECT_EQ(hex(encoded_value(revived(value))), text_of(vector, "hex")) << value.to_json();
    }
  }
  EXPECT_EQ(hex(encoded_value(-std::strtod("nan", nullptr))), "cb7ff8000000000000") << "there is one NaN";
  EXPECT_EQ(hex(encoded_value(Value::from_validated_json("{\"a\":[-0.0]}"))), "81a1619100");
  EXPECT_EQ(hex(encoded_value("a\xff")), "a461efbfbd") << "as all that is sent, UTF-8";
}

TEST(MsgpackEncode, LongValuesBeginAsTheReferences) {
  for (const Value& vector : vectors("sizes")) {
    const std::string kind = text_of(vector, "kind");
    const auto size = static_cast<std::size_t>(vector.find("size")->as_int());
    Value value = Array(size);
    if (kind == "text") value = std::string(size, 'x');
    if (kind == "bytes") value = Bytes{std::string(size, '\0')};
    if (kind == "object") {
      Object object;
      for (std::size_t i = 0; i < size; ++i) object.append("k" + std::to_string(i), 0);
      value = std::move(object);
    }
    const std::string head = bytes(text_of(vector, "head"));
    const std::string wire = encoded_value(value);
    EXPECT_EQ(hex(wire.substr(0, head.size())), hex(head)) << kind << " " << size;
    if (kind == "object") continue;
    EXPECT_EQ(wire.size(), head.size() + size) << kind << " " << size;
  }
}

TEST(MsgpackDecode, WhatTheReferenceSendsAndTakes) {
  for (const char* list : {"server", "client", "both", "looser"}) {
    for (const Value& vector : vectors(list)) {
      EXPECT_EQ(decoded(bytes(text_of(vector, "hex"))), show(*vector.find("packet")))
          << list << ": " << text_of(vector, "name");
    }
  }
}

TEST(MsgpackDecode, WhatIsMalformedIsRefused) {
  for (const char* list : {"refused", "stricter"}) {
    for (const Value& vector : vectors(list))
      EXPECT_EQ(decoded(bytes(text_of(vector, "hex"))), "error") << list << ": " << text_of(vector, "name");
  }
}

TEST(MsgpackDecode, EveryStrictPrefixIsRefused) {
  for (const char* list : {"server", "client", "both"}) {
    for (const Value& vector : vectors(list)) {
      const std::string wire = bytes(text_of(vector, "hex"));
      for (std::size_t i = 0; i < wire.size(); ++i)
        EXPECT_EQ(decoded(wire.substr(0, i)), "error") << text_of(vector, "name") << " " << i;
    }
  }
}

TEST(MsgpackDecode, KeepsTypesThatTextWouldShowAlike) {
  Packet packet;
  const std::string wire = packet_of(3, bytes("9501a131c40131c7010031cb3ff8000000000000"));
  ASSERT_TRUE(decode_msgpack_packet(wire, kLimits, packet));
  EXPECT_EQ(packet.args, (std::vector<Value>{1, "1", Bytes{"1"}, Bytes{"1"}, 1.5}));
}

TEST(MsgpackDecode, LimitsAtTheirBorders) {
  const auto event = [](std::string name, std::vector<Value> args, std::string nsp = "/") {
    std::string out;
    encode_msgpack_event(out, nsp, {}, name, args);
    return out;
  };
  EXPECT_EQ(decoded(event(std::string(128, 'e'), {})), "2 / " + std::string(128, 'e'));
  EXPECT_EQ(decoded(event(std::string(129, 'e'), {})), "error");
  EXPECT_EQ(decoded(event("e", {}, "/" + std::string(254, 'n'))).substr(0, 3), "2 /");
  EXPECT_EQ(decoded(event("e", {}, "/" + std::string(255, 'n'))), "error");
  EXPECT_EQ(decoded(event("e", std::vector<Value>(10, Bytes{"b"}))).substr(0, 5), "2 / e");
  EXPECT_EQ(decoded(event("e", std::vector<Value>(11, Bytes{"b"}))), "error");
  EXPECT_EQ(decoded(event("e", {Array(6, Bytes{"b"}), Value{{"k", Array(5, Bytes{"b"})}}})), "error");
  const auto buffers = [](std::size_t count) {
    std::string data = {static_cast<char>(0x91 + count), '\xa1', 'e'};
    for (std::size_t i = 0; i < count; ++i) data.append(bytes("c7010062"));
    return packet_of(2, data);
  };
  EXPECT_EQ(decoded(buffers(10)).substr(0, 5), "2 / e");
  EXPECT_EQ(decoded(buffers(11)), "error");

  DecoderLimits small;
  const std::string wire = event("e", {std::string(50, 'x')});
  small.packet_bytes_max = wire.size();
  EXPECT_NE(decoded(wire, small), "error");
  small.packet_bytes_max = wire.size() - 1;
  EXPECT_EQ(decoded(wire, small), "error");
}

TEST(MsgpackDecode, DepthIsThatOfTheText) {
  const auto event = [](std::size_t depth) {
    return packet_of(2, bytes("92a165") + std::string(depth, '\x91') + "\x01");
  };
  EXPECT_NE(decoded(event(31)), "error");
  EXPECT_EQ(decoded(event(32)), "error");
  EXPECT_EQ(decoded(event(500'000)), "error");
  const auto auth = [](std::size_t depth, const char* innermost) {
    return packet_of(0, bytes("81a161") + std::string(depth, '\x91') + bytes(innermost));
  };
  EXPECT_NE(decoded(auth(31, "01")), "error");
  EXPECT_EQ(decoded(auth(32, "01")), "error");
  EXPECT_NE(decoded(auth(30, "c40162")), "error");
  EXPECT_EQ(decoded(auth(31, "c40162")), "error") << "as text, bytes are an object";
}

TEST(MsgpackDecode, CountsThatLieCostNothing) {
  for (const char* data : {"ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff", "c9ffffffff00", "9fa165",
                           "dcffffa165", "92a165df7fffffff"}) {
    EXPECT_EQ(decoded(packet_of(2, bytes(data))), "error") << data;
  }
  EXPECT_EQ(decoded(bytes("dfffffffff")), "error");
}

Value random_value(SeededRandom& random, int depth) {
  switch (random.below(depth > 3 ? 6 : 8)) {
    case 0: return nullptr;
    case 1: return random.below(2) == 0;
    case 2: return static_cast<std::int64_t>(random.below(1'000'000)) - 500'000;
    case 3: return static_cast<double>(random.below(1'000'000)) + 0.5;
    case 4: return std::string(random.below(300), 's');
    case 5: return Bytes{std::string(random.below(20), 'b')};
    case 6: {
      Array array;
      for (auto n = random.below(3); n > 0; --n) array.push_back(random_value(random, depth + 1));
      return array;
    }
    default: {
      Object object;
      for (auto n = random.below(3); n > 0; --n)
        object.set("k" + std::to_string(n), random_value(random, depth + 1));
      return object;
    }
  }
}

TEST(MsgpackProperty, WhatIsEncodedDecodesToItself) {
  SeededRandom random(test::seed());
  DecoderLimits limits;
  limits.attachments_max = 1000;
  for (int round = 0; round < 1000; ++round) {
    std::vector<Value> args;
    for (auto n = random.below(4); n > 0; --n) args.push_back(random_value(random, 0));
    const std::optional<std::uint64_t> id =
        random.below(2) == 0 ? std::optional<std::uint64_t>(random.below(1'000'000)) : std::nullopt;
    const std::string_view nsp = random.below(2) == 0 ? "/" : "/ns";
    std::string event, ack;
    encode_msgpack_event(event, nsp, id, "event", args);
    encode_msgpack_ack(ack, nsp, id.value_or(0), args);
    Packet packet;
    ASSERT_TRUE(decode_msgpack_packet(event, limits, packet)) << hex(event);
    EXPECT_EQ(packet.type, PacketType::kEvent);
    EXPECT_EQ(packet.nsp, nsp);
    EXPECT_EQ(packet.id, id);
    EXPECT_EQ(packet.event, "event");
    EXPECT_EQ(packet.args, args);
    ASSERT_TRUE(decode_msgpack_packet(ack, limits, packet)) << hex(ack);
    EXPECT_EQ(packet.type, PacketType::kAck);
    EXPECT_EQ(packet.id, id.value_or(0));
    EXPECT_EQ(packet.event, "") << "nothing of the packet before";
    EXPECT_EQ(packet.args, args);
  }
}

}  // namespace
}  // namespace wirehall::socketio
