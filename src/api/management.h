// The management routes: what an operator asks a running server.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http1/exchange.h"
#include "wirehall/value.h"

namespace wirehall::api {

/// Who may use the management routes.
struct ManagementOptions {
  std::vector<std::string> api_keys;
  bool open_on_loopback = false;  ///< --dev
};

/// Whether a request may use them.
///
/// Returns:  kOk, kAuthenticationRequired (401), kAuthenticationFailed (401), or kAccessDenied (403) when no
/// key
///           is configured at all; the log says then how to turn the routes on.
ErrorCode authorize(const ManagementOptions& options, const http1::HttpRequest& request);

/// Gives the figures of `GET /ws/stats`, on the shard that asks.
using FiguresSource = std::function<void(std::function<void(Object)> done)>;

/// An event for everybody, or for those in some rooms, without those in others.
struct BroadcastRequest {
  std::string event;
  Value data;
  std::vector<std::string> rooms;   ///< empty: everybody
  std::vector<std::string> except;  ///< rooms, or ids of connections
};
/// Sends it, on the shard that asks. Errors: kInvalidFormat: the event's name is reserved; kUnavailable.
using BroadcastSink = std::function<Status(BroadcastRequest)>;

/// Reads the body of `POST /ws/broadcast`: `{event, data, room?, except?}`, the last two a text or a list.
/// Errors:   kInvalidFormat, with what is wrong.
Result<BroadcastRequest> parse_broadcast(std::string_view body);

/// Adds GET /ws/stats, POST /ws/broadcast, /healthz, /livez and /readyz.
void add_management_routes(http1::Routes& routes, const ManagementOptions& options, FiguresSource figures,
                           BroadcastSink broadcast);

}  // namespace wirehall::api
