// TLS on real sockets: with OpenSSL's records, and with the kernel's where this kernel has them. Where it has none, the
// latter are OpenSSL's too, as in a server; tests/kernel_tls runs this program in a kernel that has them.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <functional>

#include "io/kernel_tls.h"
#include "io/node_for_test.h"
#include "support/net.h"

namespace wirehall {
namespace {

// A self-signed certificate, made for this run.
void write_certificate(const std::string& certificate_file, const std::string& key_file) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  X509_sign(certificate, key, EVP_sha256());
  std::FILE* file = std::fopen(certificate_file.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  file = std::fopen(key_file.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  ::chmod(key_file.c_str(), 0600);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

class TlsTest : public io::AnsweringNode {
 protected:
  TlsTest() : base_(testing::TempDir() + "wirehall-" + std::to_string(::getpid())) {
    write_certificate(certificate(), key());
    auto loaded = io::TlsContext::load(certificate(), key());
    EXPECT_TRUE(loaded.ok());
    if (loaded.ok()) options.tls = *loaded;
    if (GetParam().kernel_tls && options.tls) {
      in_kernel = options.tls->hand_records_to_kernel().ok();
      // As in a kernel whose module is gone since: it is tried for each connection, and refused.
      if (!in_kernel) io::kernel_tls::prepare(options.tls->get());
    }
  }
  ~TlsTest() override {
    ::unlink(certificate().c_str());
    ::unlink(key().c_str());
  }
  std::string certificate() const { return base_ + ".crt"; }
  std::string key() const { return base_ + ".key"; }
  void serve_file(std::shared_ptr<const std::string> content) {
    world.routes.add(
        "GET", "/file",
        [content](http1::ResponseSink& sink, const http1::HttpRequest&, const http1::Responder& to) {
          http1::Response response;
          response.streamed_body = {[content](std::uint64_t offset, std::size_t bytes_max) {
                                      return Result<std::string>(content->substr(offset, bytes_max));
                                    },
                                    0, content->size()};
          sink.respond(to, std::move(response));
        });
  }
  std::uint64_t handed_over() const { return node->sum(Counter::kTlsInKernel); }

  bool in_kernel = false;  ///< what connections of TLS 1.3 have for records

 private:
  std::string base_;
};

using ContextPtr = std::shared_ptr<SSL_CTX>;
ContextPtr client_context() { return {SSL_CTX_new(TLS_client_method()), SSL_CTX_free}; }

/// A blocking client over TLS.
class TlsClient {
 public:
  /// `before`: what goes over TCP in front of TLS, in pieces.
  explicit TlsClient(std::uint16_t port, const std::vector<std::string>& before = {})
      : TlsClient(port, client_context(), [&](TlsClient& client) {
          for (const std::string& piece : before) client.tcp_.send(piece);
        }) {}
  /// `prepare`: what is done before the handshake.
  TlsClient(std::uint16_t port, ContextPtr context, const std::function<void(TlsClient&)>& prepare)
      : tcp_(port), context_(std::move(context)), ssl_(SSL_new(context_.get())) {
    prepare(*this);
    SSL_set_fd(ssl_, tcp_.descriptor());
    EXPECT_EQ(SSL_connect(ssl_), 1);
  }
  TlsClient(const TlsClient&) = delete;
  ~TlsClient() {
    SSL_shutdown(ssl_);
    SSL_free(ssl_);
    ERR_clear_error();
  }
  void send(const std::string& bytes) {
    ASSERT_EQ(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())), static_cast<int>(bytes.size()));
  }
  bool read_more() {
    char buffer[16384];
    const int got = SSL_read(ssl_, buffer, sizeof buffer);
    if (got <= 0) {
      end_ = SSL_get_error(ssl_, got);
      reason_ = ERR_GET_REASON(ERR_get_error());
      return false;
    }
    received_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  void upgrade(const std::string& target = "/ws") {
    send(test::upgrade(target));
    while (received_.find("\r\n\r\n") == std::string::npos) ASSERT_TRUE(read_more());
    received_.erase(0, received_.find("\r\n\r\n") + 4);
  }
  test::HttpAnswer response() {
    for (;;) {
      test::HttpAnswer answer = test::take_response(received_);
      if (answer.status != 0 || !read_more()) return answer;
    }
  }
  /// The next frames; empty at the end.
  std::vector<std::string> frames() {
    std::vector<std::string> found = test::take_frames(received_);
    while (found.empty() && read_more()) found = test::take_frames(received_);
    return found;
  }
  /// Requires: upgrade().
  void echo(std::size_t bytes) {
    send(test::text(R"({"type":"echo","id":1,"x":")" + std::string(bytes, 'z') + "\"}"));
    const auto found = frames();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_TRUE(found[0].starts_with(R"(t:{"type":"ack","id":1)")) << found[0];
    EXPECT_GT(found[0].size(), bytes);
  }

  /// What is sent waits for the end of `sends`, and leaves as one packet.
  void at_once(const std::function<void()>& sends) {
    hold(1);
    sends();
    hold(0);
  }
  void hold(int held) { ::setsockopt(descriptor(), IPPROTO_TCP, TCP_CORK, &held, sizeof held); }

  SSL* ssl() const { return ssl_; }
  int descriptor() const { return tcp_.descriptor(); }
  test::NetClient& tcp() { return tcp_; }
  /// How reading has ended: SSL_get_error(), and the reason of SSL_ERROR_SSL.
  int end() const { return end_; }
  int reason() const { return reason_; }

 private:
  test::NetClient tcp_;
  ContextPtr context_;
  SSL* ssl_;
  int end_ = SSL_ERROR_NONE;
  int reason_ = 0;
  std::string received_;
};

TEST_P(TlsTest, LargeMessagesGoBothWays) {
  world.native_websocket.message_bytes_max = 4 << 20;
  start();
  TlsClient client(node->port());
  client.upgrade();
  client.send(test::text(R"({"type":"echo","id":1,"x":")" + std::string(300'000, 'z') + "\"}"));
  const auto frames = client.frames();
  ASSERT_FALSE(frames.empty());
  EXPECT_TRUE(frames[0].starts_with(R"(t:{"type":"ack","id":1)"));
  EXPECT_GT(frames[0].size(), 300'000u);
  // Something that is no TLS is closed.
  test::NetClient plain(node->port());
  plain.send(test::get("/"));
  EXPECT_TRUE(plain.closes());
}

TEST_P(TlsTest, ABodyThatIsReadInPiecesArrivesWhole) {
  std::string content(3'000'001, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 2654435761u >> 13);
  const auto shared = std::make_shared<const std::string>(std::move(content));
  serve_file(shared);
  start();
  TlsClient client(node->port());
  for (int round = 0; round < 2; ++round) {
    client.send(test::get("/file"));
    EXPECT_TRUE(client.response().body == *shared);
  }
}

TEST_P(TlsTest, AProxysHeaderStandsInFrontOfTls) {
  world.trusted_proxies.add("127.0.0.1/32");
  start();
  std::string header("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16);
  header += std::string("\xcb\0\x71\x07\x7f\0\0\x01\x1f\x90\x0b\xb8", 12);  // from 203.0.113.7
  for (const auto& pieces : {std::vector<std::string>{header},
                             std::vector<std::string>{header.substr(0, 5), header.substr(5)}}) {
    TlsClient client(node->port(), pieces);
    client.upgrade();
    client.send(test::text(R"({"type":"address","id":1})"));
    EXPECT_EQ(client.frames().at(0), R"(t:{"type":"ack","id":1,"data":"203.0.113.7"})");
  }
  TlsClient without(node->port());
  without.upgrade();
  without.send(test::text(R"({"type":"address","id":1})"));
  EXPECT_EQ(without.frames().at(0), R"(t:{"type":"ack","id":1,"data":"127.0.0.1"})");
}

TEST_P(TlsTest, ASlowConsumerIsToldWhy) {
  start();
  TlsClient client(node->port());
  client.upgrade();
  // More than the kernel and the limit hold together, while nothing is read.
  client.send(test::text(R"({"type":"flood","data":400})"));
  std::string last;
  for (auto frames = client.frames(); !frames.empty(); frames = client.frames()) last = frames.back();
  EXPECT_EQ(last, "close:1008");
}

TEST_P(TlsTest, EveryCipherOfTls13IsTakenByTheKernel) {
  start();
  std::uint64_t before = 0;
  for (const char* cipher : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    SCOPED_TRACE(cipher);
    const ContextPtr context = client_context();
    ASSERT_EQ(SSL_CTX_set_ciphersuites(context.get(), cipher), 1);
    TlsClient client(node->port(), context, [](TlsClient&) {});
    client.upgrade();
    for (const std::size_t bytes : {1, 100, 16'000, 40'000}) client.echo(bytes);
    EXPECT_EQ(handed_over(), before += in_kernel ? 1 : 0);
  }
}

TEST_P(TlsTest, AnOlderVersionStaysWithOpenssl) {
  start();
  const ContextPtr context = client_context();
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  TlsClient client(node->port(), context, [](TlsClient&) {});
  client.upgrade();
  client.echo(20'000);
  EXPECT_EQ(handed_over(), 0u);
}

TEST_P(TlsTest, ASessionIsResumed) {
  start();
  const ContextPtr context = client_context();
  SSL_SESSION* kept = nullptr;
  {
    TlsClient first(node->port(), context, [](TlsClient&) {});
    first.upgrade();
    first.echo(10);  // the tickets come before the answer
    kept = SSL_get1_session(first.ssl());
  }
  TlsClient second(node->port(), context, [&](TlsClient& client) { SSL_set_session(client.ssl(), kept); });
  SSL_SESSION_free(kept);
  EXPECT_EQ(SSL_session_reused(second.ssl()), 1);
  second.upgrade();
  second.echo(10);
}

TEST_P(TlsTest, ARequestThatComesWithTheEndOfTheHandshakeIsAnswered) {
  start();
  TlsClient client(node->port(), client_context(), [&](TlsClient& made) { made.hold(1); });
  client.send(test::upgrade("/ws"));
  client.send(test::text(R"({"type":"echo","id":1})"));
  client.hold(0);
  EXPECT_EQ(client.response().status, 101);
  EXPECT_EQ(client.frames().at(0), R"(t:{"type":"ack","id":1})");
}

TEST_P(TlsTest, ItsEndIsToldAndTaken) {
  serve_file(std::make_shared<const std::string>("content"));
  start();
  TlsClient client(node->port());
  client.send("GET /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.response().body, "content");
  EXPECT_FALSE(client.read_more());
  EXPECT_EQ(client.end(), SSL_ERROR_ZERO_RETURN) << "nothing may have been cut off";

  TlsClient leaving(node->port());
  leaving.upgrade();
  SSL_shutdown(leaving.ssl());
  EXPECT_FALSE(leaving.read_more());
  EXPECT_EQ(leaving.end(), SSL_ERROR_ZERO_RETURN);
}

TEST_P(TlsTest, AnEndThatComesWithTheLastMessageIsSeen) {
  start();
  TlsClient client(node->port());
  client.upgrade();
  client.at_once([&] {
    client.send(test::text(R"({"type":"echo","id":1})"));
    SSL_shutdown(client.ssl());  // of TCP nothing ends
  });
  EXPECT_EQ(client.frames().at(0), R"(t:{"type":"ack","id":1})");
  EXPECT_FALSE(client.read_more());
  EXPECT_EQ(client.end(), SSL_ERROR_ZERO_RETURN);
}

TEST_P(TlsTest, AConnectionThatMovesToAnotherShardStaysWhatItIs) {
  start();
  for (int i = 0; i < 8; ++i) {  // on more than one shard most of them move
    TlsClient polling(node->port());
    polling.send(test::get("/socket.io/?EIO=4&transport=polling"));
    const std::string open = polling.response().body;
    const std::string sid = open.substr(open.find("sid") + 6, 20);
    TlsClient client(node->port());
    client.upgrade("/socket.io/?EIO=4&transport=websocket&sid=" + sid);
    client.send(test::text("2probe"));
    EXPECT_EQ(client.frames().at(0), "t:3probe");
    SSL_shutdown(client.ssl());
    EXPECT_FALSE(client.read_more());
    EXPECT_EQ(client.end(), SSL_ERROR_ZERO_RETURN);
  }
}

TEST_P(TlsTest, ARecordThatCannotBeDecryptedIsAnsweredWithAnAlert) {
  start();
  TlsClient client(node->port());
  client.upgrade();
  client.tcp().send(std::string("\x17\x03\x03\0\x20", 5) + std::string(32, 'x'));
  EXPECT_FALSE(client.read_more());
  EXPECT_EQ(client.end(), SSL_ERROR_SSL);
  EXPECT_EQ(client.reason(), SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);

  TlsClient other(node->port());
  other.upgrade();
  other.tcp().send(std::string("\x17\x03\x03\xff\xff", 5) + std::string(32, 'x'));
  EXPECT_FALSE(other.read_more());
  EXPECT_EQ(other.end(), SSL_ERROR_SSL);
  EXPECT_EQ(other.reason(), SSL_R_TLSV1_ALERT_RECORD_OVERFLOW);
}

TEST_P(TlsTest, AnotherKeyIsTakenByOpensslAlone) {
  start();
  TlsClient client(node->port());
  client.upgrade();
  ASSERT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
  client.send(test::text(R"({"type":"echo","id":1})"));
  if (in_kernel) {
    EXPECT_FALSE(client.read_more());
    EXPECT_EQ(client.end(), SSL_ERROR_SSL);
    EXPECT_EQ(client.reason(), SSL_R_TLSV1_ALERT_INTERNAL_ERROR);
  } else {
    EXPECT_EQ(client.frames().at(0), R"(t:{"type":"ack","id":1})");
  }
}

TEST_P(TlsTest, AKeyThatOthersMayReadIsRefused) {
  ::chmod(key().c_str(), 0644);
  EXPECT_FALSE(io::TlsContext::load(certificate(), key()).ok());
}

// Else the tests above would say nothing of the kernel's records where tests/CMakeLists.txt runs them for that.
TEST(KernelTls, IsTakenWhereTheModuleIsLoaded) {
  const Status status = io::kernel_tls::available();
  if (::access("/proc/net/tls_stat", F_OK) == 0) {
    EXPECT_TRUE(status.ok()) << status.error().detail();
  } else {
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.error().detail().find("modprobe tls"), std::string::npos) << status.error().detail();
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, TlsTest, io::kTlsVariants, io::name_of);

}  // namespace
}  // namespace wirehall
