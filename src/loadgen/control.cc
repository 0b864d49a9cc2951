#include "loadgen/control.h"

#include <algorithm>

namespace wirehall::loadgen {

void Tally::merge(const Tally& other) {
  latency.merge(other.latency);
  lag.merge(other.lag);
  answer.merge(other.answer);
  opening.merge(other.opening);
  replay.merge(other.replay);
  for (std::uint64_t Tally::*counter :
       {&Tally::operations, &Tally::ready, &Tally::failed, &Tally::closed, &Tally::returned, &Tally::away,
        &Tally::unrecovered, &Tally::sent, &Tally::expected, &Tally::arrived, &Tally::lost,
        &Tally::duplicated, &Tally::reordered, &Tally::corrupt, &Tally::errors, &Tally::skipped,
        &Tally::slow_closed, &Tally::cpu_ns, &Tally::spun_ns})
    this->*counter += other.*counter;
  first_lost_ns = std::min(first_lost_ns, other.first_lost_ns);
  last_back_ns = std::max(last_back_ns, other.last_back_ns);
  busiest = std::max(busiest, other.busiest);
  if (first_failure.empty()) first_failure = other.first_failure;
  if (first_error.empty()) first_error = other.first_error;
}

}  // namespace wirehall::loadgen
