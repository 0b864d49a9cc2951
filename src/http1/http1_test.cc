// Responses, URLs, CORS.
#include <gtest/gtest.h>

#include "http1/cors.h"
#include "http1/exchange.h"
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

TEST(Response, OfAStreamedBodyTheHeadIsWritten) {
  Response response;
  response.body = "not this";
  response.streamed_body = {[](std::uint64_t, std::size_t) -> Result<std::string> { std::abort(); }, 5,
                            12'345'678'901};
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 12345678901\r\nConnection: keep-alive\r\n\r\n";
  EXPECT_EQ(written(response), head);
  EXPECT_EQ(written(response, {.head_only = true, .keep_alive = true, .date = ""}), head);
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

class RoutesTest : public testing::Test {
 protected:
  HttpHandler named(const std::string& name) {
    return [this, name](ResponseSink&, const HttpRequest&, const Responder&) { called = name; };
  }
  /// Who would answer: a name, or the methods of a 405, or nothing.
  std::string answers(std::string_view method, std::string_view path) {
    const HttpHandler* handler = routes.find(method, path);
    if (handler == nullptr) return "405 " + routes.allowed_methods(path);
    called.clear();
    struct Sink final : ResponseSink {
      void respond(const Responder&, Response) override {}
      WallMs wall_now() const override { return 0; }
    } sink;
    (*handler)(sink, {}, {});
    return called;
  }
  Routes routes;
  std::string called;
};

TEST_F(RoutesTest, TheLongestPrefixAnswersWhatHasNoRouteOfItsOwn) {
  routes.add_prefix("GET", "/a/", named("a"));
  routes.add_prefix("GET", "/a/bbb/c/", named("abc"));
  routes.add_prefix("GET", "/a/bbb/", named("ab"));
  routes.add_prefix("GET", "/b/", named("b"));
  routes.add_prefix("POST", "/a/bbb/", named("post ab"));
  routes.add_prefix("DELETE", "/", named("everything"));
  routes.add("GET", "/a/bbb/exact", named("exact"));
  routes.files["/a/file"] = {};
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"GET", "/a/", "a"},
      {"GET", "/a/x", "a"},
      {"GET", "/a/bbb", "a"},
      {"GET", "/a/bbb/", "ab"},
      {"GET", "/a/bbb/c", "ab"},
      {"GET", "/a/bbb/c/d/e", "abc"},
      {"GET", "/b/", "b"},
      {"POST", "/a/bbb/x", "post ab"},
      {"POST", "/a/x", "405 GET, HEAD"},
      {"POST", "/a/bbb/c/x", "405 GET, HEAD"},
      {"PUT", "/a/bbb/x", "405 GET, HEAD, POST"},
      {"GET", "/a/bbb/exact", "exact"},
      {"POST", "/a/bbb/exact", "405 GET, HEAD"},
      {"GET", "/a", "405 DELETE"},
      {"DELETE", "/a", "everything"},
      {"DELETE", "/a/x", "405 GET, HEAD"},
      {"GET", "/a/file", "405 "},
      {"DELETE", "/a/file", "405 "},
      {"OTHER", "/b/x", "405 GET, HEAD"},
      {"GET", "", "405 "},
      {"GET", "*", "405 "},
  };
  for (const auto& [method, path, expected] : cases)
    EXPECT_EQ(answers(method, path), expected) << method << " " << path;
}

TEST_F(RoutesTest, ALaterHandlerReplacesAnEarlierOne) {
  routes.add_prefix("GET", "/aa/", named("old"));
  routes.add_prefix("GET", "/bb/", named("other"));
  routes.add_prefix("GET", "/aa/", named("new"));
  EXPECT_EQ(routes.prefixes.size(), 2u);
  EXPECT_EQ(answers("GET", "/aa/x"), "new");
  EXPECT_EQ(answers("GET", "/bb/x"), "other");
}

TEST(RoutesDeathTest, APrefixBeginsAndEndsWithASlash) {
  Routes routes;
  for (const char* prefix : {"/cc", "cc/", ""})
    EXPECT_DEATH(routes.add_prefix("GET", prefix, nullptr), "prefix");
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
