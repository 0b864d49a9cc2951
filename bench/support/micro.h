// What the micro-benchmarks share: how one is measured and registered, and the messages that they work on.
//
// Names have the form `codec/operation/input`, or `codec/operation/input/candidate` where an alternative was
// considered; bench/micro makes its tables by them.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/allocations.h"

namespace wirehall::bench {

/// Repeats `operation`, which handles so many bytes, and reports time, bytes per second, and allocations.
template <class F>
void measure(benchmark::State& state, std::size_t bytes, F&& operation) {
  operation();  // what is made once at the first use is not an operation's
  operation();
  const Allocations before = allocations_so_far();
  for (auto _ : state) operation();
  const Allocations taken = allocations_so_far() - before;
  using benchmark::Counter;
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
  state.counters["allocations"] = Counter(static_cast<double>(taken.count), Counter::kAvgIterations);
  state.counters["allocated_bytes"] = Counter(static_cast<double>(taken.bytes), Counter::kAvgIterations);
}

/// Registers a benchmark; `run` is called with the state for each of its repetitions.
template <class F>
void add(const std::string& name, F&& run) {
  benchmark::RegisterBenchmark(name.c_str(), std::forward<F>(run));
}

/// Runs a function that registers benchmarks, before main().
struct Suite {
  explicit Suite(void (*register_all)()) { register_all(); }
};

/// A message of exactly that many bytes.
struct Input {
  std::string name;  ///< "128B-ascii"
  std::string json;  ///< an object
};

/// 128 B, 1 KiB and 16 KiB, each as ASCII text, as text in many scripts, as numbers, and nested.
const std::vector<Input>& json_inputs();
/// Only those of text, as people write it: three sizes, ASCII and not.
const std::vector<Input>& text_inputs();

}  // namespace wirehall::bench
