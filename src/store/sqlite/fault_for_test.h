// A fault on purpose, compiled into tests/durability's own program alone: acknowledging before the commit, so
// that the tests can be seen failing.
#pragma once

#include <functional>
#include <vector>

#include "wirehall/hall_store.h"

namespace wirehall::store::sqlite {

inline std::function<void(const std::vector<WriteOutcome>&)> g_before_commit;

}  // namespace wirehall::store::sqlite
