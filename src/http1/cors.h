// Cross-origin resource sharing: which headers a response gets, and what a preflight is answered.
//
// Spec: the Fetch standard, "HTTP-CORS protocol"; options and effects as npm's `cors` package, which
// Socket.IO's `cors` option goes to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http1/head.h"
#include "http1/response.h"

namespace wirehall::http1 {

/// Thread:   an immutable snapshot.
struct CorsPolicy {
  bool enabled = false;
  bool any_origin = false;           ///< `origin: "*"`
  bool loopback_origins = false;     ///< `--dev`: any port of localhost and loopback addresses
  std::vector<std::string> origins;  ///< exact origins; the request's one is echoed when listed
  bool credentials = false;
  std::string methods = "GET,HEAD,PUT,PATCH,POST,DELETE";
  std::string allowed_headers;  ///< empty: what the preflight asked for
  std::string exposed_headers;
  std::optional<std::uint32_t> max_age_seconds;
};

/// Whether the policy lets that origin read responses.
bool is_origin_allowed(const CorsPolicy& policy, std::string_view origin);

/// Adds what the policy says of this request to a response. Does nothing when it is not enabled.
void add_cors_headers(const CorsPolicy& policy, const RequestHead& request, Response& response);

/// Whether this is a preflight that the policy answers.
bool is_preflight(const CorsPolicy& policy, const RequestHead& request);

/// The answer to a preflight: 204 with what is allowed.
Response preflight_response(const CorsPolicy& policy, const RequestHead& request);

/// Whether an origin is `http(s)://` on localhost or a loopback address, at any port.
bool is_loopback_origin(std::string_view origin);

}  // namespace wirehall::http1
