// Ranges and the conditions that stand beside them, by the sections of RFC 9110.
#include "http1/range.h"

#include <gtest/gtest.h>

#include "http1/conditional.h"
#include "http1/request_parser.h"

namespace wirehall::http1 {
namespace {

using Kind = RangeChoice::Kind;

RequestHead request(const std::string& fields, const std::string& method = "GET") {
  static const Limits limits;
  RequestParser parser(limits);
  const std::string text = method + " / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  std::string_view input = text;
  EXPECT_EQ(parser.next(input), RequestParser::Step::kHead) << text;
  return parser.take_head();
}

struct RangeCase {
  const char* name;
  std::string_view range;
  std::uint64_t size;
  RangeChoice expected;
};

RangeChoice part(std::uint64_t offset, std::uint64_t size) { return {Kind::kPart, offset, size}; }
RangeChoice whole(std::uint64_t size) { return {Kind::kWhole, 0, size}; }
RangeChoice none() { return {Kind::kUnsatisfiable, 0, 0}; }

TEST(Range, Section14ByteRanges) {
  const RangeCase cases[] = {
      {"first bytes", "bytes=0-499", 10'000, part(0, 500)},
      {"second bytes", "bytes=500-999", 10'000, part(500, 500)},
      {"one byte", "bytes=0-0", 10, part(0, 1)},
      {"the last byte", "bytes=9-9", 10, part(9, 1)},
      {"open end", "bytes=9500-", 10'000, part(9500, 500)},
      {"from the beginning", "bytes=0-", 10, part(0, 10)},
      {"end behind the end", "bytes=5-99", 10, part(5, 5)},
      {"end at the end", "bytes=5-10", 10, part(5, 5)},
      {"suffix", "bytes=-500", 10'000, part(9500, 500)},
      {"suffix of one", "bytes=-1", 10, part(9, 1)},
      {"suffix of all", "bytes=-10", 10, part(0, 10)},
      {"suffix longer than all", "bytes=-11", 10, part(0, 10)},
      {"leading zeros", "bytes=0000000000000000000000002-0003", 10, part(2, 2)},
      {"unit in capitals", "BYTES=1-2", 10, part(1, 2)},
      {"empty list entries", "bytes=, ,\t1-2 , ,", 10, part(1, 2)},
      {"blanks around the entry", "bytes= 1-2\t", 10, part(1, 2)},
      {"end beyond 64 bits", "bytes=1-99999999999999999999999", 10, part(1, 9)},
      {"end of 64 bits", "bytes=1-18446744073709551615", 10, part(1, 9)},
      {"suffix beyond 64 bits", "bytes=-99999999999999999999999", 10, part(0, 10)},
      {"a size of 64 bits", "bytes=18446744073709551614-", UINT64_MAX, part(UINT64_MAX - 1, 1)},
      {"begins at the end", "bytes=10-", 10, none()},
      {"begins behind the end", "bytes=11-12", 10, none()},
      {"begins at 64 bits", "bytes=18446744073709551615-", 10, none()},
      {"begins beyond 64 bits", "bytes=18446744073709551616-", 10, none()},
      {"begins far beyond 64 bits", "bytes=99999999999999999999999-99999999999999999999999", 10, none()},
      {"empty suffix", "bytes=-0", 10, none()},
      {"any of nothing", "bytes=0-", 0, none()},
      {"suffix of nothing", "bytes=-5", 0, whole(0)},
      {"empty suffix of nothing", "bytes=-0", 0, none()},
      {"two ranges", "bytes=0-1,3-4", 10, whole(10)},
      {"two equal ranges", "bytes=0-1,0-1", 10, whole(10)},
      {"one of two behind the end", "bytes=0-1,99-", 10, whole(10)},
      {"backward", "bytes=5-4", 10, whole(10)},
      {"backward behind the end", "bytes=99-98", 10, whole(10)},
      {"nothing", "", 10, whole(10)},
      {"no set", "bytes=", 10, whole(10)},
      {"empty set", "bytes=,,", 10, whole(10)},
      {"no dash", "bytes=5", 10, whole(10)},
      {"dash alone", "bytes=-", 10, whole(10)},
      {"two dashes", "bytes=--5", 10, whole(10)},
      {"three numbers", "bytes=1-2-3", 10, whole(10)},
      {"letters", "bytes=a-b", 10, whole(10)},
      {"hexadecimal", "bytes=0x1-0x2", 10, whole(10)},
      {"a sign", "bytes=+1-2", 10, whole(10)},
      {"blanks inside", "bytes=1 -2", 10, whole(10)},
      {"blank in front of the sign", "bytes =1-2", 10, whole(10)},
      {"another unit", "lines=1-2", 10, whole(10)},
      {"a longer unit", "kilobytes=1-2", 10, whole(10)},
      {"a unit that begins alike", "bytesx=1-2", 10, whole(10)},
      {"no unit", "1-2", 10, whole(10)},
      {"a fraction", "bytes=1.5-2", 10, whole(10)},
      {"a byte above ASCII", "bytes=\xb2-3", 10, whole(10)},
  };
  for (const RangeCase& one : cases) {
    const RangeChoice choice = choose_range(one.range, one.size);
    EXPECT_TRUE(choice == one.expected)
        << one.name << ": " << static_cast<int>(choice.kind) << " " << choice.offset << "+" << choice.size;
  }
}

TEST(Range, APartAlwaysLiesInside) {
  const std::string_view numbers[] = {
      "", "0", "1", "4", "5", "6", "18446744073709551615", "18446744073709551616"};
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{5}, UINT64_MAX}) {
    for (const std::string_view first : numbers) {
      for (const std::string_view last : numbers) {
        const RangeChoice choice =
            choose_range("bytes=" + std::string(first) + "-" + std::string(last), size);
        if (choice.kind == Kind::kPart) {
          EXPECT_GE(choice.size, 1u);
          EXPECT_LT(choice.offset, size);
          EXPECT_LE(choice.size, size - choice.offset);
        } else {
          EXPECT_EQ(choice.size, choice.kind == Kind::kWhole ? size : 0);
        }
      }
    }
  }
}

TEST(Range, Section14_4ContentRange) {
  EXPECT_EQ(content_range(part(0, 500), 1234), "bytes 0-499/1234");
  EXPECT_EQ(content_range(part(1233, 1), 1234), "bytes 1233-1233/1234");
  EXPECT_EQ(unsatisfied_range(47022), "bytes */47022");
}

TEST(Range, CountsForOneFieldOfAGetAlone) {
  const auto kind = [](const std::string& fields, const std::string& method = "GET") {
    return choose_range(request(fields, method), 10, "\"tag\"").kind;
  };
  EXPECT_EQ(kind(""), Kind::kWhole);
  EXPECT_EQ(kind("Range: bytes=1-2\r\n"), Kind::kPart);
  EXPECT_EQ(kind("rAnGe: bytes=1-2\r\n"), Kind::kPart);
  EXPECT_EQ(kind("Range: bytes=1-2\r\n", "HEAD"), Kind::kWhole);
  EXPECT_EQ(kind("Range: bytes=10-\r\n", "HEAD"), Kind::kWhole);
  EXPECT_EQ(kind("Range: bytes=1-2\r\nRange: bytes=1-2\r\n"), Kind::kWhole);
}

TEST(Range, Section13_1_5IfRange) {
  const auto kind = [](const std::string& fields) {
    return choose_range(request("Range: bytes=1-2\r\n" + fields), 10, "\"tag\"").kind;
  };
  EXPECT_EQ(kind("If-Range: \"tag\"\r\n"), Kind::kPart);
  for (const char* other : {"W/\"tag\"", "\"other\"", "tag", "\"tag", "\"tag\", \"tag\"", "*", "\"\"", "",
                            "Sun, 06 Nov 1994 08:49:37 GMT", "\"TAG\""})
    EXPECT_EQ(kind("If-Range: " + std::string(other) + "\r\n"), Kind::kWhole) << other;
  EXPECT_EQ(kind("If-Range: \"tag\"\r\nIf-Range: \"tag\"\r\n"), Kind::kWhole);
  EXPECT_EQ(choose_range(request("Range: bytes=99-\r\nIf-Range: \"old\"\r\n"), 10, "\"tag\"").kind,
            Kind::kWhole)
      << "no 416 for a range of another representation";
}

TEST(Conditional, Section8_8_3_2TagsAreComparedAsStrings) {
  const auto weak = [](std::string_view list) {
    return etag_list_matches(list, "\"a\"", EtagComparison::kWeak);
  };
  const auto strong = [](std::string_view list) {
    return etag_list_matches(list, "\"a\"", EtagComparison::kStrong);
  };
  for (const std::string_view list : {"\"a\"", "\"b\", \"a\"", "\"b\",\"a\"", "\"b\" ,\t\"a\" ,", ",, \"a\"",
                                      "*", " * ", "\"x,y\", \"a\"", "\"\\\", \"a\""}) {
    EXPECT_TRUE(weak(list)) << list;
    EXPECT_TRUE(strong(list)) << list;
  }
  EXPECT_TRUE(weak("W/\"a\""));
  EXPECT_FALSE(strong("W/\"a\""));
  EXPECT_TRUE(strong("W/\"a\", \"a\""));
  for (const std::string_view list :
       {"", " ", "a", "\"a", "a\"", "\"A\"", "w/\"a\"", "W/", "W/a", "W/ \"a\"", "\"ab\"", "\"\"", "**",
        "*, \"a\"", "\"b\" \"a\"", "b, \"a\"", "\"b, \"a\"", "\"b,\"a\""})
    EXPECT_FALSE(weak(list)) << list;
}

TEST(Conditional, Section13RepeatedFieldsAreOneList) {
  EXPECT_FALSE(if_none_match_names(request(""), "\"a\""));
  EXPECT_TRUE(if_none_match_names(request("If-None-Match: W/\"a\"\r\n"), "\"a\""));
  EXPECT_TRUE(if_none_match_names(request("If-None-Match: \"b\"\r\nif-none-match: \"a\"\r\n"), "\"a\""));
  EXPECT_FALSE(if_none_match_names(request("If-None-Match: \"b\"\r\nIf-Match: \"a\"\r\n"), "\"a\""));
  EXPECT_TRUE(if_match_holds(request(""), "\"a\""));
  EXPECT_TRUE(if_match_holds(request("If-Match: *\r\n"), "\"a\""));
  EXPECT_TRUE(if_match_holds(request("If-Match: \"b\", \"a\"\r\n"), "\"a\""));
  EXPECT_FALSE(if_match_holds(request("If-Match: \"b\"\r\n"), "\"a\""));
  EXPECT_FALSE(if_match_holds(request("If-Match: W/\"a\"\r\n"), "\"a\""));
}

}  // namespace
}  // namespace wirehall::http1
