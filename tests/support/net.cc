#include "support/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace wirehall::test {
namespace {
constexpr int kDeadlineMs = 10'000;
}

NetClient::NetClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    socket_ = -1;
  }
}
NetClient::NetClient(NetClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      ended_(other.ended_),
      received_(std::move(other.received_)),
      queue_(std::move(other.queue_)) {}
NetClient::~NetClient() {
  if (socket_ >= 0) ::close(socket_);
}

void NetClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool NetClient::read_more() {
  pollfd watched{socket_, POLLIN, 0};
  if (ended_ || ::poll(&watched, 1, kDeadlineMs) <= 0) return false;
  char buffer[65536];
  const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  received_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

HttpAnswer NetClient::response() {
  for (;;) {
    HttpAnswer answer = take_response(received_);
    if (answer.status != 0 || !read_more()) return answer;
  }
}

int NetClient::open_websocket(std::string_view target) {
  send(upgrade(target));
  return response().status;
}

std::vector<std::string> NetClient::frames() {
  if (!queue_.empty()) return std::exchange(queue_, {});
  for (;;) {
    auto found = take_frames(received_);
    if (!found.empty() || !read_more()) return found;
  }
}

std::string NetClient::await(std::string_view part) {
  for (;;) {
    auto found = frames();
    if (found.empty()) return {};
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i].find(part) == std::string::npos) continue;
      queue_.assign(found.begin() + static_cast<std::ptrdiff_t>(i) + 1, found.end());
      return found[i];
    }
  }
}

bool NetClient::closes() {
  while (read_more()) {
  }
  return ended_;
}

}  // namespace wirehall::test
