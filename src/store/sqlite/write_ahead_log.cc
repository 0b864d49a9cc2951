#include "store/sqlite/write_ahead_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace wirehall::store::sqlite {
namespace {

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr std::uint64_t kHeaderBytes = 32;
constexpr std::uint64_t kFrameHeaderBytes = 24;
constexpr std::uint64_t kStepBytes = 1024 * 1024;
// A commit finds its place there already, unless it is a large one.
constexpr std::uint64_t kAheadBytes = 512 * 1024;
// On a disk that is nearly full nothing is taken that is not needed.
constexpr std::uint64_t kFreeSteps = 64;

}  // namespace

WriteAheadLog::WriteAheadLog(Database& db, const std::string& path) : db_(db) {
  {
    Query size(db_, "PRAGMA page_size");
    size.next();
    page_bytes_ = static_cast<std::uint64_t>(size.integer(0)) + kFrameHeaderBytes;
  }
  file_ = ::open((path + "-wal").c_str(), O_WRONLY | O_CLOEXEC);
  struct stat found {};
  if (file_ >= 0 && ::fstat(file_, &found) == 0) file_bytes_ = static_cast<std::uint64_t>(found.st_size);
  sqlite3_wal_hook(db_.handle(), &WriteAheadLog::committed, this);
}

WriteAheadLog::~WriteAheadLog() {
  sqlite3_wal_hook(db_.handle(), nullptr, nullptr);
  if (file_ >= 0) ::close(file_);
}

// Called behind each commit, with the length of the log.
int WriteAheadLog::committed(void* self, sqlite3* db, const char* schema, int pages) {
  auto& log = *static_cast<WriteAheadLog*>(self);
  if (pages < kLogPages) {
    log.lengthen(kHeaderBytes + static_cast<std::uint64_t>(pages) * log.page_bytes_);
    return SQLITE_OK;
  }
  // What a reader still needs is left for the next time. After a failed sync nobody knows what the database's
  // file holds, so that must not be tried again as if nothing had happened.
  const int code = sqlite3_wal_checkpoint_v2(db, schema, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  return code == SQLITE_IOERR_FSYNC ? code : SQLITE_OK;
}

void WriteAheadLog::lengthen(std::uint64_t used_bytes) {
  const std::uint64_t most = kHeaderBytes + static_cast<std::uint64_t>(kLogPages) * page_bytes_;
  file_bytes_ = std::max(file_bytes_, used_bytes);
  if (file_ < 0 || file_bytes_ >= most || used_bytes + kAheadBytes < file_bytes_) return;
  struct statvfs disk {};
  if (::fstatvfs(file_, &disk) != 0 || disk.f_bavail * disk.f_frsize < kFreeSteps * kStepBytes) return;
  static constexpr std::array<char, 64 * 1024> kZeros{};
  const std::uint64_t end = std::min(most, file_bytes_ + kStepBytes);
  while (file_bytes_ < end) {
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>(kZeros.size(), end - file_bytes_));
    const ssize_t written = ::pwrite(file_, kZeros.data(), size, static_cast<off_t>(file_bytes_));
    if (written <= 0) return;
    file_bytes_ += static_cast<std::uint64_t>(written);
  }
#ifdef SYNC_FILE_RANGE_WRITE
  // On its way to the disk before a commit has to wait for it.
  (void)::sync_file_range(file_, 0, 0, SYNC_FILE_RANGE_WRITE);
#endif
}

}  // namespace wirehall::store::sqlite
