#include "base/metrics.h"

namespace wirehall {

const CounterInfo& counter_info(Counter counter) {
  static constexpr std::array kInfos = {
#define WIREHALL_COUNTER(enumerator, name, labels, help) CounterInfo{name, labels, help},
#include "base/metrics.inc"
#undef WIREHALL_COUNTER
  };
  return kInfos[static_cast<std::size_t>(counter)];
}

}  // namespace wirehall
