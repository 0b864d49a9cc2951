#include "http1/chunk_decoder.h"

#include <algorithm>

#include "http1/grammar.h"

namespace wirehall::http1 {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkDecoder::Step ChunkDecoder::next(std::string_view& input, std::string_view& data) {
  while (!input.empty()) {
    if (state_ == State::kData) {
      const std::uint64_t here = std::min<std::uint64_t>(size_, input.size());
      data = input.substr(0, static_cast<std::size_t>(here));
      input.remove_prefix(static_cast<std::size_t>(here));
      size_ -= here;
      if (size_ == 0) state_ = State::kDataCr;
      return Step::kData;
    }
    const char c = input.front();
    input.remove_prefix(1);
    if (++overhead_bytes_ > overhead_bytes_max_) return Step::kTooMuchOverhead;
    const Step step = line_byte(c);
    if (step != Step::kNeedMore) return step;
  }
  return Step::kNeedMore;
}

ChunkDecoder::Step ChunkDecoder::line_byte(char c) {
  const auto expect = [&](char wanted, State then) {
    if (c != wanted) return Step::kMalformed;
    state_ = then;
    return Step::kNeedMore;
  };
  switch (state_) {
    case State::kSizeFirst:
    case State::kSize: {
      const int digit = hex_digit(c);
      if (digit >= 0) {
        if (++size_digits_ > 15) return Step::kMalformed;
        size_ = size_ << 4 | static_cast<std::uint64_t>(digit);
        state_ = State::kSize;
        return Step::kNeedMore;
      }
      if (state_ == State::kSizeFirst) return Step::kMalformed;
      if (c == ';') {
        state_ = State::kExtensionStart;
        return Step::kNeedMore;
      }
      return expect('\r', State::kSizeLf);
    }
    case State::kSizeLf:
      if (c != '\n') return Step::kMalformed;
      size_digits_ = 0;
      state_ = size_ == 0 ? State::kTrailerStart : State::kData;
      return Step::kNeedMore;
    case State::kDataCr: return expect('\r', State::kDataLf);
    case State::kDataLf: return expect('\n', State::kSizeFirst);
    case State::kTrailerStart:
      if (c == '\r') return expect('\r', State::kEndLf);
      if (!is_token_char(c)) return Step::kMalformed;
      trailer_has_colon_ = false;
      state_ = State::kTrailer;
      return Step::kNeedMore;
    case State::kTrailer:
      if (c == '\r') return trailer_has_colon_ ? expect('\r', State::kTrailerLf) : Step::kMalformed;
      if (c == ':') trailer_has_colon_ = true;
      return (trailer_has_colon_ ? is_field_char(c) : is_token_char(c)) ? Step::kNeedMore : Step::kMalformed;
    case State::kTrailerLf: return expect('\n', State::kTrailerStart);
    case State::kEndLf: return c == '\n' ? Step::kDone : Step::kMalformed;
    default:
      if (++extension_bytes_ > extension_bytes_max_) return Step::kTooMuchOverhead;
      return extension_byte(c) ? Step::kNeedMore : Step::kMalformed;
  }
}

// chunk-ext = *( ";" token [ "=" ( token / quoted-string ) ] ), without the "bad" white space.
bool ChunkDecoder::extension_byte(char c) {
  const bool token = is_token_char(c);
  switch (state_) {
    case State::kExtensionStart: state_ = State::kExtensionName; return token;
    case State::kExtensionName:
      if (token) return true;
      if (c == '=') {
        state_ = State::kExtensionValueStart;
        return true;
      }
      break;
    case State::kExtensionValueStart:
      state_ = c == '"' ? State::kExtensionQuoted : State::kExtensionValue;
      return token || c == '"';
    case State::kExtensionValue:
      if (token) return true;
      break;
    case State::kExtensionQuoted:
      if (c == '"') state_ = State::kExtensionEnd;
      if (c == '\\') state_ = State::kExtensionEscape;
      return is_field_char(c);
    case State::kExtensionEscape: state_ = State::kExtensionQuoted; return is_field_char(c);
    default: break;
  }
  if (c == ';') {
    state_ = State::kExtensionStart;
    return true;
  }
  state_ = State::kSizeLf;
  return c == '\r';
}

}  // namespace wirehall::http1
