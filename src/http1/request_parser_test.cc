// The smuggling and limits rows of RELIABILITY section 1.5 and 3.4, and RFC 9112. Every input is given
// whole and one byte at a time.
#include "http1/request_parser.h"

#include <gtest/gtest.h>

#include <cctype>

#include "base/random.h"
#include "support/beast_head.h"
#include "support/seed.h"

namespace wirehall::http1 {
namespace {

Limits g_limits;

/// "GET /path [body]" for each request, then "error:code".
std::string outcome(const std::vector<std::string>& pieces) {
  RequestParser parser(g_limits);
  std::string text;
  for (const std::string& piece : pieces) {
    std::string_view input = piece;
    for (;;) {
      const auto step = parser.next(input);
      if (step == RequestParser::Step::kHead) {
        text += std::string(parser.head().target()) + " ";
        EXPECT_EQ(test::difference_from_beast(parser.head()), "") << parser.head().bytes;
      } else if (step == RequestParser::Step::kComplete) {
        text += "[" + parser.take_body() + "]";
      } else if (step == RequestParser::Step::kError) {
        return text + "error:" + std::to_string(error_info(parser.error()).http_status);
      } else {
        break;
      }
    }
  }
  return text;
}
std::string outcome(const std::string& input) {
  const std::string whole = outcome(std::vector{input});
  std::vector<std::string> bytes;
  for (const char c : input) bytes.emplace_back(1, c);
  EXPECT_EQ(outcome(bytes), whole) << input;
  return whole;
}

std::string get(const std::string& more, const std::string& line = "GET /x HTTP/1.1") {
  return line + "\r\n" + more + "\r\n";
}
const std::string kHost = "Host: example.org\r\n";

TEST(Rfc9112, PlainRequestsAndPipelines) {
  EXPECT_EQ(outcome(get(kHost)), "/x []");
  EXPECT_EQ(outcome("\r\n" + get(kHost)), "/x []");
  EXPECT_EQ(outcome(get(kHost) + get(kHost, "GET /y?q=1 HTTP/1.1")), "/x []/y?q=1 []");
  EXPECT_EQ(outcome("POST /p HTTP/1.1\r\n" + kHost + "Content-Length: 3\r\n\r\nabc" + get(kHost)),
            "/p [abc]/x []");
  EXPECT_EQ(outcome("GET http://example.org/abs?q HTTP/1.1\r\n" + kHost + "\r\n"), "/abs?q []");
  EXPECT_EQ(outcome("OPTIONS * HTTP/1.1\r\n" + kHost + "\r\n"), "* []");
  EXPECT_EQ(outcome("GET / HTTP/1.0\r\n\r\n"), "/ []");
}

TEST(Rfc9112, ConnectionOptionsDecideWhetherItStaysOpen) {
  const auto keeps_alive = [](const std::string& more, const std::string& version = "1.1") -> int {
    RequestParser parser(g_limits);
    const std::string text = get(kHost + more, "GET / HTTP/" + version);
    std::string_view input = text;
    return parser.next(input) == RequestParser::Step::kHead ? parser.head().keep_alive : -1;
  };
  EXPECT_EQ(keeps_alive(""), 1);
  EXPECT_EQ(keeps_alive("Connection: CLOSE\r\n"), 0);
  EXPECT_EQ(keeps_alive("Connection: upgrade ,\tclose\t\r\n"), 0);
  EXPECT_EQ(keeps_alive("Connection: keep-alive\r\nconnection: close\r\n"), 0);
  EXPECT_EQ(keeps_alive("Proxy-Connection: close\r\n"), 0);
  EXPECT_EQ(keeps_alive("Connection: closed, , x-close\r\n"), 1);
  EXPECT_EQ(keeps_alive("", "1.0"), 0);
  EXPECT_EQ(keeps_alive("Connection: Keep-Alive\r\n", "1.0"), 1);
  EXPECT_EQ(keeps_alive("Connection: keep-alive\r\nConnection: close\r\n", "1.0"), 0);
  EXPECT_EQ(keeps_alive("Connection:\r\n"), 1);
  for (const char* list : {"close x", "a;b", "\"close\"", "a, b c", "close,@"})
    EXPECT_EQ(keeps_alive("Connection: " + std::string(list) + "\r\n"), -1) << list;
}

TEST(Rfc9112, NamesAndValuesStandWhereTheyStood) {
  RequestParser parser(g_limits);
  const std::string text = get("Host:example.org\r\nX-A: \t a\tb \t\r\nx-empty:  \r\n");
  std::string_view input = text;
  ASSERT_EQ(parser.next(input), RequestParser::Step::kHead);
  const RequestHead head = parser.take_head();
  ASSERT_EQ(head.fields.size(), 3u);
  EXPECT_EQ(head.name(head.fields[1]), "X-A");
  EXPECT_EQ(head.value(head.fields[1]), "a\tb");
  EXPECT_EQ(head.find("X-Empty"), "");
  EXPECT_EQ(head.find("HOST"), "example.org");
  EXPECT_EQ(head.count("x-a"), 1u);
  EXPECT_EQ(head.count("x-b"), 0u);
}

TEST(Rfc9112, ChunkedBodies) {
  const std::string head = "POST /p HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(outcome(head + "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n" + get(kHost)),
            "/p [abc0123456789]/x []");
  EXPECT_EQ(outcome(head + "5;a=b\r\nhello\r\n0\r\n\r\n"), "/p [hello]");
  EXPECT_EQ(outcome(head + "5;a=\"x\\\"y\";c\r\nhello\r\n000\r\n\r\n"), "/p [hello]");
  EXPECT_EQ(outcome(head + "1\r\na\r\n0\r\nHost: evil\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\n\r\n" +
                    get(kHost)),
            "/p [a]/x []")
      << "trailers are thrown away";
  for (const char* line : {"5;", ":", "g", "5\n", "5 ", " 5", "+5", "0x5", "", "5;\r", "5;a=", "5;a b",
                           "5\r\r\n", "11111111111111111", "-1", "5;a=\"x"}) {
    EXPECT_EQ(outcome(head + line + "\r\nhello\r\n0\r\n\r\n"), "/p error:400") << line;
  }
  EXPECT_EQ(outcome(head + "5\r\nhelloX"), "/p error:400");
  EXPECT_EQ(outcome(head + "5\r\nhello\n0"), "/p error:400");
  EXPECT_EQ(outcome(head + "0\r\nbad trailer\r\n\r\n"), "/p error:400");
}

TEST(Smuggling, TwoWaysToReadALengthAreRefused) {
  const std::string cl = "Content-Length: 3\r\n";
  const std::string te = "Transfer-Encoding: chunked\r\n";
  for (const std::string& fields :
       {cl + te, te + cl, cl + cl, te + te, cl + "Content-Length: 4\r\n",
        std::string("Transfer-Encoding: gzip\r\n"), std::string("Transfer-Encoding: gzip, chunked\r\n"),
        std::string("Transfer-Encoding: chunked, identity\r\n"),
        std::string("Transfer-Encoding: xchunked\r\n"), std::string("Transfer-Encoding: \"chunked\"\r\n"),
        std::string("Transfer-Encoding:\r\n"), std::string("Transfer-Encoding: chunked,\r\n"),
        std::string("Transfer-Encoding : chunked\r\n"), std::string("Transfer-Encoding\t: chunked\r\n"),
        std::string("Transfer-Encoding: \x0b"
                    "chunked\r\n")}) {
    for (const char* line : {"POST / HTTP/1.1", "POST / HTTP/1.0"})
      EXPECT_EQ(outcome(get(kHost + fields, line) + "abc"), "error:400") << line << fields;
    EXPECT_EQ(outcome(get(kHost + "Upgrade: websocket\r\nConnection: upgrade\r\n" + fields)), "error:400");
  }
  EXPECT_EQ(outcome(get(kHost + te, "POST / HTTP/1.0")), "error:400") << "chunked on 1.0";
  for (const char* value :
       {"+5", "5 5", "0x5", "5,5", "", "-1", "12345678901234567890", "1e1", "5;", "\"5\"", "0005 a"}) {
    EXPECT_EQ(outcome(get(kHost + "Content-Length: " + value + "\r\n", "POST / HTTP/1.1")), "error:400")
        << value;
  }
}

TEST(Malformed, LinesAndBytes) {
  for (const std::string& text :
       std::initializer_list<std::string>{std::string("GET /x HTTP/1.1\nHost: a\n\n"),
                                          "GET /x HTTP/1.1\r\nHost: a\n\r\n",
                                          "GET /x HTTP/1.1\rHost: a\r\n\r\n",
                                          "GET /x HTTP/1.1\r\n" + kHost + " folded\r\n\r\n",
                                          "GET /x HTTP/1.1\r\n folded\r\n" + kHost + "\r\n",
                                          get("Host : a\r\n"),
                                          get(kHost + ": x\r\n"),
                                          get(kHost + "no colon\r\n"),
                                          get(kHost + "A b: c\r\n"),
                                          get(kHost + "A: b\rc\r\n"),
                                          get(kHost + std::string("A: b\0c\r\n", 8)),
                                          std::string(1, '\0') + get(kHost),
                                          get(kHost + "A: \x7f\r\n"),
                                          get(kHost + "A\x80: x\r\n"),
                                          "\r\n\r\n" + get(kHost),
                                          "\n" + get(kHost),
                                          get(kHost, "GET  /x HTTP/1.1"),
                                          get(kHost, "GET /x  HTTP/1.1"),
                                          get(kHost, " GET /x HTTP/1.1"),
                                          get(kHost, "GET /x HTTP/1.1 "),
                                          get(kHost, "GET\t/x HTTP/1.1"),
                                          get(kHost, "GET /x"),
                                          get(kHost, "GET"),
                                          get(kHost, "G(T /x HTTP/1.1"),
                                          get(kHost, "GET x HTTP/1.1"),
                                          get(kHost, "GET /a b HTTP/1.1"),
                                          get(kHost, "GET /x#f HTTP/1.1"),
                                          get(kHost, "GET /\x80 HTTP/1.1"),
                                          get(kHost, "GET * HTTP/1.1"),
                                          get(kHost, "GET ftp://a/ HTTP/1.1"),
                                          get(kHost, "GET http:///x HTTP/1.1"),
                                          get(kHost, "CONNECT a:80 HTTP/1.1"),
                                          get(kHost, "GET /x http/1.1"),
                                          get(kHost, "GET /x HTTP/1.10"),
                                          get(kHost, "GET /x HTTP/11"),
                                          get(""),
                                          get("Host:\r\n"),
                                          get(kHost + kHost),
                                          get("Host: a b\r\n"),
                                          get("Host: a/b\r\n"),
                                          get("Host: u@a\r\n"),
                                          get("Host: a:b\r\n"),
                                          get("Host: a:123456\r\n"),
                                          get("Host: [::1\r\n"),
                                          get("Host: a,b\r\n")}) {
    EXPECT_EQ(outcome(text), "error:400") << testing::PrintToString(text);
  }
  for (const char* line : {"GET /x HTTP/2.0", "GET /x HTTP/1.2", "GET /x HTTP/0.9", "GET /x HTTP/3.0"})
    EXPECT_EQ(outcome(get(kHost, line)), "error:505") << line;
  EXPECT_EQ(outcome("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").substr(0, 6), "error:");
  for (const char* host : {"a", "example.org:8080", "[::1]:80", "127.0.0.1", "xn--bcher-kva.example", "a_b"})
    EXPECT_EQ(outcome(get(std::string("Host: ") + host + "\r\n")), "/x []") << host;
}

TEST(Limits, HeadTargetHeadersAndBody) {
  EXPECT_EQ(outcome(get(kHost, "GET /" + std::string(8 * 1024 - 1, 'a') + " HTTP/1.1")).substr(0, 3), "/aa");
  EXPECT_EQ(outcome(get(kHost, "GET /" + std::string(8 * 1024, 'a') + " HTTP/1.1")), "error:414");
  EXPECT_EQ(outcome("GET /" + std::string(12'000, 'a')), "error:414");
  EXPECT_EQ(outcome(get(kHost + "A: " + std::string(17 * 1024, 'a') + "\r\n")), "error:431");
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\n" + kHost + "A: " + std::string(20 * 1024, 'a')), "error:431")
      << "before its end has come";
  const auto head_of = [](std::size_t bytes) {
    const std::string empty = get(kHost + "A: \r\n");
    return get(kHost + "A: " + std::string(bytes - empty.size(), 'a') + "\r\n");
  };
  EXPECT_EQ(outcome(head_of(g_limits.http_head_bytes_max)), "/x []");
  EXPECT_EQ(outcome(head_of(g_limits.http_head_bytes_max + 1u)), "error:431");
  EXPECT_EQ(outcome(head_of(g_limits.http_head_bytes_max + 2u)), "error:431");
  std::string hundred;
  for (int i = 0; i < 99; ++i) hundred += "A" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(outcome(get(kHost + hundred)), "/x []");
  EXPECT_EQ(outcome(get(kHost + hundred + "B: 1\r\n")), "error:431");
  g_limits.http_body_bytes_max = 10;
  EXPECT_EQ(outcome("POST / HTTP/1.1\r\n" + kHost + "Content-Length: 10\r\n\r\n0123456789"),
            "/ [0123456789]");
  EXPECT_EQ(outcome("POST / HTTP/1.1\r\n" + kHost + "Content-Length: 11\r\n\r\n"), "/ error:413")
      << "before its body has come";
  EXPECT_EQ(outcome("POST / HTTP/1.1\r\n" + kHost +
                    "Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n01234\r\n0\r\n\r\n"),
            "/ error:413");
  g_limits = Limits();
}

TEST(Limits, ManySmallChunksAreOverhead) {
  std::string body = "POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 30'000; ++i) body += "1\r\na\r\n";
  EXPECT_EQ(outcome(std::vector{body}), "/ error:400");
  const std::string extension = "POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n1;" +
                                std::string(2000, 'a') + "\r\na\r\n0\r\n\r\n";
  EXPECT_EQ(outcome(extension), "/ error:400");
}

TEST(Expect, IsAnsweredOrRefused) {
  RequestParser parser(g_limits);
  const std::string text =
      "POST / HTTP/1.1\r\n" + kHost + "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n";
  std::string_view input = text;
  ASSERT_EQ(parser.next(input), RequestParser::Step::kHead);
  EXPECT_TRUE(parser.head().expects_continue);
  EXPECT_EQ(outcome(get(kHost + "Expect: 200-ok\r\n")), "error:417");
  EXPECT_EQ(outcome(get(kHost + "Content-Encoding: gzip\r\nContent-Length: 1\r\n", "POST / HTTP/1.1")),
            "error:415");
}

TEST(KeepAlive, FollowsVersionAndConnection) {
  const auto keeps = [](const std::string& text) {
    RequestParser parser(g_limits);
    std::string_view input = text;
    EXPECT_EQ(parser.next(input), RequestParser::Step::kHead);
    return parser.head().keep_alive;
  };
  EXPECT_TRUE(keeps(get(kHost)));
  EXPECT_FALSE(keeps(get(kHost + "Connection: close\r\n")));
  EXPECT_FALSE(keeps(get(kHost, "GET / HTTP/1.0")));
  EXPECT_TRUE(keeps(get(kHost + "Connection: keep-alive\r\n", "GET / HTTP/1.0")));
}

TEST(Property, AnySplitGivesTheSameOutcome) {
  SeededRandom random(test::seed());
  const std::vector<std::string> parts = {
      get(kHost),
      "POST /p HTTP/1.1\r\n" + kHost + "Content-Length: 5\r\n\r\nhello",
      "\r\n",
      "\n",
      "GET",
      "POST /c HTTP/1.1\r\n" + kHost +
          "Transfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n0\r\nT: v\r\n\r\n"};
  for (int round = 0; round < 2000; ++round) {
    std::string input;
    for (auto n = 1 + random.below(4); n > 0; --n) input += parts[random.below(parts.size())];
    if (random.below(3) == 0) input[random.below(input.size())] = static_cast<char>(random.below(256));
    std::vector<std::string> pieces;
    for (std::size_t i = 0; i < input.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random.below(20), input.size() - i);
      pieces.push_back(input.substr(i, size));
      i += size;
    }
    ASSERT_EQ(outcome(pieces), outcome(std::vector{input})) << testing::PrintToString(input);
  }
}

// Heads made of parts that parsers like to read differently; outcome() compares what is accepted with Beast.
TEST(Property, WhatIsAcceptedBeastReadsTheSame) {
  SeededRandom random(test::seed());
  const std::vector<std::string> lines = {"GET / HTTP/1.1", "POST /a?b=c HTTP/1.0", "OPTIONS * HTTP/1.1", "GET http://h/x HTTP/1.1",
                                          "BREW /\x7e HTTP/1.1"};
  const std::vector<std::string> names = {"Host", "Connection", "Proxy-Connection", "Content-Length", "Transfer-Encoding",
                                          "X-A", "Upgrade", "!#$%&'*+-.^_`|~", "Sec-WebSocket-Key", "X(", "", "\xe4"};
  const std::vector<std::string> values = {"example.org", "close", "keep-alive, Upgrade", ",", "a b", "3", "chunked", "",
                                           "\t x \t", "\x80\xff", "\x01", "\x7f", "a\r\n b", std::string(3, '\0'), "\"q\""};
  const std::vector<std::string> colons = {":", ": ", ":\t", " :", ""};
  const std::vector<std::string> ends = {"\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\n "};
  const auto any = [&](const std::vector<std::string>& of) { return of[random.below(of.size())]; };
  // Most choices are good ones, or hardly anything would be accepted.
  const auto often = [&](const std::vector<std::string>& of, std::size_t good) {
    return random.below(12) == 0 ? any(of) : of[random.below(good)];
  };
  int accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = any(lines) + "\r\nHost: h\r\n";
    for (auto n = random.below(6); n > 0; --n) {
      std::string name = random.below(6) == 0 ? any(names) : names[1 + 4 * random.below(2)];
      if (random.below(3) == 0) {
        for (char& c : name) c = static_cast<char>(random.below(2) == 0 ? std::toupper(c) : std::tolower(c));
      }
      text += name + often(colons, 3) + often(values, 4) + often(ends, 6);
    }
    accepted += outcome(text + "\r\n").starts_with("error") ? 0 : 1;
  }
  EXPECT_GT(accepted, 500) << "or nothing was compared";
}

}  // namespace
}  // namespace wirehall::http1
