#include "loadgen/run.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "loadgen/gate.h"
#include "loadgen/modes.h"
#include "loadgen/report.h"

namespace wirehall::loadgen {
namespace {

constexpr std::uint64_t kTickNs = 20'000'000;
constexpr std::uint64_t kSecondNs = 1'000'000'000;
// Behind the last expected message: a duplicate may follow.
constexpr std::uint64_t kSettleNs = 200'000'000;
// The first connections make a server touch its code and fill its pools; that is no cost of a connection.
constexpr std::size_t kWarmConnectionsMax = 200;

std::uint64_t to_ns(double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); }

struct Reading {
  std::uint64_t at_ns = 0;
  std::uint64_t machine_busy_ns = 0;
  CpuReading own;
  std::optional<CpuReading> server;
};

class Leader {
 public:
  Leader(const Plan& plan, const std::atomic<bool>& interrupt, bool progress)
      : plan_(plan), interrupt_(interrupt), progress_(progress), board_(plan) {
    for (std::size_t i = 0; i < plan.options.threads; ++i)
      loops_.push_back(make_mode(plan, control_, i, board_));
    for (const auto& loop : loops_) board_.loops.push_back(loop.get());
  }

  Result<Outcome> lead() {
    begin_ns_ = now_ns();
    for (const auto& loop : loops_) threads_.emplace_back([&loop] { loop->run(); });
    Status status = open();
    if (status.ok() && !interrupt_) status = load();
    if (status.ok()) drain();
    set_phase(Phase::kDone);
    for (std::thread& thread : threads_) thread.join();
    for (const auto& loop : loops_) out_.tally.merge(loop->tally());
    out_.interrupted = interrupt_;
    if (!status.ok()) return status.error();
    if (out_.tally.ready == 0 && !out_.interrupted)
      return Error(ErrorCode::kUnavailable, "no connection could be opened: " + out_.tally.first_failure);
    return std::move(out_);
  }

 private:
  const Options& options() const { return plan_.options; }

  void set_phase(Phase phase) {
    control_.phase.store(phase, std::memory_order_release);
    for (const auto& loop : loops_) loop->wake();
  }

  std::uint64_t sum(std::atomic<std::uint64_t> Live::*counter) const {
    std::uint64_t total = 0;
    for (const auto& loop : loops_) total += (loop->live().*counter).load(std::memory_order_relaxed);
    return total;
  }
  bool all(std::atomic<bool> Live::*flag) const {
    return std::all_of(loops_.begin(), loops_.end(), [flag](const auto& loop) {
      return (loop->live().*flag).load(std::memory_order_acquire);
    });
  }

  // Waits until the condition holds, the time is there or somebody interrupts.
  template <class Condition>
  void wait(std::uint64_t until_ns, const char* what, Condition condition) {
    for (;;) {
      const std::uint64_t now = now_ns();
      if (interrupt_ || now >= until_ns || condition()) return;
      show(now, what);
      const std::uint64_t left = std::min(kTickNs, until_ns - now);
      const timespec pause{0, static_cast<long>(left)};
      nanosleep(&pause, nullptr);
    }
  }

  void show(std::uint64_t now, const char* what) {
    if (!progress_ || now < shown_at_ns_ + kSecondNs) return;
    const std::uint64_t operations = sum(&Live::operations), latencies = sum(&Live::latencies);
    const std::uint64_t latency = sum(&Live::latency_sum_ns);
    const double elapsed = shown_at_ns_ == 0 ? 1 : static_cast<double>(now - shown_at_ns_) / 1e9;
    std::string line = "  " + std::to_string((now - begin_ns_) / kSecondNs) + " s  " + what + "  " +
                       grouped(static_cast<double>(sum(&Live::ready))) + " connected  ";
    if (latencies != latencies_)
      line += grouped(static_cast<double>(operations - operations_) / elapsed) + "/s  mean " +
              duration_text(static_cast<double>(latency - latency_ns_) /
                            static_cast<double>(latencies - latencies_)) +
              "  ";
    const std::uint64_t problems = sum(&Live::problems), failed = sum(&Live::failed);
    if (problems != 0) line += grouped(static_cast<double>(problems)) + " problems  ";
    if (failed != 0) line += grouped(static_cast<double>(failed)) + " could not connect";
    std::fprintf(stderr, "%s\n", line.c_str());
    shown_at_ns_ = now;
    operations_ = operations, latencies_ = latencies, latency_ns_ = latency;
  }

  // -- the phases ---------------------------------------------------------------------------------

  void open_to(std::size_t target) {
    control_.open_target = target;
    for (const auto& loop : loops_) loop->wake();
    const std::uint64_t forever = ~std::uint64_t{0};
    wait(forever, "opening", [&] {
      return std::all_of(loops_.begin(), loops_.end(), [target](const auto& loop) {
        return loop->live().settled_for.load(std::memory_order_acquire) >= target;
      });
    });
  }

