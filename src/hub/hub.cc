#include "hub/hub.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"
#include "base/base64.h"
#include "base/log.h"
#include "hub/encoded_message.h"
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

NamespaceShard::NamespaceShard(Hub& hub, std::unique_ptr<NamespaceSpec> own_spec)
    : hub_(hub), own_spec_(std::move(own_spec)), spec_(*own_spec_), local_(*this), node_(*this, local_) {
  if (spec_.recovery) position_ = spec_.recovery->skip(hub.environment().shard());
}

std::string NamespaceShard::position_text() const {
  return format_position(spec_.recovery->epoch(), position_);
}

void NamespaceShard::drain() {
  constexpr std::size_t kEntriesAtOnce = 256;
  if (draining_) return;  // an outgoing listener has sent something: the loop below comes to it
  draining_ = true;
  for (;;) {
    const RecoveryLog::Entries entries =
        spec_.recovery->consume(hub_.environment().shard(), position_, kEntriesAtOnce);
    if (entries.empty()) break;
    for (const auto& entry : entries) {
      position_ = entry->number;
      auto message = std::make_shared<EncodedMessage>(entry->message);
      message->set_offset(position_text());
      if (log_watcher_) log_watcher_(*entry);
      (void)local_.broadcast(message, entry->to, entry->flags).ok();
    }
  }
  draining_ = false;
}

void NamespaceShard::release() {
  if (--references_ == 0 && spec_.parent != nullptr) hub_.child_unused(*this);
}

void NamespaceShard::enter_room(Socket& socket, std::string_view room) {
  if (!rooms_.add(socket, room)) return;
  socket.memberships().back().since = position_;
  if (spec_.census) room_entered(room, socket.id());
}

void NamespaceShard::leave_room(Socket& socket, std::string_view room) {
  const std::string name(room);  // the argument may be the room's own name
  const bool tell = socket.extension() != nullptr && socket.extension()->leaving(name);
  if (rooms_.remove(socket, name) && spec_.census) room_left(name, socket.id());
  if (tell) socket.extension()->left(name);
}

void NamespaceShard::leave_all_rooms(Socket& socket) {
  std::vector<std::string> names;
  if (spec_.census) {
    for (const Membership& membership : socket.memberships()) names.push_back(membership.room->name);
  }
  rooms_.remove_all(socket);
  for (const std::string& name : names) room_left(name, socket.id());
}

void NamespaceShard::own_room(const Socket& socket, bool appears) {
  if (!spec_.census) return;
  if (appears) {
    room_entered(socket.id(), socket.id());
  } else {
    room_left(socket.id(), socket.id());
  }
}

void NamespaceShard::room_entered(std::string_view room, std::string_view socket_id) {
  const auto& handlers = spec_.room_handlers;
  if (spec_.census->enter(spec_.name + '\0' + std::string(room))) {
    for (const auto& handler : handlers.created) handler(room);
  }
  for (const auto& handler : handlers.joined) handler(room, socket_id);
}

void NamespaceShard::room_left(std::string_view room, std::string_view socket_id) {
  const auto& handlers = spec_.room_handlers;
  for (const auto& handler : handlers.left) handler(room, socket_id);
  if (!spec_.census->leave(spec_.name + '\0' + std::string(room))) return;
  for (const auto& handler : handlers.deleted) handler(room);
}

std::string_view NamespaceShard::SocketTraits::name_of(const Socket& socket) { return socket.id(); }
std::uint32_t& NamespaceShard::SocketTraits::place_of(Socket& socket) { return socket.index_in_namespace; }

Socket* NamespaceShard::find(std::string_view id) const { return sockets_.find(id); }

void NamespaceShard::forget_marks() {
  for (Socket* socket : sockets()) socket->selected_in = socket->excepted_in = 0;
}

// A socket gets its marks anew: whoever was not in here was passed by when others forgot theirs.
void NamespaceShard::add(Socket& socket) {
  socket.selected_in = socket.excepted_in = 0;
  sockets_.add(socket);
}

void NamespaceShard::remove(Socket& socket) { sockets_.remove(socket); }

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
  for (const auto& parent : registry.parents)
    namespaces_.emplace(parent->spec.name, std::make_unique<NamespaceShard>(*this, parent->spec));
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

// -- children of parent namespaces ----------------------------------------------------------------

bool Hub::has_room_for_child() const {
  return children_ < environment_.limits().dynamic_namespaces_per_shard_max;
}

