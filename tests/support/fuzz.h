// One way to write a fuzz target for two uses: libFuzzer's (preset `fuzz`), and the replay of the committed
// inputs with seeded mutations, which every test run does.
//
// A target accepts what the code under test documents and ends the process for everything else. Its input
// chooses the data and how it is cut into pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace wirehall::test {

/// Ends the process: the code under test did something that it does not document.
inline void fuzz_check(bool condition, const char* what, const char* file, int line) {
  if (condition) return;
  std::fprintf(stderr, "fuzz: %s (%s:%d)\n", what, file, line);
  std::abort();
}
#define FUZZ_CHECK(condition) ::wirehall::test::fuzz_check(condition, #condition, __FILE__, __LINE__)

/// The bytes of one input.
class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::string_view rest() const { return rest_; }
  std::string take(std::size_t size) {
    const std::string bytes(rest_.substr(0, size));
    rest_.remove_prefix(bytes.size());
    return bytes;
  }
  /// Cuts the rest into pieces whose sizes a small generator makes of the first byte.
  std::vector<std::string> pieces() {
    std::uint32_t state = byte() * 2654435761u + 1;
    std::vector<std::string> cut;
    while (!rest_.empty()) {
      state = state * 1664525u + 1013904223u;
      cut.push_back(take(1 + (state >> 24) % 40));
    }
    return cut;
  }

 private:
  std::string_view rest_;
};

using FuzzTarget = void (*)(FuzzInput&);

/// Targets of a replay program, by their name.
struct FuzzRegistration {
  FuzzRegistration(const char* name, FuzzTarget target);
};

}  // namespace wirehall::test

/// Defines a target; its corpus lies in tests/corpus/<name>.
#ifdef WIREHALL_FUZZER
#define FUZZ_TARGET(name)                                                             \
  static void fuzz_##name(::wirehall::test::FuzzInput& in);                           \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    ::wirehall::test::FuzzInput in(data, size);                                       \
    fuzz_##name(in);                                                                  \
    return 0;                                                                         \
  }                                                                                   \
  static void fuzz_##name(::wirehall::test::FuzzInput& in)
#else
#define FUZZ_TARGET(name)                                                                  \
  static void fuzz_##name(::wirehall::test::FuzzInput& in);                                \
  static const ::wirehall::test::FuzzRegistration registration_##name(#name, fuzz_##name); \
  static void fuzz_##name(::wirehall::test::FuzzInput& in)
#endif
