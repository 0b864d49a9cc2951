#include "http1/forwarded.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "http1/grammar.h"

namespace wirehall::http1 {
namespace {

constexpr std::size_t kEntriesMax = 64;
constexpr std::string_view kProxySignature("\r\n\r\n\0\r\nQUIT\n", 12);

// An entry may carry a port: "1.2.3.4:80", "[::1]:80".
std::string_view without_port(std::string_view entry) {
  if (entry.starts_with('[')) return entry.substr(1, std::min(entry.find(']'), entry.size()) - 1);
  if (std::count(entry.begin(), entry.end(), ':') == 1) return entry.substr(0, entry.find(':'));
  return entry;
}

}  // namespace

std::optional<AddressBytes> parse_address(std::string_view text) {
  if (text.size() > 45) return std::nullopt;
  std::array<char, 46> terminated{};
  std::copy(text.begin(), text.end(), terminated.begin());
  AddressBytes address{};
  if (text.find(':') != std::string_view::npos) {
    if (inet_pton(AF_INET6, terminated.data(), address.data()) == 1) return address;
    return std::nullopt;
  }
  in_addr v4{};
  if (inet_pton(AF_INET, terminated.data(), &v4) != 1) return std::nullopt;
  address = {};
  address[10] = address[11] = 0xff;
  std::memcpy(address.data() + 12, &v4, 4);
  return address;
}

std::string format_address(const AddressBytes& address) {
  char text[INET6_ADDRSTRLEN] = {};
  const AddressBytes mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!std::equal(address.begin(), address.begin() + 12, mapped.begin())) {
    inet_ntop(AF_INET6, address.data(), text, sizeof text);
    return text;
  }
  char* end = text;  // every connection that is accepted comes by here; inet_ntop prints this with snprintf
  for (std::size_t i = 12; i < address.size(); ++i) {
    if (i != 12) *end++ = '.';
    end = std::to_chars(end, std::end(text), address[i]).ptr;
  }
  return std::string(text, end);
}

bool is_loopback_address(const AddressBytes& address) {
  static const TrustedProxies loopback = [] {
    TrustedProxies networks;
    networks.add("127.0.0.0/8");
    networks.add("::1/128");
    return networks;
  }();
  return loopback.contains(address);
}

bool TrustedProxies::add(std::string_view cidr) {
  const std::size_t slash = std::min(cidr.find('/'), cidr.size());
  const auto base = parse_address(cidr.substr(0, slash));
  if (!base) return false;
  const bool v4 = cidr.substr(0, slash).find(':') == std::string_view::npos;
  int bits = v4 ? 32 : 128;
  if (slash < cidr.size()) {
    const std::string_view text = cidr.substr(slash + 1);
    int given = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), given);
    if (error != std::errc() || end != text.data() + text.size() || given < 0 || given > bits) return false;
    bits = given;
  }
  networks_.push_back({*base, v4 ? bits + 96 : bits});
  return true;
}

bool TrustedProxies::contains(const AddressBytes& address) const {
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    const auto whole = static_cast<std::size_t>(network.bits / 8);
    if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole),
                    network.base.begin()))
      return false;
    const int rest = network.bits % 8;
    return rest == 0 || ((address[whole] ^ network.base[whole]) >> (8 - rest)) == 0;
  });
}

std::string client_address(const RequestHead& request, std::string_view peer, const TrustedProxies& trusted) {
  if (trusted.empty()) return std::string(peer);
  const auto peer_bytes = parse_address(peer);
  if (!peer_bytes || !trusted.contains(*peer_bytes)) return std::string(peer);
  std::string list;
  for (const auto& field : request.fields) {
    if (!same_token(request.name(field), "x-forwarded-for")) continue;
    if (!list.empty()) list.push_back(',');
    list.append(request.value(field));
  }
  std::string_view rest = list;
  std::string last(peer);
  for (std::size_t entries = 0; !rest.empty() && entries < kEntriesMax; ++entries) {
    const std::size_t comma = rest.rfind(',');
    const std::string_view entry =
        without_port(trimmed(comma == std::string_view::npos ? rest : rest.substr(comma + 1)));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
    const auto address = parse_address(entry);
    if (!address) break;
    last = format_address(*address);
    if (!trusted.contains(*address)) break;
  }
  return last;
}

ProxyHeader read_proxy_header(std::string_view bytes) {
  ProxyHeader header;
  const std::size_t compared = std::min(bytes.size(), kProxySignature.size());
  if (compared == 0 || bytes.substr(0, compared) != kProxySignature.substr(0, compared)) return header;
  header.step = ProxyHeader::Step::kNeedMore;
  if (bytes.size() < 16) return header;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const std::size_t length = static_cast<std::size_t>(at(14)) << 8 | at(15);
  if (at(12) >> 4 != 2 || (at(12) & 0x0f) > 1 || length > 2048) {
    header.step = ProxyHeader::Step::kMalformed;
    return header;
  }
  if (bytes.size() < 16 + length) return header;
  header.step = ProxyHeader::Step::kDone;
  header.size = 16 + length;
  if ((at(12) & 0x0f) == 0) return header;  // LOCAL: the proxy itself
  const unsigned family = at(13) >> 4;
  if ((family == 1 && length < 12) || (family == 2 && length < 36)) {
    header.step = ProxyHeader::Step::kMalformed;
    return header;
  }
  AddressBytes address{};
  if (family == 1) {
    address[10] = address[11] = 0xff;
    std::memcpy(address.data() + 12, bytes.data() + 16, 4);
    header.address = format_address(address);
  } else if (family == 2) {
    std::memcpy(address.data(), bytes.data() + 16, 16);
    header.address = format_address(address);
  }
  return header;
}

}  // namespace wirehall::http1
