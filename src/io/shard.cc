#include "io/shard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <future>

#include "base/assert.h"
#include "base/log.h"
#include "base/prefetch.h"
#include "http1/forwarded.h"
#include "io/node.h"
#include "io/system.h"
#include "pipeline/engine_client.h"

namespace wirehall::io {
namespace {

constexpr int kAcceptsPerTurnMax = 64;
constexpr auto kAcceptPause = std::chrono::milliseconds(50);
constexpr std::size_t kMailPerTurnMax = 4096;
constexpr int kFlushRoundsMax = 8;
constexpr int kBatchesPerTurnMax = 4;
// So many writes take long enough for something else to have come, beside which asking costs nothing.
constexpr std::size_t kManyTouched = 64;
constexpr auto kDrainTick = std::chrono::milliseconds(10);

std::string address_of(const sockaddr_storage& storage) {
  http1::AddressBytes bytes{};
  if (storage.ss_family == AF_INET) {
    bytes[10] = bytes[11] = 0xff;
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&v4->sin_addr), 4, bytes.begin() + 12);
  } else {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&v6->sin6_addr), 16, bytes.begin());
  }
  return http1::format_address(bytes);
}

// The table of a shard's core holds connections that this file has made.
TcpConnection& tcp(pipeline::Connection& connection) { return static_cast<TcpConnection&>(connection); }

}  // namespace

// -- Listener -----------------------------------------------------------------------------------

// Accepts; when descriptors run out it closes one connection with a spare descriptor, and rests a while, so
// that a full table neither spins nor stops the server.
class Shard::Listener final : public Pollable, private Timer {
 public:
  Listener(Shard& shard, int socket) : shard_(shard), socket_(socket), spare_(::dup(socket)) {}
  ~Listener() { close(); }
  bool start() { return shard_.poller().add(socket_, *this, Poller::Watch::kReads); }
  void add_descriptors(std::vector<int>& all) const {
    all.push_back(socket_);
    if (spare_ >= 0) all.push_back(spare_);
  }
  void close() {
    if (socket_ < 0) return;
    shard_.poller().remove(socket_, *this);
    shard_.core().timers().cancel(*this);
    ::close(socket_);
    if (spare_ >= 0) ::close(spare_);
    socket_ = spare_ = -1;
  }
  void on_hangup() override {}
  void on_ready(bool, bool) override {
    if (shard_.takes_more()) {
      shard_.core().timers().schedule(*this, shard_.core().now());  // next turn
    } else {
      accept_some();
    }
  }

 private:
  void on_timer(MonoTime) override {
    if (spare_ < 0) spare_ = ::dup(socket_);
    accept_some();
  }
  void accept_some() {
    for (int i = 0; i < kAcceptsPerTurnMax; ++i) {
      sockaddr_storage peer{};
      socklen_t size = sizeof peer;
      const int socket =
          ::accept4(socket_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket >= 0) {
        shard_.accepted(socket, address_of(peer));
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        shard_.poller().arm_read(*this);
        return;
      }
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        out_of_descriptors();
        return;
      }
      // Everything else is about the one connection that was to be accepted (accept(2), "Error handling").
    }
    shard_.core().timers().schedule(*this, shard_.core().now());  // more may wait: next turn
  }
  void out_of_descriptors() {
    if (spare_ >= 0) {
      ::close(spare_);
      const int refused = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
      if (refused >= 0) ::close(refused);
      spare_ = ::dup(socket_);
    }
    shard_.core().metrics().add(Counter::kConnectionsRefused);
    log_line(LogLevel::kWarning, "io", "no descriptors left: connections wait or are closed");
    shard_.core().timers().schedule(*this, shard_.core().now() + kAcceptPause);
  }

  Shard& shard_;
  int socket_;
  int spare_;
};

class Shard::MailboxWatch final : public Pollable {
 public:
  explicit MailboxWatch(Shard& shard) : shard_(shard) {}
  void on_hangup() override {}
  void on_ready(bool, bool) override {
    const std::size_t ran = shard_.mailbox_.drain(shard_.mail_left_);
    shard_.mail_left_ -= ran;
    shard_.core().metrics().add(Counter::kMailReceived, ran);
    shard_.poller().arm_read(*this);
  }

