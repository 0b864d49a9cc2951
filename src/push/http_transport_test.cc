// Rows H10, K1 and K2 of RELIABILITY: against servers of this test's own on loopback. No name but localhost
// is looked up, and nothing leaves the machine.
#include "push/http_transport.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "auth/keys_for_test.h"
#include "support/http_receiver.h"
#include "support/https_server.h"

namespace wirehall::push {
namespace {

using std::chrono::seconds;
using wirehall::test::HttpReceiver;
using wirehall::test::HttpsServer;

TransportOptions anywhere() {
  TransportOptions options;
  options.public_only = false;
  return options;
}

std::unique_ptr<Transport> transport_with(const TransportOptions& options) {
  auto made = make_http_transport(options);
  EXPECT_TRUE(made);
  return std::move(*made);
}

/// Posts, and waits for the answers: by their number.
std::map<std::uint64_t, HttpAnswer> post_all(Transport& transport, const std::vector<HttpPost>& posts) {
  std::map<std::uint64_t, HttpAnswer> answers;
  for (std::size_t i = 0; i < posts.size(); ++i) transport.start(i, posts[i]);
  const auto end = std::chrono::steady_clock::now() + seconds(20);
  while (answers.size() < posts.size() && std::chrono::steady_clock::now() < end) {
    for (auto& [number, answer] : transport.wait(seconds(1)))
      EXPECT_TRUE(answers.emplace(number, answer).second);
  }
  EXPECT_EQ(answers.size(), posts.size());
  return answers;
}

HttpAnswer post(const std::string& url, const TransportOptions& options = anywhere(),
                const std::string& body = "x") {
  const auto transport = transport_with(options);
  return post_all(*transport, {{url, {}, body}})[0];
}

/// The status, or why there is none.
std::string outcome(const HttpAnswer& answer) {
  if (answer.status != 0) return std::to_string(answer.status);
  const char* names[] = {"none", "network", "timeout", "forbidden"};
  return names[static_cast<std::size_t>(answer.missing)];
}

TEST(HttpTransport, PostsWhatItWasGiven) {
  HttpReceiver receiver({HttpReceiver::status(201)});
  const std::string body("\0\x01\xff binary \r\n", 14);
  const auto transport = transport_with(anywhere());
  const auto answers = post_all(*transport, {{receiver.url("/a?b=c"), {"TTL: 60", "Urgency: high"}, body}});
  EXPECT_EQ(outcome(answers.at(0)), "201");
  const auto request = receiver.requests(1)[0];
  EXPECT_EQ(request.head.substr(0, 23), "POST /a?b=c HTTP/1.1\r\nH");
  EXPECT_EQ(request.field("TTL"), "60");
  EXPECT_EQ(request.field("Urgency"), "high");
  EXPECT_EQ(request.field("Expect"), "(none)");
  EXPECT_EQ(request.field("Accept-Encoding"), "(none)") << "a bomb needs a decoder";
  EXPECT_EQ(request.body, body);
}

TEST(HttpTransport, ALargeBodyIsSentAtOnce) {
  HttpReceiver receiver({HttpReceiver::status(200)});
  const std::string body(3'000'000, 'x');
  EXPECT_EQ(outcome(post(receiver.url(), anywhere(), body)), "200");
  EXPECT_EQ(receiver.requests(1)[0].body.size(), body.size());
  EXPECT_EQ(receiver.requests(1)[0].field("Expect"), "(none)");
}

TEST(HttpTransport, ManyGoAtOnce) {
  HttpReceiver receiver({HttpReceiver::status(201)});
  const auto transport = transport_with(anywhere());
  std::vector<HttpPost> posts;
  for (int i = 0; i < 32; ++i) posts.push_back({receiver.url(), {}, std::to_string(i)});
  for (const auto& [number, answer] : post_all(*transport, posts))
    EXPECT_EQ(outcome(answer), "201") << number;
  std::map<std::string, int> bodies;
  for (const auto& request : receiver.requests(32)) ++bodies[request.body];
  EXPECT_EQ(bodies.size(), 32u);
}

// Row H10: what an answer leaves behind is not the next one's.
TEST(HttpTransport, NoConnectionServesTwoRequests) {
  HttpReceiver receiver([](std::size_t, HttpReceiver::Peer& peer) {
    peer.write(
        "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"
        "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(peer.gone_within(10'000)) << "the connection is not kept";
  });
  const auto transport = transport_with(anywhere());
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(outcome(post_all(*transport, {{receiver.url(), {}, "x"}})[0]), "201") << i;
  EXPECT_EQ(receiver.connections(), 5);
}

TEST(HttpTransport, RedirectsAreNotFollowed) {
  HttpReceiver target({HttpReceiver::status(201)});
  for (const int status : {301, 302, 303, 307, 308}) {
    HttpReceiver receiver({HttpReceiver::status(status, "Location: " + target.url() + "\r\n")});
    EXPECT_EQ(outcome(post(receiver.url())), std::to_string(status));
  }
  EXPECT_EQ(target.connections(), 0);
}

TEST(HttpTransport, TellsWhenToComeBack) {
  const struct {
    const char* value;
    Duration wait;
  } cases[] = {{"0", seconds(0)},
               {"7", seconds(7)},
               {"86400", seconds(86400)},
               {"999999999999", kRetryAfterMax},
               {"-5", seconds(0)},
               {"soon", seconds(0)},
               {"Wed, 21 Oct 2015 07:28:00 GMT", seconds(0)},
               {"Fri, 31 Dec 2049 23:59:59 GMT", kRetryAfterMax}};
  for (const auto& c : cases) {
    HttpReceiver receiver({HttpReceiver::status(429, "Retry-After: " + std::string(c.value) + "\r\n")});
    const HttpAnswer answer = post(receiver.url());
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.retry_after, c.wait) << c.value;
  }
}

// -- slow and hostile receivers (K2) ------------------------------------------------------------

TransportOptions quick() {
  TransportOptions options = anywhere();
  options.total = Milliseconds(800);
  return options;
}

TEST(HttpTransport, AReceiverThatHangsTimesOut) {
  HttpReceiver receiver([](std::size_t, HttpReceiver::Peer& peer) { peer.gone_within(10'000); });
  EXPECT_EQ(outcome(post(receiver.url(), quick())), "timeout");
}

TEST(HttpTransport, ADripOfHeaderBytesTimesOut) {
  HttpReceiver receiver([](std::size_t, HttpReceiver::Peer& peer) {
    bool alive = peer.write("HTTP/1.1 ");
    while (alive && !peer.gone_within(5)) alive = peer.write("1");
  });
  EXPECT_NE(post(receiver.url(), quick()).missing, NoAnswer::kNone);
}

TEST(HttpTransport, TheStatusCountsWhenTheBodyIsSlowOrBreaksOff) {
  HttpReceiver slow([](std::size_t, HttpReceiver::Peer& peer) {
    bool alive = peer.write("HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n");
    while (alive && !peer.gone_within(5)) alive = peer.write("x");
  });
  EXPECT_EQ(outcome(post(slow.url(), quick())), "201");
  HttpReceiver broken({"HTTP/1.1 410 Gone\r\nContent-Length: 100\r\n\r\nshort"});
  EXPECT_EQ(outcome(post(broken.url())), "410");
}

TEST(HttpTransport, AnEndlessBodyIsCutAndItsStatusCounts) {
  std::atomic<std::size_t> sent = 0;
  HttpReceiver receiver([&](std::size_t, HttpReceiver::Peer& peer) {
    const std::string chunk = "1000\r\n" + std::string(4096, 'x') + "\r\n";
    bool alive = peer.write("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (alive && sent < 500'000'000) {
      alive = peer.write(chunk);
      sent += chunk.size();
    }
  });
  EXPECT_EQ(outcome(post(receiver.url())), "201");
  EXPECT_LT(sent, 50'000'000u);
}

TEST(HttpTransport, TheBodyLimitIsInclusive) {
  TransportOptions options = anywhere();
  options.body_bytes_max = 1000;
  for (const std::size_t size : {1000u, 1001u}) {
    HttpReceiver receiver({"HTTP/1.1 400 Bad\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
                           std::string(size, 'x')});
    EXPECT_EQ(outcome(post(receiver.url(), options)), "400");
  }
}

TEST(HttpTransport, AnEndlessHeadIsNoAnswer) {
  HttpReceiver receiver([](std::size_t, HttpReceiver::Peer& peer) {
    bool alive = peer.write("HTTP/1.1 201 Created\r\n");
    for (int i = 0; alive && i < 1'000'000; ++i)
      alive = peer.write("X-More: " + std::string(100, 'x') + "\r\n");
  });
  EXPECT_EQ(outcome(post(receiver.url())), "network");
}

TEST(HttpTransport, EndlessInterimAnswersAreNoAnswer) {
  HttpReceiver receiver([](std::size_t, HttpReceiver::Peer& peer) {
    bool alive = true;
    for (int i = 0; alive && i < 1'000'000; ++i) alive = peer.write("HTTP/1.1 103 Early Hints\r\n\r\n");
  });
  EXPECT_EQ(outcome(post(receiver.url())), "network");
}

TEST(HttpTransport, WhatIsNoHttpIsNoAnswer) {
  for (const char* answer : {"", "hello\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1\r\n\r\n"}) {
    HttpReceiver receiver({std::string(answer)});
    EXPECT_EQ(outcome(post(receiver.url())), "network") << answer;
  }
}

TEST(HttpTransport, NobodyListeningIsNoAnswer) {
  std::string url;
  {
    HttpReceiver receiver({HttpReceiver::status(201)});
    url = receiver.url();
  }
  EXPECT_EQ(outcome(post(url)), "network");
}

// -- addresses (K1) -----------------------------------------------------------------------------

TEST(HttpTransport, OnlyPublicAddressesAreConnectedTo) {
  const auto pair = auth::test::KeyPair::ec("P-256");
  HttpsServer server([](HttpsServer::Client& client) { client.write(HttpReceiver::status(201)); },
                     {pair.private_pem(), pair.certificate_pem()});
  TransportOptions options;
  for (const char* host :
       {"127.0.0.1", "localhost", "127.1", "0x7f.1", "2130706433", "017700000001", "0.0.0.0",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]", "[::]", "127.0.0.2", "push.localhost"}) {
    EXPECT_EQ(outcome(post(server.url(host), options)), "forbidden") << host;
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpTransport, PublicMeansHttpsToo) {
  HttpReceiver receiver({HttpReceiver::status(201)});
  EXPECT_EQ(outcome(post(receiver.url(), TransportOptions())), "forbidden");
  EXPECT_EQ(outcome(post("http://push.invalid/", TransportOptions())), "forbidden");
  EXPECT_EQ(receiver.connections(), 0);
}

TEST(HttpTransport, OtherSchemesAndUsersAreForbidden) {
  for (const char* url : {"", "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/",
                          "dict://127.0.0.1/", "http://ada:secret@127.0.0.1/", "127.0.0.1"}) {
    EXPECT_EQ(outcome(post(url)), "forbidden") << url;
  }
}

TEST(HttpTransport, NoProxyStandsBetweenUnlessItMay) {
  HttpReceiver target({HttpReceiver::status(201)});
  HttpReceiver proxy({HttpReceiver::status(299)});
  ::setenv("http_proxy", proxy.url("").c_str(), 1);
  ::setenv("https_proxy", proxy.url("").c_str(), 1);
  ::setenv("ALL_PROXY", proxy.url("").c_str(), 1);
  EXPECT_EQ(outcome(post(target.url())), "201");
  EXPECT_EQ(outcome(post("https://localhost:1/", TransportOptions())), "forbidden");
  EXPECT_EQ(proxy.connections(), 0);
  TransportOptions options = anywhere();
  options.environment_proxy = true;
  EXPECT_EQ(outcome(post(target.url(), options)), "201") << "loopback is reached directly";
  EXPECT_EQ(outcome(post(target.url("/", "localhost"), options)), "201");
  EXPECT_EQ(proxy.connections(), 0);
  EXPECT_EQ(outcome(post("http://hooks.invalid/", options)), "299");
  EXPECT_EQ(proxy.connections(), 1);
  ::unsetenv("http_proxy");
  ::unsetenv("https_proxy");
  ::unsetenv("ALL_PROXY");
}

/// A file that is gone at the end of the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() / ("wirehall-push-ca-" + std::to_string(::getpid()))) {
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(HttpTransport, CertificatesAreVerified) {
  const auto pair = auth::test::KeyPair::ec("P-256");
  const std::string certificate = pair.certificate_pem();
  HttpsServer server([](HttpsServer::Client& client) { client.write(HttpReceiver::status(201)); },
                     {pair.private_pem(), certificate});
  EXPECT_EQ(outcome(post(server.url("localhost"))), "network") << "nobody vouches for the certificate";
  // Without a body, which that server would leave unread.
  const TemporaryFile authority(certificate);
  TransportOptions options = anywhere();
  options.ca_file = authority.path();
  EXPECT_EQ(outcome(post(server.url("localhost"), options, "")), "201");
  EXPECT_EQ(outcome(post(server.url("127.0.0.1"), options)), "network") << "another name";
}

// -- ending -------------------------------------------------------------------------------------

TEST(HttpTransport, WakeEndsTheWaitFromAnotherThread) {
  const auto transport = transport_with(anywhere());
  std::thread other([&] { transport->wake(); });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(transport->wait(seconds(10)).empty());
  other.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(5));
}

TEST(HttpTransport, AbortEndsWhatIsUnderWay) {
  HttpReceiver receiver([](std::size_t, HttpReceiver::Peer& peer) { EXPECT_TRUE(peer.gone_within(5'000)); });
  const auto transport = transport_with(anywhere());
  transport->start(1, {receiver.url(), {}, "x"});
  while (receiver.connections() == 0) EXPECT_TRUE(transport->wait(std::chrono::milliseconds(10)).empty());
  transport->abort();
  EXPECT_TRUE(transport->wait(std::chrono::milliseconds(1)).empty());
}

}  // namespace
}  // namespace wirehall::push
