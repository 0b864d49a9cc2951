// What is measured besides counting: latencies, CPU time and memory of processes, the kernel's memory.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace bench {

/// CLOCK_MONOTONIC, in ns.
std::uint64_t now_ns();

/// What the scheduler gave somebody.
struct SchedulerTime {
  std::uint64_t ran_ns = 0;
  std::uint64_t queued_ns = 0;  ///< ready to run, but something else had the core
};

/// Counts durations in buckets that are less than 1.6 % wide.
class Histogram {
 public:
  void add(std::uint64_t ns);
  void clear() { *this = Histogram(); }
  /// Returns: the upper edge of the bucket in which the quantile lies, at most the maximum; 0 when empty.
  std::uint64_t quantile(double q) const;
  std::uint64_t max() const { return max_; }
  std::uint64_t count() const { return count_; }

 private:
  static constexpr unsigned kSubBits = 6;
  static constexpr std::size_t kBuckets = (64 - kSubBits + 1) << kSubBits;
  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

/// The scheduler's account of a process, thread by thread.
///
/// A thread that runs at this moment is counted up to its last tick, so a window should be a second or more.
class CpuReading {
 public:
  /// Errors: ends this process when `pid` cannot be read.
  static CpuReading of(pid_t pid);
  /// Returns: what all threads were given since `earlier`; one that began in between counts from its
  /// beginning.
  SchedulerTime since(const CpuReading& earlier) const;
  std::size_t threads() const { return by_thread_.size(); }

 private:
  std::map<std::string, SchedulerTime> by_thread_;
};

/// Time in which somebody used a core of this machine, of all cores together, in ns; counted in ticks.
std::uint64_t machine_busy_ns();

struct MemoryReading {
  std::uint64_t rss_bytes = 0;          ///< of the process, by its page table where that may be read
  std::uint64_t anonymous_bytes = 0;    ///< the part of it that no file is behind; 0: unknown
  std::uint64_t tcp_queue_bytes = 0;    ///< of the machine: what TCP sockets hold in their queues
  std::uint64_t kernel_slab_bytes = 0;  ///< of the machine: the kernel's objects

  static MemoryReading of(pid_t pid);
};

}  // namespace bench
