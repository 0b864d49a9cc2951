// Fuzz target F19: a subscription that a user hands over gives a documented error, or an endpoint that may be
// asked.
//
// Oracles: what is accepted is https, has no user, and where its host is an address, that is public by a
// table of this file's own; the origin that a token will be for is made of that host; what is accepted
// without allow_private is accepted with it.
#include <arpa/inet.h>

#include <cstring>

#include "push/push_subscription.h"
#include "support/fuzz.h"

namespace wirehall::push {
namespace {

// Networks of RFC 6890, as numbers; IPv6 is public in 2000::/3 without what tunnels and documents.
bool is_public_v4(std::uint32_t address) {
  const auto in = [&](std::uint32_t network, int bits) { return (address ^ network) >> (32 - bits) == 0; };
  return !(in(0x00000000, 8) || in(0x0a000000, 8) || in(0x64400000, 10) || in(0x7f000000, 8) ||
           in(0xa9fe0000, 16) || in(0xac100000, 12) || in(0xc0000000, 24) || in(0xc0000200, 24) ||
           in(0xc0586300, 24) || in(0xc0a80000, 16) || in(0xc6120000, 15) || in(0xc6336400, 24) ||
           in(0xcb007100, 24) || address >= 0xe0000000);
}

bool is_public_v6(const unsigned char* a) {
  static const unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  static const unsigned char kNat64[12] = {0, 0x64, 0xff, 0x9b};
  if (std::memcmp(a, kMapped, 12) == 0 || std::memcmp(a, kNat64, 12) == 0) {
    std::uint32_t inside = 0;
    std::memcpy(&inside, a + 12, 4);
    return is_public_v4(ntohl(inside));
  }
  const unsigned first = static_cast<unsigned>(a[0]) << 8 | a[1];
  return first >= 0x2000 && first < 0x4000 && first != 0x2002 && !(first == 0x2001 && a[2] < 2) &&
         !(first == 0x2001 && a[2] == 0x0d && a[3] == 0xb8);
}

void check_accepted(const std::string& endpoint) {
  const auto target = check_push_endpoint(endpoint, false);
  FUZZ_CHECK(target.ok() && target->scheme == "https");
  FUZZ_CHECK(endpoint.size() <= kTargetUrlBytesMax);
  FUZZ_CHECK(target->origin.starts_with("https://" + target->host));
  FUZZ_CHECK(target->host.find_first_of("@/?# \\\r\n") == std::string::npos);
  std::string host = target->host;
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) FUZZ_CHECK(is_public_v4(ntohl(v4.s_addr)));
  if (host.front() == '[') {
    host = host.substr(1, host.size() - 2);
    FUZZ_CHECK(inet_pton(AF_INET6, host.c_str(), &v6) == 1);
    FUZZ_CHECK(is_public_v6(v6.s6_addr));
  }
}

}  // namespace
}  // namespace wirehall::push

// The input is the JSON text of a subscription, or with "u" in front an endpoint alone.
FUZZ_TARGET(push_subscription) {
  using namespace wirehall;
  using namespace wirehall::push;
  const std::string text(in.rest());
  if (text.starts_with('u')) {
    const std::string endpoint = text.substr(1);
    if (check_push_endpoint(endpoint, false).ok()) {
      check_accepted(endpoint);
      FUZZ_CHECK(check_push_endpoint(endpoint, true).ok());
    }
    return;
  }
  const Result<Value> value = Value::from_json(text);
  if (!value.ok()) return;
  const Result<PushSubscription> parsed = parse_push_subscription(*value);
  if (!parsed.ok()) {
    FUZZ_CHECK(parsed.error().code() == ErrorCode::kInvalidFormat);
    return;
  }
  const Status status = check_push_subscription(*parsed, false);
  FUZZ_CHECK(status.ok() || status.error().code() == ErrorCode::kInvalidFormat);
  if (!status.ok()) return;
  FUZZ_CHECK(parsed->p256dh.size() == 65 && parsed->auth.size() == 16);
  check_accepted(parsed->endpoint);
  FUZZ_CHECK(check_push_subscription(*parsed, true).ok());
}
