#include "http1/response_parser.h"

#include <gtest/gtest.h>

namespace wirehall::http1 {
namespace {

using Step = ResponseParser::Step;

// What the bytes are, given whole and byte by byte: both must be the same.
std::string parsed(const std::string& bytes, ResponseLimits limits = {}) {
  std::string whole;
  for (const bool single : {false, true}) {
    ResponseParser parser(limits);
    std::string seen;
    const auto note = [&] {
      const ReceivedResponse& response = parser.response();
      seen += std::to_string(response.status) + (response.keep_alive ? " keep " : " close ") + response.body +
              "|";
    };
    bool ended = false;
    for (std::size_t at = 0; at < bytes.size() && !ended; at += single ? 1 : bytes.size()) {
      std::string_view input = std::string_view(bytes).substr(at, single ? 1 : bytes.size());
      while (!input.empty() && !ended) {
        const Step step = parser.next(input);
        if (step == Step::kComplete) note();
        if (step == Step::kError) seen += error_info(parser.error()).code, ended = true;
        if (step == Step::kComplete && parser.response().status == 101) ended = true;
      }
    }
    if (!ended) {
      const Step step = parser.end();
      if (step == Step::kComplete) note();
      if (step == Step::kError) seen += error_info(parser.error()).code;
    }
    if (single) {
      EXPECT_EQ(seen, whole) << "cut at every byte";
    }
    whole = seen;
  }
  return whole;
}

TEST(ResponseParser, BodiesEndAsTheirFieldsSay) {
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), "200 keep hello|");
  EXPECT_EQ(parsed("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
            "200 keep abcde|");
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\n\r\nuntil the end"), "200 close until the end|");
  EXPECT_EQ(parsed("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"), "200 close x|");
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\nx"), "200 close x|");
  EXPECT_EQ(
      parsed("HTTP/1.1 204 No\r\n\r\nHTTP/1.1 304 No\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
      "204 keep |304 keep |200 keep |");
  EXPECT_EQ(parsed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 "
                   "OK\r\nContent-Length: 1\r\n\r\nx"),
            "200 keep x|");
}

TEST(ResponseParser, BehindAnUpgradeTheBytesAreLeft) {
  const ResponseLimits limits;
  ResponseParser parser(limits);
  std::string_view input = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81";
  EXPECT_EQ(parser.next(input), Step::kComplete);
  EXPECT_EQ(parser.response().status, 101);
  EXPECT_EQ(input, "\x81");
}

TEST(ResponseParser, WhatIsMalformedEndsIt) {
  EXPECT_EQ(parsed("SSH-2.0-OpenSSH\r\n"), "http-version");
  EXPECT_EQ(parsed("HTTP/2 200\r\n\r\n"), "http-version");
  for (const char* head :
       {"HTTP/1.1 20 OK", "HTTP/1.1  200 OK", "HTTP/1.1 2000", "HTTP/1.1 099 X", "HTTP/1.1 200 O\x01K"}) {
    EXPECT_EQ(parsed(std::string(head) + "\r\nContent-Length: 0\r\n\r\n"), "bad-request") << head;
  }
  for (const char* field :
       {"no colon", ": x", "a b: c", " folded: x", "X: a\x7f", "Content-Length: -1",
        "Content-Length: 1\r\nContent-Length: 1", "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip", "Content-Length: 9999999999999999999"}) {
    EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\n" + std::string(field) + "\r\n\r\n"), "bad-request") << field;
  }
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\nContent-Length: 0\n\n"), "bad-request") << "a bare line feed";
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "bad-request");
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"), "bad-request") << "cut";
}

TEST(ResponseParser, HasItsLimits) {
  ResponseLimits limits;
  limits.head_bytes_max = 64;
  limits.body_bytes_max = 4;
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nX: " + std::string(100, 'x'), limits), "head-too-large");
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", limits), "body-too-large");
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell", limits), "200 keep hell|");
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\n\r\nhello", limits), "body-too-large");
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", limits),
            "body-too-large");
}

}  // namespace
}  // namespace wirehall::http1
