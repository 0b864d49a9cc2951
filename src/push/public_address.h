// Which addresses belong to the public Internet: the only ones that are connected to for a URL that a user
// gave. Anything else may be a machine that trusts this one.
//
//   I1  Of IPv6 only what is global unicast (2000::/3) passes; everything that is not listed is refused.
//   I2  An address that carries another one inside (IPv4-mapped, NAT64) is as public as that one. Tunnels
//       (6to4, Teredo) and other such forms are refused.
//
// Spec: the special-purpose address registries of IANA (RFC 6890).
#pragma once

#include "http1/forwarded.h"

struct sockaddr;

namespace wirehall::push {

bool is_public_address(const http1::AddressBytes& address);

/// The same for what a socket is about to be connected to; false for families other than IP.
bool is_public_address(const sockaddr& address);

}  // namespace wirehall::push
