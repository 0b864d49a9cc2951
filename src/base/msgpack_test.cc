#include "base/msgpack.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace wirehall {
namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += text;
  }
  return out;
}
std::string bytes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return out;
}
std::string encoded(const Value& value) {
  std::string out;
  msgpack::encode(out, value);
  return hex(out);
}

TEST(Msgpack, EncodesTheShortestFormAsJavaScriptsEncodersDo) {
  const std::pair<Value, const char*> cases[] = {{nullptr, "c0"},
                                                 {true, "c3"},
                                                 {false, "c2"},
                                                 {0, "00"},
                                                 {127, "7f"},
                                                 {128, "cc80"},
                                                 {256, "cd0100"},
                                                 {65536, "ce00010000"},
                                                 {4294967296, "cf0000000100000000"},
                                                 {-1, "ff"},
                                                 {-32, "e0"},
                                                 {-33, "d0df"},
                                                 {-129, "d1ff7f"},
                                                 {-32769, "d2ffff7fff"},
                                                 {-2147483649, "d3ffffffff7fffffff"},
                                                 {1.5, "cb3ff8000000000000"},
                                                 {5.0, "05"},
                                                 {-0.0, "cb8000000000000000"},
                                                 {"hi", "a26869"},
                                                 {Bytes{"\x01"}, "c40101"},
                                                 {Array{1, 2}, "920102"},
                                                 {Value{{"a", 1}}, "81a16101"}};
  for (const auto& [value, expected] : cases) EXPECT_EQ(encoded(value), expected);
  EXPECT_EQ(encoded(std::string(32, 'x')).substr(0, 4), "d920");
  EXPECT_EQ(encoded(std::string(256, 'x')).substr(0, 6), "da0100");
  EXPECT_EQ(encoded(Array(16)).substr(0, 6), "dc0010");
}

TEST(Msgpack, DecodesEveryFormat) {
  const std::pair<const char*, const char*> cases[] = {
      {"c0", "null"},
      {"cc05", "5"},
      {"cd0005", "5"},
      {"cfffffffffffffffff", "18446744073709552000"},
      {"d0ff", "-1"},
      {"d3ffffffffffffffff", "-1"},
      {"ca3fc00000", "1.5"},
      {"cb3ff8000000000000", "1.5"},
      {"d90161", "\"a\""},
      {"da000161", "\"a\""},
      {"db0000000161", "\"a\""},
      {"c40101", R"({"$binary":"AQ=="})"},
      {"c5000101", R"({"$binary":"AQ=="})"},
      {"dc000101", "[1]"},
      {"dd0000000101", "[1]"},
      {"de0001a16101", R"({"a":1})"},
      {"df00000001a16101", R"({"a":1})"},
      {"8101a162", R"({"1":"b"})"},
      {"82a16101a16102", R"({"a":2})"},
      {"d40000", "null"},
      {"d7000000018bcfe56800", "\"2023-11-14T22:13:20.000Z\""},
      {"d6ff6553f100", "\"2023-11-14T22:13:20.000Z\""},
      {"d7ff0000000065"
       "53f100",
       "\"2023-11-14T22:13:20.000Z\""}};
  for (const auto& [wire, json] : cases) {
    const Result<Value> value = msgpack::decode(bytes(wire));
    ASSERT_TRUE(value.ok()) << wire;
    EXPECT_EQ(value->to_json(), json) << wire;
  }
}

TEST(Msgpack, RefusesWhatIsMalformed) {
  for (const char* wire :
       {"", "c1", "91", "81a161", "a3aabb", "d9ff61", "dbffffffff", "ddffffffff", "dfffffffff", "c6ffffffff",
        "0101", "c7ff00", "a1ff", "8190c0", "d40100", "c70305010203", "cb3ff8"}) {
    EXPECT_FALSE(msgpack::decode(bytes(wire)).ok()) << wire;
  }
}

TEST(Msgpack, DepthAndCountAreBounded) {
  const auto nested = [](int depth) { return std::string(static_cast<std::size_t>(depth), '\x91') + '\x01'; };
  EXPECT_TRUE(msgpack::decode(nested(32), 32).ok());
  EXPECT_EQ(msgpack::decode(nested(33), 32).error().code(), ErrorCode::kJsonDepth);
  EXPECT_FALSE(msgpack::decode(nested(1'000'000), 32).ok());
  std::string many = "\xdd";
  const std::uint32_t count = json::kValuesMax + 1;
  for (int shift = 24; shift >= 0; shift -= 8) many.push_back(static_cast<char>(count >> shift));
  many.append(count, '\0');
  EXPECT_EQ(msgpack::decode(many).error().code(), ErrorCode::kTooLarge);
}

TEST(Msgpack, EveryStrictPrefixIsRefused) {
  std::string wire;
  msgpack::encode(wire,
                  Value{{"a", Array{1, -200, 1.5, "text", Bytes{"bin"}, nullptr}}, {"b", {{"c", true}}}});
  ASSERT_TRUE(msgpack::decode(wire).ok());
  for (std::size_t i = 0; i < wire.size(); ++i) EXPECT_FALSE(msgpack::decode(wire.substr(0, i)).ok()) << i;
}

}  // namespace
}  // namespace wirehall
