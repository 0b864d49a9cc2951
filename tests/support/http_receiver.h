// An HTTP server on loopback in a thread of its own that keeps whole requests, for tests of what posts.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace wirehall::test {

struct ReceivedRequest {
  std::string head;  ///< up to and with the empty line
  std::string body;
  /// The value of a field, its name written in the same letters; "(none)" when it is missing.
  std::string field(std::string_view name) const;
};

/// Serves each connection for one request, one after the other.
///
/// Thread:   made and destroyed by the test's thread; `answer` runs on the server's.
/// Lifetime: whatever holds a connection open ends first.
class HttpReceiver {
 public:
  class Peer {
   public:
    /// Writes everything; false once the client is gone.
    bool write(std::string_view bytes);
    /// Waits until the client hangs up, at most so long; whether it did.
    bool gone_within(int milliseconds);

   private:
    friend class HttpReceiver;
    int socket_ = -1;
  };
  /// Answers the request of that number, from 0 on.
  using Answer = std::function<void(std::size_t number, Peer&)>;

  explicit HttpReceiver(Answer answer);
  /// Answers each request with the next of these, and with the last one from then on.
  explicit HttpReceiver(std::vector<std::string> answers);
  ~HttpReceiver();
  HttpReceiver(const HttpReceiver&) = delete;

  /// An answer without a body.
  static std::string status(int status, std::string_view field_lines = "");

  std::string url(const std::string& path = "/push/secret-path", const std::string& host = "127.0.0.1") const;
  /// Waits until so many requests have come, at most ten seconds; those that have. Fewer are a failure of the
  /// test, and filled up with empty ones.
  std::vector<ReceivedRequest> requests(std::size_t at_least) const;
  int connections() const { return connections_; }

 private:
  void run();
  bool read_request(int socket);

  Answer answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable came_;
  std::vector<ReceivedRequest> requests_;
  std::thread thread_;
};

}  // namespace wirehall::test
