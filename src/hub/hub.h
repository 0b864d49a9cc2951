// The hub of one shard: its namespaces, their sockets and rooms, and the coroutines of their handlers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hub/adapter.h"
#include "hub/completion.h"
#include "hub/environment.h"
#include "hub/recovery.h"
#include "hub/room_index.h"
#include "hub/socket.h"
#include "hub/spec.h"
#include "wirehall/task.h"

namespace wirehall::hub {

/// One namespace on one shard.
class NamespaceShard {
 public:
  NamespaceShard(Hub& hub, NamespaceSpec& spec);
  /// A child of a parent namespace, with a spec of its own.
  NamespaceShard(Hub& hub, std::unique_ptr<NamespaceSpec> own_spec);
  Hub& hub() const { return hub_; }
  NamespaceSpec& spec() const { return spec_; }
  RoomIndex& rooms() { return rooms_; }
  ShardAdapter& local() { return local_; }
  NodeAdapter& node() { return node_; }
  Adapter& adapter() { return node_; }

  /// Connected sockets, in no meaningful but a reproducible order.
  const std::vector<Socket*>& sockets() const { return sockets_.row(); }
  Socket* find(std::string_view id) const;
  void add(Socket& socket);
  void remove(Socket& socket);
  /// No socket is marked by a broadcast any more.
  void forget_marks();
  std::uint64_t next_ack_id() { return spec_.ack_ids->fetch_add(1, std::memory_order_relaxed); }
  /// Sockets that refer to it, connected or not.
  void retain() { ++references_; }
  void release();
  bool in_use() const { return references_ != 0; }

  // -- connection state recovery --------------------------------------------------------------------
  RecoveryLog* recovery() const { return spec_.recovery.get(); }
  /// What of the log was delivered here.
  std::uint64_t position() const { return position_; }
  std::string position_text() const;
  /// Delivers what is new in the log.
  void drain();
  /// Is shown each entry of the log right before it is delivered here.
  void watch_log(std::function<void(const LogEntry&)> watcher) { log_watcher_ = std::move(watcher); }
  /// Without a log: is shown each broadcast right before it is delivered here.
  using BroadcastWatcher = std::function<void(EncodedMessage&, const Selector&)>;
  void watch_broadcasts(BroadcastWatcher watcher) { broadcast_watcher_ = std::move(watcher); }
  const BroadcastWatcher& broadcast_watcher() const { return broadcast_watcher_; }

  // -- rooms, with their events where somebody listens ----------------------------------------------
  void enter_room(Socket& socket, std::string_view room);
  void leave_room(Socket& socket, std::string_view room);
  void leave_all_rooms(Socket& socket);
  void room_entered(std::string_view room, std::string_view socket_id);
  void room_left(std::string_view room, std::string_view socket_id);
  /// The socket's own room, which only its id stands for, has appeared or vanished.
  void own_room(const Socket& socket, bool appears);

 private:
  Hub& hub_;
  std::unique_ptr<NamespaceSpec> own_spec_;
  NamespaceSpec& spec_;
  RoomIndex rooms_;
  ShardAdapter local_;
  NodeAdapter node_;
  struct SocketTraits {
    static std::string_view name_of(const Socket& socket);
    static std::uint32_t& place_of(Socket& socket);
  };
  NamedRow<Socket, SocketTraits> sockets_;
  std::size_t references_ = 0;
  std::uint64_t position_ = 0;
  bool draining_ = false;
  std::function<void(const LogEntry&)> log_watcher_;
  BroadcastWatcher broadcast_watcher_;
};

/// Per-shard state of a service; made when the shard starts, destroyed when it ends.
class ShardService {
 public:
  virtual ~ShardService() = default;
};

/// Thread:   shard-affine.
/// Lifetime: registry and environment outlive it; every socket is closed before it dies.
class Hub final : public Resumer {
 public:
  Hub(Registry& registry, Environment& environment);
  ~Hub();

