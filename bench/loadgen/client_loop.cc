#include "client_loop.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "measure.h"

namespace bench {
namespace {

constexpr std::size_t kReceiveBytes = 256 * 1024;
constexpr int kEventsMax = 1024;
constexpr int kSleepMs = 20;
// Fewer than servers let wait unauthenticated from one address.
constexpr std::size_t kOpeningMax = 128;
constexpr std::uint64_t kStallNs = 20'000'000'000;
// What one source address can have, within the usual range of ephemeral ports.
constexpr std::size_t kConnectionsPerSource = 20'000;

std::string printable(std::string_view bytes) {
  std::string out(bytes.substr(0, 160));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '.');
  return out;
}

std::string reason() { return std::strerror(errno); }

}  // namespace

ClientLoop::ClientLoop(const Options& options, const Protocol& protocol)
    : options_(options),
      protocol_(protocol),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      buffer_(new char[kReceiveBytes]) {
  // The key is RFC 6455's example; whether the server hashes it rightly is not what is measured.
  upgrade_request_ = "GET " + protocol.target + " HTTP/1.1\r\nHost: " + options.host + ":" +
                     std::to_string(options.port) +
                     "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
}

ClientLoop::~ClientLoop() {
  for (const auto& connection : connections_) ::close(connection->socket);
  ::close(epoll_);
}

// -- opening --------------------------------------------------------------------------------------

void ClientLoop::open(std::size_t count) {
  std::size_t ready_before = ready_;
  std::uint64_t stalled_at = now_ns() + kStallNs;
  while (ready_ < count) {
    while (connections_.size() < count && connections_.size() - ready_ < kOpeningMax) connect_one();
    turn();
    if (ready_ != ready_before) {
      ready_before = ready_;
      stalled_at = now_ns() + kStallNs;
    } else if (now_ns() > stalled_at) {
      fail("stuck while opening: " + std::to_string(ready_) + " of " + std::to_string(count) + " are ready");
    }
  }
}

void ClientLoop::connect_one() {
  auto connection = std::make_unique<Connection>();
  connection->index = static_cast<std::uint32_t>(connections_.size());
  connection->socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection->socket < 0) fail("socket " + std::to_string(connections_.size()) + ": " + reason());
  const int on = 1;
  setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (options_.connections > kConnectionsPerSource) {
    setsockopt(connection->socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const auto source = static_cast<std::uint32_t>(connection->index / kConnectionsPerSource);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + source);
    if (::bind(connection->socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      fail("bind: " + reason());
  }
  address.sin_port = htons(options_.port);
  if (inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr) != 1) fail("no address: " + options_.host);
  // Waits: on this machine a connection is there at once, unless the server's queue is full.
  if (::connect(connection->socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    fail("connect: " + reason());
  fcntl(connection->socket, F_SETFL, O_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = connection.get();
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->socket, &event) != 0) fail("epoll_ctl: " + reason());
  send(*connection, upgrade_request_);
  connections_.push_back(std::move(connection));
}

std::size_t ClientLoop::take_response(Connection& connection, std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  if (!bytes.starts_with("HTTP/1.1 101 ")) fail("refused: " + printable(bytes.substr(0, bytes.find('\r'))));
  connection.phase = Connection::Phase::kOpening;
  say_opening(connection);
  return end + 4;
}

void ClientLoop::say_opening(Connection& connection) {
  if (connection.opening_step == protocol_.opening.size()) {
    connection.phase = Connection::Phase::kReady;
    ++ready_;
    return;
  }
  const OpeningStep& step = protocol_.opening[connection.opening_step];
  if (!step.say.empty()) append_masked_frame(reply_, kTextFrame, step.say);
}

void ClientLoop::advance_opening(Connection& connection, std::string_view message) {
  if (message.starts_with(protocol_.opening[connection.opening_step].expect)) {
    ++connection.opening_step;
    say_opening(connection);
    return;
  }
  for (const std::string& refusal : protocol_.refusals) {
    if (message.starts_with(refusal)) fail("refused while opening: " + printable(message));
  }
}

// -- reading --------------------------------------------------------------------------------------

void ClientLoop::run_until(std::uint64_t deadline_ns) {
  while (now_ns() < deadline_ns) turn();
}

void ClientLoop::turn() {
  std::array<epoll_event, kEventsMax> events;
  const std::uint64_t begin = options_.busy ? now_ns() : 0;
  const int count = epoll_wait(epoll_, events.data(), kEventsMax, options_.busy ? 0 : kSleepMs);
  if (options_.busy && count == 0) spun_ns_ += now_ns() - begin;
  if (count < 0 && errno != EINTR) fail("epoll_wait: " + reason());
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    serve(*static_cast<Connection*>(event.data.ptr), event.events);
  }
  end_turn(now_ns());
}

