#include "ws/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <new>

#include "base/assert.h"
#include "http1/grammar.h"
#include "http1/head.h"

namespace wirehall::ws {
namespace {

constexpr std::size_t kOffersMax = 8;
constexpr std::size_t kParametersMax = 8;
constexpr std::string_view kTail("\x00\x00\xff\xff", 4);

// Cuts the next part off a list; quoted strings may contain the separator.
std::string_view next_part(std::string_view& list, char separator) {
  bool quoted = false;
  std::size_t i = 0;
  for (; i < list.size(); ++i) {
    if (list[i] == '"') quoted = !quoted;
    if (list[i] == separator && !quoted) break;
  }
  const std::string_view part = http1::trimmed(list.substr(0, i));
  list.remove_prefix(std::min(i + 1, list.size()));
  return part;
}

// A window size: one or two digits without a leading zero; 0 when it is anything else.
int window_bits(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  if (value.empty() || value.size() > 2 || value.front() == '0') return 0;
  int bits = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return 0;
    bits = bits * 10 + (c - '0');
  }
  return bits >= 8 && bits <= 15 ? bits : 0;
}

class Offer {
 public:
  bool read(std::string_view text) {
    if (!http1::same_token(next_part(text, ';'), "permessage-deflate")) return false;
    std::size_t count = 0;
    while (!text.empty()) {
      std::string_view parameter = next_part(text, ';');
      if (++count > kParametersMax) return false;
      const std::size_t equals = parameter.find('=');
      const std::string_view name = http1::trimmed(parameter.substr(0, equals));
      const bool has_value = equals != std::string_view::npos;
      if (!parameter_allowed(name, has_value,
                             has_value ? http1::trimmed(parameter.substr(equals + 1)) : std::string_view()))
        return false;
    }
    return true;
  }
  DeflateAgreement agreement() const { return {server_bits_}; }

 private:
  bool once(unsigned flag) {
    if ((seen_ & flag) != 0) return false;
    seen_ |= flag;
    return true;
  }
  bool parameter_allowed(std::string_view name, bool has_value, std::string_view value) {
    if (name == "server_no_context_takeover") return once(1) && !has_value;
    if (name == "client_no_context_takeover") return once(2) && !has_value;
    if (name == "client_max_window_bits") return once(4) && (!has_value || window_bits(value) != 0);
    if (name == "server_max_window_bits") {
      // zlib cannot honour 8, and answering 9 would break RFC 7692 section 7.1.2.1: decline.
      server_bits_ = static_cast<std::uint8_t>(window_bits(value));
      return once(8) && has_value && server_bits_ >= 9;
    }
    return false;
  }
  unsigned seen_ = 0;
  std::uint8_t server_bits_ = 15;
};

}  // namespace

std::optional<DeflateAgreement> negotiate_deflate(std::string_view offers) {
  std::string_view rest = offers;
  for (std::size_t count = 0; !rest.empty(); ++count) {
    if (count == kOffersMax) return std::nullopt;
    next_part(rest, ',');
  }
  while (!offers.empty()) {
    Offer offer;
    if (offer.read(next_part(offers, ','))) return offer.agreement();
  }
  return std::nullopt;
}

std::string deflate_response(const DeflateAgreement& agreement) {
  std::string text = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  if (agreement.server_window_bits != 15)
    text += "; server_max_window_bits=" + std::to_string(agreement.server_window_bits);
  return text;
}

Inflater::Inflater() = default;
Inflater::~Inflater() {
  if (stream_) inflateEnd(stream_.get());
}

Status Inflater::inflate(std::string_view compressed, std::size_t bytes_max, std::string& out) {
  if (!stream_) {
    stream_ = std::make_unique<z_stream_s>();
    if (inflateInit2(stream_.get(), -15) != Z_OK) throw std::bad_alloc();
  }
  z_stream& stream = *stream_;
  inflateReset(&stream);
  std::array<unsigned char, 16 * 1024> piece;
  const std::size_t begin = out.size();
  for (const std::string_view part : {compressed, kTail}) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
    stream.avail_in = static_cast<uInt>(part.size());
    do {
      stream.next_out = piece.data();
      stream.avail_out = piece.size();
      const int result = ::inflate(&stream, Z_SYNC_FLUSH);
      const std::size_t produced = piece.size() - stream.avail_out;
      if (produced > bytes_max - (out.size() - begin)) return ErrorCode::kWsTooBig;
      out.append(reinterpret_cast<const char*>(piece.data()), produced);
      if (result == Z_STREAM_END) {
        // A final block ends the message, or what follows begins anew (RFC 7692 section 7.2.3.4).
        if (stream.avail_in == 0 && part.data() == compressed.data()) return {};
        inflateReset(&stream);
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return ErrorCode::kWsInvalidData;
      }
    } while (stream.avail_in != 0 || stream.avail_out == 0);
  }
  // Data that stops inside a block has swallowed the tail instead of ending with it.
  return (stream.data_type & 128) != 0 ? Status() : Status(ErrorCode::kWsInvalidData);
}

Deflater::Deflater() = default;
Deflater::~Deflater() {
  for (auto& stream : streams_) {
    if (stream) deflateEnd(stream.get());
  }
}

void Deflater::deflate(std::string_view plain, std::uint8_t window_bits, std::string& out) {
  WIREHALL_ASSERT(window_bits >= 9 && window_bits <= 15);
  std::unique_ptr<z_stream_s>& slot = streams_[window_bits];
  if (!slot) {
    slot = std::make_unique<z_stream_s>();
    if (deflateInit2(slot.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
      throw std::bad_alloc();
  }
  z_stream& stream = *slot;
  deflateReset(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  const std::size_t begin = out.size();
  std::array<unsigned char, 16 * 1024> piece;
  do {
    stream.next_out = piece.data();
    stream.avail_out = piece.size();
    ::deflate(&stream, Z_SYNC_FLUSH);
    out.append(reinterpret_cast<const char*>(piece.data()), piece.size() - stream.avail_out);
  } while (stream.avail_out == 0);
  WIREHALL_ASSERT(out.size() - begin >= 4 && std::string_view(out).ends_with(kTail));
  out.resize(out.size() - 4);
}

}  // namespace wirehall::ws
