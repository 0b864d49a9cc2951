// Which Engine.IO request this is, and whether it may go on: the checks of the reference in its order.
//
// Spec: Engine.IO protocol v4, "Handshake"; engine.io `Server.verify` for the order and the codes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/short_id.h"
#include "engineio/packet.h"
#include "http1/url.h"

namespace wirehall::engineio {

/// The protocol's own error codes, as they stand in `{"code":…,"message":…}`.
enum class RequestError : std::uint8_t {
  kTransportUnknown,
  kSessionUnknown,
  kBadHandshakeMethod,
  kBadRequest,
  kForbidden,
  kUnsupportedVersion,
};

std::string_view message_of(RequestError error);
/// `{"code":1,"message":"Session ID unknown"}`
std::string error_body(RequestError error, std::string_view message);

/// What the query of an Engine.IO request says.
struct RequestParameters {
  std::optional<Transport> transport;  ///< nullopt: missing or unknown
  ShortId sid;
  std::uint8_t protocol = 3;  ///< 4 when EIO=4, else 3, as the reference counts
  bool base64_only = false;   ///< b64: the client cannot take binary
  std::optional<std::string> jsonp;
};

/// `query` is still encoded. Of several values of one name the last counts.
RequestParameters read_parameters(std::string_view query);

/// Why a request is refused.
struct RequestRefusal {
  RequestError error;
  std::string_view context = {};  ///< the reference's `context.name`, where it has one
};

/// What a request is checked against; the caller looks the session up in between.
struct VerifyOptions {
  bool polling_allowed = true;
  bool websocket_allowed = true;
};

/// The checks before the session is looked up.
std::optional<RequestError> verify_transport(const RequestParameters& parameters,
                                             const VerifyOptions& options);

/// The checks of a request that belongs to a session.
std::optional<RequestRefusal> verify_session(const RequestParameters& parameters, bool is_upgrade,
                                             Transport current, std::uint8_t session_protocol);

/// The checks of a request that opens a session (before `allowRequest`, and without the version).
std::optional<RequestRefusal> verify_handshake(const RequestParameters& parameters, bool is_get,
                                               bool is_upgrade);

}  // namespace wirehall::engineio
