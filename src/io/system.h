// The operating system's clock and random source.
#pragma once

#include <sys/types.h>

#include <array>
#include <vector>

#include "base/random.h"
#include "wirehall/clock.h"

namespace wirehall::io {

class SystemClock final : public Clock {
 public:
  MonoTime now() const override;
  WallMs wall_now() const override;
};

/// getrandom(2), fetched in blocks.
///
/// Thread:   one instance per thread.
class SystemRandom final : public RandomSource {
 public:
  void fill(std::span<char> out) override;

 private:
  std::array<char, 1024> block_{};
  std::size_t used_ = sizeof block_;
};

/// recv(2) and send(2) without being cancellation points, which in a process with threads cost as much as
/// unmasking a small frame does. `flags` as there.
ssize_t receive_bytes(int socket, char* buffer, std::size_t size);
ssize_t send_bytes(int socket, const void* bytes, std::size_t size, int flags);

/// How many descriptors this process may have.
std::size_t descriptor_limit();

/// Gives the calling thread a table of descriptors of its own, in which 0, 1, 2 and `kept` stay open under their
/// numbers, and nothing else (close_range(2), Linux 5.9). What one thread alone can reach the kernel uses without
/// counting who does, in each call on it. Signals are left to other threads, whose descriptors their handlers know; but not
/// those that the thread itself causes.
///
/// Returns: false where the system does not allow it; nothing has changed then.
bool take_own_descriptors(std::vector<int> kept);

/// Raises the soft limit of descriptors to the hard one, ignores SIGPIPE and SIGXFSZ, and tells the allocator
/// to give large blocks back.
void prepare_process();
/// Readies the calling thread's part of the allocator for many connections.
void prepare_thread();

}  // namespace wirehall::io
