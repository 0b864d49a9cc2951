#include "floor/disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::uint64_t kPagesMax = 1000;

class Pages : public Storing {
 public:
  explicit Pages(const char* folder)
      : file_(open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)), page_(kPageBytes) {
    if (file_ < 0) fail(folder);
    // A file that grows would cost more.
    const std::string zeros(kPageBytes * kPagesMax, '\0');
    if (pwrite(file_, zeros.data(), zeros.size(), 0) != static_cast<ssize_t>(zeros.size()) ||
        fsync(file_) != 0)
      fail("pwrite");
  }

  void store(std::string_view message) override {
    std::memcpy(page_.data(), message.data(), std::min(message.size(), page_.size()));
    const auto place = static_cast<off_t>(number_++ % kPagesMax * kPageBytes);
    if (pwrite(file_, page_.data(), page_.size(), place) != static_cast<ssize_t>(page_.size()))
      fail("pwrite");
    if (fdatasync(file_) != 0) fail("fdatasync");
  }

 private:
  int file_;
  std::vector<char> page_;
  std::uint64_t number_ = 0;
};

class Rows : public Storing {
 public:
  explicit Rows(const char* folder)
      : path_(std::string(folder) + "/floor-" + std::to_string(getpid()) + ".sqlite") {
    const char* const begin =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "CREATE TABLE messages (place INTEGER PRIMARY KEY, content TEXT NOT NULL)";
    const char* const insert = "INSERT INTO messages VALUES (?, ?)";
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    check(sqlite3_open_v2(path_.c_str(), &database_, flags, nullptr), SQLITE_OK);
    check(sqlite3_exec(database_, begin, nullptr, nullptr, nullptr), SQLITE_OK);
    check(sqlite3_prepare_v3(database_, insert, -1, SQLITE_PREPARE_PERSISTENT, &insert_, nullptr), SQLITE_OK);
    // All are open by now, and this process is killed in the end: nothing stays behind.
    for (const char* const suffix : {"", "-wal", "-shm"}) unlink((path_ + suffix).c_str());
    // A log that grows would cost more: it is folded back once, and written over from then on.
    check(sqlite3_exec(database_, "PRAGMA synchronous = OFF", nullptr, nullptr, nullptr), SQLITE_OK);
    for (std::uint64_t i = 0; i < kPagesMax; ++i) store("first");
    check(sqlite3_exec(database_, "PRAGMA synchronous = FULL", nullptr, nullptr, nullptr), SQLITE_OK);
  }

  void store(std::string_view message) override {
    check(sqlite3_bind_int64(insert_, 1, ++number_), SQLITE_OK);
    check(sqlite3_bind_text64(insert_, 2, message.data(), message.size(), SQLITE_STATIC, SQLITE_UTF8),
          SQLITE_OK);
    check(sqlite3_step(insert_), SQLITE_DONE);
    check(sqlite3_reset(insert_), SQLITE_OK);
  }

 private:
  void check(int code, int wanted) {
    if (code == wanted) return;
    std::fprintf(stderr, "%s: %s\n", path_.c_str(), sqlite3_errmsg(database_));
    std::exit(1);
  }

  std::string path_;
  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_int64 number_ = 0;
};

}  // namespace

void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

std::unique_ptr<Storing> make_pages(const char* folder) { return std::make_unique<Pages>(folder); }
std::unique_ptr<Storing> make_rows(const char* folder) { return std::make_unique<Rows>(folder); }

Disk::Disk(std::unique_ptr<Storing> storing)
    : storing_(std::move(storing)), stored_event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (stored_event_ < 0) fail("eventfd");
  std::thread([this] { run(); }).detach();
}

void Disk::store(Message message) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(message));
  }
  wake_.notify_one();
}

std::vector<Disk::Message> Disk::take_stored() {
  std::uint64_t count = 0;
  if (read(stored_event_, &count, sizeof count) < 0 && errno != EAGAIN) fail("eventfd");
  const std::lock_guard lock(mutex_);
  return std::exchange(stored_, {});
}

void Disk::run() {
  // Descriptors that two threads share make each `send` dearer: a shard of Wirehall's has its own, too. Nobody else has the
  // database open, so that its locks, which belong to them, do not matter.
  if (unshare(CLONE_FILES) != 0) fail("unshare");
  for (;;) {
    Message message;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !waiting_.empty(); });
      message = std::move(waiting_.front());
      waiting_.pop_front();
    }
    storing_->store(message.frame);
    {
      const std::lock_guard lock(mutex_);
      stored_.push_back(std::move(message));
    }
    const std::uint64_t one = 1;
    if (write(stored_event_, &one, sizeof one) != sizeof one) fail("eventfd");
  }
}
