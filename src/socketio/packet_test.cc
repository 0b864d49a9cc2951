// Vectors of the Socket.IO protocol v5 and the strictness rows of RELIABILITY 1.4 and 3.4.
#include "socketio/packet.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "support/seed.h"

namespace wirehall::socketio {
namespace {

const DecoderLimits kLimits;

std::string show(const Packet& packet) {
  std::string text = std::to_string(static_cast<int>(packet.type)) + " " + packet.nsp;
  if (packet.id) text += " #" + std::to_string(*packet.id);
  if (!packet.event.empty()) text += " " + packet.event;
  for (const Value& arg : packet.args) text += " " + arg.to_json();
  return text + packet.auth;
}

/// What a sequence of inputs gives; inputs that begin with "b:" are binary.
std::string decoded(std::initializer_list<std::string> inputs) {
  PacketDecoder decoder(kLimits);
  std::string text;
  for (const std::string& input : inputs) {
    Packet packet;
    const auto step = input.starts_with("b:") ? decoder.feed_binary(std::string_view(input).substr(2), packet)
                                              : decoder.feed_text(input, MonoTime(), packet);
    text += step == PacketDecoder::Step::kPacket  ? "(" + show(packet) + ")"
            : step == PacketDecoder::Step::kError ? "error"
                                                  : "…";
  }
  return text;
}

TEST(Decode, VectorsOfTheProtocol) {
  const std::pair<const char*, const char*> cases[] = {
      {"0", "(0 /)"},
      {R"(0{"token":"123"})", R"((0 /{"token":"123"}))"},
      {"0/admin,", "(0 /admin)"},
      {"0/random", "(0 /random)"},
      {R"(0/admin,{"a":1})", R"((0 /admin{"a":1}))"},
      {R"(2["foo",1])", "(2 / foo 1)"},
      {R"(2/admin,13["foo"])", "(2 /admin #13 foo)"},
      {R"(3/admin,13["bar"])", R"((3 /admin #13 "bar"))"},
      {"30[]", "(3 / #0)"},
      {"1", "(1 /)"},
      {"1/admin,", "(1 /admin)"},
      {"1/admin", "(1 /admin)"},
      {R"(2[1,"x"])", R"((2 / 1 "x"))"},
      {R"(2[1.50])", "(2 / 1.5)"},
      {R"(2["\u0066oo" , { "a" : 1 } ])", R"((2 / foo { "a" : 1 }))"},
      {R"(2/a?q=1,["x"])", "(2 /a?q=1 x)"},
      {R"(2[""])", "(2 /)"}};
  for (const auto& [wire, expected] : cases) EXPECT_EQ(decoded({wire}), expected) << wire;
}

TEST(Decode, Attachments) {
  EXPECT_EQ(decoded({R"(52-/admin,7["e",{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}])",
                     "b:\x01", "b:\x02"}),
            R"(……(2 /admin #7 e {"$binary":"AQ=="} {"x":{"$binary":"Ag=="}}))");
  EXPECT_EQ(decoded({R"(61-15["bar",{"_placeholder":true,"num":0}])", "b:a"}),
            R"(…(3 / #15 "bar" {"$binary":"YQ=="}))");
  EXPECT_EQ(decoded({R"(51-["e",{"num":0,"_placeholder":true}])", "b:a", R"(2["next"])"}),
            R"(…(2 / e {"$binary":"YQ=="})(2 / next))");
  EXPECT_EQ(decoded({R"(51-["x"])", "b:unused"}), "…(2 / x)") << "as the reference";
}

TEST(Decode, WhatIsMalformedEndsTheConnection) {
  for (const char* wire : {"",
                           "7",
                           "9[]",
                           "a",
                           "2",
                           "2{}",
                           "2[]",
                           "2[null]",
                           "2[{}]",
                           "2[[]]",
                           "2[true]",
                           "2[",
                           "2[\"a\"",
                           "2[\"a\"]x",
                           "2 [\"a\"]x",
                           "3",
                           "3{}",
                           "30",
                           "30{}",
                           "0\"x\"",
                           "0[]",
                           "0null",
                           "0{",
                           "0{}x",
                           "1[]",
                           "1{}",
                           "5",
                           "5-[\"x\"]",
                           "51",
                           "51[\"x\"]",
                           "5x-[\"x\"]",
                           "50-[\"x\"]",
                           "5999-[\"x\"]",
                           "511-[\"x\"]",
                           "51.5-[\"x\"]",
                           "5-1-[\"x\"]",
                           "5+1-[\"x\"]",
                           "2[\"connect\"]",
                           "2[\"connect_error\"]",
                           "2[\"disconnect\"]",
                           "2[\"disconnecting\"]",
                           "2[\"newListener\"]",
                           "2[\"removeListener\"]",
                           "2[\"d\\u0069sconnect\"]",
                           "212345678901234567[\"x\"]",
                           "29007199254740992[\"x\"]"}) {
    EXPECT_EQ(decoded({wire}), "error") << wire;
  }
  for (const char* placeholder : {"\"splice\"", "-1", "0.5", "1e9", "null", "{}", "99", "1"}) {
    EXPECT_EQ(decoded({std::string(R"(51-["x",{"_placeholder":true,"num":)") + placeholder + "}]", "b:a"}),
              "…error")
        << placeholder;
  }
  EXPECT_EQ(
      decoded({R"(52-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}])", "b:a", "b:b"}),
      "……error")
      << "used twice";
  EXPECT_EQ(decoded({R"(51-["x",{"_placeholder":true}])", "b:a"}), "…error");
  EXPECT_EQ(decoded({"b:a"}), "error") << "binary with none expected";
  EXPECT_EQ(decoded({R"(51-["x",{"_placeholder":true,"num":0}])", R"(2["y"])"}), "…error")
      << "text inside reassembly";
  EXPECT_EQ(decoded({"9", R"(2["y"])"}), "errorerror") << "an error is final";
  EXPECT_EQ(decoded({R"(51-["x",{"_placeholder":1,"num":0}])", "b:a"}),
            R"(…(2 / x {"_placeholder":1,"num":0}))")
      << "only `true` marks";
}

TEST(Decode, LimitsAtTheirBorders) {
  EXPECT_EQ(decoded({"2[\"" + std::string(128, 'e') + "\"]"}).substr(0, 2), "(2");
  EXPECT_EQ(decoded({"2[\"" + std::string(129, 'e') + "\"]"}), "error");
  EXPECT_EQ(decoded({"0/" + std::string(254, 'n') + ","}).substr(0, 2), "(0");
  EXPECT_EQ(decoded({"0/" + std::string(255, 'n') + ","}), "error");
  EXPECT_EQ(decoded({"29007199254740991[\"x\"]"}), "(2 / #9007199254740991 x)");
  const auto nested = [](int depth) {
    return "2[\"x\"," + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "]";
  };
  EXPECT_EQ(decoded({nested(31)}).substr(0, 2), "(2");
  EXPECT_EQ(decoded({nested(32)}), "error");
  EXPECT_EQ(decoded({"2[\"x\"," + std::string(500'000, '[')}), "error");
  EXPECT_EQ(decoded({std::string(R"(52-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])"),
                     "b:" + std::string(600'000, 'a'), "b:" + std::string(600'000, 'a')}),
            "……error");
  EXPECT_EQ(decoded({"5" + std::string(999'000, '9') + "-"}), "error");
}

TEST(Decode, MissingAttachmentsHaveADeadline) {
  PacketDecoder decoder(kLimits);
  Packet packet;
  EXPECT_EQ(decoder.next_deadline(), kNever);
  decoder.feed_text(R"(51-["x",{"_placeholder":true,"num":0}])", MonoTime(), packet);
  EXPECT_EQ(decoder.next_deadline(), MonoTime(std::chrono::seconds(30)));
  decoder.reset();
  EXPECT_EQ(decoder.next_deadline(), kNever);
}

std::string encoded(std::string_view nsp, std::optional<std::uint64_t> id, std::string_view event,
                    std::vector<Value> args) {
  EncodedPacket out;
  encode_event(out, nsp, id, event, args);
  for (const auto attachment : out.attachments) out.text += "|" + std::string(attachment);
  return out.text;
}

TEST(Encode, BytesOfTheReference) {
  EXPECT_EQ(encoded("/", {}, "foo", {1, "b"}), R"(2["foo",1,"b"])");
  EXPECT_EQ(encoded("/admin", 13, "foo", {}), R"(2/admin,13["foo"])");
  EXPECT_EQ(encoded("/", {}, "e", {Bytes{"B"}, Value{{"x", Bytes{"C"}}}}),
            R"(52-["e",{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}]|B|C)");
  EncodedPacket ack;
  encode_ack(ack, "/admin", 7, std::vector<Value>{true, nullptr});
  EXPECT_EQ(ack.text, "3/admin,7[true,null]");
  ack.clear();
  encode_ack(ack, "/", 0, std::vector<Value>{Bytes{"x"}});
  EXPECT_EQ(ack.text, R"(61-0[{"_placeholder":true,"num":0}])");
  std::string text;
  encode_connect(text, "/", "SID", "");
  encode_connect(text, "/a", "SID", "PID");
  encode_disconnect(text, "/a");
  encode_disconnect(text, "/");
  EXPECT_EQ(text, R"(0{"sid":"SID"}0/a,{"sid":"SID","pid":"PID"}1/a,1)");
  text.clear();
  const Value data = {{"code", "x"}};
  encode_connect_error(text, "/random", "Invalid namespace", nullptr);
  encode_connect_error(text, "/", "no", &data);
  EXPECT_EQ(text, R"(4/random,{"message":"Invalid namespace"}4{"message":"no","data":{"code":"x"}})");
}

TEST(Encode, ArgumentsThatAreTextGiveTheSamePacket) {
  const auto of_text = [](std::string_view nsp, std::optional<std::uint64_t> id, std::string_view event,
                          std::string_view args, std::string_view last) {
    std::string out = "4";
    encode_event_text(out, nsp, id, event, args, last);
    return out;
  };
  EXPECT_EQ(of_text("/", {}, "foo", R"(1,{"b":"2"})", ""), "4" + encoded("/", {}, "foo", {1, Value{{"b", "2"}}}));
  EXPECT_EQ(of_text("/admin", 13, "f\"o", "", ""), "4" + encoded("/admin", 13, "f\"o", {}));
  EXPECT_EQ(of_text("/", {}, "foo", "", "x\"1"), "4" + encoded("/", {}, "foo", {"x\"1"}));
  EXPECT_EQ(of_text("/a", {}, "foo", "null", "x"), "4" + encoded("/a", {}, "foo", {nullptr, "x"}));
}

TEST(Property, WhatIsEncodedDecodesToItself) {
  SeededRandom random(test::seed());
  for (int round = 0; round < 1000; ++round) {
    std::vector<Value> args;
    for (auto n = random.below(4); n > 0; --n) {
      switch (random.below(4)) {
        case 0: args.emplace_back(Bytes{std::string(random.below(20), 'b')}); break;
        case 1:
          args.push_back({{"k", Array{static_cast<std::int64_t>(random.below(1000)), "text", Bytes{"in"}}}});
          break;
        case 2: args.push_back({{"_placeholder", false}, {"num", 5}}); break;
        default: args.emplace_back("s");
      }
    }
    const std::optional<std::uint64_t> id =
        random.below(2) == 0 ? std::optional<std::uint64_t>(random.below(kLimits.packet_bytes_max))
                             : std::nullopt;
    EncodedPacket wire;
    encode_event(wire, random.below(2) == 0 ? "/" : "/ns", id, "event", args);
    PacketDecoder decoder(kLimits);
    Packet packet;
    auto step = decoder.feed_text(wire.text, MonoTime(), packet);
    for (const auto attachment : wire.attachments) {
      ASSERT_EQ(step, PacketDecoder::Step::kNeedMore);
      step = decoder.feed_binary(attachment, packet);
    }
    ASSERT_EQ(step, PacketDecoder::Step::kPacket) << wire.text;
    EXPECT_EQ(packet.id, id);
    EXPECT_EQ(packet.args, args);
  }
}

TEST(Encode, AClientsConnect) {
  std::string text;
  encode_connect_request(text, "/", Object());
  text += '\n';
  encode_connect_request(text, "/admin", Object{{"token", "t"}});
  EXPECT_EQ(text, "0\n0/admin,{\"token\":\"t\"}");
}

TEST(Decode, ARefusalKeepsItsText) {
  const DecoderLimits limits;
  PacketDecoder decoder(limits);
  Packet packet;
  ASSERT_EQ(decoder.feed_text(R"(4/admin,{"message":"no"})", MonoTime(), packet), PacketDecoder::Step::kPacket);
  EXPECT_EQ(packet.type, PacketType::kConnectError);
  EXPECT_EQ(packet.nsp, "/admin");
  EXPECT_EQ(packet.auth, R"({"message":"no"})");
}

}  // namespace
}  // namespace wirehall::socketio
