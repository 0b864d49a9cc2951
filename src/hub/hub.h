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
#include "hub/room_index.h"
#include "hub/socket.h"
#include "hub/spec.h"
#include "wirehall/task.h"

namespace wirehall::hub {

/// One namespace on one shard.
class NamespaceShard {
 public:
  NamespaceShard(Hub& hub, NamespaceSpec& spec);
  Hub& hub() const { return hub_; }
  NamespaceSpec& spec() const { return spec_; }
  RoomIndex& rooms() { return rooms_; }
  ShardAdapter& local() { return local_; }
  NodeAdapter& node() { return node_; }
  Adapter& adapter() { return node_; }

  /// Connected sockets, in no meaningful but a reproducible order.
  const std::vector<Socket*>& sockets() const { return sockets_; }
  Socket* find(std::string_view id) const;
  void add(Socket& socket);
  void remove(Socket& socket);
  std::uint64_t next_ack_id() { return next_ack_id_++; }

 private:
  Hub& hub_;
  NamespaceSpec& spec_;
  RoomIndex rooms_;
  ShardAdapter local_;
  NodeAdapter node_;
  std::vector<Socket*> sockets_;
  std::unordered_map<std::string_view, Socket*, KeyedHash, std::equal_to<>> by_id_;
  std::uint64_t next_ack_id_ = 0;
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

  /// Returns: the namespace, if it was registered.
  NamespaceShard* find(std::string_view name);

  /// Makes a socket that is not yet in its namespace.
  SocketPtr make_socket(NamespaceShard& nsp, SocketLink& link, std::shared_ptr<const Handshake> handshake);
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

  /// Services by their key (the address of a static of theirs).
  std::shared_ptr<ShardService>& service(const void* key) { return services_[key]; }

 private:
  class Running;
  Task<> run_middlewares(SocketPtr socket);
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
};

}  // namespace wirehall::hub
