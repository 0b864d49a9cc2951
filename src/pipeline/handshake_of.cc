#include "pipeline/handshake_of.h"

#include <algorithm>

namespace wirehall::pipeline {

Handshake make_handshake(const http1::RequestHead& head, const RequestOrigin& origin, WallMs now) {
  Handshake handshake;
  handshake.url = std::string(head.target());
  handshake.address = origin.address;
  handshake.issued = now;
  handshake.secure = origin.secure;
  handshake.xdomain = head.count("origin") != 0;
  handshake.headers.reserve(head.fields.size());
  for (const auto& field : head.fields) {
    if (origin.foreign_page && http1::same_token(head.name(field), "cookie")) continue;
    std::string& name = handshake.headers.emplace_back(head.name(field), head.value(field)).first;
    for (char& c : name) c = http1::lower(c);
  }
  return handshake;
}

std::vector<http1::Header> added_headers(const World& world, const http1::RequestHead& head, bool initial) {
  std::vector<http1::Header> added;
  const bool any = !world.header_hooks.empty() || (initial && !world.initial_header_hooks.empty());
  if (!any) return added;
  const Handshake request = make_handshake(head, {}, 0);
  HeaderList headers;
  if (initial) {
    for (const auto& hook : world.initial_header_hooks) hook(headers, request);
  }
  for (const auto& hook : world.header_hooks) hook(headers, request);
  for (auto& [name, value] : headers) {
    const bool framing = http1::same_token(name, "content-length") ||
                         http1::same_token(name, "transfer-encoding") || http1::same_token(name, "connection");
    if (framing || name.empty() || !std::all_of(name.begin(), name.end(), http1::is_token_char) ||
        !http1::is_safe_header_value(value))
      continue;
    added.push_back({std::move(name), std::move(value)});
  }
  return added;
}

}  // namespace wirehall::pipeline
