#include <app.h>
#include <embedded/hall_client.h>
#include <cstdio>

#include "cli/commands.h"
#include "hub/spec.h"
#include "server/command_line.h"
#include "server/config_file.h"
#include "server/log_sink.h"
#include "server/pages.h"
#include "wirehall/hall.h"
#include "wirehall/server.h"

namespace wirehall::cli {
namespace {

struct ServeOptions {
  std::string config;
  std::string host;
  std::string data;
  std::string client;
  int port = -1;
  bool dev = false;
};

void serve_demo(Server& io) {
  for (const embedded::File& file : embedded::hall_client()) {
    const std::string_view type = server::content_type_of(file.name);
    io.serve_file("/" + std::string(file.name), type, std::string(file.bytes));
    if (file.name == "index.html") io.serve_file("/", type, std::string(file.bytes));
  }
  io.composition().world().routes.content_security_policy = Server::kPagePolicy;
}

int serve(const ServeOptions& options) {
  Config config = Hall::defaults();
  config.dev = options.dev;
  config.separate_descriptors = true;  // the hall's files are read and written on other threads, by what is theirs
  if (const Status read = server::read_config(config, options.config); !read.ok()) {
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
  server::log_to_stderr(config.log_level);  // opening the data has something to say already
  Server io(config);
  Hall hall(io);
  app::install(io, hall);
  if (options.client.empty()) {
    serve_demo(io);
  } else {
    io.serve_directory(options.client);
  }
  return io.run();
}

}  // namespace

Object hall_interface() {
  Config config = Hall::defaults();
  config.dev = true;
  config.hall.store_lasts = false;
  (void)config.finish();                    // makes a secret: nothing else is asked of it
  server::log_to_stderr(config.log_level);  // opening the data has something to say already
  Server io(config);
  Hall hall(io);
  app::install(io, hall);
  serve_demo(io);

  const hub::NamespaceSpec& spec = io.of("/").spec();
  Array events, routes;
  for (const auto& [name, handlers] : spec.handlers) {
    Array aliases;
    for (const auto& [type, event] : spec.native_types) {
      if (event == name && type != name) aliases.emplace_back(type);
    }
    events.push_back({{"name", name}, {"aliases", Value(std::move(aliases))}});
  }
  const http1::Routes& all = io.composition().world().routes;
  for (const auto& [route, handler] : all.handlers) routes.emplace_back(route);
  for (const http1::Routes::Prefix& prefix : all.prefixes) {
    for (const auto& [method, handler] : prefix.handlers)
      routes.emplace_back(method + " " + prefix.path + "…");
  }
  for (const auto& [path, file] : all.files) routes.emplace_back("GET " + path);
  return {{"events", Value(std::move(events))}, {"routes", Value(std::move(routes))}};
}

void add_serve(CLI::App& app, int& status) {
  auto options = std::make_shared<ServeOptions>();
  server::Command command = server::Command(app).add_subcommand("serve", "Run the server");
  command
      .add_option(
          "--config", options->config,
          "configuration file (JSON, comments allowed); default: config/websocket.json if it is there")
      .type_name("FILE");
  command.add_option("--host", options->host, "address to listen on").type_name("HOST");
  command.add_option("--port", options->port, "port to listen on; 0 takes any free one")
      .range(0, 65535)
      .type_name("N");
  command
      .add_option("--data", options->data, "directory for the database and files; made where it is missing")
      .type_name("DIR");
  command.add_option("--client", options->client, "folder of pages to serve instead of the demo")
      .existing_directory()
      .type_name("DIR");
  command.add_flag("--dev", options->dev,
                   "development: loopback only, a throw-away secret unless JWT_SECRET is set, permissive "
                   "CORS for loopback origins");
  command.callback([options, &status] { status = serve(*options); });
}

}  // namespace wirehall::cli
