// What was registered before the server ran: per namespace its middlewares and handlers. Read by all
// shards, changed by none.
#pragma once

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

/// Thread:   immutable while the server runs.
struct NamespaceSpec {
  NamespaceSpec(Registry& owner, std::string full_name)
      : registry(&owner), name(std::move(full_name)), api(*this) {}

  Registry* registry;
  std::string name;
  Namespace api;
  std::vector<ConnectMiddleware> middlewares;
  std::vector<std::function<void(Socket&)>> connection_handlers;
  std::vector<std::function<void(Socket&, std::string_view)>> disconnecting_handlers;
  std::vector<std::function<void(Socket&, std::string_view)>> disconnect_handlers;
  std::vector<std::function<Status(Socket&, std::string_view, Args&)>> event_middlewares;
  TextMap<std::vector<SharedHandler>> handlers;
  std::vector<SharedHandler> unknown_handlers;
  TextMap<NativeShape> native_shapes;  ///< by event
  TextMap<std::string> native_types;   ///< type or alias → event
};

struct Registry {
  TextMap<std::unique_ptr<NamespaceSpec>> namespaces;
  bool running = false;  ///< registration has ended
  /// From a thread that is no shard: runs a task on a shard's hub. Empty before the server runs.
  std::function<void(unsigned shard, HubTask)> post_from_outside;

  /// Returns the namespace of that name, made when it is new. A leading `/` is added.
  NamespaceSpec& of(std::string_view name);
};

}  // namespace wirehall::hub
