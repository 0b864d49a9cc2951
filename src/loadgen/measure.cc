#include "loadgen/measure.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>
#include <tuple>
#include <utility>

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

// User and system time of a process in ticks; 0 and 0 when they cannot be read.
std::pair<std::uint64_t, std::uint64_t> ticks_of(const std::string& stat_path) {
  std::ifstream file(stat_path);
  std::string text;
  std::getline(file, text);
  // The name, in parentheses, may hold anything; behind it stand the state and ten numbers.
  std::istringstream rest(text.substr(std::min(text.rfind(')') + 1, text.size())));
  std::string word;
  for (int i = 0; i < 11; ++i) rest >> word;
  std::uint64_t user = 0, system = 0;
  rest >> user >> system;
  return {user, system};
}

// The objects of a TCP connection: the socket, its inode and file, its place in an epoll, a request or a
// remnant.
constexpr std::array<std::string_view, 9> kSocketSlabs = {
    "TCP",           "TCPv6",  "sock_inode_cache", "filp",       "eventpoll_epi",
    "eventpoll_pwq", "dentry", "request_sock_TCP", "tw_sock_TCP"};

// 0 where only root may read them.
std::uint64_t live_socket_slabs() {
  std::ifstream file("/proc/slabinfo");
  std::string line;
  std::uint64_t sum = 0;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t active = 0, objects = 0, size = 0;
    words >> name >> active >> objects >> size;
    if (std::find(kSocketSlabs.begin(), kSocketSlabs.end(), name) != kSocketSlabs.end()) sum += active * size;
  }
  return sum;
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
    if (file >> time.ran_ns >> time.queued_ns) reading.by_thread_[entry->d_name] = time;
  }
  closedir(tasks);
  std::tie(reading.user_ticks_, reading.system_ticks_) = ticks_of("/proc/" + std::to_string(pid) + "/stat");
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
  }
  const std::uint64_t user = user_ticks_ - earlier.user_ticks_,
                      system = system_ticks_ - earlier.system_ticks_;
  if (user + system != 0) {
    const double share = static_cast<double>(user) / static_cast<double>(user + system);
    sum.user_ns = static_cast<std::uint64_t>(static_cast<double>(sum.ran_ns) * share);
    sum.system_ns = sum.ran_ns - sum.user_ns;
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
  return ticks * (1'000'000'000 / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK)));
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
  reading.socket_slab_bytes = live_socket_slabs();
  return reading;
}

}  // namespace wirehall::loadgen
