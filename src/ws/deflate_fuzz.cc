// Inflating never passes its budget; what is deflated inflates to itself; negotiation answers only what RFC
// 7692 allows.
#include "ws/deflate.h"

#include "support/fuzz.h"

using namespace wirehall;

FUZZ_TARGET(ws_deflate) {
  static ws::Inflater inflater;
  static ws::Deflater deflater;
  const auto bits = static_cast<std::uint8_t>(9 + in.byte() % 7);
  const std::string data(in.rest());
  std::string out;
  const Status status = inflater.inflate(data, 5000, out);
  FUZZ_CHECK(out.size() <= 5000);
  FUZZ_CHECK(status.ok() || status.error().code() == ErrorCode::kWsTooBig || status.error().code() == ErrorCode::kWsInvalidData);
  std::string packed, again;
  deflater.deflate(data, bits, packed);
  FUZZ_CHECK(inflater.inflate(packed, data.size(), again).ok() && again == data);
  if (const auto agreement = ws::negotiate_deflate(data)) {
    FUZZ_CHECK(agreement->server_window_bits >= 9 && agreement->server_window_bits <= 15);
  }
}
