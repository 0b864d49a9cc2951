#include "http1/content_coding.h"

#include <zlib.h>

#include <algorithm>
#include <cstdlib>

#include "base/assert.h"
#include "http1/grammar.h"
#include "http1/head.h"

namespace wirehall::http1 {
namespace {

// Thousandths; 1000 where there is no weight, 0 for what is no number.
int weight_of(std::string_view parameters) {
  const std::size_t equals = parameters.find('=');
  if (equals == std::string_view::npos) return 1000;
  const std::string_view digits = trimmed(parameters.substr(equals + 1));
  if (digits == "1" || digits.starts_with("1.")) return 1000;
  if (!digits.starts_with("0")) return 0;
  int weight = 0, unit = 100;
  for (const char c : digits.substr(std::min<std::size_t>(2, digits.size()))) {
    if (c < '0' || c > '9' || unit == 0) break;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return weight;
}

}  // namespace

std::string_view coding_name(ContentCoding coding) {
  return coding == ContentCoding::kGzip ? "gzip" : "deflate";
}

std::optional<ContentCoding> choose_coding(std::string_view list) {
  int gzip = -1, deflate = -1, any = 0;
  each_of_list(list, [&](std::string_view entry) {
    const std::size_t semicolon = std::min(entry.find(';'), entry.size());
    const std::string_view name = trimmed(entry.substr(0, semicolon));
    const int weight = weight_of(entry.substr(semicolon));
    if (same_token(name, "gzip")) gzip = weight;
    if (same_token(name, "deflate")) deflate = weight;
    if (name == "*") any = weight;
    return true;
  });
  if (gzip < 0) gzip = any;
  if (deflate < 0) deflate = any;
  if (gzip <= 0 && deflate <= 0) return std::nullopt;
  return gzip >= deflate ? ContentCoding::kGzip : ContentCoding::kDeflate;
}

std::string encode_body(std::string_view body, ContentCoding coding) {
  constexpr int kWindowBits = 15, kGzip = 16, kMemoryLevel = 8;
  z_stream stream{};
  const int ready = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                                 kWindowBits + (coding == ContentCoding::kGzip ? kGzip : 0), kMemoryLevel,
                                 Z_DEFAULT_STRATEGY);
  WIREHALL_ASSERT(ready == Z_OK);
  std::string out(deflateBound(&stream, static_cast<uLong>(body.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  WIREHALL_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace wirehall::http1
