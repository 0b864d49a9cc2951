#include "client/url.h"

#include <algorithm>
#include <charconv>

#include "http1/url.h"

namespace wirehall::client {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Error bad(std::string_view url, const std::string& why) {
  return Error(ErrorCode::kConfig, "the URL \"" + std::string(url.substr(0, 200)) + "\" " + why);
}

bool take_scheme(std::string_view& rest, Endpoint& out, Protocol protocol) {
  struct Scheme {
    std::string_view prefix;
    bool tls;
    bool native;
  };
  constexpr Scheme kSchemes[] = {
      {"http://", false, false}, {"https://", true, false}, {"ws://", false, true}, {"wss://", true, true}};
  for (const Scheme& scheme : kSchemes) {
    if (!rest.starts_with(scheme.prefix)) continue;
    rest.remove_prefix(scheme.prefix.size());
    out.tls = scheme.tls;
    out.protocol = scheme.native ? Protocol::kNative : protocol;
    return true;
  }
  return false;
}

bool is_host(std::string_view host, bool bracketed) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [&](char c) {
    return is_alphanumeric(c) || c == '.' || (bracketed ? c == ':' || c == '%' : c == '-' || c == '_');
  });
}

// Host and port; false when they are none.
bool take_authority(std::string_view authority, Endpoint& out) {
  std::string_view port;
  const bool bracketed = authority.starts_with('[');
  if (bracketed) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return false;
    out.host = std::string(authority.substr(1, end - 1));
    port = authority.substr(end + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    out.host = std::string(authority.substr(0, colon));
    port = authority.substr(colon);
  }
  if (!is_host(out.host, bracketed)) return false;
  const std::uint16_t usual = out.tls ? 443 : 80;
  out.port = usual;
  if (!port.empty()) {
    if (port.front() != ':' || port.size() < 2) return false;
    const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), out.port);
    if (error != std::errc() || end != port.data() + port.size() || out.port == 0) return false;
  }
  const std::string name = bracketed ? "[" + out.host + "]" : out.host;
  out.authority_with_port = name + ":" + std::to_string(out.port);
  out.authority = out.port == usual ? name : out.authority_with_port;
  return true;
}

bool is_target(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > 0x20 && c < 0x7f && c != '#' && c != '"'; });
}

}  // namespace

Result<Endpoint> parse_url(std::string_view url, Protocol protocol, std::string_view engine_path) {
  Endpoint out;
  std::string_view rest = url;
  if (!take_scheme(rest, out, protocol))
    return bad(url, "begins with none of http://, https://, ws:// and wss://");
  rest = rest.substr(0, rest.find('#'));
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  if (authority.find('@') != std::string_view::npos)
    return bad(url, "holds a user or password: give them as the client's auth or headers");
  if (!take_authority(authority, out)) return bad(url, "has no usable host and port");
  rest.remove_prefix(authority.size());
  const std::size_t mark = std::min(rest.find('?'), rest.size());
  const std::string_view path = rest.substr(0, mark);
  out.query = std::string(rest.substr(std::min(mark + 1, rest.size())));
  if (!is_target(path) || !is_target(out.query)) return bad(url, "has bytes that must be percent-encoded");
  if (out.protocol == Protocol::kNative) {
    out.path = path.empty() || path == "/" ? "/ws" : std::string(path);
    return out;
  }
  const auto decoded = http1::percent_decode(path);
  if (!decoded || decoded->find(',') != std::string::npos) return bad(url, "names no namespace by its path");
  out.nsp = decoded->empty() ? "/" : *decoded;
  out.path = engine_path.empty() ? "/socket.io/" : std::string(engine_path);
  if (out.path.front() != '/' || !is_target(out.path)) return bad(out.path, "is no path");
  if (!out.path.ends_with('/')) out.path.push_back('/');
  return out;
}

std::string encode_component(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_alphanumeric(c) || c == '-' || c == '_' || c == '.' || c == '~') {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
  return out;
}

}  // namespace wirehall::client
