// Engine.IO 3: bytes captured from the reference (tests/data/engineio_v3_vectors.json), round trips, limits.
#include "engineio/v3.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "base/random.h"
#include "base/utf8.h"
#include "support/seed.h"

namespace wirehall::engineio {
namespace {

using namespace std::string_literals;
using Step = PayloadReaderV3::Step;

// -- vectors --------------------------------------------------------------------------------------

const Array& vectors(std::string_view group) {
  static const Value file = [] {
    std::ifstream stream(WIREHALL_SOURCE_DIR "/tests/data/engineio_v3_vectors.json", std::ios::binary);
    std::stringstream text;
    text << stream.rdbuf();
    Result<Value> parsed = json::parse(text.str());
    return parsed.ok() ? *std::move(parsed) : Value(Object());
  }();
  static const Array kNone;
  const Value* found = file.find(group);
  EXPECT_TRUE(found != nullptr && !found->as_array().empty()) << group;
  return found == nullptr ? kNone : found->as_array();
}

std::string string_of(const Value& vector, std::string_view key) {
  const std::string* found = vector.find_string(key);
  return found == nullptr ? "(no " + std::string(key) + ")" : *found;
}

bool flag_of(const Value& vector, std::string_view key) {
  const Value* found = vector.find(key);
  return found != nullptr && found->as_bool();
}

std::string to_hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    hex.push_back("0123456789abcdef"[static_cast<unsigned char>(c) >> 4]);
    hex.push_back("0123456789abcdef"[static_cast<unsigned char>(c) & 15]);
  }
  return hex;
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

PayloadKind kind_of(const Value& vector) {
  return string_of(vector, "kind") == "text" ? PayloadKind::kText : PayloadKind::kBinary;
}

// -- what was read, to be looked at ---------------------------------------------------------------

std::string shown(const PacketView& packet) {
  const std::string type = std::to_string(static_cast<int>(packet.type));
  return type + (packet.binary ? "<" + to_hex(packet.data) + ">" : "[" + std::string(packet.data) + "]");
}

std::string shown(const Value& packet) {
  const std::int64_t known = packet.find("type")->as_int();
  const std::string type = std::to_string(known < 0 ? static_cast<int>(PacketType::kNoop) : known);
  const std::string* bytes = packet.find_string("bytes");
  return type + (bytes != nullptr ? "<" + *bytes + ">" : "[" + string_of(packet, "text") + "]");
}

std::string shown_all(const Value& vector) {
  std::string text;
  for (const Value& packet : vector.find("packets")->as_array()) text += shown(packet);
  return text + (flag_of(vector, "error") ? "error" : "");
}

std::string read_all(std::string_view payload, PayloadKind kind, std::uint32_t packets_max = 1024) {
  PayloadReaderV3 reader(payload, kind, packets_max);
  std::string text;
  for (;;) {
    PacketView packet;
    const Step step = reader.next(packet);
    if (step == Step::kPacket) {
      text += shown(packet);
      continue;
    }
    EXPECT_EQ(reader.next(packet), step) << "the end stays";
    return text + (step == Step::kError ? "error" : "");
  }
}

std::string read_text(std::string_view payload, std::uint32_t packets_max = 1024) {
  return read_all(payload, PayloadKind::kText, packets_max);
}

std::string read_binary(std::string_view payload, std::uint32_t packets_max = 1024) {
  return read_all(payload, PayloadKind::kBinary, packets_max);
}

OutPacket text_packet(std::string_view text) { return {FrameRef::copy_of(text), false}; }
OutPacket binary_packet(std::string_view bytes) { return {FrameRef::copy_of(bytes), true}; }

// -- the reference's bytes ------------------------------------------------------------------------

TEST(V3Vectors, PayloadsAreTheReferences) {
  for (const Value& vector : vectors("encode")) {
    std::vector<OutPacket> packets;
    for (const Value& packet : vector.find("packets")->as_array()) {
      const std::string* bytes = packet.find_string("bytes");
      packets.push_back(bytes != nullptr ? binary_packet(from_hex(*bytes))
                                         : text_packet(string_of(packet, "text")));
    }
    const PayloadV3 payload = encode_payload_v3(packets, flag_of(vector, "supports_binary"));
    EXPECT_EQ(to_hex(payload.body), string_of(vector, "body")) << vector.to_json();
    EXPECT_EQ(content_type_of(payload.kind), string_of(vector, "content_type")) << vector.to_json();
  }
}

TEST(V3Vectors, BodiesAreReadAsTheReferenceReadsThem) {
  int stricter = 0;
  for (const Value& vector : vectors("decode")) {
    const std::string read = read_all(from_hex(string_of(vector, "body")), kind_of(vector));
    if (vector.find("stricter") != nullptr) {
      ++stricter;
      EXPECT_EQ(read, "error") << vector.to_json();
    } else {
      EXPECT_EQ(read, shown_all(vector)) << vector.to_json();
    }
  }
  EXPECT_EQ(stricter, 7);
}

TEST(V3Vectors, WhatTheClientSendsIsRead) {
  for (const Value& vector : vectors("client")) {
    EXPECT_EQ(read_all(from_hex(string_of(vector, "body")), kind_of(vector)), shown_all(vector))
        << vector.to_json();
  }
}

TEST(V3Vectors, FramesAreReadAsTheReferenceReadsThem) {
  for (const Value& vector : vectors("text_frames")) {
    const std::string frame = from_hex(string_of(vector, "frame"));
    std::string decoded;
    PacketView packet;
    const bool well_formed = decode_text_v3(frame, decoded, packet);
    EXPECT_EQ(well_formed, !flag_of(vector, "error")) << vector.to_json();
    if (well_formed) {
      EXPECT_EQ(shown(packet), shown(*vector.find("packet")));
    }
  }
  for (const Value& vector : vectors("binary_frames")) {
    const std::string frame = from_hex(string_of(vector, "frame"));
    EXPECT_EQ(shown(decode_binary_v3(frame)), shown(*vector.find("packet"))) << vector.to_json();
  }
}

TEST(V3Vectors, FramesOfBinaryMessagesAreTheReferences) {
  for (const Value& vector : vectors("sent_frames")) {
    const bool supports_binary = flag_of(vector, "supports_binary");
    EXPECT_EQ(flag_of(vector, "binary"), supports_binary);
    EXPECT_EQ(to_hex(encode_binary_v3(from_hex(string_of(vector, "message")), supports_binary)),
              string_of(vector, "payload"));
  }
}

// -- literal bytes --------------------------------------------------------------------------------

TEST(V3Payload, LengthsOfTextAreUtf16Units) {
  const std::vector<OutPacket> packets = {text_packet("4\xe2\x82\xac"), text_packet("4\xf0\x9f\x98\x80")};
  const PayloadV3 payload = encode_payload_v3(packets, true);
  EXPECT_EQ(payload.body,
            "2:4\xe2\x82\xac"
            "3:4\xf0\x9f\x98\x80");
  EXPECT_EQ(payload.kind, PayloadKind::kText);
  EXPECT_EQ(read_text(payload.body), "4[\xe2\x82\xac]4[\xf0\x9f\x98\x80]");
  EXPECT_EQ(read_text("2:4\xf0\x9f\x98\x80"), "error") << "a character is not cut";
  EXPECT_EQ(read_text("4:4\xf0\x9f\x98\x80"), "error") << "one unit too many";
  EXPECT_EQ(read_text("3:4\xf0\x9f\x98\x80"
                      "x"),
            "4[\xf0\x9f\x98\x80]error");
}

TEST(V3Payload, LengthsInABinaryPayloadAreBytes) {
  const std::vector<OutPacket> packets = {text_packet("4\xe2\x82\xac"), binary_packet("\xff\x00"s)};
  const PayloadV3 payload = encode_payload_v3(packets, true);
  EXPECT_EQ(payload.body,
            "\x00\x04\xff"
            "4\xe2\x82\xac"
            "\x01\x03\xff\x04\xff\x00"s);
  EXPECT_EQ(payload.kind, PayloadKind::kBinary);
  EXPECT_EQ(read_binary(payload.body), "4[\xe2\x82\xac]4<ff00>");
}

TEST(V3Payload, LongLengths) {
  for (const std::size_t size : {9u, 10u, 99u, 100u, 999u, 1000u, 70'000u}) {
    const std::string bytes(size - 1, 'x');
    const std::string decimal = std::to_string(size);
    std::string digits = decimal;
    for (char& digit : digits) digit = static_cast<char>(digit - '0');
    const std::vector<OutPacket> text = {text_packet("4" + bytes)};
    EXPECT_EQ(encode_payload_v3(text, true).body, decimal + ":4" + bytes);
    const std::vector<OutPacket> binary = {binary_packet(bytes)};
    EXPECT_EQ(encode_payload_v3(binary, true).body, "\x01" + digits + "\xff\x04" + bytes);
    EXPECT_EQ(read_binary("\x01" + digits + "\xff\x04" + bytes), "4<" + to_hex(bytes) + ">");
    EXPECT_EQ(read_text(decimal + ":4" + bytes), "4[" + bytes + "]");
  }
}

TEST(V3Payload, AMistakeEndsItBehindThePacketsInFront) {
  EXPECT_EQ(read_text("2:4a2:7b2:4c"), "4[a]error");
  EXPECT_EQ(read_text("2:4a3:4b"), "4[a]error");
  EXPECT_EQ(read_binary("\x00\x02\xff"
                        "4a"
                        "\x00\xff"s),
            "4[a]error");
  EXPECT_EQ(read_binary("\x01\x02\xff\x04"
                        "a"
                        "\x01\x03\xff\x04"
                        "b"s),
            "4<61>error")
      << "cut short";
  EXPECT_EQ(read_binary("\x01\x02\xff\x04"
                        "a"
                        "\x01\x0a\xff\x04"
                        "b"s),
            "4<61>error")
      << "no digit";
  EXPECT_EQ(read_binary("\x01\x0a\xff\x04" + std::string(9, 'x')), "error") << "ten is not one digit";
}

TEST(V3Payload, ALengthThatIsOnlyClaimedIsAMistake) {
  for (const char* digits : {"4", "1000000", "18446744073709551615", "18446744073709551616",
                             "18446744073709551618", "99999999999999999999999999999999"}) {
    EXPECT_EQ(read_text(std::string(digits) + ":4a"), "error") << digits;
    std::string bytes = digits;
    for (char& digit : bytes) digit = static_cast<char>(digit - '0');
    EXPECT_EQ(read_binary("\x01" + bytes +
                          "\xff\x04"
                          "a"),
              "error")
        << digits;
    EXPECT_EQ(read_binary("\x00"s + bytes +
                          "\xff"
                          "4a"),
              "error")
        << digits;
  }
  EXPECT_EQ(read_text(std::string(100'000, '0') + "2:4a"), "4[a]");
  EXPECT_EQ(read_text(std::string(100'000, '1')), "error");
  EXPECT_EQ(read_binary("\x01"s + std::string(100'000, '\x01')), "error");
  EXPECT_EQ(read_binary("\x01"s + std::string(100'000, '\xff')), "error");
}

TEST(V3Payload, PacketsAreCounted) {
  std::string text;
  std::string binary;
  for (int i = 0; i < 64; ++i) {
    text += "1:2";
    binary +=
        "\x00\x01\xff"
        "2"s;
  }
  EXPECT_FALSE(read_text(text, 64).ends_with("error"));
  EXPECT_FALSE(read_binary(binary, 64).ends_with("error"));
  EXPECT_TRUE(read_text(text + "1:2", 64).ends_with("2[]error"));
  EXPECT_TRUE(read_binary(binary + "\x00\x01\xff"
                                   "2"s,
                          64)
                  .ends_with("2[]error"));
  EXPECT_TRUE(read_text(text + "0:", 64).ends_with("error")) << "an empty packet counts";
  EXPECT_EQ(read_text("1:2", 0), "error");
  EXPECT_EQ(read_binary("", 0), "");
  EXPECT_EQ(read_text("0:0:0:", 3), "");
  EXPECT_EQ(read_text("0:0:0:", 2), "error");
}

TEST(V3Payload, IllFormedUtf8IsReadWithinBounds) {
  for (const char* text : {"3:4\xf0\x9f", "9:\x80\x80\x80", "1:\x80\x80", "2:4\xff",
                           "1:4\xbf\xbf"
                           "1:2",
                           "0:\x80"})
    read_text(text);
  EXPECT_EQ(read_binary("\x00\x03\xff"
                        "4\xc3\x28"s),
            "error");
  EXPECT_EQ(read_binary("\x01\x03\xff\x04\xc3\x28"s), "4<c328>") << "bytes are bytes";
}

TEST(V3Frames, TheLastPacketOfAReaderLivesUntilTheNextCall) {
  PayloadReaderV3 reader("6:b4AQID10:b4////////4:b4AA", PayloadKind::kText, 8);
  PacketView packet;
  ASSERT_EQ(reader.next(packet), Step::kPacket);
  EXPECT_EQ(to_hex(packet.data), "010203");
  ASSERT_EQ(reader.next(packet), Step::kPacket);
  EXPECT_EQ(to_hex(packet.data), "ffffffffffff");
  ASSERT_EQ(reader.next(packet), Step::kPacket);
  EXPECT_EQ(to_hex(packet.data), "00");
  EXPECT_EQ(reader.next(packet), Step::kDone);
}

// -- properties -----------------------------------------------------------------------------------

std::string random_text(RandomSource& random) {
  std::string text;
  for (auto n = random.below(40); n > 0; --n) {
    constexpr std::uint32_t kStarts[] = {0,      0x20,   0x80,    0x7F0,   0x2020,
                                         0xE000, 0xFFF0, 0x10000, 0x1F600, 0x10FFF0};
    append_code_point(text, kStarts[random.below(10)] + static_cast<std::uint32_t>(random.below(16)));
  }
  return text;
}

struct RandomPackets {
  std::vector<OutPacket> packets;
  std::vector<std::string> shown;
};

RandomPackets random_packets(RandomSource& random) {
  RandomPackets made;
  for (auto n = 1 + random.below(6); n > 0; --n) {
    if (random.below(3) == 0) {
      std::string bytes(random.below(50), '\0');
      random.fill(bytes);
      made.packets.push_back(binary_packet(bytes));
      made.shown.push_back("4<" + to_hex(bytes) + ">");
    } else {
      const std::string type = std::to_string(random.below(7));
      const std::string text = random_text(random);
      made.packets.push_back(text_packet(type + text));
      made.shown.push_back(type + "[" + text + "]");
    }
  }
  return made;
}

TEST(V3Properties, WhatIsWrittenIsReadAgain) {
  SeededRandom random(test::seed());
  for (int i = 0; i < 2000; ++i) {
    const RandomPackets made = random_packets(random);
    std::string expected;
    for (const std::string& packet : made.shown) expected += packet;
    for (const bool supports_binary : {true, false}) {
      const PayloadV3 payload = encode_payload_v3(made.packets, supports_binary);
      ASSERT_EQ(read_all(payload.body, payload.kind), expected);
      ASSERT_TRUE(payload.kind == PayloadKind::kBinary || is_valid_utf8(payload.body));
    }
  }
}

// A strict prefix gives packets from the front of the whole, and ends well only where a packet ends.
TEST(V3Properties, EveryStrictPrefixGivesFewerPackets) {
  SeededRandom random(test::seed());
  for (int i = 0; i < 100; ++i) {
    const RandomPackets made = random_packets(random);
    const PayloadV3 payload = encode_payload_v3(made.packets, i % 2 == 0);
    std::vector<std::string> fronts = {""};
    for (const std::string& packet : made.shown) fronts.push_back(fronts.back() + packet);
    std::size_t ends = 0;
    for (std::size_t size = 0; size < payload.body.size(); ++size) {
      const std::string_view prefix = std::string_view(payload.body).substr(0, size);
      if (payload.kind == PayloadKind::kText && !is_valid_utf8(prefix)) continue;
      std::string read = read_all(prefix, payload.kind);
      const bool error = read.ends_with("error");
      if (error) read.resize(read.size() - 5);
      ASSERT_NE(std::find(fronts.begin(), fronts.end() - 1, read), fronts.end() - 1) << size << " " << read;
      ends += error ? 0 : 1;
    }
    EXPECT_EQ(ends, made.packets.size() - (payload.kind == PayloadKind::kText ? 1 : 0));
  }
}

}  // namespace
}  // namespace wirehall::engineio
