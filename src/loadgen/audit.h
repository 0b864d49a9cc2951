// Finds what a server lost, delivered twice or delivered in another order, from numbers in the messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace wirehall::loadgen {

/// What became of one arrival.
enum class Arrival : std::uint8_t {
  kNext,       ///< the one that was to come next
  kAhead,      ///< a later one: those between are missing so far
  kReordered,  ///< one that was missing: it has come behind a later one
  kDuplicate,  ///< it was there already
  kUnknown,    ///< nobody sent it
};

/// One stream of numbers 0, 1, 2, … as one receiver gets it.
///
/// Thread:   one thread's.
/// Cost:     16 bytes while nothing is missing.
class StreamAudit {
 public:
  /// Gaps that are remembered at once; beyond it the oldest is given up: what it misses stays missing, and
  /// what comes of it later counts as a duplicate.
  static constexpr std::size_t kGapsMax = 4'096;

  Arrival observe(std::uint64_t number);
  /// How many of the first `sent` numbers have not come.
  std::uint64_t missing(std::uint64_t sent) const;
  /// How many different numbers have come.
  std::uint64_t received() const { return next_ - gaps_total(); }
  /// One more than the highest number that has come.
  std::uint64_t next() const { return next_; }
  /// Begins at another number: nothing before it is expected.
  void begin_at(std::uint64_t number);

 private:
  struct Gap {
    std::uint64_t first;
    std::uint64_t count;
  };
  struct Gaps {
    std::vector<Gap> open;       // ascending
    std::uint64_t given_up = 0;  // numbers of gaps that were forgotten
    std::uint64_t begin = 0;     // where the stream begins
  };
  Gaps& gaps();
  std::uint64_t gaps_total() const;

  std::uint64_t next_ = 0;
  std::unique_ptr<Gaps> gaps_;
};

/// Messages of one sender that wait for their answers.
///
/// Thread:   one thread's.
class InFlight {
 public:
  /// Messages that may wait at once; unit: messages.
  static constexpr std::size_t kWaitingMax = 65'536;

  bool full() const { return next_ - first_ >= kWaitingMax; }
  bool empty() const { return first_ == next_; }
  std::size_t waiting() const { return waiting_; }
  /// The number that the next sent message has.
  std::uint64_t next() const { return next_; }
  /// The number of the oldest that waits.
  std::uint64_t first() const { return first_; }
  /// When the oldest one was sent, as sent() was told. Requires: not empty().
  std::uint64_t oldest_at() const { return at(first_); }

  /// Requires: not full(); `at_ns` > 0.
  /// Returns:  its number.
  std::uint64_t sent(std::uint64_t at_ns);

  struct Answer {
    Arrival arrival = Arrival::kUnknown;
    std::uint64_t sent_at_ns = 0;  ///< 0 with kDuplicate and kUnknown
  };
  /// kAhead: an older one still waits. kReordered: an older one than the last answered.
  Answer answered(std::uint64_t number);
  /// Gives up the oldest one, which counts as lost; should it come later it is a duplicate, or unknown.
  /// Requires: not empty().
  void give_up();

 private:
  std::uint64_t& at(std::uint64_t number) { return ring_[number & (ring_.size() - 1)]; }
  const std::uint64_t& at(std::uint64_t number) const { return ring_[number & (ring_.size() - 1)]; }
  void advance();

  std::vector<std::uint64_t> ring_;  // the times, a power of two of them; 0: answered
  std::uint64_t first_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t highest_answered_ = 0;  // one more than it
  std::size_t waiting_ = 0;
};

}  // namespace wirehall::loadgen
