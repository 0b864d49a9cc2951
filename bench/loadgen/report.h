// The measured window, and the JSON object that comes out of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "measure.h"
#include "options.h"

namespace bench {

/// A flat JSON object, in the order of the calls.
class JsonObject {
 public:
  JsonObject& add(std::string_view key, std::string_view text);
  JsonObject& add(std::string_view key, double number);
  JsonObject& add_raw(std::string_view key, std::string_view json);
  std::string str() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

JsonObject describe(const Options& options);

/// From begin() to finish(): how long it took and what both processes used.
class Window {
 public:
  explicit Window(const Options& options) : options_(options) {}
  void begin(std::uint64_t spun_ns);
  void end(std::uint64_t spun_ns);
  /// Adds rates, CPU time per operation, the latencies and the generator's spare time.
  void report(JsonObject& out, std::uint64_t operations, const Histogram& latencies) const;

 private:
  struct Reading {
    std::uint64_t at_ns = 0;
    CpuReading own;
    std::uint64_t machine_busy_ns = 0;
    std::uint64_t spun_ns = 0;
    std::optional<CpuReading> server;
  };
  Reading read(std::uint64_t spun_ns) const;

  const Options& options_;
  Reading first_;
  Reading last_;
};

}  // namespace bench
