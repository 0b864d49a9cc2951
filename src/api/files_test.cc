// Downloads: who gets what, in which part, under which name, and what no browser may make of it.
#include "api/files.h"

#include <gtest/gtest.h>

#include "http1/request_parser.h"
#include "support/sim.h"

namespace wirehall::api {
namespace {

const std::string kHash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const std::string kTag = '"' + kHash + '"';
const std::string kId = "file-0001";
const std::string kContent = "0123456789abcdefghij";

http1::HttpRequest request(const std::string& target, const std::string& fields = "",
                           const std::string& method = "GET") {
  static const Limits limits;
  http1::RequestParser parser(limits);
  const std::string text = method + " " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  std::string_view input = text;
  EXPECT_EQ(parser.next(input), http1::RequestParser::Step::kHead) << text;
  return {std::make_shared<const http1::RequestHead>(parser.take_head()), "", "10.0.0.1", false};
}

class FilesTest : public testing::Test, protected http1::ResponseSink {
 protected:
  FilesTest() {
    file = {"notes.txt", "text/plain", kHash, kContent.size(),
            [this](std::uint64_t offset, std::size_t bytes_max) {
              ++reads;
              return Result<std::string>(kContent.substr(offset, bytes_max));
            }};
    add_file_route(routes, [this](http1::ResponseSink&, const http1::HttpRequest& asked, std::string id,
                                  std::function<void(Result<OpenFile>)> done) {
      ids.push_back(id);
      query = std::string(asked.head->query());
      if (later) {
        waiting.push_back(std::move(done));
      } else {
        done(result());
      }
    });
  }
  Result<OpenFile> result() const {
    if (error.code() != ErrorCode::kOk) return error;
    return file;
  }
  http1::Response ask(const std::string& fields = "", const std::string& target = "/files/" + kId,
                      const std::string& method = "GET") {
    responses.clear();
    const http1::HttpRequest asked = request(target, fields, method);
    const http1::HttpHandler* handler = routes.find("GET", asked.head->path());
    EXPECT_NE(handler, nullptr);
    (*handler)(*this, asked, {});
    EXPECT_EQ(responses.size(), later ? 0u : 1u);
    return responses.empty() ? http1::Response() : responses.front();
  }
  static std::string field(const http1::Response& response, std::string_view name) {
    std::string found;
    for (const http1::Header& header : response.headers) {
      if (header.name != name) continue;
      EXPECT_EQ(found, "") << "once";
      found = header.value;
    }
    return found;
  }
  /// The bytes that the response promises.
  static std::string body(const http1::Response& response) {
    if (!response.streamed_body) return response.body;
    return *response.streamed_body.source(response.streamed_body.offset, response.streamed_body.size);
  }
  void respond(const http1::Responder&, http1::Response response) override {
    responses.push_back(std::move(response));
  }
  WallMs wall_now() const override { return 0; }

