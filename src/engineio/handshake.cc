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

RequestParameters read_parameters(const http1::QueryPairs& query) {
  RequestParameters parameters;
  const auto value = [&](std::string_view name) { return http1::find_last(query, name); };
  if (const auto transport = value("transport")) {
    if (*transport == "polling") parameters.transport = Transport::kPolling;
    if (*transport == "websocket") parameters.transport = Transport::kWebSocket;
  }
  parameters.sid = value("sid").value_or("");
  parameters.protocol = value("EIO") == "4" ? 4 : 3;
  parameters.base64_only = !value("b64").value_or("").empty();
  if (const auto jsonp = value("j")) parameters.jsonp = std::string(*jsonp);
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
