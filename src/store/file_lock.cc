#include "store/file_lock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <climits>

namespace wirehall::store {

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

// Its end is awaited, which comes behind that of its files; flock() itself knows no time limit.
bool FileLock::wait(Duration longest) {
  using std::chrono::milliseconds;
  const auto end = std::chrono::steady_clock::now() + longest;
  while (is_taken()) {
    const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
    const pid_t holder = owner();
    if (left <= milliseconds::zero() || holder == 0) break;
    const auto process = static_cast<int>(::syscall(SYS_pidfd_open, holder, 0));
    if (process >= 0) {
      pollfd ended{process, POLLIN, 0};
      ::poll(&ended, 1, static_cast<int>(std::min<std::int64_t>(left.count(), INT_MAX)));
      ::close(process);
    }
    try_to_lock();
    if (process < 0) break;  // it has ended long ago, or is another system's
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
