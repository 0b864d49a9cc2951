// What is measured besides counting: latencies, CPU time and memory of processes, the kernel's memory.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "wirehall/result.h"

namespace wirehall::loadgen {

/// CLOCK_MONOTONIC, in ns.
std::uint64_t now_ns();

/// What the scheduler gave somebody.
struct SchedulerTime {
  std::uint64_t ran_ns = 0;
  std::uint64_t queued_ns = 0;  ///< ready to run, but something else had the core
  std::uint64_t user_ns = 0;    ///< of it outside of the kernel; counted in ticks, so it is exact to 10 ms
  std::uint64_t system_ns = 0;  ///< inside, likewise
};

/// The scheduler's account of a process, thread by thread.
///
/// A thread that runs at this moment is counted up to its last tick, so a window should be a second or more.
class CpuReading {
 public:
  /// Errors:   kConfig when the process cannot be read.
  static Result<CpuReading> of(pid_t pid);
  /// Returns: what all threads were given since `earlier`; one that began in between counts from its
  /// beginning.
  SchedulerTime since(const CpuReading& earlier) const;
  std::size_t threads() const { return by_thread_.size(); }

 private:
  std::map<std::string, SchedulerTime> by_thread_;
};

/// CPU time of the calling thread, in ns.
std::uint64_t thread_cpu_ns();

/// Time in which somebody used a core of this machine, of all cores together, in ns; counted in ticks.
std::uint64_t machine_busy_ns();

struct MemoryReading {
  std::uint64_t rss_bytes = 0;          ///< of the process, by its page table where that may be read
  std::uint64_t anonymous_bytes = 0;    ///< the part of it that no file is behind; 0: unknown
  std::uint64_t tcp_queue_bytes = 0;    ///< of the machine: what TCP sockets hold in their queues
  std::uint64_t kernel_slab_bytes = 0;  ///< of the machine: the kernel's objects

  /// Errors:   kConfig when the process cannot be read.
  static Result<MemoryReading> of(pid_t pid);
};

}  // namespace wirehall::loadgen
