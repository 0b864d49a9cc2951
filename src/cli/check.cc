#include <cstdio>

#include "cli/commands.h"
#include "io/tls.h"
#include "server/command_line.h"
#include "server/config_file.h"
#include "wirehall/config.h"

namespace wirehall::cli {
namespace {

int check(const std::string& file) {
  Config config;
  Status status = server::read_config(config, file);
  if (status.ok()) status = config.finish();
  if (status.ok() && !config.tls_certificate.empty()) {
    if (const auto tls = io::TlsContext::load(config.tls_certificate, config.tls_key); !tls.ok())
      status = tls.error();
  }
  if (status.ok()) {
    std::printf("%s: fine\n", file.c_str());
    return 0;
  }
  std::fprintf(stderr, "%s\n", status.error().detail().c_str());
  return kConfigError;
}

}  // namespace

void add_check(CLI::App& app, int& status) {
  auto file = std::make_shared<std::string>();
  server::Command command = server::Command(app).add_subcommand("check", "Look a configuration file over");
  command.add_option("CONFIG", *file, "configuration file").required().type_name("FILE");
  command.callback([file, &status] { status = check(*file); });
  server::Command(app)
      .add_subcommand("schema", "Print the JSON Schema of the configuration file")
      .callback([] { std::printf("%s\n", config_schema().c_str()); });
}

}  // namespace wirehall::cli
