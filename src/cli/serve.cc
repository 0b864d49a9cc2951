#include <app.h>
#include <embedded/hall_client.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "api/files.h"
#include "api/management.h"
#include "auth/jwt.h"
#include "auth/user_from_claims.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/config_file.h"
#include "http1/url.h"
#include "server/composition.h"
#include "server/file_access.h"
#include "server/log_sink.h"
#include "wirehall/hall.h"
#include "wirehall/server.h"

namespace wirehall::cli {
namespace {

struct ServeOptions {
  std::string config;
  std::string host;
  std::string data;
  int port = -1;
  bool dev = false;
};

std::string_view content_type(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "application/javascript; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  if (name.ends_with(".json")) return "application/json";
  return "application/octet-stream";
}

void serve_demo(Server& io) {
  for (const embedded::File& file : embedded::hall_client()) {
    io.serve_file("/" + std::string(file.name), content_type(file.name), std::string(file.bytes));
    if (file.name == "index.html") io.serve_file("/", content_type(file.name), std::string(file.bytes));
  }
  io.composition().world().routes.content_security_policy =
      "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; media-src 'self' blob:; "
      "style-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; "
      "frame-ancestors 'none'";
}

Status send_to(Server& io, api::BroadcastRequest request) {
  BroadcastOperator to = io.of("/").compress(true).to(request.rooms).except(request.except);
  switch (to.emit(request.event, std::move(request.data))) {
    case SendResult::kReserved:
      return Error(ErrorCode::kInvalidFormat, "event \"" + request.event + "\" is reserved");
    case SendResult::kUnavailable: return ErrorCode::kUnavailable;
    default: return {};
  }
}

void add_routes(Server& io, Hall& hall) {
  api::ManagementOptions options;
  options.api_keys = io.config().auth.api_keys;
  options.open_on_loopback = io.config().dev;
  api::add_management_routes(io.composition().world().routes, options,
                             [&hall](std::function<void(Object)> done) {
                               hall.figures([done = std::move(done)](const Hall::Figures& figures) {
                                 done({{"onlineUsers", static_cast<std::int64_t>(figures.online_users)},
                                       {"rooms", static_cast<std::int64_t>(figures.rooms)},
                                       {"connections", static_cast<std::int64_t>(figures.connections)},
                                       {"messages", static_cast<std::int64_t>(figures.messages)}});
                               });
                             },
                             [&io](api::BroadcastRequest request) { return send_to(io, std::move(request)); });
  api::add_file_route(io.composition().world().routes, server::make_file_access(hall.wiring()));
}

// Development only: whoever is on this machine may be anybody, so that the demo needs no backend.
void add_token_route(Server& io) {
  const AuthConfig& config = io.config().auth;
  const auto algorithm = auth::algorithm_from_name(config.secret_algorithm);
  if (!io.config().dev || !config.required || config.secret.empty() || !algorithm) return;
  Result<auth::SigningKey> made = auth::SigningKey::from_secret(*algorithm, config.secret);
  if (!made.ok()) return;  // the authenticator says why, at start
  const auto key = std::make_shared<const auth::SigningKey>(std::move(*made));
  io.composition().world().routes.add(
      "GET", "/dev/token",
      [key](http1::ResponseSink& core, const http1::HttpRequest& request, const http1::Responder& responder) {
        const http1::QueryPairs query = http1::parse_query(request.head->query());
        const std::string user(http1::find_last(query, "user").value_or(""));
        if (!request.from_loopback || !auth::is_user_id(user)) {
          core.respond(responder, http1::problem(Error(request.from_loopback ? ErrorCode::kInvalidUser
                                                                             : ErrorCode::kAccessDenied)));
          return;
        }
        const std::int64_t now = core.wall_now() / 1000;
        const Result<std::string> token = auth::sign(
            {{"sub", user}, {"user", {{"name", user}}}, {"iat", now}, {"exp", now + 24 * 3600}}, *key);
        http1::Response response;
        response.set("Content-Type", "application/json").set("Cache-Control", "no-store");
        response.body = Value{{"token", token.ok() ? Value(*token) : Value()}, {"userId", user}}.to_json();
        core.respond(responder, std::move(response));
      });
}

void announce(const Server& io) {
  const Config& config = io.config();
  const std::string base = std::string(config.tls_certificate.empty() ? "http" : "https") + "://" +
                           (config.host == "0.0.0.0" ? "127.0.0.1" : config.host) + ":" +
                           std::to_string(io.port());
  std::printf("Wirehall listens on %s\n", base.c_str());
  std::printf("  Socket.IO   %s%s/\n", base.c_str(), config.path.c_str());
  if (config.native)
    std::printf("  WebSocket   ws%s%s\n", base.substr(4).c_str(), config.native_path.c_str());
  if (config.dev) {
    std::printf("  Demo        %s/\n", base.c_str());
    if (config.client_directory.empty())
      std::printf(
          "  (the stock Socket.IO client was not found: the demo's Socket.IO mode needs clientDirectory)\n");
    std::printf("  A token     %s/dev/token?user=NAME\n", base.c_str());
    std::printf("Development mode: loopback only%s.\n",
                std::getenv("JWT_SECRET") != nullptr ? "" : ", tokens are signed with a secret of this run");
  }
  std::fflush(stdout);
}

int serve(const ServeOptions& options) {
  Config config;
  config.dev = options.dev;
  config.connection_state_recovery = std::chrono::seconds(120);  // of the hall; the library has none by itself
  if (const Status read = read_config(config, options.config); !read.ok()) {
    std::fprintf(stderr, "%s\n", read.error().detail().c_str());
    return kConfigError;
  }
  if (!options.host.empty()) config.host = options.host;
  if (!options.data.empty()) config.data_dir = options.data;
  if (options.port >= 0) config.port = static_cast<std::uint16_t>(options.port);
  if (const Status checked = config.finish(); !checked.ok()) {
    std::fprintf(stderr, "configuration: %s\n", checked.error().detail().c_str());
    return kConfigError;
  }
  server::log_to_stderr(config.log_level);
  Server io(config);
  Hall hall(io);
  hall::install(io, hall);
  serve_demo(io);
  add_routes(io, hall);
  add_token_route(io);
  io.hold_signals();
  if (const Status started = io.start(); !started.ok()) {
    std::fprintf(stderr, "wirehall: %s\n", started.error().text().c_str());
    return started.error().code() == ErrorCode::kConfig ? kConfigError : 1;
  }
  announce(io);
  io.stop_on_signal();
  return 0;
}

}  // namespace

void add_serve(CLI::App& app, int& status) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand("serve", "Run the server");
  command->add_option(
      "--config", options->config,
      "configuration file (JSON, comments allowed); default: config/websocket.json if it is there");
  command->add_option("--host", options->host, "address to listen on");
  command->add_option("--port", options->port, "port to listen on; 0 takes any free one")
      ->check(CLI::Range(0, 65535));
  command->add_option("--data", options->data, "directory for the database and files");
  command->add_flag("--dev", options->dev,
                    "development: loopback only, a throw-away secret unless JWT_SECRET is set, permissive "
                    "CORS for loopback origins");
  command->callback([options, &status] { status = serve(*options); });
}

}  // namespace wirehall::cli