NamespaceShard& Hub::make_child(const NamespaceSpec& parent, const std::string& name) {
  if (NamespaceShard* known = find(name)) return *known;
  auto spec = std::make_unique<NamespaceSpec>(parent, name);
  if (registry_.recovery_for) spec->recovery = registry_.recovery_for(name);
  auto made = std::make_unique<NamespaceShard>(*this, std::move(spec));
  NamespaceShard& child = *made;
  namespaces_.emplace(name, std::move(made));
  ++children_;
  const unsigned owner = owner_of(environment_, name);
  if (owner == environment_.shard()) {
    child_made(parent, name);
  } else {
    environment_.post(owner, [&parent, name](Hub& hub) { hub.child_made(parent, name); });
  }
  return child;
}

// The owner of the name tells of it, so that it is told once in this process.
void Hub::child_made(const NamespaceSpec& parent, const std::string& name) {
  if (owned_children_[name]++ != 0 || registry_.new_namespace_handlers.empty()) return;
  NamespaceShard& child = make_child(parent, name);
  for (const auto& handler : registry_.new_namespace_handlers) {
    try {
      handler(child.spec().api);
    } catch (...) {
      report_exception("namespace handler threw");
    }
  }
}

void Hub::child_gone(const std::string& name) {
  const auto found = owned_children_.find(name);
  if (found == owned_children_.end()) return;
  if (--found->second == 0) {
    owned_children_.erase(found);
  } else if (found->second == 1) {
    // What is left may be the one that was made here to tell of the name.
    NamespaceShard* child = find(name);
    if (child != nullptr) drop_unused_child(name);
  }
}

std::vector<NamespaceShard*> Hub::children_of(std::string_view parent) {
  std::vector<NamespaceShard*> children;
  for (const auto& [name, nsp] : namespaces_) {
    if (nsp->spec().parent != nullptr && nsp->spec().parent->name == parent) children.push_back(nsp.get());
  }
  std::sort(children.begin(), children.end(),
            [](const NamespaceShard* a, const NamespaceShard* b) { return a->spec().name < b->spec().name; });
  return children;
}

// It goes in its own time: whoever let the last socket go may still be using it.
void Hub::child_unused(NamespaceShard& child) {
  if (!registry_.cleanup_empty_children) return;
  defer([this, name = child.spec().name] { drop_unused_child(name); });
}

void Hub::drop_unused_child(const std::string& name) {
  const auto found = namespaces_.find(name);
  if (found == namespaces_.end() || found->second->in_use() || found->second->node().paused()) return;
  namespaces_.erase(found);
  --children_;
  const unsigned owner = owner_of(environment_, name);
  if (owner == environment_.shard()) {
    child_gone(name);
  } else {
    environment_.post(owner, [name](Hub& hub) { hub.child_gone(name); });
  }
}

SocketPtr Hub::make_socket(NamespaceShard& nsp, SocketLink& link, KeptHandshake handshake) {
  const std::string id = make_socket_id(environment_.random(), static_cast<std::uint8_t>(environment_.shard()));
  return SocketPtr(new Socket(nsp, link, std::move(handshake), id));
}

