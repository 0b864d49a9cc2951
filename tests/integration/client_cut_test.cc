// wirehall::Client against the hall through a proxy that breaks the connection behind a given number of
// bytes: at every byte of a publish and of its answer, nothing is lost, stored twice, or told twice.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wirehall/client.h>

#include <app.h>

#include <atomic>
#include <future>
#include <thread>

#include "support/temporary_directory.h"

namespace wirehall {
namespace {

/// Passes bytes on, both ways, until its budget is spent; then it resets both sides. New connections pass.
class CuttingProxy {
 public:
  explicit CuttingProxy(std::uint16_t target) : target_(target) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~CuttingProxy() {
    ended_ = true;
    thread_.join();
    ::close(listener_);
  }
  CuttingProxy(const CuttingProxy&) = delete;
  std::uint16_t port() const { return port_; }
  /// From now on so many bytes, both ways together.
  void cut_after(std::int64_t bytes) { budget_ = bytes; }
  /// Whether the budget was spent.
  bool was_cut() const { return budget_ == -2; }

 private:
  static constexpr std::int64_t kUnlimited = -1;
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }
  static void reset(int socket) {
    const linger now{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(socket);
  }
  void run() {
    std::vector<std::pair<int, int>> pairs;
    while (!ended_) {
      std::vector<pollfd> watched{{listener_, POLLIN, 0}};
      for (const auto& [client, server] : pairs) {
        watched.push_back({client, POLLIN, 0});
        watched.push_back({server, POLLIN, 0});
      }
      if (::poll(watched.data(), watched.size(), 20) <= 0) continue;
      std::vector<std::pair<int, int>> alive;
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        const auto [client, server] = pairs[i];
        const bool ok = (watched[1 + 2 * i].revents == 0 || pass(client, server)) &&
                        (watched[2 + 2 * i].revents == 0 || pass(server, client));
        if (ok) {
          alive.push_back(pairs[i]);
        } else {
          reset(client);
          reset(server);
        }
      }
      pairs = std::move(alive);
      if ((watched[0].revents & POLLIN) != 0) accept(pairs);
    }
    for (const auto& [client, server] : pairs) ::close(client), ::close(server);
  }
  void accept(std::vector<std::pair<int, int>>& pairs) const {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(target_);
    if (client >= 0 && ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      pairs.emplace_back(client, server);
    } else {
      ::close(client), ::close(server);
    }
  }
  bool pass(int from, int to) {
    char buffer[16'384];
    const ssize_t got = ::recv(from, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    const std::int64_t budget = budget_;
    const std::int64_t allowed = budget < 0 ? got : std::min<std::int64_t>(got, budget);
    for (std::int64_t sent = 0; sent < allowed;) {
      const ssize_t written =
          ::send(to, buffer + sent, static_cast<std::size_t>(allowed - sent), MSG_NOSIGNAL);
      if (written <= 0) return false;
      sent += written;
    }
    if (budget < 0) return true;
    budget_ = allowed < got ? -2 : budget - allowed;
    return allowed == got;
  }

  const std::uint16_t target_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<std::int64_t> budget_ = kUnlimited;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

class ClientCutTest : public testing::TestWithParam<Protocol> {
 protected:
  ClientCutTest() : io(config()), hall(io) {
    app::install(io, hall);
    EXPECT_TRUE(io.start().ok());
  }
  ~ClientCutTest() override { io.stop(); }
  Config config() const {
    Config c;
    c.data_dir = directory.path();
    c.port = 0;
    c.threads = 2;
    c.auth.required = false;
    c.messages_per_minute = 1'000'000;
    c.connections_per_minute = 1'000'000;
    c.limits.drain_window = Milliseconds(0);
    return c;
  }
  test::TemporaryDirectory directory;
  Server io;
  Hall hall;
};

INSTANTIATE_TEST_SUITE_P(Both, ClientCutTest, testing::Values(Protocol::kNative, Protocol::kSocketIo),
                         [](const auto& protocol) {
                           return protocol.param == Protocol::kNative ? std::string("Native")
                                                                      : std::string("SocketIo");
                         });

TEST_P(ClientCutTest, APublishAndItsAnswerAtEveryByte) {
  CuttingProxy proxy(io.port());
  ClientOptions options;
  options.protocol = GetParam();
  options.auth = {{"userId", "ann"}};
  options.reconnection_delay = options.reconnection_delay_max = Milliseconds(1);
  options.expect_welcome = true;
  Client ann("http://127.0.0.1:" + std::to_string(proxy.port()), options);
  ASSERT_TRUE(ann.connect().ok());
  options.auth = {{"userId", "bob"}};
  Client bob("http://127.0.0.1:" + std::to_string(io.port()), options);
  ASSERT_TRUE(bob.connect().ok());
  ClientInbox heard = ann.inbox("new-message", 10'000);
  ASSERT_TRUE(ann.join("lobby").ok());
  ASSERT_TRUE(bob.join("lobby").ok());

  std::int64_t seq = 0;
  int cuts = 0;
  for (std::int64_t at = 0; at < 5000; ++at) {
    proxy.cut_after(at);
    const std::string content = std::to_string(at);
    const Result<Value> sent = ann.send("lobby", content);
    ASSERT_TRUE(sent.ok()) << sent.error().text() << " cut at " << at;
    const bool was_cut = proxy.was_cut();
    // What another one says is heard too, whether we were away or not.
    ASSERT_TRUE(bob.send("lobby", "b" + content).ok());
    for (const std::string& expected : {content, "b" + content}) {
      const Result<Value> message = heard.next();
      ASSERT_TRUE(message.ok()) << "cut at " << at;
      ASSERT_EQ(*message->find_string("content"), expected) << "cut at " << at;
      ASSERT_EQ(message->find("seq")->as_int(), ++seq) << "cut at " << at;
    }
    if (!was_cut) break;
    ++cuts;
  }
  EXPECT_GT(cuts, 150);
  EXPECT_EQ(heard.size(), 0u) << "nothing was told twice";
}

}  // namespace
}  // namespace wirehall
