// What all shards of a process share: options, registered handlers, routes. Immutable while the server
// runs, but for the atomics in it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"
#include "engineio/session.h"
#include "http1/cors.h"
#include "http1/exchange.h"
#include "http1/forwarded.h"
#include "http1/head.h"
#include "http1/response.h"
#include "hub/client.h"
#include "hub/encoded_message.h"
#include "hub/spec.h"
#include "native/frame.h"
#include "wirehall/handshake.h"
#include "wirehall/limits.h"
#include "ws/connection_core.h"

namespace wirehall::pipeline {

using http1::HeadPtr;
using http1::HttpRequest;
using http1::Responder;

/// Lets connections in by address; called when a session or native connection opens, has joined its first
/// namespace, and ends.
///
/// Thread:   safe from every shard.
class Admission {
 public:
  virtual ~Admission() = default;
  /// Errors:   kTooManyConnections, kRateLimited (with retry_after_ms).
  virtual Status admit(std::string_view address, bool loopback, MonoTime now) = 0;
  virtual void joined(std::string_view address) = 0;
  /// `had_joined`: joined() was called for it.
  virtual void release(std::string_view address, bool had_joined) = 0;
  /// Lets in whom admit() has refused, only to be told so in words of its protocol. False: not even that.
  virtual bool admit_refused(std::string_view address) = 0;
  virtual void release_refused(std::string_view address) = 0;
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

  bool engine_enabled = true;  ///< Engine.IO, and so Socket.IO
  std::string engine_path = "/socket.io/";
  engineio::SessionOptions engine;
  ws::CoreOptions engine_websocket;
  hub::ClientOptions client;
  CookieOptions cookie;
  /// Decides on handshakes; empty text lets in, else it is the message of a 403.
  std::function<std::string(const Handshake&)> allow_request;
  std::vector<std::function<void(const ConnectionFailure&)>> connection_error_handlers;
  using HeaderHook = std::function<void(HeaderList&, const Handshake&)>;
  std::vector<HeaderHook> initial_header_hooks;
  std::vector<HeaderHook> header_hooks;
  /// Polling responses of so many bytes are compressed; nullopt: none are.
  std::optional<std::uint32_t> http_compression_threshold = 1024;

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
  http1::Routes routes;
  Admission* admission = nullptr;
  mutable hub::FormsInUse forms_in_use;
  mutable std::atomic<std::size_t> body_bytes_in_flight{0};  ///< of request bodies that are not complete
};

}  // namespace wirehall::pipeline
