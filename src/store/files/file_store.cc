#include "store/files/file_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "base/file_id.h"
#include "base/log.h"

namespace wirehall::store {
namespace {

constexpr std::size_t kHashPieceBytes = 256 * 1024;
// Without O_NONBLOCK a pipe under an id would hold whoever opens it.
constexpr int kOpenFlags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

// A name in the directory. There is no other way to one than through an id (I1).
class Name {
 public:
  static std::optional<Name> of(std::string_view id) {
    return is_file_id(id) ? std::optional<Name>(Name(id)) : std::nullopt;
  }
  const char* c_str() const { return text_.c_str(); }

 private:
  explicit Name(std::string_view id) : text_(id) {}
  std::string text_;
};

Error failure(const char* operation, int error) {
  log_line(LogLevel::kError, "files", "a file operation failed",
           {{"operation", operation}, {"error", std::strerror(error)}});
  const bool passes = error == ENOSPC || error == EDQUOT || error == EFBIG || error == EIO ||
                      error == EMFILE || error == ENFILE || error == ENOMEM || error == ESTALE;
  return passes ? ErrorCode::kUnavailable : ErrorCode::kIo;
}

Error no_regular_file() {
  log_line(LogLevel::kError, "files", "something that is no regular file has a file's name");
  return ErrorCode::kIo;
}

// O_NOFOLLOW answers ELOOP for a link, O_NONBLOCK ENXIO for a pipe or socket, writing EISDIR for a directory.
Error open_failure(int error) {
  if (error == ENOENT) return ErrorCode::kNotFound;
  return error == ELOOP || error == ENXIO || error == EISDIR ? no_regular_file() : failure("open", error);
}

Result<std::uint64_t> size_of(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return failure("stat", errno);
  if (!S_ISREG(status.st_mode)) return no_regular_file();
  return static_cast<std::uint64_t>(status.st_size);
}

Result<Descriptor> open_to_read(int directory, std::string_view id) {
  const std::optional<Name> name = Name::of(id);
  if (!name) return ErrorCode::kInvalidFormat;
  Descriptor file(::openat(directory, name->c_str(), O_RDONLY | kOpenFlags));
  if (file.get() < 0) return open_failure(errno);
  return file;
}

// Fills `out` from the file's bytes at `offset`, as far as there are any.
Result<std::size_t> read_at(int file, std::uint64_t offset, char* out, std::size_t size) {
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = ::pread(file, out + filled, size - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure("read", errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

// Makes a directory and its parents; each name is on the disk afterwards.
Status make_directory(const std::string& path) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0700) != 0) {
      const int error = errno;
      struct stat status {};
      if (::stat(part.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) continue;
      return Error(ErrorCode::kIo, part + ": " + std::strerror(error));
    }
    const std::size_t slash = part.find_last_of('/');
    const std::string parent =
        slash == std::string::npos ? "." : part.substr(0, std::max<std::size_t>(slash, 1));
    const Descriptor above(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (above.get() >= 0 && ::fsync(above.get()) != 0) return failure("sync of a directory", errno);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<FileStore>> FileStore::open(const std::string& directory) {
  if (directory.empty()) return Error(ErrorCode::kConfig, "the directory for files has no name");
  if (const Status made = make_directory(directory); !made.ok()) return made.error();
  const int opened = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return Error(ErrorCode::kIo, directory + ": " + std::strerror(errno));
  std::unique_ptr<FileStore> store(new FileStore(opened));
  // Names that an earlier process had made but not yet synced when it ended (I3).
  if (::fsync(opened) != 0) return failure("sync of the directory", errno);
  return store;
}

FileStore::~FileStore() { ::close(directory_); }

std::mutex& FileStore::lock_of(std::string_view id) const {
  return locks_[std::hash<std::string_view>()(id) % kStripes];
}

Result<std::uint64_t> FileStore::size(std::string_view id) const {
  const std::lock_guard lock(lock_of(id));  // an append that is under way may still be taken back
  Result<Descriptor> file = open_to_read(directory_, id);
  if (!file.ok() && file.error().code() == ErrorCode::kNotFound) return std::uint64_t{0};
  if (!file.ok()) return file.error();
  const Result<std::uint64_t> size = size_of(file->get());
  // A process that was killed may have left bytes behind that are not on the disk yet (I3).
  if (size.ok() && ::fdatasync(file->get()) != 0) return failure("sync", errno);
  return size;
}

// -- writing ------------------------------------------------------------------------------------

Status FileStore::write_piece(int file, std::uint64_t offset, std::string_view bytes, bool is_new) const {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return failure("write", put < 0 ? errno : EIO);
    offset += static_cast<std::uint64_t>(put);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fdatasync(file) != 0) return failure("sync", errno);
  if (is_new && ::fsync(directory_) != 0) return failure("sync of the directory", errno);
  return {};
}

Result<FileStore::Appended> FileStore::append(std::string_view id, std::uint64_t offset,
                                              std::string_view bytes, std::uint64_t bytes_max) {
  const std::optional<Name> name = Name::of(id);
  if (!name) return ErrorCode::kInvalidFormat;
  const std::lock_guard lock(lock_of(id));
  bool is_new = false;
  int opened = ::openat(directory_, name->c_str(), O_WRONLY | kOpenFlags);
  if (opened < 0 && errno == ENOENT) {
    if (offset != 0) return Appended{};
    if (bytes.size() > bytes_max) return ErrorCode::kTooLarge;
    is_new = true;
    opened = ::openat(directory_, name->c_str(), O_WRONLY | O_CREAT | O_EXCL | kOpenFlags, 0600);
  }
  if (opened < 0) return open_failure(errno);
  const Descriptor file(opened);
  const Result<std::uint64_t> size = size_of(file.get());
  if (!size.ok()) return size.error();
  if (offset != *size) return Appended{false, *size};
  if (*size > bytes_max || bytes.size() > bytes_max - *size) return ErrorCode::kTooLarge;
  const Status written = write_piece(file.get(), offset, bytes, is_new);
  if (written.ok()) return Appended{true, *size + bytes.size()};
  // What cannot be taken back is still a part of this piece at its place: the upload goes on behind it.
  if (is_new) {
    (void)::unlinkat(directory_, name->c_str(), 0);
  } else if (::ftruncate(file.get(), static_cast<off_t>(*size)) != 0) {
    return failure("truncate", errno);
  }
  return written.error();
}

Status FileStore::remove(std::string_view id) {
  const std::optional<Name> name = Name::of(id);
  if (!name) return ErrorCode::kInvalidFormat;
  const std::lock_guard lock(lock_of(id));
  if (::unlinkat(directory_, name->c_str(), 0) == 0 || errno == ENOENT) return {};
  return errno == EISDIR || errno == EPERM ? no_regular_file() : failure("remove", errno);
}

// -- reading ------------------------------------------------------------------------------------

Result<std::string> FileStore::sha256(std::string_view id) const {
  const Result<std::uint64_t> size = this->size(id);
  if (!size.ok()) return size.error();
  Result<Descriptor> file = open_to_read(directory_, id);
  if (!file.ok()) return file.error();
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!hash || EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr) != 1) return ErrorCode::kInternal;
  const auto piece = std::make_unique<char[]>(kHashPieceBytes);
  for (std::uint64_t at = 0; at < *size;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(*size - at, kHashPieceBytes));
    const Result<std::size_t> got = read_at(file->get(), at, piece.get(), wanted);
    if (!got.ok()) return got.error();
    if (*got != wanted) return Error(ErrorCode::kIo, "the file became shorter");
    if (EVP_DigestUpdate(hash.get(), piece.get(), wanted) != 1) return ErrorCode::kInternal;
    at += wanted;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int digest_bytes = 0;
  if (EVP_DigestFinal_ex(hash.get(), digest.data(), &digest_bytes) != 1) return ErrorCode::kInternal;
  std::string hex;
  hex.reserve(digest_bytes * 2);
  for (unsigned int i = 0; i < digest_bytes; ++i) {
    hex.push_back("0123456789abcdef"[digest[i] >> 4]);
    hex.push_back("0123456789abcdef"[digest[i] & 15]);
  }
  return hex;
}

Result<std::string> FileStore::read(std::string_view id, std::uint64_t offset, std::size_t bytes_max) const {
  Result<Descriptor> file = open_to_read(directory_, id);
  if (!file.ok()) return file.error();
  const Result<std::uint64_t> size = size_of(file->get());
  if (!size.ok()) return size.error();
  if (offset >= *size) return std::string();
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(*size - offset, bytes_max)), '\0');
  const Result<std::size_t> got = read_at(file->get(), offset, bytes.data(), bytes.size());
  if (!got.ok()) return got.error();
  bytes.resize(*got);
  return bytes;
}

Result<std::vector<std::string>> FileStore::list() const {
  // A descriptor of its own: a position in the directory belongs to the open directory, not to its reader.
  Descriptor again(::openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (again.get() < 0) return failure("open of the directory", errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(again.get()), ::closedir);
  if (!entries) return failure("open of the directory", errno);
  again.release();
  std::vector<std::string> ids;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(entries.get());
    if (entry == nullptr) break;
    if (!is_file_id(entry->d_name)) continue;
    struct stat status {};
    if (::fstatat(directory_, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone meanwhile
    if (S_ISREG(status.st_mode)) ids.emplace_back(entry->d_name);
  }
  if (errno != 0) return failure("reading the directory", errno);
  return ids;
}

Result<std::uint64_t> FileStore::free_bytes() const {
  struct statvfs status {};
  if (::fstatvfs(directory_, &status) != 0) return failure("stat of the file system", errno);
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace wirehall::store