 private:
  Shard& shard_;
};

class Shard::DrainTimer final : public Timer {
 public:
  explicit DrainTimer(Shard& shard) : shard_(shard) {}
  ~DrainTimer() = default;
  void on_timer(MonoTime) override { shard_.drain_some(); }
  MonoTime deadline;
  double per_tick = 1;
  double owed = 0;
  bool told = false;  // that no connection is left
  std::vector<std::uint64_t> connections;
  std::vector<std::string> polling_sessions;

 private:
  Shard& shard_;
};

// -- Shard --------------------------------------------------------------------------------------

Shard::Shard(Node& node, unsigned index)
    : node_(node),
      poller_(node.options().portable_poller ? make_asio_poller() : make_epoll_poller()),
      mailbox_(node.world().limits.mailbox_tasks_max, node.world().limits.mailbox_bytes_max),
      core_(*this, node.world(), node, index, random_, clock_.now(), clock_.wall_now()),
      receive_buffer_(std::make_unique<char[]>(kReceiveBytes)),
      write_buffer_(std::make_unique<char[]>(kWriteBytes)),
      mailbox_watch_(std::make_unique<MailboxWatch>(*this)) {
  WIREHALL_ASSERT(poller_->add(mailbox_.descriptor(), *mailbox_watch_, Poller::Watch::kReads));
}

Shard::~Shard() {
  join();
  poller_->remove(mailbox_.descriptor(), *mailbox_watch_);
}

void Shard::listen(int socket) {
  listeners_.push_back(std::make_unique<Listener>(*this, socket));
  WIREHALL_ASSERT(listeners_.back()->start());
}

bool Shard::separates_descriptors() const {
  // What goes to another shard must be in a table that both can reach.
  return node_.options().separate_descriptors && node_.options().shards == 1 && poller_->descriptor() >= 0;
}

void Shard::start_thread() {
  if (!separates_descriptors()) {
    thread_ = std::thread([this] { run(); });
    return;
  }
  std::vector<int> listening;
  for (const auto& listener : listeners_) listener->add_descriptors(listening);
  std::vector<int> kept = listening;
  kept.insert(kept.end(), {poller_->descriptor(), mailbox_.descriptor()});
  std::promise<bool> taking;
  std::future<bool> taken = taking.get_future();
  thread_ = std::thread([this, kept = std::move(kept), taking = std::move(taking)]() mutable {
    taking.set_value(take_own_descriptors(std::move(kept)));
    run();
  });
  if (taken.get()) {
    // Copies here would hold the port for as long as this process lives. The poller and the mailbox stay in both
    // tables: others write to the one, and the other is closed by who made it.
    for (const int descriptor : listening) ::close(descriptor);
  } else {
    log_line(LogLevel::kInfo, "io", "no table of descriptors of its own for the shard: the system does not allow it");
  }
}
void Shard::join() {
  if (thread_.joinable()) thread_.join();
}

void Shard::run() {
  prepare_thread();
  turn([] {});
  while (!stopping_) {
    const bool ready = poller_->wait(time_to_wait());
    turn([&] {
      if (ready) take_batches();
    });
  }
  // The loop has ended: what is left ends without a goodbye.
  core_.begin_turn(clock_.now(), clock_.wall_now());
  const hub::Hub::Scope scope(core_.hub());
  listeners_.clear();
  const std::vector<pipeline::Connection*> left = core_.connections();
  for (pipeline::Connection* connection : left) {
    if (!tcp(*connection).closed()) connection->gone(false);
  }
  for (pipeline::Connection* connection : left) tcp(*connection).close_now();
  core_.end_turn();
  core_.take_touched();
  core_.take_ready();
  retired_.clear();
  core_.sweep();
}

std::size_t Shard::run_left_mail() {
  constexpr std::size_t kTasksAtOnce = 65'536;
  core_.begin_turn(clock_.now(), clock_.wall_now());
  const hub::Hub::Scope scope(core_.hub());
  const std::size_t ran = mailbox_.drain(kTasksAtOnce);
  core_.end_turn();
  core_.take_touched();
  core_.take_ready();
  retired_.clear();
  core_.sweep();
  return ran;
}

// -- turns --------------------------------------------------------------------------------------

