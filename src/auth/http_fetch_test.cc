// Against a server of this test's own on loopback; no name is looked up and nothing leaves the machine.
#include "auth/http_fetch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "auth/keys_for_test.h"
#include "support/https_server.h"

namespace wirehall::auth {
namespace {

using Server = wirehall::test::HttpsServer;
using Client = Server::Client;

std::string ok(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

FetchLimits quick() {
  FetchLimits limits;
  limits.connect = Milliseconds(2000);
  limits.total = Milliseconds(5000);
  return limits;
}

/// The body, or the error's code.
std::string fetched(const std::string& url, const FetchLimits& limits = quick()) {
  const Result<std::string> body = fetch_https(url, limits);
  return body ? *body : std::string(body.error().kebab());
}

TEST(Fetch, GivesTheBody) {
  Server server(ok("{\"keys\":[]}"));
  EXPECT_EQ(fetched(server.url()), "{\"keys\":[]}");
  EXPECT_EQ(server.request().substr(0, 25), "GET /jwks.json HTTP/1.1\r\n");
  EXPECT_EQ(server.request().find("Accept-Encoding"), std::string::npos) << "a bomb needs a decoder";
  Server chunked("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(fetched(chunked.url()), "abcde");
}

TEST(Fetch, PlainHttpIsForLoopbackAlone) {
  Server server(ok("body"));
  for (const char* host : {"127.0.0.1", "localhost", "127.1", "0x7f.1"})
    EXPECT_EQ(fetched(server.url(host)), "body") << host;
  for (const char* url :
       {"http://example.com/", "http://10.0.0.1/", "http://128.0.0.1/", "http://127.0.0.1.example.com/",
        "http://localhost.example.com/", "http://0.0.0.0/", "http://[::]/", "http://[::2]/",
        "HTTP://example.com/", "http://2130706432.example.com/"}) {
    EXPECT_EQ(fetched(url), "config") << url;
  }
}

TEST(Fetch, OtherSchemesAndMalformedUrlsAreRefused) {
  for (const char* url :
       {"", "jwks.json", "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "://", "https://",
        "http://127.0.0.1:99999/", "dict://127.0.0.1/", "https://exa mple.com/"}) {
    EXPECT_EQ(fetched(url), "config") << url;
  }
}

TEST(Fetch, APasswordInTheUrlIsRefused) {
  Server server(ok("body"));
  for (const char* user : {"ada:secret@", "ada@", ":secret@"}) {
    const Result<std::string> body = fetch_https(server.url(std::string(user) + "127.0.0.1"), quick());
    ASSERT_FALSE(body) << user;
    EXPECT_EQ(body.error().code(), ErrorCode::kConfig);
    EXPECT_EQ(body.error().text().find("secret"), std::string::npos);
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST(Fetch, OnlyStatus200IsAnAnswer) {
  for (const char* status : {"201 Created", "204 No Content", "206 Partial Content", "304 Not Modified",
                             "404 Not Found", "500 Internal Server Error"}) {
    Server server("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(fetched(server.url()), "io") << status;
  }
}

TEST(Fetch, RedirectsAreNotFollowed) {
  Server target(ok("stolen"));
  for (const char* status : {"301", "302", "303", "307", "308"}) {
    Server server("HTTP/1.1 " + std::string(status) + " Moved\r\nLocation: " + target.url() +
                  "\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(fetched(server.url()), "io") << status;
  }
  EXPECT_EQ(target.connections(), 0);
}

TEST(Fetch, TheBodyLimitIsInclusive) {
  FetchLimits limits = quick();
  limits.body_bytes_max = 1000;
  Server exact(ok(std::string(1000, 'x')));
  EXPECT_EQ(fetched(exact.url(), limits), std::string(1000, 'x'));
  Server more(ok(std::string(1001, 'x')));
  EXPECT_EQ(fetched(more.url(), limits), "too-large");
}

TEST(Fetch, AnEndlessBodyIsCutWhileItArrives) {
  std::atomic<std::size_t> sent = 0;
  Server server([&](Client& client) {
    const std::string chunk = "1000\r\n" + std::string(4096, 'x') + "\r\n";
    bool alive = client.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (alive && sent < 500'000'000) {
      alive = client.write(chunk);
      sent += chunk.size();
    }
  });
  EXPECT_EQ(fetched(server.url()), "too-large");
  EXPECT_LT(sent, 50'000'000u);
}

TEST(Fetch, AnEndlessHeadIsCutWhileItArrives) {
  Server server([](Client& client) {
    bool alive = client.write("HTTP/1.1 200 OK\r\n");
    for (int i = 0; alive && i < 1'000'000; ++i) alive = client.write("X-More: " + std::string(100, 'x') + "\r\n");
  });
  EXPECT_EQ(fetched(server.url()), "too-large");
}

TEST(Fetch, ASlowAnswerTimesOut) {
  FetchLimits limits = quick();
  limits.total = Milliseconds(150);
  Server server([](Client& client) {
    bool alive = client.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (alive && !client.gone_within(5)) alive = client.write("x");
  });
  EXPECT_EQ(fetched(server.url(), limits), "timeout");
}

TEST(Fetch, ABrokenAnswerIsAnError) {
  for (const char* answer : {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "hello",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n"}) {
    Server server{std::string(answer)};
    EXPECT_EQ(fetched(server.url()), "io") << answer;
  }
}

TEST(Fetch, NobodyListeningIsAnError) {
  std::string url;
  {
    Server server(ok(""));
    url = server.url();
  }
  EXPECT_EQ(fetched(url), "io");
}

TEST(Fetch, AProxyOfTheEnvironmentDoesNotSeeLoopback) {
  Server server(ok("body"));
  Server proxy(ok("from the proxy"));
  ::setenv("http_proxy", proxy.url("127.0.0.1", "").c_str(), 1);
  ::setenv("ALL_PROXY", proxy.url("127.0.0.1", "").c_str(), 1);
  EXPECT_EQ(fetched(server.url()), "body");
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  EXPECT_EQ(proxy.connections(), 0);
}

/// A file that is gone at the end of the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("wirehall-ca-" + std::to_string(::getpid()) + "-" + std::to_string(count_++))) {
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  static inline int count_ = 0;
  std::filesystem::path path_;
};

TEST(Tls, CertificatesAndNamesAreVerified) {
  const test::KeyPair pair = test::KeyPair::ec("P-256");
  const std::string certificate = pair.certificate_pem("localhost");
  Server server([](Client& client) { client.write(ok("body")); }, {pair.private_pem(), certificate});
  EXPECT_EQ(fetched(server.url("localhost")), "io") << "nobody vouches for the certificate";
  const TemporaryFile authority(certificate);
  FetchLimits limits = quick();
  limits.ca_file = authority.path();
  EXPECT_EQ(fetched(server.url("localhost"), limits), "body");
  EXPECT_EQ(fetched(server.url("127.0.0.1"), limits), "io") << "another name";
  const TemporaryFile other(test::KeyPair::ec("P-256").certificate_pem());
  limits.ca_file = other.path();
  EXPECT_EQ(fetched(server.url("localhost"), limits), "io") << "another authority";
}

}  // namespace
}  // namespace wirehall::auth
