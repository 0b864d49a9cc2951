#include "loadgen/audit.h"

#include <algorithm>

namespace wirehall::loadgen {

// -- a stream -------------------------------------------------------------------------------------

StreamAudit::Gaps& StreamAudit::gaps() {
  if (!gaps_) gaps_ = std::make_unique<Gaps>();
  return *gaps_;
}

std::uint64_t StreamAudit::gaps_total() const {
  if (!gaps_) return 0;
  std::uint64_t total = gaps_->given_up + gaps_->begin;
  for (const Gap& gap : gaps_->open) total += gap.count;
  return total;
}

void StreamAudit::begin_at(std::uint64_t number) {
  next_ = number;
  gaps_.reset();
  if (number != 0) gaps().begin = number;
}

Arrival StreamAudit::observe(std::uint64_t number) {
  if (number == next_) {
    ++next_;
    return Arrival::kNext;
  }
  if (number > next_) {
    std::vector<Gap>& open = gaps().open;
    if (open.size() == kGapsMax) {
      gaps_->given_up += open.front().count;
      open.erase(open.begin());
    }
    open.push_back({next_, number - next_});
    next_ = number + 1;
    return Arrival::kAhead;
  }
  if (!gaps_) return Arrival::kDuplicate;
  std::vector<Gap>& open = gaps_->open;
  auto gap = std::upper_bound(open.begin(), open.end(), number,
                              [](std::uint64_t value, const Gap& one) { return value < one.first; });
  if (gap == open.begin()) return number < gaps_->begin ? Arrival::kUnknown : Arrival::kDuplicate;
  --gap;
  if (number >= gap->first + gap->count) return Arrival::kDuplicate;
  const Gap behind{number + 1, gap->first + gap->count - number - 1};
  gap->count = number - gap->first;
  if (behind.count != 0) gap = open.insert(gap + 1, behind) - 1;
  if (gap->count == 0) open.erase(gap);
  return Arrival::kReordered;
}

std::uint64_t StreamAudit::missing(std::uint64_t sent) const {
  const std::uint64_t begin = gaps_ ? gaps_->begin : 0;
  if (sent <= begin) return 0;
  const std::uint64_t expected = sent - begin;
  const std::uint64_t got = received();
  return expected > got ? expected - got : 0;
}

// -- answers --------------------------------------------------------------------------------------

std::uint64_t InFlight::sent(std::uint64_t at_ns) {
  if (next_ - first_ == ring_.size()) {
    std::vector<std::uint64_t> larger(std::max<std::size_t>(1, ring_.size() * 2));
    for (std::uint64_t number = first_; number != next_; ++number)
      larger[number & (larger.size() - 1)] = at(number);
    ring_ = std::move(larger);
  }
  at(next_) = at_ns;
  ++waiting_;
  return next_++;
}

void InFlight::advance() {
  while (first_ != next_ && at(first_) == 0) ++first_;
}

InFlight::Answer InFlight::answered(std::uint64_t number) {
  if (number >= next_) return {Arrival::kUnknown, 0};
  if (number < first_ || at(number) == 0) return {Arrival::kDuplicate, 0};
  Answer answer{number < highest_answered_ ? Arrival::kReordered
                : number == first_         ? Arrival::kNext
                                           : Arrival::kAhead,
                at(number)};
  highest_answered_ = std::max(highest_answered_, number + 1);
  at(number) = 0;
  --waiting_;
  advance();
  return answer;
}

void InFlight::give_up() {
  at(first_) = 0;
  --waiting_;
  advance();
}

}  // namespace wirehall::loadgen
