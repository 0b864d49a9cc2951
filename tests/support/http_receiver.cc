#include "support/http_receiver.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>

namespace wirehall::test {

std::string ReceivedRequest::field(std::string_view name) const {
  const std::string start = "\r\n" + std::string(name) + ": ";
  const std::size_t at = head.find(start);
  if (at == std::string::npos) return "(none)";
  const std::size_t from = at + start.size();
  return head.substr(from, head.find("\r\n", from) - from);
}

bool HttpReceiver::Peer::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool HttpReceiver::Peer::gone_within(int milliseconds) {
  pollfd watched{socket_, POLLRDHUP, 0};
  return ::poll(&watched, 1, milliseconds) > 0;
}

HttpReceiver::HttpReceiver(Answer answer) : answer_(std::move(answer)) {
  std::signal(SIGPIPE, SIG_IGN);
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(::listen(listener_, 64), 0);
  EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

HttpReceiver::HttpReceiver(std::vector<std::string> answers)
    : HttpReceiver([answers = std::move(answers)](std::size_t number, Peer& peer) {
        peer.write(answers[std::min(number, answers.size() - 1)]);
      }) {}

HttpReceiver::~HttpReceiver() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

std::string HttpReceiver::status(int status, std::string_view field_lines) {
  return "HTTP/1.1 " + std::to_string(status) + " Status\r\nContent-Length: 0\r\n" +
         std::string(field_lines) + "\r\n";
}

std::string HttpReceiver::url(const std::string& path, const std::string& host) const {
  return "http://" + host + ":" + std::to_string(port_) + path;
}

std::vector<ReceivedRequest> HttpReceiver::requests(std::size_t at_least) const {
  std::unique_lock lock(mutex_);
  came_.wait_for(lock, std::chrono::seconds(10), [&] { return requests_.size() >= at_least; });
  EXPECT_GE(requests_.size(), at_least);
  std::vector<ReceivedRequest> requests = requests_;
  requests.resize(std::max(requests.size(), at_least));
  return requests;
}

void HttpReceiver::run() {
  for (;;) {
    Peer peer;
    peer.socket_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (peer.socket_ < 0) return;
    ++connections_;
    if (read_request(peer.socket_)) {
      std::size_t number = 0;
      {
        const std::lock_guard lock(mutex_);
        number = requests_.size() - 1;
      }
      answer_(number, peer);
    }
    ::close(peer.socket_);
  }
}

bool HttpReceiver::read_request(int socket) {
  ReceivedRequest request;
  std::string received;
  std::size_t wanted = std::string::npos;
  while (received.size() < wanted) {
    char buffer[4096];
    const ssize_t count = ::recv(socket, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    received.append(buffer, static_cast<std::size_t>(count));
    const std::size_t end = received.find("\r\n\r\n");
    if (!request.head.empty() || end == std::string::npos) continue;
    request.head = received.substr(0, end + 4);
    wanted = request.head.size() + std::strtoul(request.field("Content-Length").c_str(), nullptr, 10);
  }
  request.body = received.substr(request.head.size());
  const std::lock_guard lock(mutex_);
  requests_.push_back(std::move(request));
  came_.notify_all();
  return true;
}

}  // namespace wirehall::test
