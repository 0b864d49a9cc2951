#include "hub/hub.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"
#include "base/log.h"
#include "hub/remote_call.h"

namespace wirehall::hub {
namespace {

thread_local Hub* t_current = nullptr;

// Coroutines resumed in one turn; more of them wait for the next, so that connections get their share.
constexpr std::size_t kResumedPerTurnMax = 4096;

}  // namespace

// -- NamespaceShard -----------------------------------------------------------------------------

NamespaceShard::NamespaceShard(Hub& hub, NamespaceSpec& spec)
    : hub_(hub), spec_(spec), local_(*this), node_(*this, local_) {}

Socket* NamespaceShard::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

void NamespaceShard::add(Socket& socket) {
  socket.index_in_namespace = static_cast<std::uint32_t>(sockets_.size());
  sockets_.push_back(&socket);
  by_id_.emplace(socket.id(), &socket);
}

void NamespaceShard::remove(Socket& socket) {
  by_id_.erase(socket.id());
  sockets_[socket.index_in_namespace] = sockets_.back();
  sockets_[socket.index_in_namespace]->index_in_namespace = socket.index_in_namespace;
  sockets_.pop_back();
}

// -- Running ------------------------------------------------------------------------------------

// A started coroutine with everything it needs until it has finished.
class Hub::Running final : public detail::TaskEnd {
 public:
  Running(Hub& hub, Task<> task, SocketPtr socket, std::shared_ptr<void> keep, Ack ack)
      : hub_(hub),
        task_(std::move(task)),
        socket_(std::move(socket)),
        keep_(std::move(keep)),
        ack_(std::move(ack)) {}

  void start() { task_.start(*this); }
  bool finished() const { return finished_; }
  void suspended() {
    suspended_ = true;
    if (socket_) socket_->handler_suspended();
  }
  std::size_t index = 0;

  void report() noexcept {
    try {
      task_.result();
    } catch (...) {
      hub_.report_exception("handler threw");
      ack_.fail(ErrorCode::kInternal);
    }
    if (suspended_ && socket_) socket_->handler_resumed();
  }

