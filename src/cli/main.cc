// `wirehall`: the command line.
#include <CLI/CLI.hpp>

#include <cstdio>

#include "cli/commands.h"

int main(int argc, char** argv) {
  CLI::App app{"Wirehall: real-time servers over Socket.IO and plain WebSocket"};
  app.require_subcommand(1);
  app.set_version_flag("--version", WIREHALL_VERSION);
  int status = 0;
  wirehall::cli::add_serve(app, status);
  wirehall::cli::add_new(app, status);
  wirehall::cli::add_add(app, status);
  wirehall::cli::add_token(app, status);
  wirehall::cli::add_connect(app, status);
  wirehall::cli::add_bench(app, status);
  wirehall::cli::add_backup(app, status);
  wirehall::cli::add_vapid(app, status);
  wirehall::cli::add_check(app, status);
  wirehall::cli::add_reference(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return status;
}
