// What all shards of a process share: options, registered handlers, routes. Immutable while the server
// runs, but for the atomics in it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"
#include "engineio/session.h"
#include "http1/cors.h"
#include "http1/forwarded.h"
#include "http1/head.h"
#include "http1/response.h"
#include "hub/client.h"
#include "hub/encoded_message.h"
#include "hub/spec.h"
#include "native/frame.h"
#include "wirehall/limits.h"
#include "ws/connection_core.h"

namespace wirehall::pipeline {

class ShardCore;

/// The one response to one request; may be given from any shard, at most once.
///
/// Thread:   a plain value; used through ShardCore::respond().
struct Responder {
  unsigned shard = 0;
  std::uint64_t connection = 0;  ///< of ShardCore's table
  std::uint32_t sequence = 0;    ///< of the request on its connection
  friend bool operator==(const Responder&, const Responder&) = default;
};

using HeadPtr = std::shared_ptr<const http1::RequestHead>;

/// A complete request that is neither Engine.IO's nor an upgrade.
struct HttpRequest {
  HeadPtr head;
  std::string body;
  std::string address;         ///< the client's; behind trusted proxies theirs
  bool from_loopback = false;  ///< the TCP peer is on this machine and no proxy is in between
};

/// Answers requests; must respond exactly once, now or later.
using HttpHandler = std::function<void(ShardCore&, HttpRequest, Responder)>;

/// A file that is served from memory.
struct StaticFile {
  std::string content_type;
  std::shared_ptr<const std::string> bytes;
  std::string etag;
  std::string cache_control = "public, max-age=0";
};

/// Who answers which path.
struct Routes {
  TextMap<HttpHandler> handlers;        ///< "GET /path"
  TextMap<StaticFile> files;            ///< path → file
  TextSet paths;                        ///< paths that have a handler for some method
  std::string content_security_policy;  ///< of static files

  void add(std::string_view method, std::string_view path, HttpHandler handler);
};

/// Lets connections in by address; called when a session or native connection opens and ends.
///
/// Thread:   safe from every shard.
class Admission {
 public:
  virtual ~Admission() = default;
  /// Errors:   kTooManyConnections, kRateLimited (with retry_after_ms).
  virtual Status admit(std::string_view address, bool loopback, MonoTime now) = 0;
  virtual void release(std::string_view address) = 0;
};

struct CookieOptions {
  bool enabled = false;
  std::string name = "io";
  std::string attributes = "; Path=/; HttpOnly; SameSite=Lax";
};

struct World {
  explicit World(hub::Registry& registered) : registry(registered) {}

  hub::Registry& registry;
  Limits limits;
  bool dev = false;

  std::string engine_path = "/socket.io/";
  engineio::SessionOptions engine;
  ws::CoreOptions engine_websocket;
  hub::ClientOptions client;
  CookieOptions cookie;
  /// Decides on handshakes; empty text lets in, else it is the message of a 403.
  std::function<std::string(const http1::RequestHead&)> allow_request;

  bool native_enabled = true;
  std::string native_path = "/ws";
  ws::CoreOptions native_websocket;
  native::DecodeLimits native_limits;
  Duration heartbeat_interval = std::chrono::milliseconds(30'000);

  bool deflate_enabled = false;
  std::uint32_t deflate_threshold_bytes = 1024;

  http1::CorsPolicy cors;
  bool cookies_authenticate = false;  ///< origins are then checked on Engine.IO too
  std::vector<std::string> handshake_headers = {"origin", "user-agent"};
  http1::TrustedProxies trusted_proxies;
  bool slow_consumer_drops = false;
  Routes routes;
  Admission* admission = nullptr;
  mutable hub::FormsInUse forms_in_use;
};

}  // namespace wirehall::pipeline
