// Row K1 of RELIABILITY 1.9.
#include "push/public_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace wirehall::push {
namespace {

struct Case {
  const char* address;
  bool is_public;
  const char* what;
};

constexpr Case kCases[] = {
    // -- the Internet
    {"1.1.1.1", true, ""},
    {"8.8.8.8", true, ""},
    {"142.250.185.74", true, "a push service"},
    {"9.255.255.255", true, "just before 10/8"},
    {"11.0.0.0", true, "just after 10/8"},
    {"100.63.255.255", true, "just before CGNAT"},
    {"100.128.0.0", true, "just after CGNAT"},
    {"126.255.255.255", true, "just before loopback"},
    {"128.0.0.0", true, "just after loopback"},
    {"168.63.129.15", true, ""},
    {"168.63.129.17", true, ""},
    {"169.253.255.255", true, "just before link-local"},
    {"169.255.0.0", true, "just after link-local"},
    {"172.15.255.255", true, "just before 172.16/12"},
    {"172.32.0.0", true, "just after 172.16/12"},
    {"192.0.1.0", true, ""},
    {"192.167.255.255", true, "just before 192.168/16"},
    {"192.169.0.0", true, "just after 192.168/16"},
    {"198.17.255.255", true, "just before benchmarks"},
    {"198.20.0.0", true, "just after benchmarks"},
    {"223.255.255.255", true, "just before multicast"},
    {"2606:4700:4700::1111", true, ""},
    {"2a00:1450:4001:80f::200a", true, "a push service"},
    {"2001:4860:4860::8888", true, "behind the protocol assignments"},
    {"2001:200::1", true, "just after the protocol assignments"},
    {"2003::1", true, "just after 6to4"},
    {"::ffff:8.8.8.8", true, "IPv4-mapped"},
    {"64:ff9b::8.8.8.8", true, "NAT64"},
    // -- everything else of IPv4
    {"0.0.0.0", false, "this host"},
    {"0.1.2.3", false, "this network"},
    {"10.0.0.0", false, "private"},
    {"10.255.255.255", false, "private"},
    {"100.64.0.0", false, "CGNAT"},
    {"100.100.100.200", false, "CGNAT, the metadata of a cloud"},
    {"100.127.255.255", false, "CGNAT"},
    {"127.0.0.1", false, "loopback"},
    {"127.255.255.255", false, "loopback"},
    {"168.63.129.16", false, "the host of a virtual machine"},
    {"169.254.0.0", false, "link-local"},
    {"169.254.169.254", false, "the metadata of clouds"},
    {"169.254.255.255", false, "link-local"},
    {"172.16.0.0", false, "private"},
    {"172.31.255.255", false, "private"},
    {"192.0.0.170", false, "protocol assignments"},
    {"192.0.2.1", false, "documentation"},
    {"192.88.99.1", false, "6to4 relays"},
    {"192.168.0.0", false, "private"},
    {"192.168.255.255", false, "private"},
    {"198.18.0.0", false, "benchmarks"},
    {"198.19.255.255", false, "benchmarks"},
    {"198.51.100.7", false, "documentation"},
    {"203.0.113.7", false, "documentation"},
    {"224.0.0.1", false, "multicast"},
    {"239.255.255.255", false, "multicast"},
    {"240.0.0.1", false, "reserved"},
    {"255.255.255.255", false, "broadcast"},
    // -- everything else of IPv6
    {"::", false, "unspecified"},
    {"::1", false, "loopback"},
    {"::7f00:1", false, "IPv4-compatible"},
    {"::8.8.8.8", false, "IPv4-compatible"},
    {"::ffff:127.0.0.1", false, "IPv4-mapped loopback"},
    {"::ffff:7f00:1", false, "the same in hexadecimal"},
    {"::ffff:10.1.2.3", false, "IPv4-mapped private"},
    {"::ffff:169.254.169.254", false, "IPv4-mapped link-local"},
    {"::ffff:0:127.0.0.1", false, "IPv4-translated"},
    {"::ffff:0:8.8.8.8", false, "IPv4-translated"},
    {"64:ff9b::127.0.0.1", false, "NAT64 of loopback"},
    {"64:ff9b::10.0.0.1", false, "NAT64 of private"},
    {"64:ff9b::169.254.169.254", false, "NAT64 of link-local"},
    {"64:ff9b:0:0:0:1:808:808", false, "beside the NAT64 prefix"},
    {"64:ff9b:1::8.8.8.8", false, "NAT64 of a local network"},
    {"100::1", false, "discard"},
    {"1fff::1", false, "just before global unicast"},
    {"2001::1", false, "Teredo"},
    {"2001:0:7f00:1::", false, "Teredo"},
    {"2001:10::1", false, "ORCHID"},
    {"2001:20::1", false, "ORCHIDv2"},
    {"2001:1ff:ffff::1", false, "protocol assignments, the last ones"},
    {"2001:db8::1", false, "documentation"},
    {"2002:7f00:1::", false, "6to4 of loopback"},
    {"2002:808:808::1", false, "6to4"},
    {"3fff::1", false, "documentation"},
    {"4000::1", false, "just after global unicast"},
    {"5f00::1", false, "segment routing"},
    {"fbff::1", false, "just before unique-local"},
    {"fc00::1", false, "unique-local"},
    {"fd00:ec2::254", false, "unique-local, the metadata of a cloud"},
    {"fdff:ffff::1", false, "unique-local"},
    {"fe80::1", false, "link-local"},
    {"febf::1", false, "link-local"},
    {"fec0::1", false, "site-local"},
    {"ff02::1", false, "multicast"},
    {"ff0e::1", false, "multicast of global scope"},
};

TEST(PublicAddress, OnlyTheInternetIsPublic) {
  for (const Case& c : kCases) {
    const auto address = http1::parse_address(c.address);
    ASSERT_TRUE(address) << c.address;
    EXPECT_EQ(is_public_address(*address), c.is_public) << c.address << " " << c.what;
  }
}

TEST(PublicAddress, SocketAddressesAreJudgedInTheSameWay) {
  for (const Case& c : kCases) {
    sockaddr_storage storage{};
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    if (inet_pton(AF_INET, c.address, &v4.sin_addr) == 1) {
      v4.sin_family = AF_INET;
    } else {
      ASSERT_EQ(inet_pton(AF_INET6, c.address, &v6.sin6_addr), 1) << c.address;
      v6.sin6_family = AF_INET6;
    }
    EXPECT_EQ(is_public_address(reinterpret_cast<const sockaddr&>(storage)), c.is_public) << c.address;
  }
}

TEST(PublicAddress, OtherFamiliesAreNotPublic) {
  sockaddr_storage storage{};
  for (const int family : {AF_UNSPEC, AF_UNIX, AF_NETLINK, AF_PACKET}) {
    storage.ss_family = static_cast<sa_family_t>(family);
    EXPECT_FALSE(is_public_address(reinterpret_cast<const sockaddr&>(storage))) << family;
  }
}

}  // namespace
}  // namespace wirehall::push
