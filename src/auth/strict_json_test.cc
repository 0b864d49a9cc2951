#include "auth/strict_json.h"

#include <gtest/gtest.h>

namespace wirehall::auth {
namespace {

ErrorCode code_of(std::string_view text, std::uint32_t depth_max = 32) {
  const Result<Object> parsed = parse_strict_object(text, depth_max);
  return parsed ? ErrorCode::kOk : parsed.error().code();
}

TEST(StrictJson, GivesTheMembersOfAnObject) {
  const Result<Object> parsed = parse_strict_object(" {\"a\":1,\"b\":{\"a\":[{\"a\":\"\\u0041\"}]}}\n");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(Value(*parsed).to_json(), R"({"a":1,"b":{"a":[{"a":"A"}]}})");
  EXPECT_EQ(code_of("{}"), ErrorCode::kOk);
}

TEST(StrictJson, RefusesANameThatIsThereTwice) {
  for (const char* text :
       {R"({"a":1,"a":1})", R"({"a":1,"b":2,"\u0061":3})", R"({"x":{"a":1,"a":2}})",
        R"({"x":[0,{"y":[{"a":1,"a":2}]}]})", R"({"":1,"":2})", R"({ "x" : [ { "a" : 1 , "a" : 2 } ] })"}) {
    EXPECT_EQ(code_of(text), ErrorCode::kInvalidFormat) << text;
  }
}

TEST(StrictJson, RefusesOtherValuesAndMalformedTexts) {
  for (const char* text : {"[]", "null", "1", "\"{}\"", "true"})
    EXPECT_EQ(code_of(text), ErrorCode::kInvalidFormat) << text;
  for (const char* text : {"", " ", "{", "{}x", "{}{}", R"({"a":1,})", "{\"\xff\":1}", "\xEF\xBB\xBF{}"})
    EXPECT_EQ(code_of(text), ErrorCode::kJsonSyntax) << text;
}

TEST(StrictJson, LimitsAtTheirBorders) {
  const auto nested = [](std::size_t arrays) {
    return "{\"a\":" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
  };
  EXPECT_EQ(code_of(nested(31)), ErrorCode::kOk);
  EXPECT_EQ(code_of(nested(32)), ErrorCode::kJsonDepth);
  EXPECT_EQ(code_of(nested(1), 1), ErrorCode::kJsonDepth);
  EXPECT_EQ(code_of("{\"a\":" + std::string(500'000, '[')), ErrorCode::kJsonDepth);
  const auto wide = [](int elements) {
    std::string text = "{\"a\":[0";
    for (int i = 1; i < elements; ++i) text += ",0";
    return text + "]}";
  };
  EXPECT_EQ(code_of(wide(4096)), ErrorCode::kOk);
  EXPECT_EQ(code_of(wide(4097)), ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace wirehall::auth
