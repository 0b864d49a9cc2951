// What was registered before the server ran: per namespace its middlewares and handlers. Read by all
// shards, changed by none.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"
#include "hub/environment.h"
#include "wirehall/namespace.h"

namespace wirehall::hub {

using SharedHandler = std::shared_ptr<detail::EventHandler>;

struct Registry;
class RecoveryLog;

/// How many members the rooms of a namespace have in this process; only kept where somebody wants to know
/// when a room appears or vanishes.
class RoomCensus {
 public:
  virtual ~RoomCensus() = default;
  /// Returns: whether the room appears with it.
  virtual bool enter(std::string_view room) = 0;
  /// Returns: whether the room vanishes with it.
  virtual bool leave(std::string_view room) = 0;
};

/// Thread:   immutable while the server runs, but for the counter.
struct NamespaceSpec {
  NamespaceSpec(Registry& owner, std::string full_name)
      : registry(&owner), name(std::move(full_name)), api(*this) {}
  /// A child of a parent namespace: with what is registered there now.
  NamespaceSpec(const NamespaceSpec& parent, std::string full_name);
  NamespaceSpec(const NamespaceSpec&) = delete;

  Registry* registry;
  std::string name;
  Namespace api;
  const NamespaceSpec* parent = nullptr;
  bool is_parent = false;
  /// Numbers of answers that the server waits for; one sequence over all shards, since a broadcast has one.
  std::shared_ptr<std::atomic<std::uint64_t>> ack_ids = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::vector<ConnectMiddleware> middlewares;
  std::vector<std::function<void(Socket&)>> connection_handlers;
  std::vector<std::function<void(Socket&, std::string_view)>> disconnecting_handlers;
  std::vector<std::function<void(Socket&, std::string_view)>> disconnect_handlers;
  std::vector<std::function<void(Socket&, const Error&)>> failure_handlers;
  std::vector<std::function<Status(Socket&, std::string_view, Args&)>> event_middlewares;
  TextMap<std::vector<SharedHandler>> handlers;
  std::vector<SharedHandler> unknown_handlers;
  TextMap<NativeShape> native_shapes;  ///< by event
  TextMap<std::string> native_types;   ///< type or alias → event
  TextMap<std::vector<Namespace::ServerEventHandler>> server_handlers;
  struct RoomHandlers {
    std::vector<Namespace::RoomHandler> created, deleted;
    std::vector<Namespace::RoomMemberHandler> joined, left;
    bool any() const { return !created.empty() || !deleted.empty() || !joined.empty() || !left.empty(); }
  } room_handlers;
  std::shared_ptr<RoomCensus> census;     ///< set where room_handlers.any()
  std::shared_ptr<RecoveryLog> recovery;  ///< set where connection state recovery is on
};

/// A family of namespaces whose members are made when clients connect to them.
struct ParentSpec {
  NamespaceSpec spec;
  std::function<Task<bool>(std::string name, Value auth)> matches;
};

struct Registry {
  TextMap<std::unique_ptr<NamespaceSpec>> namespaces;
  std::vector<std::unique_ptr<ParentSpec>> parents;  ///< in the order in which they are asked
  std::vector<std::function<void(Namespace&)>> new_namespace_handlers;
  bool cleanup_empty_children = false;
  /// The recovery log of a namespace that is made while the server runs; one for all shards. Empty: none.
  std::function<std::shared_ptr<RecoveryLog>(const std::string& name)> recovery_for;
  std::function<Authenticator&()> authenticator;  ///< the configuration's
  bool running = false;                           ///< registration has ended
  /// From a thread that is no shard: runs a task on a shard's hub. Empty before the server runs.
  std::function<void(unsigned shard, HubTask)> post_from_outside;

  /// Returns the namespace of that name, made when it is new. A leading `/` is added.
  NamespaceSpec& of(std::string_view name);
  NamespaceSpec& add_parent(std::function<Task<bool>(std::string name, Value auth)> matches);
};

}  // namespace wirehall::hub
