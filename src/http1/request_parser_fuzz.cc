// Any split of the input gives the same requests and the same refusal; nothing grows beyond its limit; and of what is
// accepted Boost.Beast's parser reads the same.
#include "http1/request_parser.h"

#include "http1/chunk_decoder.h"
#include "support/beast_head.h"
#include "support/fuzz.h"

using namespace wirehall;

namespace {

Limits limits() {
  Limits l;
  l.http_body_bytes_max = 2000;
  l.http_head_bytes_max = 3000;
  l.http_target_bytes_max = 500;
  l.http_headers_max = 20;
  return l;
}

std::string outcome(const std::vector<std::string>& pieces) {
  static const Limits kLimits = limits();
  http1::RequestParser parser(kLimits);
  std::string text;
  for (const std::string& piece : pieces) {
    std::string_view input = piece;
    for (;;) {
      const auto step = parser.next(input);
      FUZZ_CHECK(parser.held_bytes() <= kLimits.http_head_bytes_max + 1u + kLimits.http_body_bytes_max);
      if (step == http1::RequestParser::Step::kNeedMore) break;
      if (step == http1::RequestParser::Step::kError) return text + "error " + std::to_string(static_cast<int>(parser.error()));
      if (step == http1::RequestParser::Step::kHead) {
        const auto& head = parser.head();
        FUZZ_CHECK(head.target().front() == '/' || head.target() == "*");
        FUZZ_CHECK(!(head.chunked && head.content_length));
        FUZZ_CHECK(test::difference_from_beast(head).empty());
        text += std::string(head.target()) + "\n";
      } else {
        const std::string body = parser.take_body();
        FUZZ_CHECK(body.size() <= kLimits.http_body_bytes_max);
        text += "[" + body + "]";
      }
    }
  }
  return text;
}

}  // namespace

FUZZ_TARGET(http1_request_parser) {
  const std::string whole(in.rest().substr(in.rest().empty() ? 0 : 1));
  FUZZ_CHECK(outcome(in.pieces()) == outcome({whole}));
}
