#include "engineio/handshake.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace wirehall::engineio {

std::string_view message_of(RequestError error) {
  constexpr std::array<std::string_view, 6> kMessages = {
      "Transport unknown", "Session ID unknown", "Bad handshake method",
      "Bad request",       "Forbidden",          "Unsupported protocol version"};
  return kMessages[static_cast<std::size_t>(error)];
}

std::string error_body(RequestError error, std::string_view message) {
  std::string body = R"({"code":)";
  json::append_number(body, static_cast<std::int64_t>(error));
  body.append(R"(,"message":)");
  json::append_string(body, message);
  body.push_back('}');
  return body;
}

// Every request of a session comes by here: only what is looked at is decoded, and nothing is listed.
RequestParameters read_parameters(std::string_view query) {
  std::optional<std::string_view> transport, sid, protocol, base64_only, jsonp;
  const auto slot = [&](std::string_view name) -> std::optional<std::string_view>* {
    switch (name.size()) {
      case 1: return name == "j" ? &jsonp : nullptr;
      case 3: return name == "EIO" ? &protocol : name == "sid" ? &sid : name == "b64" ? &base64_only : nullptr;
      case 9: return name == "transport" ? &transport : nullptr;
      default: return nullptr;
    }
  };
  for (std::size_t pairs = 0; pairs < http1::kQueryPairsMax; ++pairs) {
    const std::optional<http1::QueryPart> part = http1::take_query_part(query);
    if (!part) break;
    std::optional<std::string_view>* value = slot(part->name);
    if (value == nullptr && !http1::is_plain_query_text(part->name)) value = slot(http1::decode_query_text(part->name));
    if (value != nullptr) *value = part->value;
  }
  const auto says = [](const std::optional<std::string_view>& value, std::string_view text) {
    return value && (*value == text || (!http1::is_plain_query_text(*value) && http1::decode_query_text(*value) == text));
  };
  RequestParameters parameters;
  if (says(transport, "polling")) {
    parameters.transport = Transport::kPolling;
  } else if (says(transport, "websocket")) {
    parameters.transport = Transport::kWebSocket;
  }
  if (sid && http1::is_plain_query_text(*sid)) {
    parameters.sid = ShortId(*sid);
  } else if (sid) {
    parameters.sid = ShortId(http1::decode_query_text(*sid));
  }
  parameters.protocol = says(protocol, "4") ? 4 : 3;
  parameters.base64_only = base64_only && !base64_only->empty();
  if (jsonp) parameters.jsonp = http1::decode_query_text(*jsonp);
  return parameters;
}

std::optional<RequestError> verify_transport(const RequestParameters& parameters,
                                             const VerifyOptions& options) {
  if (!parameters.transport) return RequestError::kTransportUnknown;
  const bool allowed =
      *parameters.transport == Transport::kPolling ? options.polling_allowed : options.websocket_allowed;
  return allowed ? std::nullopt : std::optional(RequestError::kTransportUnknown);
}

std::optional<RequestRefusal> verify_session(const RequestParameters& parameters, bool is_upgrade,
                                             Transport current, std::uint8_t session_protocol) {
  if (!is_upgrade && parameters.transport != current)
    return RequestRefusal{RequestError::kBadRequest, "TRANSPORT_MISMATCH"};
  if (parameters.protocol != session_protocol)
    return RequestRefusal{RequestError::kBadRequest, "PROTOCOL_MISMATCH"};
  return std::nullopt;
}

std::optional<RequestRefusal> verify_handshake(const RequestParameters& parameters, bool is_get,
                                               bool is_upgrade) {
  if (!is_get) return RequestRefusal{RequestError::kBadHandshakeMethod};
  if (parameters.transport == Transport::kWebSocket && !is_upgrade)
    return RequestRefusal{RequestError::kBadRequest, "TRANSPORT_HANDSHAKE_ERROR"};
  return std::nullopt;
}

}  // namespace wirehall::engineio
