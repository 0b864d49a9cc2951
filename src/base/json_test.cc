#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/json_text.h"
#include "base/random.h"
#include "base/utf8.h"
#include "support/seed.h"

namespace wirehall {
namespace {

using json::Status;

TEST(JsonScan, AcceptsWhatRfc8259Accepts) {
  for (const char* text :
       {"null", "true", "false", "0", "-0", "-1.5e+10", "1E2", "\"\"", "\"a\\u00e9\\n\\/\"", "[]", "{}",
        " [ 1 , 2 ] ", "{\"a\":{\"b\":[1,{\"c\":null}]}}", "\"\\ud800\"", "[[[[]]]]", "1e400"}) {
    EXPECT_EQ(json::validate(text, 32), Status::kOk) << text;
  }
}

TEST(JsonScan, RefusesWhatRfc8259Refuses) {
  for (const char* text :
       {"",       " ",       "nul",       "True",       "01",         "-",         "+1",      "1.",
        ".5",     "1e",      "1e+",       "0x1",        "'a'",        "\"",        "\"\\x\"", "\"\\u12g4\"",
        "\"\n\"", "[",       "]",         "[1",         "[1,",        "[1,]",      "[,1]",    "{",
        "{\"a\"", "{\"a\":", "{\"a\":1,", "{\"a\":1,}", "{a:1}",      "{\"a\" 1}", "[1}",     "{\"a\":1]",
        "1 2",    "[1] x",   "NaN",       "Infinity",   "\"\\u123\"", "[1 2]",     "{1:2}"}) {
    EXPECT_EQ(json::validate(text, 32), Status::kSyntax) << text;
  }
}

TEST(JsonScan, EveryStrictPrefixOfAContainerIsRefused) {
  const std::string text = R"({"a":[1,-2.5e3,"x\u0041",true,null,{"b":{}}],"c":"d"})";
  ASSERT_EQ(json::validate(text, 32), Status::kOk);
  for (std::size_t i = 0; i < text.size(); ++i)
    EXPECT_NE(json::validate(text.substr(0, i), 32), Status::kOk) << i;
}

TEST(JsonScan, DepthIsBoundedAtTheLimit) {
  for (const auto& [open, close] : {std::pair{"[", "]"}, std::pair{"{\"a\":", "}"}}) {
    const auto nested = [&](int depth) {
      std::string text;
      for (int i = 0; i < depth; ++i) text += open;
      text += "1";
      for (int i = 0; i < depth; ++i) text += close;
      return text;
    };
    EXPECT_EQ(json::validate(nested(32), 32), Status::kOk);
    EXPECT_EQ(json::validate(nested(33), 32), Status::kDepth);
    EXPECT_EQ(json::validate(nested(500'000), 32), Status::kDepth);
  }
  std::vector<json::Slice> slices;
  EXPECT_EQ(json::slice_array("[[[1]]]", 3, slices), Status::kOk);
  EXPECT_EQ(json::slice_array("[[[1]]]", 2, slices), Status::kDepth);
}

TEST(JsonScan, CountsOfValuesAreBounded) {
  std::string text = "[[0";
  for (std::uint32_t i = 0; i < json::kValuesMax; ++i) text += ",0";
  text += "]]";
  EXPECT_EQ(json::validate(text, 32), Status::kTooMany);
  std::string flat = "[0";
  for (std::size_t i = 0; i < json::kSlicesMax; ++i) flat += ",0";
  flat += "]";
  std::vector<json::Slice> slices;
  EXPECT_EQ(json::slice_array(flat, 32, slices), Status::kTooMany);
}

TEST(JsonScan, SlicesArraysAndObjects) {
  std::vector<json::Slice> slices;
  ASSERT_EQ(json::slice_array(R"( ["ev", {"a": [1, 2]} ,3 ] )", 32, slices), Status::kOk);
  ASSERT_EQ(slices.size(), 3u);
  EXPECT_EQ(slices[0].text, "\"ev\"");
  EXPECT_EQ(slices[1].text, R"({"a": [1, 2]})");
  EXPECT_EQ(slices[2].text, "3");
  std::vector<json::MemberSlice> members;
  ASSERT_EQ(json::slice_object(R"({"type":"x","\u0061":{}, "n" : -1.0})", 32, members), Status::kOk);
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[0].key, "type");
  EXPECT_EQ(members[0].value.text, "\"x\"");
  EXPECT_TRUE(members[1].key_escaped);
  EXPECT_EQ(members[2].value.text, "-1.0");
  EXPECT_EQ(json::slice_object("[1]", 32, members), Status::kSyntax);
  EXPECT_EQ(json::slice_array("{}", 32, slices), Status::kSyntax);
}

TEST(JsonScan, MarksPlaceholderKeysHoweverTheyAreSpelt) {
  std::vector<json::Slice> slices;
  ASSERT_EQ(json::slice_array(R"([{"_placeholder":true},[{"\u005fplaceholder":1}],{"a":"_placeholder"}])", 32,
                              slices),
            Status::kOk);
  EXPECT_TRUE(slices[0].placeholder);
  EXPECT_TRUE(slices[1].placeholder);
  EXPECT_FALSE(slices[2].placeholder);
}

TEST(JsonScan, FewSlicesHoldAnyNumberOfThem) {
  json::FewSlices slices;
  for (std::size_t count = 0; count <= 10; ++count) {
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + std::to_string(i);
    text += "]";
    ASSERT_EQ(json::slice_array(text, 32, slices), Status::kOk);
    ASSERT_EQ(slices.size(), count);
    EXPECT_EQ(slices.empty(), count == 0);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(slices[i].text, std::to_string(i));
  }
}

// Whatever lies at whatever distance from a block's edge.
TEST(JsonText, PlainBytesEndAtTheFirstThatIsNot) {
  for (std::size_t size = 0; size <= 200; ++size) {
    for (std::size_t at = 0; at <= size; ++at) {
      for (const char stop : {'"', '\\', '\n', '\0', '\x1f'}) {
        std::string text(size, ' ');
        for (std::size_t i = 0; i < size; ++i) text[i] = "a \x7f\x80\xff!#[]"[i % 9];
        if (at < size) text[at] = stop;
        if (at + 1 < size) text[size - 1] = stop;
        EXPECT_EQ(json::skip_plain(text.data(), text.data() + size) - text.data(),
                  static_cast<std::ptrdiff_t>(at));
      }
    }
  }
}

TEST(JsonText, OnlyTheObjectsOwnKeysAreAsked) {
  const auto keys = [](std::string_view object) {
    std::string all;
    json::any_key(object, [&](std::string_view key, bool escaped) {
      all.append(key).append(escaped ? "\\" : ";");
      return false;
    });
    return all;
  };
  EXPECT_EQ(keys("{}"), "");
  EXPECT_EQ(
      keys(
          R"({"a":"b","c":["d",{"e":"f"},"g"],"h":{"i":{"j":1},"k":2} , "l" : "m,\"n\":{", "\u006f":-1.5e3})"),
      "a;c;h;l;\\u006f\\");
  EXPECT_EQ(keys(R"( {"a":"a string of more than sixteen bytes, \\" , "b":true})"), "a;b;");
  int asked = 0;
  EXPECT_TRUE(json::any_key(R"({"a":1,"b":2})", [&](std::string_view, bool) { return ++asked == 1; }));
  EXPECT_EQ(asked, 1) << "the first that is wanted is enough";
}

TEST(JsonNumber, IsWrittenAsJavaScriptWritesIt) {
  const std::pair<double, const char*> cases[] = {{0, "0"},
                                                  {-0.0, "0"},
                                                  {1, "1"},
                                                  {-1.5, "-1.5"},
                                                  {100, "100"},
                                                  {1e21, "1e+21"},
                                                  {1e20, "100000000000000000000"},
                                                  {123456789012345680000.0, "123456789012345680000"},
                                                  {1e-6, "0.000001"},
                                                  {1e-7, "1e-7"},
                                                  {1.5e-9, "1.5e-9"},
                                                  {0.1, "0.1"},
                                                  {5e-324, "5e-324"},
                                                  {1.7976931348623157e308, "1.7976931348623157e+308"},
                                                  {9007199254740993.0, "9007199254740992"},
                                                  {9007199254740991.0, "9007199254740991"},
                                                  {-4503599627370495.5, "-4503599627370495.5"},
                                                  {18014398509481988.0, "18014398509481988"},
                                                  {1.2345678901234567e19, "12345678901234567000"},
                                                  {1.0000000000000002e-6, "0.0000010000000000000002"},
                                                  {9.99999999999e-7, "9.99999999999e-7"},
                                                  {1.0 / 3, "0.3333333333333333"},
                                                  {std::numeric_limits<double>::infinity(), "null"},
                                                  {std::numeric_limits<double>::quiet_NaN(), "null"}};
  for (const auto& [number, text] : cases) {
    std::string out;
    json::append_number(out, number);
    EXPECT_EQ(out, text);
  }
}

TEST(JsonString, IsEscapedAsJsonStringifyDoes) {
  const std::pair<std::string, const char*> cases[] = {
      {"a\"b\\c/", R"("a\"b\\c/")"},
      {std::string("\b\f\n\r\t\x01\x1f\0", 8), R"("\b\f\n\r\t\u0001\u001f\u0000")"},
      {"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\""},
      {"\xed\xa0\x80", R"("\ud800")"},
      {"a\xff"
       "b\xc3",
       "\"a\xef\xbf\xbd"
       "b\xef\xbf\xbd\""},
      {"\x7f", "\"\x7f\""}};
  for (const auto& [text, expected] : cases) {
    std::string out;
    json::append_string(out, text);
    EXPECT_EQ(out, expected);
    // The same in a text that is long enough to be looked at in blocks.
    const std::string much(40, 'x');
    std::string long_out;
    json::append_string(long_out, much + text + much);
    EXPECT_EQ(long_out, '"' + much + out.substr(1, out.size() - 2) + much + '"');
  }
}

TEST(JsonParse, ResolvesEscapesAndKeepsLoneSurrogates) {
  EXPECT_EQ(json::parse(R"("\ud83d\ude00\u00e9\b")")->as_string(), "\xf0\x9f\x98\x80\xc3\xa9\b");
  EXPECT_EQ(json::parse(R"("x\ud800y\udc00")")->to_json(), R"("x\ud800y\udc00")");
  EXPECT_EQ(json::parse(R"("\ud800\ud800\udc00")")->to_json(), "\"\\ud800\xf0\x90\x80\x80\"");
}

TEST(JsonParse, KeepsIntegersExactAndTheRestAsDoubles) {
  EXPECT_EQ(json::parse("9223372036854775807")->as_int(), INT64_MAX);
  EXPECT_FALSE(json::parse("9223372036854775808")->is_int());
  EXPECT_EQ(json::parse("9223372036854775808")->as_double(), 9223372036854775808.0);
  EXPECT_FALSE(json::parse("1.0")->is_int());
  EXPECT_EQ(json::parse("1.0")->to<int>().value(), 1);
  EXPECT_FALSE(json::parse("1.5")->to<int>().ok());
  EXPECT_FALSE(json::parse("300")->to<std::uint8_t>().ok());
  EXPECT_FALSE(json::parse("1e300")->to<std::int64_t>().ok());
  EXPECT_TRUE(std::signbit(json::parse("-0")->as_double()));
  EXPECT_EQ(json::parse("1e400")->to_json(), "null");
  EXPECT_EQ(json::parse("-1e-400")->to_json(), "0");
}

TEST(JsonParse, LastOfDuplicateKeysWinsInThePlaceOfTheFirst) {
  EXPECT_EQ(json::parse(R"({"a":1,"b":2,"a":3,"c":4,"a":5})")->to_json(), R"({"a":5,"b":2,"c":4})");
}

TEST(JsonParse, DuplicatesAreFoundAmongFewKeysAndMany) {
  for (int keys = 2; keys <= 40; ++keys) {
    std::string text = R"({"first":{"x":1})";
    for (int i = 2; i < keys; ++i) text += ",\"k" + std::to_string(i) + "\":" + std::to_string(i);
    const Result<Value> value = json::parse(text + R"(,"first":{"x":2}})");
    ASSERT_TRUE(value.ok());
    EXPECT_EQ(value->as_object().size(), static_cast<std::size_t>(keys - 1));
    EXPECT_EQ(value->as_object().begin()->value.to_json(), R"({"x":2})");
  }
}

TEST(JsonParse, ManyKeysCostNoSquare) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":0";
  text += "}";
  EXPECT_EQ(json::parse(text)->as_object().size(), 100'000u);
}

TEST(JsonValue, AnUnreadTextIsPassedOnByItsBytes) {
  Value value = Value::from_validated_json(R"({"a" : 1.50, "b":[ ]})");
  ASSERT_NE(value.unparsed_json(), nullptr);
  EXPECT_EQ(value.to_json(), R"({"a" : 1.50, "b":[ ]})");
  EXPECT_EQ(value.find("a")->as_double(), 1.5);
  EXPECT_EQ(value.unparsed_json(), nullptr);
  EXPECT_EQ(value.to_json(), R"({"a":1.5,"b":[]})");
}

TEST(JsonWriter, CollectsAttachmentsInDocumentOrderAndDefusesForeignPlaceholders) {
  const Value value = {{"a", Bytes{"one"}}, {"b", Array{Bytes{"two"}, {{"_placeholder", true}, {"num", 7}}}}};
  std::string out;
  json::Writer writer(out, json::BytesAs::kPlaceholder);
  writer.write(value);
  EXPECT_EQ(
      out,
      R"({"a":{"_placeholder":true,"num":0},"b":[{"_placeholder":true,"num":1},{"_placeholder":false,"num":7}]})");
  ASSERT_EQ(writer.attachments().size(), 2u);
  EXPECT_EQ(writer.attachments()[1], "two");
  EXPECT_EQ(Value(Bytes{"\x01\x02"}).to_json(), R"({"$binary":"AQI="})");
}

// A text of random structure, written and parsed again, is itself.
class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : random_(seed) {}
  Value make(int depth) {
    switch (random_.below(depth > 0 ? 8 : 6)) {
      case 0: return nullptr;
      case 1: return random_.below(2) == 0;
      case 2: return static_cast<std::int64_t>(random_.next());
      case 3: return static_cast<double>(static_cast<std::int64_t>(random_.next())) / 1024.0;
      case 4:
      case 5: return text();
      case 6: {
        Array array;
        for (auto n = random_.below(5); n > 0; --n) array.push_back(make(depth - 1));
        return array;
      }
      default: {
        Object object;
        for (auto n = random_.below(5); n > 0; --n) object.set(text(), make(depth - 1));
        return object;
      }
    }
  }

 private:
  std::string text() {
    std::string out;
    for (auto n = random_.below(8); n > 0; --n)
      append_code_point(out, static_cast<std::uint32_t>(random_.below(0xD800)));
    return out;
  }
  SeededRandom random_;
};

TEST(JsonProperty, WrittenValuesParseToThemselves) {
  RandomValues values(test::seed());
  for (int i = 0; i < 2000; ++i) {
    const Value value = values.make(4);
    const std::string text = value.to_json();
    const Result<Value> parsed = json::parse(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->to_json(), text);
  }
}

}  // namespace
}  // namespace wirehall