 private:
  void task_finished() noexcept override {
    finished_ = true;
    if (suspended_) hub_.finished(this);
  }
  Hub& hub_;
  Task<> task_;
  SocketPtr socket_;
  std::shared_ptr<void> keep_;
  Ack ack_;
  bool finished_ = false;
  bool suspended_ = false;
};

// -- Hub ----------------------------------------------------------------------------------------

Hub::Hub(Registry& registry, Environment& environment) : registry_(registry), environment_(environment) {
  for (const auto& [name, spec] : registry.namespaces)
    namespaces_.emplace(name, std::make_unique<NamespaceShard>(*this, *spec));
}

Hub::~Hub() {
  const Scope scope(*this);
  close_all("server shutting down");
  run_ready();
  running_.clear();  // what still waits for the outside is given up
}

Hub* Hub::current() { return t_current; }
Hub::Scope::Scope(Hub& hub) : previous_(t_current) { t_current = &hub; }
Hub::Scope::~Scope() { t_current = previous_; }

NamespaceShard* Hub::find(std::string_view name) {
  const auto found = namespaces_.find(name);
  return found == namespaces_.end() ? nullptr : found->second.get();
}

SocketPtr Hub::make_socket(NamespaceShard& nsp, SocketLink& link,
                           std::shared_ptr<const Handshake> handshake) {
  std::string id = make_socket_id(environment_.random(), static_cast<std::uint8_t>(environment_.shard()));
  return SocketPtr(new Socket(nsp, link, std::move(handshake), std::move(id)));
}

void Hub::connect(const SocketPtr& socket) {
  if (socket->shard().spec().middlewares.empty()) {
    admitted(*socket);
    return;
  }
  spawn(run_middlewares(socket), socket, nullptr, Ack());
}

Task<> Hub::run_middlewares(SocketPtr socket) {
  for (const ConnectMiddleware& middleware : socket->shard().spec().middlewares) {
    Verdict verdict;
    try {
      Task<Verdict> check = middleware(*socket);
      verdict = co_await check;
    } catch (...) {
      report_exception("middleware threw");
      verdict = Verdict(Error(ErrorCode::kInternal));
    }
    if (socket->is_closed()) co_return;
    if (!verdict.accepted()) {
      refused(*socket, verdict);
      co_return;
    }
  }
  admitted(*socket);
}

void Hub::admitted(Socket& socket) {
  if (socket.is_closed()) return;
  socket.shard().add(socket);
  socket.mark_connected();
  socket.link().connected(socket);
  for (const auto& handler : socket.shard().spec().connection_handlers) {
    if (!socket.is_connected()) return;
    try {
      handler(socket);
    } catch (...) {
      report_exception("connection handler threw");
    }
  }
}

void Hub::refused(Socket& socket, const Verdict& verdict) {
  socket.shard().rooms().remove_all(socket);
  socket.close({});  // before the link: it may start over with the same name
  socket.link().refused(socket, verdict);
}

void Hub::spawn(Task<> task, SocketPtr socket, std::shared_ptr<void> keep, Ack ack) {
  auto running =
      std::make_unique<Running>(*this, std::move(task), std::move(socket), std::move(keep), std::move(ack));
  Running& started = *running;
  started.start();
  if (started.finished()) {
    started.report();
    return;
  }
  started.index = running_.size();
  running_.push_back(std::move(running));
  started.suspended();
}

// Called by the coroutine's last step, from inside the frame: the frame dies later, in run_ready().
void Hub::finished(Running* running) noexcept {
  const std::size_t index = running->index;
  finished_.push_back(std::move(running_[index]));
  if (index + 1 != running_.size()) {
    running_[index] = std::move(running_.back());
    running_[index]->index = index;
  }
  running_.pop_back();
}

void Hub::report_exception(std::string_view message) noexcept {
  environment_.metrics().add(Counter::kHandlerErrors);
  try {
    throw;
  } catch (const std::exception& error) {
    log_line(LogLevel::kError, "hub", message, {{"what", error.what()}});
  } catch (...) {
    log_line(LogLevel::kError, "hub", message, {{"what", "not a std::exception"}});
  }
}

void Hub::resume_soon(std::coroutine_handle<> handle) {
  ready_.push_back(handle);
  environment_.want_turn();
}

void Hub::defer(std::function<void()> action) {
  deferred_.push_back(std::move(action));
  environment_.want_turn();
}

void Hub::report_finished() {
  const std::vector<std::unique_ptr<Running>> done = std::exchange(finished_, {});
  for (const auto& running : done) running->report();
}

bool Hub::run_ready() {
  std::size_t budget = kResumedPerTurnMax;
  // What is deferred from here on waits for the next call, so that connections get their share.
  std::vector<std::function<void()>> deferred = std::exchange(deferred_, {});
  while ((!ready_.empty() || !deferred.empty()) && budget != 0) {
    if (ready_.empty()) {
      for (const auto& action : std::exchange(deferred, {})) action();
      --budget;
    }
    const std::vector<std::coroutine_handle<>> batch = std::exchange(ready_, {});
    std::size_t next = 0;
    for (; next < batch.size() && budget != 0; ++next, --budget) batch[next].resume();
    ready_.insert(ready_.begin(), batch.begin() + static_cast<std::ptrdiff_t>(next), batch.end());
    report_finished();
  }
  report_finished();  // also those that a completion resumed by itself
  deferred_.insert(deferred_.begin(), std::make_move_iterator(deferred.begin()),
                   std::make_move_iterator(deferred.end()));
  return !ready_.empty() || !deferred_.empty();
}

void Hub::end_turn() {
  for (std::size_t i = 0; i < paused_.size();) {
    paused_[i]->node().resume();
    if (paused_[i]->node().paused()) {
      ++i;
    } else {
      paused_.erase(paused_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  if (!paused_.empty()) environment_.want_turn();
}

void Hub::close_all(std::string_view reason) {
  for (const auto& [name, nsp] : namespaces_) {
    std::vector<SocketPtr> held;
    for (Socket* socket : nsp->sockets()) held.emplace_back(socket);
    for (const SocketPtr& socket : held) socket->close(reason);
  }
}

std::size_t Hub::socket_count() const {
  std::size_t count = 0;
  for (const auto& [name, nsp] : namespaces_) count += nsp->sockets().size();
  return count;
}

std::size_t Hub::room_count() const {
  std::size_t count = 0;
  for (const auto& [name, nsp] : namespaces_) count += nsp->rooms().size();
  return count;
}

unsigned owner_of(const Environment& environment, std::string_view name) {
  return static_cast<unsigned>(keyed_hash(name) % environment.shard_count());
}

// -- Registry -----------------------------------------------------------------------------------

NamespaceSpec& Registry::of(std::string_view name) {
  std::string full(name);
  if (full.empty() || full.front() != '/') full.insert(full.begin(), '/');
  auto found = namespaces.find(full);
  if (found == namespaces.end()) {
    WIREHALL_ASSERT(!running);
    found = namespaces.emplace(full, std::make_unique<NamespaceSpec>(*this, full)).first;
  }
  return *found->second;
}

}  // namespace wirehall::hub
