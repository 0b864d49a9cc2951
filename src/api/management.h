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

/// Adds GET /ws/stats, /healthz, /livez and /readyz.
void add_management_routes(http1::Routes& routes, const ManagementOptions& options, FiguresSource figures);

}  // namespace wirehall::api
