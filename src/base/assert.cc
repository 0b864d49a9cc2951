#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace wirehall {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "wirehall: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace wirehall
