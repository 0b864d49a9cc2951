// A whole run: opens the connections, lets the load flow, and adds up what the threads counted.
#pragma once

#include <atomic>
#include <optional>

#include "loadgen/control.h"
#include "loadgen/measure.h"
#include "loadgen/plan.h"
#include "wirehall/result.h"

namespace wirehall::loadgen {

/// What a run came to.
///
/// Thread:   a plain value.
struct Outcome {
  Tally tally;
  double opening_s = 0;                         ///< until all connections were ready
  std::size_t opened = 0;                       ///< connections that were tried in that time
  std::optional<SchedulerTime> opening_server;  ///< what they cost the server
  double window_s = 0;                          ///< that was measured
  bool interrupted = false;
  std::size_t connected = 0;            ///< connections that were there when the load began
  std::optional<SchedulerTime> server;  ///< in the window
  std::size_t server_threads = 0;
  std::optional<MemoryReading> memory_before;  ///< idle: with few connections
  std::optional<MemoryReading> memory_after;
  std::size_t memory_connections = 0;  ///< opened between the two
  SchedulerTime own;                   ///< of this process, in the window
  double machine_cores_used = 0;
};

/// `interrupt` ends the run early, with what there is; `progress`: a line on standard error each second.
///
/// Errors:   kUnavailable when no connection could be opened, or none was left; kConfig when the server's
///           process cannot be read.
/// Thread:   blocks; starts plan.options.threads threads.
Result<Outcome> run(const Plan& plan, const std::atomic<bool>& interrupt, bool progress);

}  // namespace wirehall::loadgen
