#include "http1/cors.h"

#include <algorithm>

namespace wirehall::http1 {
namespace {

void add_origin(const CorsPolicy& policy, const RequestHead& request, Response& response) {
  if (policy.any_origin) {
    response.set("Access-Control-Allow-Origin", "*");
  } else {
    const auto origin = request.find("origin");
    if (origin && is_origin_allowed(policy, *origin)) response.set("Access-Control-Allow-Origin", *origin);
    response.set("Vary", "Origin");
  }
  if (policy.credentials) response.set("Access-Control-Allow-Credentials", "true");
}

}  // namespace

bool is_loopback_origin(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!origin.starts_with(scheme)) continue;
    std::string_view host = origin.substr(scheme.size());
    for (const std::string_view name : {"localhost", "127.0.0.1", "[::1]"}) {
      if (!host.starts_with(name)) continue;
      const std::string_view port = host.substr(name.size());
      if (port.empty()) return true;
      return port.front() == ':' && port.size() > 1 && port.size() <= 6 &&
             std::all_of(port.begin() + 1, port.end(), [](char c) { return c >= '0' && c <= '9'; });
    }
  }
  return false;
}

bool is_origin_allowed(const CorsPolicy& policy, std::string_view origin) {
  if (policy.any_origin ||
      std::find(policy.origins.begin(), policy.origins.end(), origin) != policy.origins.end())
    return true;
  return policy.loopback_origins && is_loopback_origin(origin);
}

void add_cors_headers(const CorsPolicy& policy, const RequestHead& request, Response& response) {
  if (!policy.enabled) return;
  add_origin(policy, request, response);
  if (!policy.exposed_headers.empty()) response.set("Access-Control-Expose-Headers", policy.exposed_headers);
}

bool is_preflight(const CorsPolicy& policy, const RequestHead& request) {
  return policy.enabled && request.method == Method::kOptions;
}

Response preflight_response(const CorsPolicy& policy, const RequestHead& request) {
  Response response;
  response.status = 204;
  add_origin(policy, request, response);
  response.set("Access-Control-Allow-Methods", policy.methods);
  if (!policy.allowed_headers.empty()) {
    response.set("Access-Control-Allow-Headers", policy.allowed_headers);
  } else {
    response.set("Vary", "Access-Control-Request-Headers");
    if (const auto asked = request.find("access-control-request-headers"))
      response.set("Access-Control-Allow-Headers", *asked);
  }
  if (policy.max_age_seconds) response.set("Access-Control-Max-Age", std::to_string(*policy.max_age_seconds));
  response.set("Content-Length", "0");
  return response;
}

}  // namespace wirehall::http1