void Hub::connect(const SocketPtr& socket) {
  if (socket->shard().spec().middlewares.empty() && !socket->wants_recovery()) {
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
  if (socket->wants_recovery()) {
    Task<> recovering = recover(socket);
    co_await recovering;
    if (socket->is_closed()) co_return;
  }
  admitted(*socket);
}

// -- connection state recovery ------------------------------------------------------------------

namespace {

bool same_user(const std::string& id, bool anonymous, const User& user) {
  return anonymous ? user.anonymous : !user.anonymous && id == user.id;
}

}  // namespace

// Behind the middlewares: the pid alone opens nothing, it must be the same user's. A connection that still
// owns it is taken for dead, since its client would not come back otherwise.
Task<> Hub::recover(SocketPtr socket) {
  NamespaceShard& nsp = socket->shard();
  RecoveryLog& log = *nsp.recovery();
  const std::string pid = socket->recovery()->wanted_pid;
  for (int tries = 0; tries < 2; ++tries) {
    RecoveryLog::Claim claim = log.claim(pid, now());
    if (auto* session = std::get_if<RecoverySession>(&claim)) {
      const bool restored = same_user(session->user_id, session->anonymous, socket->user()) &&
                            restore(*socket, *session);
      if (!restored) log.put_back(std::move(*session));
      co_return;
    }
    const auto* owner = std::get_if<RecoveryOwner>(&claim);
    if (owner == nullptr || !same_user(owner->user_id, owner->anonymous, socket->user())) co_return;
    std::function<bool(Hub&)> end = [name = nsp.spec().name, sid = owner->sid](Hub& hub) {
      NamespaceShard* there = hub.find(name);
      Socket* old = there == nullptr ? nullptr : there->find(sid);
      if (old != nullptr) old->link().end_connection(ErrorCode::kDisconnected, "transport close");
      return true;
    };
    Completion<bool> ending = call<bool>(*this, owner->shard, std::move(end));
    (void)co_await ending;
    if (socket->is_closed()) co_return;
  }
}

// Exact or not at all.
bool Hub::restore(Socket& socket, const RecoverySession& session) {
  NamespaceShard& nsp = socket.shard();
  if (socket.extension() != nullptr && !socket.extension()->may_continue(session.rooms)) return false;
  nsp.drain();
  Socket::Recovery& state = *socket.recovery();
  std::optional<std::uint64_t> after = session.position;
  if (!state.wanted_offset.empty()) after = parse_position(state.wanted_offset, nsp.recovery()->epoch());
  if (!after) return false;
  const auto entries = nsp.recovery()->replay(*after, nsp.position());
  if (!entries) return false;
  const Limits& limits = environment_.limits();
  std::size_t bytes = 0;
  for (const auto& entry : *entries) {
    if (!is_meant(*entry, session)) continue;
    bytes += entry->message->bytes();
    state.missed.push_back(entry);
    if (state.missed.size() <= limits.recovery_messages_max && bytes <= limits.recovery_bytes_max) continue;
    state.missed.clear();
    return false;
  }
  socket.become(session.sid);
  for (std::size_t i = 0; i < session.rooms.size(); ++i) {
    if (!static_cast<wirehall::Socket&>(socket).join(session.rooms[i]).ok()) continue;
    socket.memberships().back().since = session.since[i];
  }
  if (!session.data.is_null()) static_cast<wirehall::Socket&>(socket).data() = session.data;
  state.pid = session.pid;
  state.recovered = true;
  return true;
}

void Hub::begin_recovery_state(Socket& socket) {
  NamespaceShard& nsp = socket.shard();
  if (nsp.recovery() == nullptr || socket.link().protocol() != Protocol::kSocketIo) return;
  Socket::Recovery& state = socket.make_recovery();
  if (state.pid.empty()) {
    std::string bytes(15, '\0');
    environment_.random().fill({bytes.data(), bytes.size()});
    state.pid = to_base64url(bytes);
  }
  state.position = nsp.position();
  nsp.recovery()->connected(
      state.pid, {environment_.shard(), std::string(socket.id()), socket.user().id, socket.user().anonymous});
}

void Hub::admitted(Socket& socket) {
  if (socket.is_closed()) return;
  socket.shard().add(socket);
  socket.mark_connected();
  socket.shard().own_room(socket, true);
  begin_recovery_state(socket);
  // What was missed goes out in front of the answer, as the reference does it.
  for (const auto& entry : socket.take_missed()) {
    EncodedMessage message(entry->message);
    message.set_offset(format_position(socket.shard().recovery()->epoch(), entry->number));
    socket.link().deliver(socket, message, EmitFlags());
  }
  socket.link().connected(socket);
  socket.pack_user();
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
  socket.shard().leave_all_rooms(socket);
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

NamespaceSpec& Registry::add_parent(std::function<Task<bool>(std::string name, Value auth)> matches) {
  WIREHALL_ASSERT(!running);
  const std::string name = "/_" + std::to_string(parents.size());
  parents.push_back(std::unique_ptr<ParentSpec>(new ParentSpec{{*this, name}, std::move(matches)}));
  parents.back()->spec.is_parent = true;
  return parents.back()->spec;
}

NamespaceSpec::NamespaceSpec(const NamespaceSpec& from, std::string full_name)
    : registry(from.registry),
      name(std::move(full_name)),
      api(*this),
      parent(&from),
      ack_ids(from.ack_ids),
      middlewares(from.middlewares),
      connection_handlers(from.connection_handlers),
      disconnecting_handlers(from.disconnecting_handlers),
      disconnect_handlers(from.disconnect_handlers),
      failure_handlers(from.failure_handlers),
      event_middlewares(from.event_middlewares),
      handlers(from.handlers),
      unknown_handlers(from.unknown_handlers),
      native_shapes(from.native_shapes),
      native_types(from.native_types),
      server_handlers(from.server_handlers),
      room_handlers(from.room_handlers),
      census(from.census) {}

}  // namespace wirehall::hub