void ClientLoop::serve(Connection& connection, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 && !connection.unsent.empty()) write_unsent(connection);
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
  const bool ends = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  for (;;) {
    const std::size_t held = connection.unread.size();
    if (held == kReceiveBytes) fail("a frame is too long: " + printable(connection.unread));
    const ssize_t got = recv(connection.socket, buffer_.get() + held, kReceiveBytes - held, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0)
      fail("connection " + std::to_string(connection.index) + " ended: " + (got == 0 ? "EOF" : reason()));
    if (held != 0) std::memcpy(buffer_.get(), connection.unread.data(), held);
    const std::string_view bytes(buffer_.get(), held + static_cast<std::size_t>(got));
    const std::size_t used = take(connection, bytes, now_ns());
    connection.unread.assign(bytes.substr(used));
    if (!reply_.empty()) {
      send(connection, reply_);
      reply_.clear();
    }
    // A short read has emptied the socket; what comes later is reported anew.
    if (bytes.size() < kReceiveBytes && !ends) return;
  }
}

// Returns how many bytes were whole responses or frames.
std::size_t ClientLoop::take(Connection& connection, std::string_view bytes, std::uint64_t now) {
  std::size_t used = 0;
  if (connection.phase == Connection::Phase::kUpgrading) {
    used = take_response(connection, bytes);
    if (used == 0) return 0;
  }
  for (;;) {
    Frame frame;
    switch (parse_frame(bytes.substr(used), frame)) {
      case FrameStep::kNeedMore: return used;
      case FrameStep::kMalformed: fail("not a plain unfragmented frame: " + printable(bytes.substr(used)));
      case FrameStep::kFrame: break;
    }
    take_frame(connection, frame, now);
    used += frame.bytes;
  }
}

void ClientLoop::take_frame(Connection& connection, const Frame& frame, std::uint64_t now) {
  if (frame.opcode == kPingFrame) {
    append_masked_frame(reply_, kPongFrame, frame.payload);
  } else if (frame.opcode == kCloseFrame) {
    const std::size_t code_bytes = std::min<std::size_t>(2, frame.payload.size());
    fail("connection " + std::to_string(connection.index) +
         " was closed: " + printable(frame.payload.substr(code_bytes)));
  } else if (frame.opcode == kPongFrame) {
    return;
  } else if (protocol_.engine_heartbeat && frame.payload == "2") {
    append_masked_frame(reply_, kTextFrame, "3");
  } else if (connection.phase == Connection::Phase::kOpening) {
    advance_opening(connection, frame.payload);
  } else {
    receive(connection, frame.payload, now);
  }
}

// -- writing --------------------------------------------------------------------------------------

void ClientLoop::send(Connection& connection, std::string_view bytes) {
  if (!connection.unsent.empty()) {
    connection.unsent.append(bytes);
    return;
  }
  ssize_t sent = 0;
  do {
    sent = ::send(connection.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent == static_cast<ssize_t>(bytes.size())) return;
  if (sent < 0 && errno != EAGAIN) fail("send: " + reason());
  connection.unsent.assign(bytes.substr(sent > 0 ? static_cast<std::size_t>(sent) : 0));
}

void ClientLoop::write_unsent(Connection& connection) {
  const std::string bytes = std::move(connection.unsent);
  connection.unsent.clear();
  send(connection, bytes);
}

}  // namespace bench
