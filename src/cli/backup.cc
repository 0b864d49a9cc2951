#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "io/system.h"
#include "server/command_line.h"
#include "server/config_file.h"
#include "store/sqlite/sqlite_store.h"
#include "wirehall/config.h"

namespace wirehall::cli {
namespace {

namespace fs = std::filesystem;

struct BackupOptions {
  std::string config;
  std::string data;
  std::string target;
};

bool sync(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  return synced;
}

// Files do not change once they are complete, so copying them behind the database gets all that it names.
Status copy_files(const fs::path& from, const fs::path& to, std::uint64_t& count) {
  std::error_code error;
  if (!fs::exists(from, error)) return {};
  fs::create_directories(to, error);
  for (const auto& entry : fs::directory_iterator(from, error)) {
    if (error) break;
    if (!entry.is_regular_file()) continue;
    fs::copy_file(entry.path(), to / entry.path().filename(), error);
    if (!error && !sync(to / entry.path().filename())) error = std::make_error_code(std::errc::io_error);
    if (error == std::errc::no_such_file_or_directory) error.clear();  // removed meanwhile
    if (error) break;
    ++count;
  }
  if (error) return Error(ErrorCode::kConfig, to.string() + ": " + error.message());
  return {};
}

int backup(const BackupOptions& options) {
  Config config;
  if (const Status read = server::read_config(config, options.config); !read.ok()) {
    std::fprintf(stderr, "%s\n", read.error().detail().c_str());
    return kConfigError;
  }
  const fs::path data = options.data.empty() ? config.data_dir : options.data;
  const fs::path target = options.target;
  std::error_code error;
  fs::create_directories(target, error);
  io::SystemRandom random;
  std::uint64_t files = 0;
  Status done = error ? Status(Error(ErrorCode::kConfig, target.string() + ": " + error.message()))
                      : store::backup_database((data / "wirehall.db").string(),
                                               (target / "wirehall.db").string(), random);
  if (done.ok()) {
    done = copy_files(data / "files", target / "files", files);
    if (!done.ok()) fs::remove(target / "wirehall.db", error);  // half a backup is none
  }
  if (!done.ok()) {
    std::fprintf(stderr, "backup: %s\n", done.error().detail().c_str());
    return kConfigError;
  }
  std::printf("%s: the database (%llu bytes) and %llu files\n", target.c_str(),
              static_cast<unsigned long long>(fs::file_size(target / "wirehall.db", error)),
              static_cast<unsigned long long>(files));
  std::printf("It is a data directory of its own: wirehall serve --data %s\n", target.c_str());
  return 0;
}

}  // namespace

void add_backup(CLI::App& app, int& status) {
  auto options = std::make_shared<BackupOptions>();
  server::Command command = server::Command(app).add_subcommand(
      "backup", "Copy the data of a server, which may be running, to a new directory");
  command
      .add_option("TARGET", options->target,
                  "directory for the copy; made where it is missing, and must hold no database")
      .required()
      .type_name("DIR");
  command.add_option("--data", options->data, "directory with the data; default: data of the configuration")
      .type_name("DIR");
  command.add_option("--config", options->config, "configuration file that names it").type_name("FILE");
  command.callback([options, &status] { status = backup(*options); });
}

}  // namespace wirehall::cli
