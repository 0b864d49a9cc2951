// Frames: the mask, beside the ways of applying it that were considered, and headers.
#include "ws/frame.h"

#include <array>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "support/micro.h"

namespace wirehall::ws {
namespace {

constexpr std::uint32_t kMask = 0x5a17c3e9;

void byte_by_byte(char* bytes, std::size_t size) {
  std::array<char, 4> key;
  std::memcpy(key.data(), &kMask, 4);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>(bytes[i] ^ key[i & 3]);
    benchmark::ClobberMemory();  // else the compiler makes vectors of it
  }
}

void rest(char* bytes, std::size_t from, std::size_t size) {
  std::array<char, 4> key;
  std::memcpy(key.data(), &kMask, 4);
  for (std::size_t i = from; i < size; ++i) bytes[i] = static_cast<char>(bytes[i] ^ key[i & 3]);
}

void eight_bytes(char* bytes, std::size_t size) {
  constexpr std::uint64_t kWide = static_cast<std::uint64_t>(kMask) << 32 | kMask;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t chunk = 0;
    std::memcpy(&chunk, bytes + i, 8);
    chunk ^= kWide;
    std::memcpy(bytes + i, &chunk, 8);
  }
  rest(bytes, i, size);
}

#if defined(__x86_64__)
void sse2(char* bytes, std::size_t size) {
  const __m128i wide = _mm_set1_epi32(static_cast<int>(kMask));
  std::size_t i = 0;
  for (; i + 16 <= size; i += 16) {
    __m128i* at = reinterpret_cast<__m128i*>(bytes + i);
    _mm_storeu_si128(at, _mm_xor_si128(_mm_loadu_si128(at), wide));
  }
  rest(bytes, i, size);
}

__attribute__((target("avx2"))) void avx2(char* bytes, std::size_t size) {
  const __m256i wide = _mm256_set1_epi32(static_cast<int>(kMask));
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    __m256i* at = reinterpret_cast<__m256i*>(bytes + i);
    _mm256_storeu_si256(at, _mm256_xor_si256(_mm256_loadu_si256(at), wide));
  }
  rest(bytes, i, size);
}
#endif

template <class F>
void mask(const std::string& name, std::size_t bytes, F&& apply) {
  bench::add(name, [bytes, apply](benchmark::State& state) {
    std::string payload(bytes, 'x');
    bench::measure(state, bytes, [&] {
      apply(payload.data(), payload.size());
      benchmark::ClobberMemory();
    });
  });
}

void masks(const std::string& name, std::size_t bytes) {
  mask(name + "wirehall", bytes, [](char* data, std::size_t size) { apply_mask(data, size, kMask, 0); });
  mask(name + "1-byte", bytes, byte_by_byte);
  mask(name + "8-bytes", bytes, eight_bytes);
#if defined(__x86_64__)
  mask(name + "sse2", bytes, sse2);
  if (__builtin_cpu_supports("avx2")) mask(name + "avx2", bytes, avx2);
#endif
}

void headers(const std::string& input, std::size_t bytes) {
  bench::add("ws_frame/parse_header/" + input, [bytes](benchmark::State& state) {
    std::array<char, 14> header{};
    const std::size_t plain = write_header(header.data(), Opcode::kText, false, bytes);
    header[1] = static_cast<char>(static_cast<unsigned char>(header[1]) | 0x80u);
    std::memcpy(header.data() + plain, &kMask, 4);
    const std::string_view whole(header.data(), plain + 4);
    bench::measure(state, whole.size(), [&] {
      FrameHeader out;
      if (parse_header(whole, out) != HeaderStep::kDone) std::abort();
      benchmark::DoNotOptimize(out);
    });
  });
  bench::add("ws_frame/write_header/" + input, [bytes](benchmark::State& state) {
    std::array<char, 10> header{};
    bench::measure(state, write_header(header.data(), Opcode::kText, false, bytes), [&] {
      benchmark::DoNotOptimize(write_header(header.data(), Opcode::kText, false, bytes));
      benchmark::ClobberMemory();
    });
  });
  bench::add("ws_frame/append_to_outbox/" + input, [bytes](benchmark::State& state) {
    const std::string payload(bytes, 'x');
    Outbox out;
    bench::measure(state, bytes, [&] {
      append_frame(out, Opcode::kText, payload);
      out.consume(out.bytes());
    });
  });
}

const bench::Suite suite([] {
  const std::array<std::pair<const char*, std::size_t>, 3> sizes = {
      {{"128B", 128}, {"1KiB", 1024}, {"16KiB", 16'384}}};
  for (const auto& [name, bytes] : sizes) {
    masks("ws_frame/mask/" + std::string(name) + "/", bytes);
    headers(name, bytes);
  }
});

}  // namespace
}  // namespace wirehall::ws
