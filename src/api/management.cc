#include "api/management.h"

#include "base/log.h"
#include "base/secret.h"

namespace wirehall::api {
namespace {

http1::Response json_response(const Value& value) {
  http1::Response response;
  response.set("Content-Type", "application/json").set("Cache-Control", "no-store");
  response.body = value.to_json();
  return response;
}

}  // namespace

ErrorCode authorize(const ManagementOptions& options, const http1::HttpRequest& request) {
  if (options.open_on_loopback && request.from_loopback) return ErrorCode::kOk;
  if (options.api_keys.empty()) {
    log_line(LogLevel::kWarning, "api", "management route refused: no key is configured",
             {{"remedy", "set auth.apiKeys or WIREHALL_AUTH__API_KEYS"}});
    return ErrorCode::kAccessDenied;
  }
  std::string_view given = request.head->find("x-api-key").value_or("");
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = request.head->find("authorization").value_or("");
  if (given.empty() && http1::same_token(authorization.substr(0, kBearer.size()), kBearer)) given = authorization.substr(kBearer.size());
  if (given.empty()) return ErrorCode::kAuthenticationRequired;
  bool known = false;
  for (const std::string& key : options.api_keys) known = same_secret(key, given) || known;
  return known ? ErrorCode::kOk : ErrorCode::kAuthenticationFailed;
}

void add_management_routes(http1::Routes& routes, const ManagementOptions& options,
                           FiguresSource figures) {
  routes.add("GET", "/ws/stats",
             [options, figures](http1::ResponseSink& sink, const http1::HttpRequest& request,
                                const http1::Responder& responder) {
               if (const ErrorCode refused = authorize(options, request); refused != ErrorCode::kOk) {
                 http1::Response response = http1::problem(Error(refused));
                 if (response.status == 401) response.set("WWW-Authenticate", "Bearer");
                 sink.respond(responder, std::move(response));
                 return;
               }
               figures([&sink, responder](Object fields) {
                 sink.respond(responder, json_response(Value(std::move(fields))));
               });
             });
  for (const char* path : {"/healthz", "/livez", "/readyz"}) {
    routes.add(
        "GET", path,
        [](http1::ResponseSink& sink, const http1::HttpRequest&, const http1::Responder& responder) {
          sink.respond(responder, json_response({{"status", "ok"}}));
        });
  }
}

}  // namespace wirehall::api
