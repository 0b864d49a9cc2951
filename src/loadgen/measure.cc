#include "loadgen/measure.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace wirehall::loadgen {
namespace {

// The number that follows `key` in a file of "key number" lines, 0 when there is none.
std::uint64_t number_after(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.compare(0, key.size(), key) == 0) return std::strtoull(line.c_str() + key.size(), nullptr, 10);
  }
  return 0;
}

Error no_process(pid_t pid) {
  return Error(ErrorCode::kConfig, "there is no process " + std::to_string(pid) + " that may be read");
}

std::uint64_t tick_ns() { return 1'000'000'000 / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK)); }

// The share of the kernel in a thread's time.
void read_ticks(const std::string& path, SchedulerTime& out) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');  // a thread may have any name
  if (name_end == std::string::npos) return;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  std::uint64_t user = 0, system = 0;
  fields >> user >> system;
  out.user_ns = user * tick_ns();
  out.system_ns = system * tick_ns();
}

std::uint64_t queued_tcp_bytes() {
  std::ifstream file("/proc/net/sockstat");
  std::string word;
  while (file >> word) {
    if (word != "mem") continue;
    std::uint64_t pages = 0;
    file >> pages;
    return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));  // the first "mem" is TCP's
  }
  return 0;
}

}  // namespace

std::uint64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t thread_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

Result<CpuReading> CpuReading::of(pid_t pid) {
  CpuReading reading;
  const std::string folder = "/proc/" + std::to_string(pid) + "/task";
  DIR* tasks = opendir(folder.c_str());
  if (tasks == nullptr) return no_process(pid);
  while (const dirent* entry = readdir(tasks)) {
    if (entry->d_name[0] == '.') continue;
    std::ifstream file(folder + "/" + entry->d_name + "/schedstat");
    SchedulerTime time;
    if (!(file >> time.ran_ns >> time.queued_ns)) continue;
    read_ticks(folder + "/" + entry->d_name + "/stat", time);
    reading.by_thread_[entry->d_name] = time;
  }
  closedir(tasks);
  if (reading.by_thread_.empty())
    return Error(ErrorCode::kConfig, "this kernel keeps no /proc/PID/schedstat");
  return reading;
}

SchedulerTime CpuReading::since(const CpuReading& earlier) const {
  SchedulerTime sum;
  for (const auto& [thread, time] : by_thread_) {
    const auto found = earlier.by_thread_.find(thread);
    const SchedulerTime before = found == earlier.by_thread_.end() ? SchedulerTime() : found->second;
    sum.ran_ns += time.ran_ns - before.ran_ns;
    sum.queued_ns += time.queued_ns - before.queued_ns;
    sum.user_ns += time.user_ns - before.user_ns;
    sum.system_ns += time.system_ns - before.system_ns;
  }
  return sum;
}

std::uint64_t machine_busy_ns() {
  std::ifstream file("/proc/stat");
  std::string word;
  file >> word;
  std::uint64_t ticks = 0;
  // user, nice, system, idle, waiting for a disk, interrupts, soft interrupts
  for (int column = 0; column < 7; ++column) {
    std::uint64_t value = 0;
    file >> value;
    if (column != 3 && column != 4) ticks += value;
  }
  return ticks * tick_ns();
}

Result<MemoryReading> MemoryReading::of(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  MemoryReading reading;
  // The counter in `status` is kept per thread and lags; the roll-up walks the page table.
  reading.rss_bytes = number_after(folder + "/smaps_rollup", "Rss:") * 1024;
  reading.anonymous_bytes = number_after(folder + "/smaps_rollup", "Anonymous:") * 1024;
  if (reading.rss_bytes == 0) reading.rss_bytes = number_after(folder + "/status", "VmRSS:") * 1024;
  if (reading.rss_bytes == 0) return no_process(pid);
  reading.tcp_queue_bytes = queued_tcp_bytes();
  reading.kernel_slab_bytes = number_after("/proc/meminfo", "Slab:") * 1024;
  return reading;
}

}  // namespace wirehall::loadgen