  Status open() {
    const bool with_memory = options().mode == Mode::kIdle && options().server_pid != 0;
    if (with_memory) {
      const std::size_t warm = std::min(kWarmConnectionsMax, options().connections / 10);
      open_to(warm);
      wait(now_ns() + to_ns(options().warm_up_s), "settling", [] { return false; });
      Result<MemoryReading> before = MemoryReading::of(options().server_pid);
      if (!before.ok()) return before.error();
      out_.memory_before = *before;
      out_.memory_connections = options().connections - warm;
    }
    const bool with_server = options().server_pid != 0 && options().mode != Mode::kRestart;
    CpuReading server_before;
    if (with_server) {
      Result<CpuReading> reading = CpuReading::of(options().server_pid);
      if (!reading.ok()) return reading.error();
      server_before = std::move(*reading);
    }
    const std::uint64_t begin = now_ns();
    open_to(options().connections);
    out_.opening_s = static_cast<double>(now_ns() - begin) / 1e9;
    out_.opened = with_memory ? out_.memory_connections : options().connections;
    if (with_server) {
      const Result<CpuReading> reading = CpuReading::of(options().server_pid);
      if (!reading.ok()) return reading.error();
      out_.opening_server = reading->since(server_before);
    }
    out_.connected = sum(&Live::ready);
    if (out_.connected == 0 && !interrupt_) return Error(ErrorCode::kUnavailable, no_connection());
    return {};
  }

  std::string no_connection() {
    set_phase(Phase::kDone);
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    Tally all;
    for (const auto& loop : loops_) all.merge(loop->tally());
    return (all.closed != 0 ? "every connection was closed: " : "no connection could be opened: ") +
           all.first_failure;
  }

  Result<Reading> read() {
    Reading reading;
    reading.at_ns = now_ns();
    reading.machine_busy_ns = machine_busy_ns();
    Result<CpuReading> own = CpuReading::of(getpid());
    if (own.ok()) reading.own = std::move(*own);
    if (options().server_pid != 0 && options().mode != Mode::kRestart) {
      Result<CpuReading> server = CpuReading::of(options().server_pid);
      if (!server.ok()) return server.error();
      reading.server = std::move(*server);
    }
    return reading;
  }

  Status load() {
    const bool flows = options().mode != Mode::kIdle && options().mode != Mode::kRestart;
    const std::uint64_t begin = now_ns() + (flows ? to_ns(options().warm_up_s) : 0);
    const std::uint64_t end = begin + to_ns(options().duration_s);
    control_.end_ns = end;
    control_.begin_ns = begin;
    set_phase(Phase::kLoad);
    wait(begin, "warming up", [] { return false; });
    Result<Reading> first = read();
    if (!first.ok()) return first.error();
    const bool restart = options().mode == Mode::kRestart;
    const bool returns = restart || options().mode == Mode::kConnect;
    wait(end, restart ? "waiting for the server to go and return" : "measuring",
         [&] { return all(&Live::finished) || (!returns && sum(&Live::ready) == 0); });
    const std::uint64_t ended = std::min(now_ns(), end);
    control_.end_ns = ended;
    Result<Reading> last = read();
    if (!last.ok()) return last.error();
    take(*first, *last);
    out_.window_s = static_cast<double>(ended > begin ? ended - begin : 0) / 1e9;
    if (out_.memory_before) {
      Result<MemoryReading> after = MemoryReading::of(options().server_pid);
      if (!after.ok()) return after.error();
      out_.memory_after = *after;
    }
    return {};
  }

  void take(const Reading& first, const Reading& last) {
    out_.own = last.own.since(first.own);
    const auto elapsed = static_cast<double>(std::max<std::uint64_t>(1, last.at_ns - first.at_ns));
    out_.machine_cores_used = static_cast<double>(last.machine_busy_ns - first.machine_busy_ns) / elapsed;
    if (!first.server || !last.server) return;
    out_.server = last.server->since(*first.server);
    out_.server_threads = last.server->threads();
  }

  void drain() {
    set_phase(Phase::kDrain);
    wait(now_ns() + to_ns(options().timeout_s), "waiting for the rest", [&] { return all(&Live::drained); });
    if (!carries_messages(options().mode)) return;
    wait(now_ns() + kSettleNs, "waiting for the rest", [] { return false; });
  }

  const Plan& plan_;
  const std::atomic<bool>& interrupt_;
  const bool progress_;
  Control control_;
  Board board_;
  std::vector<std::unique_ptr<ClientLoop>> loops_;
  std::vector<std::thread> threads_;
  Outcome out_;
  std::uint64_t begin_ns_ = 0;
  std::uint64_t shown_at_ns_ = 0;
  std::uint64_t operations_ = 0, latencies_ = 0, latency_ns_ = 0;
};

}  // namespace

Result<Outcome> run(const Plan& plan, const std::atomic<bool>& interrupt, bool progress) {
  const auto leader = std::make_unique<Leader>(plan, interrupt, progress);
  return leader->lead();
}

}  // namespace wirehall::loadgen
