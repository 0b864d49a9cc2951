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

namespace {

// A text, or a list of texts.
bool read_names(const Value* value, std::vector<std::string>& names) {
  if (value == nullptr || value->is_null()) return true;
  if (value->is_string()) {
    names.push_back(value->as_string());
    return true;
  }
  auto list = value->to<std::vector<std::string>>();
  if (!list.ok()) return false;
  names = std::move(*list);
  return true;
}

// Answers who may not use the route. Returns: whether the caller goes on.
bool let_in(const ManagementOptions& options, http1::ResponseSink& sink, const http1::HttpRequest& request,
            const http1::Responder& responder) {
  const ErrorCode refused = authorize(options, request);
  if (refused == ErrorCode::kOk) return true;
  http1::Response response = http1::problem(Error(refused));
  if (response.status == 401) response.set("WWW-Authenticate", "Bearer");
  sink.respond(responder, std::move(response));
  return false;
}

}  // namespace

Result<BroadcastRequest> parse_broadcast(std::string_view body) {
  constexpr std::size_t kNamesMax = 1'000;
  const Result<Value> parsed = Value::from_json(body);
  if (!parsed.ok() || !parsed->is_object())
    return Error(ErrorCode::kInvalidFormat, "the body must be a JSON object {event, data, room?, except?}");
  BroadcastRequest request;
  const std::string* event = parsed->find_string("event");
  if (event == nullptr || event->empty()) return Error(ErrorCode::kInvalidFormat, "event must be a string");
  request.event = *event;
  if (const Value* data = parsed->find("data")) request.data = *data;
  if (!read_names(parsed->find("room"), request.rooms) || !read_names(parsed->find("except"), request.except))
    return Error(ErrorCode::kInvalidFormat, "room and except must be strings, or lists of strings");
  if (request.rooms.size() > kNamesMax || request.except.size() > kNamesMax)
    return Error(ErrorCode::kInvalidFormat, "room and except may have up to 1000 entries");
  return request;
}

void add_management_routes(http1::Routes& routes, const ManagementOptions& options, FiguresSource figures,
                           BroadcastSink broadcast) {
  routes.add("GET", "/ws/stats",
             [options, figures](http1::ResponseSink& sink, const http1::HttpRequest& request,
                                const http1::Responder& responder) {
               if (!let_in(options, sink, request, responder)) return;
               figures([&sink, responder](Object fields) {
                 sink.respond(responder, json_response(Value(std::move(fields))));
               });
             });
  routes.add("POST", "/ws/broadcast",
             [options, broadcast](http1::ResponseSink& sink, const http1::HttpRequest& request,
                                  const http1::Responder& responder) {
               if (!let_in(options, sink, request, responder)) return;
               Result<BroadcastRequest> wanted = parse_broadcast(request.body);
               const Status sent = wanted.ok() ? broadcast(std::move(*wanted)) : Status(wanted.error());
               sink.respond(responder, sent.ok() ? json_response({{"success", true}}) : http1::problem(sent.error()));
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
