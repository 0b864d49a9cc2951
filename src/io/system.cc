#include "io/system.h"

#include <linux/close_range.h>
#include <malloc.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/assert.h"

namespace wirehall::io {

MonoTime SystemClock::now() const {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return MonoTime(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

WallMs SystemClock::wall_now() const {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<WallMs>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
}

void SystemRandom::fill(std::span<char> out) {
  while (!out.empty()) {
    if (used_ == block_.size()) {
      std::size_t filled = 0;
      while (filled < block_.size()) {
        const ssize_t got = getrandom(block_.data() + filled, block_.size() - filled, 0);
        WIREHALL_ASSERT(got > 0 || errno == EINTR);
        if (got > 0) filled += static_cast<std::size_t>(got);
      }
      used_ = 0;
    }
    const std::size_t here = std::min(out.size(), block_.size() - used_);
    std::memcpy(out.data(), block_.data() + used_, here);
    std::memset(block_.data() + used_, 0, here);  // what was handed out is not kept
    used_ += here;
    out = out.subspan(here);
  }
}

ssize_t receive_bytes(int socket, char* buffer, std::size_t size) {
  return ::syscall(SYS_recvfrom, socket, buffer, size, 0, nullptr, nullptr);
}
ssize_t send_bytes(int socket, const void* bytes, std::size_t size, int flags) {
  return ::syscall(SYS_sendto, socket, bytes, size, flags, nullptr, 0);
}

std::size_t descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur);
}

bool take_own_descriptors(std::vector<int> kept) {
#ifdef __SANITIZE_THREAD__
  return false;  // it knows one table, and would take what two threads have under one number for the same
#endif
  sigset_t left, before;
  sigfillset(&left);
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) sigdelset(&left, own);
  pthread_sigmask(SIG_BLOCK, &left, &before);
  kept.insert(kept.end(), {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO});
  std::sort(kept.begin(), kept.end());
  const auto close_from = [](int first, unsigned last, unsigned flags) {
    return ::syscall(SYS_close_range, static_cast<unsigned>(first), last, flags) == 0;
  };
  if (!close_from(kept.back() + 1, ~0U, CLOSE_RANGE_UNSHARE)) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return false;
  }
  for (std::size_t i = 1; i < kept.size(); ++i) {
    if (kept[i] - kept[i - 1] > 1) close_from(kept[i - 1] + 1, static_cast<unsigned>(kept[i] - 1), 0);
  }
  return true;
}

void prepare_process() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files comes as an error, as a full disk does
#ifdef M_MMAP_THRESHOLD
  // Large bodies and messages go back to the system when they are freed. By itself the allocator raises this
  // bound with the first large block that it frees, and keeps what comes after it.
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}

// The heap of a thread other than the first grows by single pages, each made writable by a system call of its own,
// every few connections. Grown once, it stays writable when it shrinks, though what nobody uses is given back.
void prepare_thread() {
#ifdef __GLIBC__
  constexpr std::size_t kBlockBytes = 96 * 1024;  // less than what is mapped by itself
  std::array<void*, 86> blocks;  // 8 MiB: some ten thousand connections
  for (void*& block : blocks) block = std::malloc(kBlockBytes);
  for (void* block : blocks) std::free(block);
#endif
}

}  // namespace wirehall::io
