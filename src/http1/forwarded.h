// Addresses of clients behind proxies that are trusted.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http1/head.h"

namespace wirehall::http1 {

/// An IPv6 address in network order; IPv4 as ::ffff:a.b.c.d.
using AddressBytes = std::array<std::uint8_t, 16>;

std::optional<AddressBytes> parse_address(std::string_view text);
std::string format_address(const AddressBytes& address);
bool is_loopback_address(const AddressBytes& address);

/// A set of networks in CIDR notation.
class TrustedProxies {
 public:
  /// Returns: false when the text is no network.
  bool add(std::string_view cidr);
  bool contains(const AddressBytes& address) const;
  bool empty() const { return networks_.empty(); }

 private:
  struct Network {
    AddressBytes base;
    int bits;
  };
  std::vector<Network> networks_;
};

/// The client's address: the TCP peer, or when that is a trusted proxy the rightmost address of
/// `X-Forwarded-For` that is not one itself. At most 64 entries are looked at; what is no address ends the
/// walk at the last good one.
std::string client_address(const RequestHead& request, std::string_view peer, const TrustedProxies& trusted);

/// A PROXY protocol v2 header at the start of a connection.
///
/// Spec: haproxy's proxy-protocol.txt, section 2.2.
struct ProxyHeader {
  enum class Step : std::uint8_t { kNone, kNeedMore, kDone, kMalformed };
  Step step = Step::kNone;
  std::size_t size = 0;
  std::string address;  ///< empty for LOCAL and for families that are not IP
};
ProxyHeader read_proxy_header(std::string_view bytes);

}  // namespace wirehall::http1
