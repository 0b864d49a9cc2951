// Responses are handed out whole and within their limits, or refused as documented, however they are cut.
#include "http1/response_parser.h"

#include "support/fuzz.h"

using namespace wirehall;

namespace {

std::string run(const std::vector<std::string>& pieces, const http1::ResponseLimits& limits) {
  std::string seen;
  http1::ResponseParser parser(limits);
  const auto note = [&] {
    const http1::ReceivedResponse& response = parser.response();
    FUZZ_CHECK(response.status == 101 || (response.status >= 200 && response.status <= 999));
    FUZZ_CHECK(response.body.size() <= limits.body_bytes_max);
    seen += std::to_string(response.status) + ' ' + response.body + '\n';
  };
  for (const std::string& piece : pieces) {
    std::string_view input = piece;
    while (!input.empty()) {
      const auto step = parser.next(input);
      if (step == http1::ResponseParser::Step::kComplete) {
        note();
        if (parser.response().status == 101) return seen;
        continue;
      }
      if (step == http1::ResponseParser::Step::kError) {
        const ErrorCode code = parser.error();
        FUZZ_CHECK(code == ErrorCode::kHttpBadRequest || code == ErrorCode::kHttpHeadTooLarge ||
                   code == ErrorCode::kHttpBodyTooLarge || code == ErrorCode::kHttpVersion);
        return seen + std::string(error_info(code).code);
      }
      FUZZ_CHECK(input.empty());
    }
  }
  if (parser.end() == http1::ResponseParser::Step::kComplete) note();
  return seen;
}

}  // namespace

FUZZ_TARGET(http1_response_parser) {
  http1::ResponseLimits limits;
  limits.head_bytes_max = 256;
  limits.body_bytes_max = 100;
  const std::string whole(in.rest());
  std::vector<std::string> bytes;
  for (const char c : whole) bytes.emplace_back(1, c);
  FUZZ_CHECK(run({whole}, limits) == run(bytes, limits));
}
