// JSONP: bytes captured from the reference (tests/data/engineio_v3_vectors.json), and what a page sends.
#include "engineio/jsonp.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/json.h"
#include "base/random.h"
#include "support/seed.h"

namespace wirehall::engineio {
namespace {

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

std::string to_hex(std::string_view bytes, std::string_view before_byte = "") {
  std::string hex;
  for (const char c : bytes) {
    hex.append(before_byte);
    hex.push_back("0123456789abcdef"[static_cast<unsigned char>(c) >> 4]);
    hex.push_back("0123456789abcdef"[static_cast<unsigned char>(c) & 15]);
  }
  return hex;
}

TEST(JsonpVectors, ResponsesAreTheReferences) {
  for (const Value& vector : vectors("jsonp_responses")) {
    EXPECT_EQ(to_hex(jsonp_response(*vector.find_string("index"), *vector.find_string("payload"))),
              *vector.find_string("body"))
        << vector.to_json();
  }
}

TEST(JsonpVectors, FormsAreReadAsTheReferenceReadsThem) {
  for (const Value& vector : vectors("jsonp_bodies")) {
    const std::optional<std::string> payload = jsonp_body(*vector.find_string("form"));
    const std::string* expected = vector.find_string("payload");
    EXPECT_EQ(payload.has_value(), expected != nullptr) << vector.to_json();
    EXPECT_EQ(payload.value_or(""), expected == nullptr ? "" : *expected) << vector.to_json();
  }
}

TEST(Jsonp, OnlyDigitsOfTheIndexReachTheScript) {
  EXPECT_EQ(jsonp_response("0", "2:40"), R"(___eio[0]("2:40");)");
  EXPECT_EQ(jsonp_response("](alert(1))//4", "1:6"), R"(___eio[14]("1:6");)");
  EXPECT_EQ(jsonp_response("", ""), R"(___eio[]("");)");
}

TEST(Jsonp, NothingInAPayloadLeavesTheString) {
  EXPECT_EQ(jsonp_response("1", "\");alert(1)//\\"), R"(___eio[1]("\");alert(1)//\\");)");
  EXPECT_EQ(jsonp_response("1", "a\nb\r\xe2\x80\xa8\xe2\x80\xa9"), R"(___eio[1]("a\nb\r\u2028\u2029");)");
  EXPECT_EQ(jsonp_response("1", "\xe2\x80\xa7\xe2\x80\xaa"), "___eio[1](\"\xe2\x80\xa7\xe2\x80\xaa\");");
  EXPECT_EQ(jsonp_response("1", "\xe2\x80"), "___eio[1](\"\xef\xbf\xbd\xef\xbf\xbd\");") << "ill-formed";
}

TEST(Jsonp, ALongPayloadTakesLinearTime) {
  std::string separators;
  std::string escaped;
  for (int i = 0; i < 300'000; ++i) {
    separators += "\xe2\x80\xa8";
    escaped += "\\u2028";
  }
  EXPECT_EQ(jsonp_response("1", separators), "___eio[1](\"" + escaped + "\");");
  std::string newlines;
  for (int i = 0; i < 300'000; ++i) newlines += "%5Cn";
  EXPECT_EQ(jsonp_body("d=" + newlines), std::string(300'000, '\n'));
}

TEST(Jsonp, AFormWithoutOnePayloadIsRefused) {
  EXPECT_EQ(jsonp_body(""), std::nullopt);
  EXPECT_EQ(jsonp_body("x=1"), std::nullopt);
  EXPECT_EQ(jsonp_body("dd=1"), std::nullopt);
  EXPECT_EQ(jsonp_body("d=1&d=1"), std::nullopt);
  EXPECT_EQ(jsonp_body("d="), "");
  EXPECT_EQ(jsonp_body("d=%ff"), "\xef\xbf\xbd");
  std::string fields;
  for (int i = 0; i < 999; ++i) fields += "x&";
  EXPECT_EQ(jsonp_body(fields + "d=1"), "1");
  EXPECT_EQ(jsonp_body(fields + "x&d=1"), std::nullopt) << "the field 1001";
}

// What the client's JSONPPolling writes into its form.
std::string form_of_client(std::string_view payload) {
  std::string escaped;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    if (payload.substr(i, 2) == "\\n") {
      escaped += "\\\\n";
      ++i;
    } else if (payload[i] == '\n') {
      escaped += "\\n";
    } else {
      escaped.push_back(payload[i]);
    }
  }
  return "d=" + to_hex(escaped, "%");
}

TEST(Jsonp, WhatTheClientEscapesIsRestored) {
  for (const char* payload :
       {"", "2:4a", "4[\"a\\nb\"]", "4[\"C:\\\\new\"]", "\n", "\n\n\\n", "\\\\\\n\\", "\xe2\x82\xac\n"})
    EXPECT_EQ(jsonp_body(form_of_client(payload)), payload);
  SeededRandom random(test::seed());
  for (int i = 0; i < 2000; ++i) {
    std::string payload;
    for (auto n = random.below(12); n > 0; --n) {
      const char c = "\\n\n a&=%+"[random.below(9)];
      // A backslash before a newline cannot be told from an escaped one: no JSON has it.
      if (c != '\n' || !payload.ends_with('\\')) payload.push_back(c);
    }
    EXPECT_EQ(jsonp_body(form_of_client(payload)), payload);
  }
}

}  // namespace
}  // namespace wirehall::engineio