template <class F>
void Shard::turn(F&& work) {
  core_.begin_turn(clock_.now(), clock_.wall_now());
  const hub::Hub::Scope scope(core_.hub());
  ++turn_digits_;
  mail_left_ = kMailPerTurnMax;
  for (TcpConnection* connection : std::exchange(read_later_, {})) {
    connection->in_read_list = false;
    connection->resume();
  }
  work();
  core_.fire_timers();
  finish_turn();
}

// What has come while many receivers were found is written to them together with the rest.
void Shard::take_batches() {
  poller_->deliver();
  serve_group();
  for (int more = 1; more < kBatchesPerTurnMax && core_.touched_count() >= kManyTouched; ++more) {
    if (stopping_ || !poller_->wait(Duration::zero())) break;
    takes_more_ = true;
    poller_->deliver();
    serve_group();
  }
  takes_more_ = false;
}

void Shard::received(TcpConnection& connection, std::size_t bytes) {
  connection.in_group = TcpConnection::InGroup::kRead;
  group_[group_count_++] = {&connection, group_bytes_, bytes};
  group_bytes_ += bytes;
  if (group_count_ == kGroupConnectionsMax || kReceiveBytes - group_bytes_ < kGroupRoomBytesMin) process_group();
}

void Shard::process_group() {
  // Who was answered at once does not wait long for others' handlers. In few bytes there are few messages.
  constexpr std::size_t kUnlookedConnections = 4, kUnlookedBytes = 512;
  MonoTime due = clock_.now() + kAnswerWaitMax;
  std::size_t connections = 0, bytes = 0;  // since the clock was looked at
  for (std::size_t i = 0; i < group_count_; ++i) {
    char* const begin = receive_buffer_.get() + group_[i].begin;
    group_[i].connection->process_received(begin, begin + group_[i].bytes);
    bytes += group_[i].bytes;
    if (++connections < kUnlookedConnections && bytes < kUnlookedBytes) continue;
    connections = bytes = 0;
    if (clock_.now() < due) continue;
    write_answers();
    due = clock_.now() + kAnswerWaitMax;
  }
  write_answers();
  for (std::size_t i = 0; i < group_count_; ++i) group_[i].connection->in_group = TcpConnection::InGroup::kNo;
  group_count_ = group_bytes_ = 0;
}

// Answers that concern nobody else are written while their bytes are in the cache. As soon as others are touched too, as
// by a broadcast, writing waits for the end of the turn, when more may have come together.
void Shard::write_answers() {
  static_assert(kGroupConnectionsMax < kManyTouched, "nothing is written while another batch may be taken");
  const bool only_answers = core_.touched_count() <= group_count_ && core_.all_touched([](pipeline::Connection& touched) {
    return tcp(touched).in_group == TcpConnection::InGroup::kProcessed;
  });
  if (!only_answers) return;
  flush_touched();
}

// Between two calls of `send` the kernel takes the processor's cache, and most of what is done for a connection besides is
// code: so it is done for several at once, and the kernel is called for one right after the other.
bool Shard::flush_touched() {
  const std::span<pipeline::Connection* const> touched = core_.take_touched();
  constexpr std::size_t kAtOnce = TcpConnection::kPiecesAtOnce;
  for (std::size_t begin = 0; begin < touched.size();) {
    std::size_t end = begin;
    while (end < touched.size() && end - begin < kAtOnce && tcp(*touched[end]).writes_one_piece()) {
      // For the next ones, while these are written.
      if (end + kAtOnce < touched.size()) prefetch(touched[end + kAtOnce], sizeof(TcpConnection));
      ++end;
    }
    if (end == begin) {
      tcp(*touched[begin++]).flush();
    } else {
      begin += TcpConnection::flush_pieces(touched.subspan(begin, end - begin));
    }
  }
  return !touched.empty();
}

void Shard::finish_turn() {
  for (pipeline::Connection* connection : core_.take_ready())
    tcp(*connection).resume();
  for (int round = 0; round < kFlushRoundsMax; ++round) {
    core_.end_turn();
    if (!flush_touched()) break;
    if (round + 1 == kFlushRoundsMax) want_turn();
  }
  if (core_.has_ready() || !read_later_.empty()) want_turn();
  retired_.clear();
  core_.sweep();
}

