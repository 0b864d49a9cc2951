#include "support/allocations.h"

#include <cerrno>
#include <cstddef>

namespace wirehall::bench {
namespace {

thread_local constinit Allocations t_taken;

void count(std::size_t bytes) {
  ++t_taken.count;
  t_taken.bytes += bytes;
}

}  // namespace

Allocations allocations_so_far() { return t_taken; }

}  // namespace wirehall::bench

#ifdef WIREHALL_SANITIZED

// The runtime's interface, whose header not every compiler's package has.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void*, std::size_t),
                                                         void (*freed)(const volatile void*));

namespace {
const bool g_installed = __sanitizer_install_malloc_and_free_hooks(
                             [](const volatile void*, std::size_t bytes) { wirehall::bench::count(bytes); },
                             [](const volatile void*) {}) != 0;
}  // namespace

#else

// glibc's heap under its other names; what the program defines itself is used by all its libraries.
extern "C" {

void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) {
  wirehall::bench::count(bytes);
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  wirehall::bench::count(count * bytes);
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, std::size_t bytes) {
  wirehall::bench::count(bytes);
  return __libc_realloc(memory, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  wirehall::bench::count(bytes);
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void** out, std::size_t alignment, std::size_t bytes) {
  void* memory = memalign(alignment, bytes);
  if (memory == nullptr) return ENOMEM;
  *out = memory;
  return 0;
}

}  // extern "C"

#endif