  Environment& environment() { return environment_; }
  Registry& registry() { return registry_; }
  MonoTime now() const { return environment_.now(); }

  /// Returns: the namespace, if it was registered, or made on this shard.
  NamespaceShard* find(std::string_view name);
  /// Whether one more child fits: limits.dynamic_namespaces_per_shard_max.
  bool has_room_for_child() const;
  /// The namespace of that name, made when it is new here.
  NamespaceShard& make_child(const NamespaceSpec& parent, const std::string& name);
  std::vector<NamespaceShard*> children_of(std::string_view parent);
  /// A child has lost its last socket.
  void child_unused(NamespaceShard& child);

  /// Makes a socket that is not yet in its namespace.
  SocketPtr make_socket(NamespaceShard& nsp, SocketLink& link, KeptHandshake handshake);
  /// Runs the middlewares; then the link is told (connected, or refused) and connection handlers run. A
  /// socket that was closed meanwhile is dropped silently.
  void connect(const SocketPtr& socket);

  // -- coroutines ---------------------------------------------------------------------------------
  /// Starts a task; `socket` and `keep` live until it has finished. An exception is logged, and answered
  /// by `ack`.
  void spawn(Task<> task, SocketPtr socket, std::shared_ptr<void> keep, Ack ack);
  void resume_soon(std::coroutine_handle<> handle) override;
  /// Counts and logs the exception that is being handled. Requires: called in a catch block.
  void report_exception(std::string_view message) noexcept;
  /// Runs something behind the coroutines that are ready now, in this turn or the next.
  void defer(std::function<void()> action);
  /// Resumes what is ready, also what becomes ready meanwhile, up to a bound, then runs what was deferred
  /// before; called in every turn.
  /// Returns:  whether some is left for the next turn.
  bool run_ready();

  // -- turns --------------------------------------------------------------------------------------
  /// The hub of the code that runs now; nullptr outside of every shard.
  static Hub* current();
  /// Makes a hub the current one for a scope.
  class Scope {
   public:
    explicit Scope(Hub& hub);
    ~Scope();
    Scope(const Scope&) = delete;

   private:
    Hub* previous_;
  };
  /// Retries broadcasts that waited for room in a mailbox; called at the end of every turn.
  void end_turn();
  void broadcast_paused(NamespaceShard& nsp) { paused_.push_back(&nsp); }

  /// Closes every socket with a reason; used when the shard ends.
  void close_all(std::string_view reason);

  std::size_t socket_count() const;
  std::size_t room_count() const;

  detail::SpareAck& spare_ack() { return spare_ack_; }

  /// Services by their key (the address of a static of theirs).
  std::shared_ptr<ShardService>& service(const void* key) { return services_[key]; }

 private:
  class Running;
  Task<> run_middlewares(SocketPtr socket);
  Task<> recover(SocketPtr socket);
  bool restore(Socket& socket, const RecoverySession& session);
  void begin_recovery_state(Socket& socket);
  void admitted(Socket& socket);
  void refused(Socket& socket, const Verdict& verdict);
  void finished(Running* running) noexcept;
  void report_finished();

  Registry& registry_;
  Environment& environment_;
  TextMap<std::unique_ptr<NamespaceShard>> namespaces_;
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::function<void()>> deferred_;
  std::vector<std::unique_ptr<Running>> running_;
  std::vector<std::unique_ptr<Running>> finished_;
  std::vector<NamespaceShard*> paused_;
  std::unordered_map<const void*, std::shared_ptr<ShardService>> services_;
  detail::SpareAck spare_ack_;
  // As the owner of some names of children: on how many shards each of them is.
  void child_made(const NamespaceSpec& parent, const std::string& name);
  void child_gone(const std::string& name);
  void drop_unused_child(const std::string& name);
  TextMap<unsigned> owned_children_;
  std::uint32_t children_ = 0;  // of this shard
};

}  // namespace wirehall::hub
