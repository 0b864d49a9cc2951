// The commands of the program, each in a file of its own.
#pragma once

#include "wirehall/value.h"

namespace CLI {
class App;
}

namespace wirehall::cli {

/// Exit status of a configuration that cannot be used (sysexits.h EX_CONFIG).
inline constexpr int kConfigError = 78;

void add_serve(CLI::App& app, int& status);
void add_new(CLI::App& app, int& status);
void add_add(CLI::App& app, int& status);
void add_token(CLI::App& app, int& status);
void add_connect(CLI::App& app, int& status);
void add_bench(CLI::App& app, int& status);
void add_backup(CLI::App& app, int& status);
void add_vapid(CLI::App& app, int& status);
/// `check CONFIG` and `schema`.
void add_check(CLI::App& app, int& status);
/// `reference`, which `--help` does not show. Added last: it tells of all the others.
void add_reference(CLI::App& app);

/// What the server that `serve --dev` runs answers, without running it: `events` (name, and its aliases on
/// the native protocol) and `routes` ("GET /path"; with … behind what is a prefix).
Object hall_interface();

}  // namespace wirehall::cli
