#include "push/public_address.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace wirehall::push {
namespace {

// "Trusted proxies" is what a set of networks is called where it comes from.
using Networks = http1::TrustedProxies;

Networks networks(std::initializer_list<std::string_view> list) {
  Networks made;
  for (const std::string_view cidr : list) WIREHALL_ASSERT(made.add(cidr));
  return made;
}

bool is_public_v4(const http1::AddressBytes& mapped) {
  static const Networks refused = networks({
      "0.0.0.0/8",         // this network
      "10.0.0.0/8",        // private
      "100.64.0.0/10",     // shared by customers of a provider (CGNAT)
      "127.0.0.0/8",       // loopback
      "168.63.129.16/32",  // looks public; inside of one large cloud it is the host of the virtual machine
      "169.254.0.0/16",    // link-local, and the metadata of clouds
      "172.16.0.0/12",     // private
      "192.0.0.0/24",      // protocol assignments
      "192.0.2.0/24",      // documentation
      "192.88.99.0/24",    // 6to4 relays
      "192.168.0.0/16",    // private
      "198.18.0.0/15",     // benchmarks
      "198.51.100.0/24",   // documentation
      "203.0.113.0/24",    // documentation
      "224.0.0.0/4",       // multicast
      "240.0.0.0/4",       // reserved, and broadcast
  });
  return !refused.contains(mapped);
}

bool is_public_v6(const http1::AddressBytes& address) {
  static const Networks global = networks({"2000::/3"});
  static const Networks refused = networks({
      "2001::/23",      // protocol assignments, Teredo among them
      "2001:db8::/32",  // documentation
      "2002::/16",      // 6to4
      "3fff::/20",      // documentation
  });
  return global.contains(address) && !refused.contains(address);
}

}  // namespace

bool is_public_address(const http1::AddressBytes& address) {
  static const Networks mapped = networks({"::ffff:0:0/96"});
  static const Networks nat64 = networks({"64:ff9b::/96"});
  if (mapped.contains(address)) return is_public_v4(address);
  if (nat64.contains(address)) {
    http1::AddressBytes inside{};
    inside[10] = inside[11] = 0xff;
    std::copy(address.begin() + 12, address.end(), inside.begin() + 12);
    return is_public_v4(inside);
  }
  return is_public_v6(address);
}

bool is_public_address(const sockaddr& address) {
  http1::AddressBytes bytes{};
  if (address.sa_family == AF_INET) {
    bytes[10] = bytes[11] = 0xff;
    std::memcpy(bytes.data() + 12, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  } else if (address.sa_family == AF_INET6) {
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, bytes.size());
  } else {
    return false;
  }
  return is_public_address(bytes);
}

}  // namespace wirehall::push