  http1::Routes routes;
  OpenFile file;
  Error error = ErrorCode::kOk;
  bool later = false;
  int reads = 0;
  std::vector<std::string> ids;
  std::string query;
  std::vector<std::function<void(Result<OpenFile>)>> waiting;
  std::vector<http1::Response> responses;
};

TEST_F(FilesTest, AFileIsAnAttachmentThatNoBrowserRuns) {
  const http1::Response response = ask();
  std::vector<std::string> lines;
  for (const http1::Header& header : response.headers) lines.push_back(header.name + ": " + header.value);
  EXPECT_EQ(lines,
            (std::vector<std::string>{
                "ETag: " + kTag, "Cache-Control: private, max-age=3600", "Vary: Authorization, Cookie",
                "X-Content-Type-Options: nosniff", "Content-Security-Policy: sandbox; default-src 'none'",
                "Cross-Origin-Resource-Policy: same-origin", "Content-Type: text/plain",
                "Content-Disposition: attachment; filename=\"notes.txt\"; filename*=UTF-8''notes.txt",
                "Accept-Ranges: bytes"}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(body(response), kContent);
  EXPECT_EQ(ids, std::vector<std::string>{kId});
}

TEST_F(FilesTest, OnlyIdsAreAskedFor) {
  const std::string longest(64, 'z');
  ask("", "/files/" + longest + "?token=abc&x=/../");
  EXPECT_EQ(ids, std::vector<std::string>{longest});
  EXPECT_EQ(query, "token=abc&x=/../");
  error = ErrorCode::kNotFound;
  const http1::Response missing = ask();
  ids.clear();
  for (const std::string& name :
       {std::string(), std::string("short"), std::string(65, 'a'), std::string(".."),
        std::string("../file-0001"), std::string("file-0001/"), std::string("file-0001/x"),
        std::string("/file-0001"), std::string("%66ile-0001"), std::string("file-0001%00"),
        std::string("..%2f..%2fetc"), std::string("file.0001"), std::string("file+0001"),
        std::string("file-0001;x"), std::string("file-00%c3%a4")}) {
    const http1::Response response = ask("", "/files/" + name);
    EXPECT_EQ(response.status, 404) << name;
    EXPECT_EQ(response.body, missing.body) << "no other answer than for an id that nobody has";
    EXPECT_EQ(response.headers.size(), missing.headers.size());
  }
  EXPECT_EQ(ids, std::vector<std::string>{});
}

TEST_F(FilesTest, RefusalsAreProblemsThatNobodyKeeps) {
  const std::pair<ErrorCode, int> cases[] = {
      {ErrorCode::kNotFound, 404},     {ErrorCode::kAccessDenied, 403},
      {ErrorCode::kNotInRoom, 403},    {ErrorCode::kAuthenticationRequired, 401},
      {ErrorCode::kTokenExpired, 401}, {ErrorCode::kUnavailable, 503}};
  for (const auto& [code, status] : cases) {
    error = Error(code).retry_after_ms(1500);
    const http1::Response response = ask("If-None-Match: *\r\nRange: bytes=0-1\r\n");
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(field(response, "Content-Type"), "application/problem+json");
    EXPECT_EQ(field(response, "Cache-Control"), "no-store");
    EXPECT_EQ(field(response, "WWW-Authenticate"), status == 401 ? "Bearer" : "");
    EXPECT_EQ(field(response, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(field(response, "Retry-After"), "2");
    EXPECT_EQ(field(response, "ETag"), "");
    EXPECT_NE(response.body.find("\"" + std::string(error_info(code).code) + "\""), std::string::npos);
  }
  EXPECT_EQ(reads, 0);
}

TEST_F(FilesTest, ADecisionMayComeLater) {
  later = true;
  ask("Range: bytes=5-6\r\n");
  ASSERT_EQ(waiting.size(), 1u);
  waiting.front()(result());
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_EQ(responses.front().status, 206);
  EXPECT_EQ(body(responses.front()), "56");
}

TEST_F(FilesTest, RangesAreParts) {
  struct Case {
    std::string range;
    int status;
    std::string content_range, body;
  };
  const Case cases[] = {
      {"bytes=0-4", 206, "bytes 0-4/20", "01234"},
      {"bytes=5-", 206, "bytes 5-19/20", kContent.substr(5)},
      {"bytes=-3", 206, "bytes 17-19/20", "hij"},
      {"bytes=19-1000", 206, "bytes 19-19/20", "j"},
      {"bytes=-99999999999999999999", 206, "bytes 0-19/20", kContent},
      {"bytes=20-", 416, "bytes */20", ""},
      {"bytes=99999999999999999999-", 416, "bytes */20", ""},
      {"bytes=-0", 416, "bytes */20", ""},
      {"bytes=0-0,2-2", 200, "", kContent},
      {"bytes=4-2", 200, "", kContent},
      {"bytes=x", 200, "", kContent},
      {"pages=1-2", 200, "", kContent},
  };
  for (const Case& one : cases) {
    const http1::Response response = ask("Range: " + one.range + "\r\n");
    EXPECT_EQ(response.status, one.status) << one.range;
    EXPECT_EQ(field(response, "Content-Range"), one.content_range) << one.range;
    if (one.status == 416) {
      EXPECT_EQ(field(response, "Content-Type"), "application/problem+json");
      EXPECT_FALSE(response.streamed_body);
    } else {
      EXPECT_EQ(body(response), one.body) << one.range;
      EXPECT_EQ(field(response, "ETag"), kTag);
      EXPECT_EQ(field(response, "Accept-Ranges"), "bytes");
    }
  }
  EXPECT_EQ(ask("Range: bytes=0-4\r\nIf-Range: " + kTag + "\r\n").status, 206);
  EXPECT_EQ(ask("Range: bytes=0-4\r\nIf-Range: \"old\"\r\n").status, 200);
  EXPECT_EQ(ask("Range: bytes=99-\r\nIf-Range: \"old\"\r\n").status, 200);
}

TEST_F(FilesTest, ConditionsComeBeforeRanges) {
  for (const std::string& list : {kTag, "W/" + kTag, "\"other\", " + kTag, std::string("*")}) {
    const http1::Response response = ask("If-None-Match: " + list + "\r\nRange: bytes=99-\r\n");
    EXPECT_EQ(response.status, 304) << list;
    EXPECT_EQ(field(response, "ETag"), kTag);
    EXPECT_EQ(field(response, "Cache-Control"), "private, max-age=3600");
    EXPECT_EQ(field(response, "Content-Type"), "");
    EXPECT_FALSE(response.streamed_body);
  }
  EXPECT_EQ(ask("If-None-Match: \"other\"\r\n").status, 200);
  EXPECT_EQ(ask("If-Match: " + kTag + "\r\n").status, 200);
  EXPECT_EQ(ask("If-Match: \"other\"\r\nIf-None-Match: *\r\n").status, 412);
  EXPECT_EQ(reads, 0);
}

TEST_F(FilesTest, WithoutAHashThereIsNoTag) {
  for (const std::string& hash : {std::string(), std::string("abc"), std::string(64, 'G'),
                                  std::string(64, '"'), std::string(65, 'a')}) {
    file.sha256 = hash;
    EXPECT_EQ(field(ask(), "ETag"), "");
    EXPECT_EQ(ask("If-None-Match: \"" + hash + "\"\r\n").status, 200);
    EXPECT_EQ(ask("Range: bytes=0-1\r\n").status, 206);
    EXPECT_EQ(ask("Range: bytes=0-1\r\nIf-Range: \"\"\r\n").status, 200);
  }
}

TEST_F(FilesTest, TypesAreWhatTheSenderSaidWhenThatIsHarmless) {
  const std::string unknown = "application/octet-stream";
  const std::pair<std::string, bool> cases[] = {
      {"image/png", true},
      {"text/html", true},
      {"image/svg+xml", true},
      {"application/vnd.ms-excel.sheet.macroEnabled.12", true},
      {"text/plain; charset=utf-8", true},
      {"text/plain;charset=\"utf-8\"; x=y", true},
      {"text/plain; a=\"q\\\"uoted; \\\\\"", true},
      {"", false},
      {"text", false},
      {"text/", false},
      {"/plain", false},
      {"text/plain/x", false},
      {"text /plain", false},
      {"text/plain ", false},
      {" text/plain", false},
      {"text/plain;", false},
      {"text/plain; charset", false},
      {"text/plain; charset=", false},
      {"text/plain; charset=\"utf-8", false},
      {"text/plain; charset=\"utf-8\\", false},
      {"text/plain, text/html", false},
      {"text/plain\r\nSet-Cookie: a=b", false},
      {"text/plain; a=\"b\r\nc\"", false},
      {"text/plain; a=\"\\\r\"", false},
      {std::string("text/plain\0", 11), false},
      {"text/pl\xc3\xa4in", false},
      {"text/plain; a=\"\xc3\xa4\"", false},
      {"x/" + std::string(254, 'y'), false},
      {"text/javascript", false},
      {"Application/X-JavaScript; charset=utf-8", false},
      {"text/ecmascript", false},
      {"text/jscript", false},
      {"text/css", false},
      {"TEXT/CSS;x=y", false},
  };
  for (const auto& [mime, kept] : cases) {
    file.mime = mime;
    EXPECT_EQ(field(ask(), "Content-Type"), kept ? mime : unknown) << testing::PrintToString(mime);
  }
}

TEST_F(FilesTest, HostileNamesStayInTheirQuotes) {
  const std::pair<std::string, std::string> cases[] = {
      {"\"; filename=\"evil.exe", "filename=\"__ filename=_evil.exe\""},
      {"a\r\nSet-Cookie: b=c\r\n\r\n<script>", "filename=\"a__Set-Cookie: b=c____<script>\""},
      {"photo\xe2\x80\xaegpj.exe", "filename=\"photo_gpj.exe\"; filename*=UTF-8''photo_gpj.exe"},
      {"\xf0\x9f\x8e\x89.png", "filename=\"_.png\"; filename*=UTF-8''%F0%9F%8E%89.png"},
      {std::string(255, '"'), "filename=\"" + std::string(255, '_') + "\""},
      {std::string(4096, 'n'), "filename=\"" + std::string(255, 'n') + "\""},
      {"\xc0\xaf..\xff", "filename=\""},
  };
  for (const auto& [name, part] : cases) {
    file.name = name;
    const std::string value = field(ask(), "Content-Disposition");
    EXPECT_TRUE(value.starts_with("attachment; filename=\"")) << value;
    EXPECT_NE(value.find(part), std::string::npos) << value;
    EXPECT_TRUE(http1::is_safe_header_value(value));
  }
}

TEST_F(FilesTest, OptionsChangeWhatTheySay) {
  http1::Routes other;
  add_file_route(other, [this](auto&, const auto&, const auto&, const auto& done) { done(file); },
                 {.path = "/download/", .max_age_seconds = 0, .resource_policy = "same-site"});
  const http1::HttpRequest asked = request("/download/" + kId);
  (*other.find("GET", asked.head->path()))(*this, asked, {});
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_EQ(field(responses[0], "Cache-Control"), "private, max-age=0");
  EXPECT_EQ(field(responses[0], "Cross-Origin-Resource-Policy"), "same-site");
}

// -- over a connection --------------------------------------------------------------------------------

TEST(FilesOnAConnection, AreSentInPartsAndWhole) {
  test::SimNode node(1);
  std::string content(300'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 + i / 251);
  node.world().cors.enabled = true;
  node.world().cors.origins = {"https://chat.example"};
  add_file_route(node.world().routes, [&](http1::ResponseSink&, const http1::HttpRequest&, std::string,
                                          std::function<void(Result<OpenFile>)> done) {
    done(OpenFile{"big.bin", "application/zip", kHash, content.size(),
                  [&](std::uint64_t offset, std::size_t bytes_max) {
                    return Result<std::string>(content.substr(offset, bytes_max));
                  }});
  });
  node.start();
  test::SimPeer& peer = node.connect(0);
  const std::string target = "/files/" + kId;
  peer.send("HEAD " + target + " HTTP/1.1\r\nHost: a\r\nRange: bytes=5-6\r\n\r\n");
  node.run();
  const std::string head = peer.take();
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n")) << head;
  EXPECT_NE(head.find("Content-Length: 300000\r\n"), std::string::npos);
  peer.send(
      test::get(target) + test::get(target, "Range: bytes=1000-250999\r\nOrigin: https://chat.example\r\n") +
      test::get(target, "Range: bytes=300000-\r\n") + test::get(target, "If-None-Match: " + kTag + "\r\n"));
  peer.send(test::post(target, "x") + test::get("/files/no"));
  node.run();
  EXPECT_TRUE(test::take_response(peer.received()).body == content);
  const test::HttpAnswer part = test::take_response(peer.received());
  EXPECT_EQ(part.status, 206);
  EXPECT_TRUE(part.body == content.substr(1000, 250'000));
  EXPECT_NE(part.head.find("Content-Range: bytes 1000-250999/300000\r\n"), std::string::npos);
  EXPECT_NE(part.head.find("Access-Control-Allow-Origin: https://chat.example\r\n"), std::string::npos);
  EXPECT_EQ(test::take_response(peer.received()).status, 416);
  const test::HttpAnswer unchanged = test::take_response(peer.received());
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.body, "");
  const test::HttpAnswer refused = test::take_response(peer.received());
  EXPECT_EQ(refused.status, 405);
  EXPECT_NE(refused.head.find("Allow: GET, HEAD\r\n"), std::string::npos);
  EXPECT_EQ(test::take_response(peer.received()).status, 404);
  EXPECT_FALSE(peer.closed());
}

}  // namespace
}  // namespace wirehall::api
