#include "pipeline/handshake_of.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "http1/grammar.h"

namespace wirehall::pipeline {

hub::KeptHandshake keep_handshake(const http1::RequestHead& head, const RequestOrigin& origin, WallMs now) {
  using NameAndValue = std::pair<std::string_view, std::string_view>;
  boost::container::small_vector<NameAndValue, http1::RequestHead::kFieldsInside> headers;
  bool xdomain = false;
  for (const auto& field : head.fields) {
    if (origin.foreign_page && head.is_called(field, "cookie")) continue;
    xdomain = xdomain || head.is_called(field, "origin");
    headers.emplace_back(head.name(field), head.value(field));
  }
  return hub::KeptHandshake::of({head.target(), origin.address, headers, now, origin.secure, xdomain});
}

Handshake make_handshake(const http1::RequestHead& head, const RequestOrigin& origin, WallMs now) {
  return keep_handshake(head, origin, now).get();
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
