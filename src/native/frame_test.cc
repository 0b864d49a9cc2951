#include "native/frame.h"

#include <gtest/gtest.h>

#include "wirehall/namespace.h"

namespace wirehall::native {
namespace {

// As it is sent when nobody looked into its text, and when it was parsed.
std::pair<std::string, std::string> both(std::string_view event, const std::string& text,
                                         const NativeShape* shape) {
  std::string unparsed, parsed;
  const std::vector<Value> as_text{Value::from_validated_json(text)};
  const std::vector<Value> as_value{Value::from_json(text).value()};
  encode_event(unparsed, Codec::kJson, event, as_text, shape, std::nullopt);
  encode_event(parsed, Codec::kJson, event, as_value, shape, std::nullopt);
  return {unparsed, parsed};
}

TEST(EncodeEvent, WhatIsTextStaysTextAndIsTheSame) {
  NativeShape chat;
  chat.sent_type = "chat";
  chat.sent_copies = {{"userId", "from"}, {"missing", "nowhere"}};
  const std::vector<std::string> texts = {
      R"({"id":"m","userId":"ann","user":{"name":"Ann","type":1},"content":"a \"quoted\" ü","type":"text","n":[1,2.5,null]})",
      R"({"userId":"ann","ackId":7,"content":{"$binary":"AAE="}})",
      R"({"a":1})",
      R"({})",
      R"({"type":{"type":"x"}})",
      R"({"user\u0049d":"a","type":1})",
      R"({"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10,"k":11,"l":12,"m":13,"n":14,"o":15,"p":16,"type":17})"};
  for (const NativeShape* shape :
       {static_cast<const NativeShape*>(nullptr), static_cast<const NativeShape*>(&chat)}) {
    for (const std::string& text : texts) {
      const auto [unparsed, parsed] = both("new-message", text, shape);
      EXPECT_EQ(unparsed, parsed) << text;
    }
  }
  EXPECT_EQ(
      both("new-message", texts[0], &chat).first,
      R"({"type":"chat","id":"m","userId":"ann","user":{"name":"Ann","type":1},"content":"a \"quoted\" ü",)"
      R"("messageType":"text","n":[1,2.5,null],"from":"ann"})");
}

TEST(EncodeAck, AnAnswersOwnIdGoesIntoItsData) {
  for (const char* text : {R"({"id":"room","ok":true})", R"({"ok":true})"}) {
    std::string unparsed, parsed;
    const std::vector<Value> as_text{Value::from_validated_json(text)};
    const std::vector<Value> as_value{Value::from_json(text).value()};
    encode_ack(unparsed, Codec::kJson, "5", as_text);
    encode_ack(parsed, Codec::kJson, "5", as_value);
    EXPECT_EQ(unparsed, parsed);
    EXPECT_EQ(parsed.find("\"data\"") != std::string::npos, std::string_view(text).starts_with("{\"id\""));
  }
}

}  // namespace
}  // namespace wirehall::native
