#include "cli/new/tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

namespace wirehall::cli {
namespace fs = std::filesystem;
namespace {

Error failed(const fs::path& what, int error) {
  return Error(ErrorCode::kIo, what.string() + ": " + std::strerror(error));
}

// Writes all bytes into a new file.
Status write_new(const fs::path& file, std::string_view bytes, mode_t mode) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return failed(file, errno);
  int error = 0;
  while (!bytes.empty() && error == 0) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (::close(fd) != 0 && error == 0) error = errno;  // NFS tells here that the disk is full
  if (error != 0) return failed(file, error);
  return {};
}

// A folder that goes away with its contents unless it was released.
class HiddenFolder {
 public:
  explicit HiddenFolder(fs::path path) : path_(std::move(path)) {}
  ~HiddenFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  HiddenFolder(const HiddenFolder&) = delete;
  const fs::path& path() const { return path_; }
  void release() { path_.clear(); }

 private:
  fs::path path_;
};

Status write_all(const fs::path& root, const std::vector<PlannedFile>& files,
                 const std::function<bool()>& go_on) {
  for (const PlannedFile& file : files) {
    if (!go_on()) return Error(ErrorCode::kShuttingDown, "interrupted; nothing was written");
    const fs::path path = root / file.path;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) return failed(path.parent_path(), error.value());
    const mode_t mode = file.secret ? 0600 : file.executable ? 0777 : 0666;  // less the umask
    if (Status status = write_new(path, file.bytes, mode); !status.ok()) return status;
  }
  return {};
}

}  // namespace

Status write_tree(const fs::path& folder, const std::vector<PlannedFile>& files,
                  const std::function<bool()>& go_on) {
  std::error_code error;
  const Error taken(ErrorCode::kIo, folder.string() + " exists already; nothing is ever overwritten");
  if (fs::exists(fs::symlink_status(folder, error)) &&
      !(fs::is_directory(folder, error) && fs::is_empty(folder, error)))
    return taken;
  const fs::path parent = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  std::string hidden = (parent / ("." + folder.filename().string() + ".XXXXXX")).string();
  if (::mkdtemp(hidden.data()) == nullptr) return failed("cannot make a folder in " + parent.string(), errno);
  HiddenFolder building{fs::path(hidden)};
  if (Status status = write_all(building.path(), files, go_on); !status.ok()) return status;
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::chmod(hidden.c_str(), 0777 & ~mask) != 0) return failed(hidden, errno);
  // Replaces an empty folder and nothing else.
  if (::rename(hidden.c_str(), folder.c_str()) != 0)
    return errno == ENOTEMPTY || errno == EEXIST ? taken : failed(folder, errno);
  building.release();
  return {};
}

Status replace_file(const fs::path& file, std::string_view bytes) {
  const fs::path fresh = file.parent_path() / ("." + file.filename().string() + ".new");
  struct stat before {};
  const bool existed = ::stat(file.c_str(), &before) == 0;
  std::error_code error;
  fs::remove(fresh, error);  // of an interrupted run
  fs::create_directories(file.parent_path(), error);
  Status status = write_new(fresh, bytes, 0666);
  if (status.ok() && existed && ::chmod(fresh.c_str(), before.st_mode & 07777) != 0)
    status = failed(fresh, errno);
  if (status.ok() && ::rename(fresh.c_str(), file.c_str()) != 0) status = failed(file, errno);
  if (!status.ok()) fs::remove(fresh, error);
  return status;
}

Result<std::string> read_text(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return failed(file, errno);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

}  // namespace wirehall::cli
