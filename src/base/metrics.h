// Counters of one shard: written by its thread alone, read by whoever reports.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace wirehall {

enum class Counter : std::uint8_t {
#define WIREHALL_COUNTER(enumerator, name, labels, help) enumerator,
#include "base/metrics.inc"
#undef WIREHALL_COUNTER
  kCount
};

struct CounterInfo {
  std::string_view name;
  std::string_view labels;
  std::string_view help;
};
const CounterInfo& counter_info(Counter counter);

/// Thread:   one writer; any reader.
class Metrics {
 public:
  void add(Counter counter, std::uint64_t amount = 1) {
    std::atomic<std::uint64_t>& cell = cells_[static_cast<std::size_t>(counter)];
    // One writer: no read-modify-write is needed, so counting costs a plain addition.
    cell.store(cell.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  std::uint64_t get(Counter counter) const {
    return cells_[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Counter::kCount)> cells_{};
};

}  // namespace wirehall
