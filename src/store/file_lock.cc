#include "store/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <thread>

namespace wirehall::store {
namespace {

constexpr std::chrono::milliseconds kRetry{20};

}  // namespace

FileLock::FileLock(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  try_to_lock();
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

void FileLock::try_to_lock() {
  locked_ = fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
  if (!locked_) return;
  // For people who wonder who has it; a full disk is no reason not to start.
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, text.data(), text.size(), 0) < 0) return;
}

// flock() itself has no time limit.
bool FileLock::wait(Duration longest) {
  const auto end = std::chrono::steady_clock::now() + longest;
  while (is_taken()) {
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= left.zero()) break;
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(kRetry, left));
    try_to_lock();
  }
  return locked_;
}

pid_t FileLock::owner() const {
  std::array<char, 24> text{};
  const ssize_t got = fd_ < 0 ? 0 : ::pread(fd_, text.data(), text.size(), 0);
  pid_t pid = 0;
  if (got > 0) std::from_chars(text.data(), text.data() + got, pid);
  return std::max(pid, 0);
}

}  // namespace wirehall::store