Duration Shard::time_to_wait() {
  if (std::exchange(turn_wanted_, false)) return Duration::zero();
  const MonoTime deadline = core_.next_deadline();
  return deadline == kNever ? Duration::max() : deadline - clock_.now();
}

void Shard::read_later(TcpConnection& connection) {
  if (connection.in_read_list) return;
  connection.in_read_list = true;
  read_later_.push_back(&connection);
  want_turn();
}

// -- connections --------------------------------------------------------------------------------

void Shard::accepted(int socket, std::string address) {
  if (!node_.take_place()) {
    core_.metrics().add(Counter::kConnectionsRefused);
    log_line(LogLevel::kWarning, "io", "connection limit reached");
    ::close(socket);
    return;
  }
  SslPtr ssl;
  if (node_.options().tls) {
    ssl.reset(SSL_new(node_.options().tls->get()));
    if (!ssl) {
      core_.metrics().add(Counter::kConnectionsRefused);
      ::close(socket);
      node_.give_place();
      return;
    }
    SSL_set_fd(ssl.get(), socket);
    SSL_set_accept_state(ssl.get());
  }
  pipeline::PeerInfo peer{std::move(address), ssl != nullptr};
  auto* started = new TcpConnection(*this, socket, std::move(peer), std::move(ssl));
  if (!started->start()) started->close_now();
}

void Shard::retire(TcpConnection& connection) {
  if (connection.in_read_list) std::erase(read_later_, &connection);
  retired_.emplace_back(&connection);
  node_.give_place();
}

void Shard::send_connection(unsigned target, std::shared_ptr<TcpConnection::Moved> moved) {
  Shard& other = node_.shard(target);
  other.post([&other, moved = std::move(moved)] { other.adopt(*moved); });
}

void Shard::adopt(TcpConnection::Moved& moved) {
  node_.keep_place();
  auto* started = new TcpConnection(*this, moved.socket, moved.peer, std::move(moved.ssl));
  if (!started->start()) {
    started->close_now();
    return;
  }
  started->arrive(moved);
}

// -- end ----------------------------------------------------------------------------------------

void Shard::drain(Duration window) {
  for (const auto& listener : listeners_) listener->close();
  if (drain_) return;
  drain_ = std::make_unique<DrainTimer>(*this);
  for (pipeline::Connection* connection : core_.connections())
    drain_->connections.push_back(connection->id());
  for (const pipeline::EngineClient* client : core_.engine().all()) {
    if (client->session().transport() == engineio::Transport::kPolling)
      drain_->polling_sessions.emplace_back(client->session().sid());
  }
  drain_->deadline = core_.now() + window + std::chrono::seconds(3);
  // At least fifty a second; a crowd is spread over the window, since clients come back within a second.
  const double ticks = std::max(1.0, static_cast<double>(window / kDrainTick));
  const auto sessions =
      static_cast<double>(drain_->connections.size() + drain_->polling_sessions.size());
  drain_->per_tick = std::max(0.5, sessions / ticks);
  drain_some();
}

void Shard::drain_some() {
  drain_->owed += drain_->per_tick;
  for (; drain_->owed >= 1 && !drain_->polling_sessions.empty(); drain_->owed -= 1) {
    pipeline::EngineClient* client = core_.engine().find(drain_->polling_sessions.back());
    drain_->polling_sessions.pop_back();
    if (client != nullptr) client->shut_down();
  }
  while (drain_->owed >= 1 && !drain_->connections.empty()) {
    drain_->owed -= 1;
    pipeline::Connection* connection = core_.find(drain_->connections.back());
    drain_->connections.pop_back();
    if (connection != nullptr) connection->shut_down();
  }
  // What came meanwhile, and probes.
  if (drain_->connections.empty() && drain_->polling_sessions.empty()) core_.engine().shut_down();
  const bool done = connection_count() == 0 && core_.engine().session_count() == 0;
  // Others may still need what this shard owns: all of them end together.
  if (done && !std::exchange(drain_->told, true)) node_.shard_drained();
  if ((done && node_.all_drained()) || core_.now() >= drain_->deadline) {
    stop();
    return;
  }
  core_.timers().schedule(*drain_, core_.now() + kDrainTick);
}

}  // namespace wirehall::io
