#include "native/frame.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "support/seed.h"
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
      R"({"a":"type","b":["id","ackId"],"c":{"id":1,"":"\""}})",
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

// Who wrote the object knows where its members stand: the frame is the same without looking for them.
TEST(EncodeEvent, AnObjectWithKnownPlacesGivesTheSameFrame) {
  SeededRandom random(test::seed());
  NativeShape chat;
  chat.sent_type = "chat";
  chat.sent_copies = {{"userId", "from"}, {"type", "kind"}, {"missing", "nowhere"}};
  const std::vector<std::string> names = {"type", "ackId", "id", "userId", "a", "typ", "types", "n"};
  for (int round = 0; round < 3000; ++round) {
    std::string text = "{";
    std::vector<json::MemberPlace> places;
    for (const std::string& name : names) {
      if (random.below(2) == 0) continue;
      text += text.size() == 1 ? "\"" : ",\"";
      const auto key_begin = static_cast<std::uint32_t>(text.size());
      text += name + "\":";
      const auto value_begin = static_cast<std::uint32_t>(text.size());
      text += random.below(2) == 0 ? R"({"type":"x","ackId":[1]})" : R"("\",\"type\":1")";
      places.push_back({key_begin, static_cast<std::uint32_t>(name.size()), value_begin,
                        static_cast<std::uint32_t>(text.size())});
    }
    text += "}";
    const std::optional<std::uint64_t> ack_id = random.below(2) == 0 ? std::optional<std::uint64_t>(7) : std::nullopt;
    for (const NativeShape* shape :
         {static_cast<const NativeShape*>(nullptr), static_cast<const NativeShape*>(&chat)}) {
      std::string placed, sliced;
      encode_event_text(placed, "new-message", text, places, shape, ack_id);
      const std::vector<Value> args{Value::from_validated_json(text)};
      encode_event(sliced, Codec::kJson, "new-message", args, shape, ack_id);
      ASSERT_EQ(placed, sliced) << text;
    }
  }
}

// A name is found whatever it is written like, and what only looks like one does no harm.
TEST(EncodeEvent, TextsOfEveryKindAreTheSameFrame) {
  SeededRandom random(test::seed());
  const auto any_of = [&random](std::initializer_list<const char*> words) {
    return std::string(words.begin()[random.below(words.size())]);
  };
  const auto space = [&] { return any_of({"", "", "", " ", "\n\t"}); };
  for (int round = 0; round < 5000; ++round) {
    std::string text = "{";
    for (std::size_t count = 1 + random.below(4), i = 0; i < count; ++i) {
      text += (i == 0 ? "" : ",") + space();
      text += any_of({R"("id")", R"("type")", R"("ackId")", R"("i\u0064")", R"("\u0074ype")", R"("a")", R"("\"id")",
                      R"("b\\")", R"("")", R"("idx")"});
      text += space() + ":" + space();
      text += any_of({R"("id")", R"("a\\")", R"("\"id\":")", R"("\"")", "7", "null", R"(["id","type"])",
                      R"({"id":1})", R"({"a":"id"})", R"("")", R"("x,\"")", R"("x\",")", R"("x\"}")"});
      text += space();
    }
    text += "}";
    for (const bool is_answer : {false, true}) {
      std::string unparsed, parsed;
      for (std::string* out : {&unparsed, &parsed}) {
        const Value value = out == &parsed ? Value::from_json(text).value() : Value::from_validated_json(text);
        const std::vector<Value> args{value};
        if (is_answer) {
          encode_ack(*out, Codec::kJson, "5", args);
        } else {
          encode_event(*out, Codec::kJson, "chat", args, nullptr, std::nullopt);
        }
      }
      EXPECT_EQ(Value::from_json(unparsed).value(), Value::from_json(parsed).value()) << text << "\n" << unparsed;
    }
  }
}

// Whatever stands between them, and wherever the frame's own fields are.
TEST(FrameDecoder, TheOtherFieldsAreTheArguments) {
  SeededRandom random(test::seed());
  const NativeShape room{{}, {"roomId|room"}, {}, {}};
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> fields{R"("type":"say")"};
    Object expected;
    if (random.below(2) != 0) fields.push_back(R"("id":"n1")");
    if (random.below(4) == 0) fields.push_back(R"("ackId":7)");
    for (const char* name : {"a", "roomId", "messageType", "b", "room"}) {
      if (random.below(2) != 0) fields.push_back("\"" + std::string(name) + "\":\"of " + name + "\"");
    }
    std::string text = "{";
    std::vector<std::string> names;
    while (!fields.empty()) {
      const auto taken = fields.begin() + static_cast<std::ptrdiff_t>(random.below(fields.size()));
      const std::string name = taken->substr(1, taken->find('"', 1) - 1);
      if (name != "type" && name != "id" && name != "ackId") names.push_back(name);
      text += (text.size() == 1 ? "" : ",") + std::string(random.below(3), ' ') + *taken;
      text += std::string(random.below(2), '\n');
      fields.erase(taken);
    }
    text += "}";
    const NativeShape* shape = random.below(2) != 0 ? &room : nullptr;
    std::string first;
    if (shape != nullptr) {
      for (const char* name : {"roomId", "room"}) {
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) continue;
        first = "of " + std::string(name);
        names.erase(found);
        break;
      }
    }
    for (const std::string& name : names) expected.append(name == "messageType" ? "type" : name, Value("of " + name));
    FrameDecoder decoder;
    ASSERT_TRUE(decoder.decode(text, Codec::kJson, DecodeLimits()).ok()) << text;
    std::vector<Value>& args = decoder.take_args(shape);
    std::size_t next = 0;
    if (shape != nullptr) {
      const Value& named = args.at(next++);
      EXPECT_EQ(named.is_null() ? "" : named.as_string(), first) << text;
    }
    // Looked at, so that spaces between fields do not count.
    std::string seen = "{";
    if (args.size() > next) {
      for (const Member& member : args.at(next).as_object())
        seen += (seen.size() == 1 ? "" : ",") + ("\"" + member.key + "\":") + member.value.to_json();
    }
    EXPECT_EQ(seen + "}", Value(expected).to_json()) << text;
    decoder.release_args();
    EXPECT_TRUE(args.empty());
  }
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
