// A small HTTP server in a thread of its own, for tests of what fetches: it answers with whatever bytes the
// test wants, wrong ones too.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

struct ssl_ctx_st;
struct ssl_st;

namespace wirehall::test {

/// What a certificate and its private key are, both as PEM.
struct TlsFiles {
  std::string private_key;
  std::string certificate;
};

/// Answers each connection, one after the other.
///
/// Thread:   made and destroyed by the test's thread; `answer` runs on the server's.
class HttpsServer {
 public:
  /// One client, whose request has been read.
  class Client {
   public:
    /// False once the client is gone.
    bool write(std::string_view bytes);
    /// Waits until the client hangs up, at most so long; whether it did.
    bool gone_within(int milliseconds);

   private:
    friend class HttpsServer;
    int socket_ = -1;
    ssl_st* tls_ = nullptr;
  };
  using Answer = std::function<void(Client&)>;

  explicit HttpsServer(Answer answer, const TlsFiles& tls = {});
  explicit HttpsServer(std::string answer);
  ~HttpsServer();
  HttpsServer(const HttpsServer&) = delete;

  std::string url(const std::string& host = "127.0.0.1", const std::string& path = "/jwks.json") const;
  int connections() const { return connections_; }
  /// The last request's head; to be read when its answer has arrived.
  const std::string& request() const { return request_; }

 private:
  void start_tls(const TlsFiles& files);
  void run();
  void serve(Client& client);

  Answer answer_;
  ssl_ctx_st* context_ = nullptr;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::string request_;
  std::thread thread_;
};

}  // namespace wirehall::test
