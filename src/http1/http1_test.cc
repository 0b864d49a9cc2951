// Responses, URLs, CORS.
#include <gtest/gtest.h>

#include "http1/cors.h"
#include "http1/request_parser.h"
#include "http1/response.h"
#include "http1/url.h"

namespace wirehall::http1 {
namespace {

std::string written(const Response& response, ResponseContext context = {}) {
  Outbox out;
  append_response(out, response, context);
  std::string text(out.bytes(), '\0');
  out.copy_front(text.data(), text.size());
  return text;
}

RequestHead request(const std::string& fields, const std::string& line = "GET / HTTP/1.1") {
  static const Limits limits;
  RequestParser parser(limits);
  const std::string text = line + "\r\nHost: a\r\n" + fields + "\r\n";
  std::string_view input = text;
  EXPECT_EQ(parser.next(input), RequestParser::Step::kHead);
  return parser.take_head();
}

TEST(Response, IsWrittenWithItsLength) {
  Response response;
  response.set("Content-Type", "text/plain");
  response.body = "hi";
  EXPECT_EQ(
      written(response),
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi");
  EXPECT_EQ(written(response, {.head_only = true, .keep_alive = false, .date = "D"}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: D\r\nContent-Length: 2\r\nConnection: "
            "close\r\n\r\n");
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(Response, ProblemsFollowRfc9457) {
  const Response response = problem(Error(ErrorCode::kRateLimited).retry_after_ms(1500));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(written(response),
            "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\nRetry-After: "
            "2\r\nContent-Length: 87\r\nConnection: keep-alive\r\n\r\n"
            R"({"type":"about:blank","title":"Rate limit exceeded","status":429,"code":"rate-limited"})");
}

TEST(ResponseDeathTest, ControlBytesInAHeaderEndTheProcess) {
  Response response;
  response.set("X", "a\r\nSet-Cookie: b");
  EXPECT_DEATH(written(response), "is_safe_header_value");
}

TEST(Url, QueriesDecodeAsUrlSearchParams) {
  const QueryPairs pairs = parse_query("a=1&b=%20x+y&c&=d&e=%zz&f=%ff&a=2&&g=%E2%82%AC");
  const QueryPairs expected = {{"a", "1"},   {"b", " x y"},         {"c", ""},  {"", "d"},
                               {"e", "%zz"}, {"f", "\xef\xbf\xbd"}, {"a", "2"}, {"g", "\xe2\x82\xac"}};
  EXPECT_EQ(pairs, expected);
  EXPECT_EQ(find_last(pairs, "a"), "2");
  EXPECT_EQ(find_last(pairs, "z"), std::nullopt);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "a=1&";
  EXPECT_EQ(parse_query(many).size(), 128u);
}

TEST(Url, OnlyPathsBelowTheRootAreSafe) {
  bool bad = false;
  EXPECT_EQ(safe_relative_path("/a/b%20c.js", bad), "a/b c.js");
  EXPECT_EQ(safe_relative_path("/", bad), "");
  for (const char* path : {"/../x", "/a/../b", "/%2e%2e/x", "/..%2fx", "/a/..%5cx", "//etc/passwd", "/a//b",
                           "/.git/config", "/a/./b", "/..", "a", "", "/a\\b", "/%2e"}) {
    EXPECT_EQ(safe_relative_path(path, bad), std::nullopt) << path;
    EXPECT_FALSE(bad) << path;
  }
  for (const char* path : {"/a%00b", "/%0d%0a", "/%", "/%4", "/%zz", "/%7f"}) {
    EXPECT_EQ(safe_relative_path(path, bad), std::nullopt) << path;
    EXPECT_TRUE(bad) << path;
  }
  EXPECT_EQ(safe_relative_path("/%252e%252e/x", bad), "%2e%2e/x") << "decoded once";
}

TEST(Cors, OriginsAreComparedExactly) {
  CorsPolicy policy;
  policy.enabled = true;
  policy.origins = {"https://good.example"};
  policy.credentials = true;
  const auto allowed = [&](const std::string& origin) {
    Response response;
    add_cors_headers(policy, request("Origin: " + origin + "\r\n"), response);
    return written(response).find("Access-Control-Allow-Origin: " + origin + "\r\n") != std::string::npos;
  };
  EXPECT_TRUE(allowed("https://good.example"));
  for (const char* origin :
       {"null", "http://good.example", "https://good.example:8443", "https://good.example.evil",
        "https://evil-good.example", "https://good.example.", "HTTPS://good.example",
        "https://x@good.example", "https://good.example/"}) {
    EXPECT_FALSE(allowed(origin)) << origin;
  }
  for (const char* origin : {"http://localhost:3000", "http://127.0.0.1", "https://[::1]:1"})
    EXPECT_TRUE(is_loopback_origin(origin)) << origin;
  for (const char* origin : {"http://localhost.evil", "http://localhost:", "http://localhost:3000/x",
                             "http://127.0.0.1.nip.io", "ftp://localhost", "null", "http://localhost:123456"})
    EXPECT_FALSE(is_loopback_origin(origin)) << origin;
}

TEST(Cors, PreflightAnswersAsTheCorsPackage) {
  CorsPolicy policy;
  policy.enabled = true;
  policy.any_origin = true;
  const RequestHead head = request(
      "Origin: http://x\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-a\r\n",
      "OPTIONS / HTTP/1.1");
  ASSERT_TRUE(is_preflight(policy, head));
  EXPECT_EQ(written(preflight_response(policy, head)),
            "HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: "
            "GET,HEAD,PUT,PATCH,POST,DELETE\r\nVary: "
            "Access-Control-Request-Headers\r\nAccess-Control-Allow-Headers: x-a\r\nContent-Length: "
            "0\r\nConnection: keep-alive\r\n\r\n");
}

}  // namespace
}  // namespace wirehall::http1
