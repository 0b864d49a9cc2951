// How a POST gets to another machine and its answer back: what a delivery worker needs of HTTP, and what
// tests replace.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wirehall/clock.h"

namespace wirehall::push {

struct HttpPost {
  std::string url;
  std::vector<std::string> header_lines;  ///< "Name: value"
  std::string body;
};

/// Why there was no answer.
enum class NoAnswer : std::uint8_t {
  kNone,     ///< there was one
  kNetwork,  ///< look-up, connecting, TLS, or what came was no HTTP
  kTimeout,
  kForbidden,  ///< the URL or the address is none that may be asked: to try again is of no use
};

struct HttpAnswer {
  int status = 0;  ///< 0: see `missing`
  NoAnswer missing = NoAnswer::kNone;
  Duration retry_after{};  ///< what the other side asked for; 0: nothing, at most kRetryAfterMax
};

inline constexpr Duration kRetryAfterMax = std::chrono::hours(24);

/// Posts, many at a time.
///
/// Thread:   one, except for wake().
/// Lifetime: its destruction ends what is under way.
class Transport {
 public:
  /// The number that start() was given, and what became of that post.
  using Finished = std::pair<std::uint64_t, HttpAnswer>;

  virtual ~Transport() = default;
  /// Begins a post. Exactly one wait() will give its number back, unless abort() comes before.
  virtual void start(std::uint64_t number, HttpPost post) = 0;
  /// Waits until something has finished, wake() is called, or so much time has passed; may return earlier.
  virtual std::vector<Finished> wait(Duration at_most) = 0;
  /// Ends the current wait(), or the next one at once. Thread: any.
  virtual void wake() = 0;
  /// Ends everything that is under way.
  virtual void abort() = 0;
};

}  // namespace wirehall::push
