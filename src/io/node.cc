#include "io/node.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/system.h"

namespace wirehall::io {
namespace {

// A client that does not read costs what the kernel queues for it, which RSS does not show.
constexpr int kSendBufferBytes = 128 * 1024;
constexpr int kUnsentLowWaterBytes = 32 * 1024;
constexpr int kUserTimeoutMs = 30'000;
constexpr int kBacklog = 4096;
// Descriptors that are kept for everything that is no client: files, the database, other services.
constexpr std::size_t kReservedDescriptors = 512;

std::size_t places(std::size_t configured) {
  const std::size_t limit = descriptor_limit();
  const std::size_t reserve = limit > 4 * kReservedDescriptors ? kReservedDescriptors : limit / 4;
  return std::min(configured, limit - reserve);
}

}  // namespace

Node::Node(const pipeline::World& world, NodeOptions options)
    : world_(world),
      options_(std::move(options)),
      pool_(options_.blocking_threads, world.limits.blocking_queue_max),
      places_max_(places(world.limits.connections_max)) {
  for (unsigned i = 0; i < options_.shards; ++i) shards_.push_back(nullptr);
  for (unsigned i = 0; i < options_.shards; ++i) shards_[i] = std::make_unique<Shard>(*this, i);
}

Node::~Node() {
  stop();
  join();
}

Result<int> Node::open_listener(bool shared, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(port);
  if (const int failed = getaddrinfo(options_.host.c_str(), service.c_str(), &hints, &found); failed != 0) {
    return Error(ErrorCode::kConfig, "host " + options_.host + ": " + gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
  const int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return Error(ErrorCode::kIo, std::strerror(errno));
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared) setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  // Accepted sockets inherit these from the listening one.
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
  setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentLowWaterBytes, sizeof kUnsentLowWaterBytes);
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof kUserTimeoutMs);
  if (::bind(socket, found->ai_addr, found->ai_addrlen) != 0 || (shared && ::listen(socket, kBacklog) != 0)) {
    const std::string reason =
        errno == EADDRINUSE ? "port " + service + " is in use" : std::string(std::strerror(errno));
    ::close(socket);
    return Error(ErrorCode::kConfig, options_.host + ": " + reason);
  }
  return socket;
}

Status Node::start() {
  // Another process of the same user could join a group of shared ports without an error: so the port is
  // probed alone first. The probe does not listen: who were let in by it would be reset with it.
  const Result<int> probe = open_listener(false, options_.port);
  if (!probe.ok()) return probe.error();
  ::close(*probe);
  port_ = options_.port;
  for (const auto& shard : shards_) {
    const Result<int> listener = open_listener(true, port_);
    if (!listener.ok()) return listener.error();
    if (port_ == 0) {
      sockaddr_storage bound{};
      socklen_t size = sizeof bound;
      getsockname(*listener, reinterpret_cast<sockaddr*>(&bound), &size);
      port_ = ntohs(bound.ss_family == AF_INET ? reinterpret_cast<sockaddr_in*>(&bound)->sin_port
                                               : reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port);
    }
    shard->listen(*listener);
  }
  for (const auto& shard : shards_) shard->start_thread();
  return {};
}

void Node::drain(Duration window) {
  for (const auto& shard : shards_) shard->post([&target = *shard, window] { target.drain(window); });
}

void Node::stop() {
  for (const auto& shard : shards_) shard->post([&target = *shard] { target.stop(); });
}

void Node::join() {
  for (const auto& shard : shards_) shard->join();
  pool_.stop();
}

void Node::run_left_mail() {
  constexpr int kRoundsMax = 100;  // what is posted here posts on; an end of it comes soon or not at all
  for (int round = 0; round < kRoundsMax; ++round) {
    std::size_t ran = 0;
    for (const auto& shard : shards_) ran += shard->run_left_mail();
    if (ran == 0) return;
  }
}

void Node::post_to(unsigned shard, Task task) {
  Shard& target = *shards_[shard];
  target.post([&target, task = std::move(task)] { task(target.core()); });
}

std::uint64_t Node::sum(Counter counter) const {
  std::uint64_t total = 0;
  for (const auto& shard : shards_) total += shard->core().metrics().get(counter);
  return total;
}

bool Node::take_place() {
  if (places_.fetch_add(1, std::memory_order_relaxed) < places_max_) return true;
  places_.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void Node::post(unsigned, unsigned to, Task task) { post_to(to, std::move(task)); }

bool Node::try_post_all(unsigned from, std::size_t bytes, const Task& task) {
  for (unsigned i = 0; i < shards_.size(); ++i) {
    if (i == from || shards_[i]->mailbox().reserve(bytes)) continue;
    for (unsigned k = 0; k < i; ++k) {
      if (k != from) shards_[k]->mailbox().cancel(bytes);
    }
    return false;
  }
  for (unsigned i = 0; i < shards_.size(); ++i) {
    if (i == from) continue;
    Shard& target = *shards_[i];
    target.mailbox().push([&target, task] { task(target.core()); }, bytes);
  }
  return true;
}

bool Node::run_blocking(unsigned from, std::function<void()> work, Task done) {
  return pool_.run([this, from, work = std::move(work), done = std::move(done)] {
    work();
    post_to(from, done);
  });
}

}  // namespace wirehall::io
