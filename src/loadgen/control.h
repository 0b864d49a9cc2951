// What the threads of a run and the one that leads them say to each other.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "loadgen/histogram.h"

namespace wirehall::loadgen {

enum class Phase : std::uint8_t {
  kOpen,   ///< connections are opened
  kLoad,   ///< messages flow; measured is what lies in the window
  kDrain,  ///< nothing more is sent; what is under way may come
  kDone,
};

/// Thread:   any.
struct Control {
  std::atomic<Phase> phase{Phase::kOpen};
  std::atomic<std::size_t> open_target{0};  ///< connections that all threads together are to have
  std::atomic<std::uint64_t> begin_ns{~std::uint64_t{0}};  ///< the measured window
  std::atomic<std::uint64_t> end_ns{~std::uint64_t{0}};
};

/// What one thread shows while it runs; written by it alone.
///
/// Thread:   any reads.
struct alignas(64) Live {
  std::atomic<std::uint64_t> ready{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> operations{0};
  std::atomic<std::uint64_t> latency_sum_ns{0};
  std::atomic<std::uint64_t> latencies{0};
  std::atomic<std::uint64_t> problems{0};  ///< errors, closes, duplicates, reordered and corrupt messages
  /// The open_target for which every connection has become ready, or failed.
  std::atomic<std::uint64_t> settled_for{0};
  std::atomic<bool> drained{false};   ///< nothing is under way
  std::atomic<bool> finished{false};  ///< the load may end before its time
};

/// What one thread counted, or all together.
///
/// Thread:   a plain value.
struct Tally {
  // The window.
  std::uint64_t operations = 0;  ///< answers, or deliveries, that arrived in it
  Histogram latency;             ///< of what was due in it
  Histogram lag;                 ///< open loop: how long after its time a message left
  // The whole run.
  Histogram opening;              ///< from the beginning of a connection until it was ready
  Histogram answer;               ///< fan-out, chat: until the server acknowledged
  Histogram replay;               ///< jitter: from the beginning of a connection until it had what it missed
  std::uint64_t ready = 0;        ///< connections that became ready
  std::uint64_t failed = 0;       ///< connections that never did
  std::uint64_t closed = 0;       ///< connections that ended before the run did
  std::uint64_t returned = 0;     ///< jitter, restart: connections that were ready again
  std::uint64_t away = 0;         ///< restart: connections that were not back at the end
  std::uint64_t unrecovered = 0;  ///< jitter: returns at which the server said that something may be missing
  std::uint64_t sent = 0;
  std::uint64_t expected = 0;  ///< answers, or deliveries, that were to come of what was sent
  std::uint64_t arrived = 0;   ///< of these
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupt = 0;
  std::uint64_t errors = 0;       ///< answers that say that something failed
  std::uint64_t skipped = 0;      ///< open loop: messages that were due when too many were under way
  std::uint64_t slow_closed = 0;  ///< slow: connections that do not read and were closed
  std::uint64_t first_lost_ns = ~std::uint64_t{0};  ///< restart: when the first connection was lost
  std::uint64_t last_back_ns = 0;                   ///< restart: when the last one was back
  std::uint64_t cpu_ns = 0;                         ///< of the thread, in the window
  std::uint64_t spun_ns = 0;  ///< busy: time in the window in which there was nothing to do
  double busiest = 0;         ///< share of the window in which the busiest thread had work
  std::string first_failure;  ///< why a connection failed or was closed
  std::string first_error;    ///< what the first error said

  void merge(const Tally& other);
};

}  // namespace wirehall::loadgen
