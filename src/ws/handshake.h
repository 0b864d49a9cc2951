// The opening handshake: what a request must say, and what it is answered; and a client's side of it.
//
// Spec: RFC 6455 sections 4.1 and 4.2; RFC 9110 section 15.5.22 (426).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "http1/head.h"
#include "http1/response.h"
#include "http1/response_parser.h"
#include "ws/deflate.h"

namespace wirehall::ws {

/// Checks an upgrade request.
///
/// Returns:  kOk, kWsHandshake (400) or kUpgradeRequired (426, with `Sec-WebSocket-Version: 13`).
ErrorCode check_handshake(const http1::RequestHead& request);

/// The accept value of RFC 6455 section 4.2.2.
///
/// Requires: a key that check_handshake() takes, which has 24 letters, or a shorter one.
std::string accept_value(std::string_view key);

/// The value of all fields of one name, joined by commas (RFC 9110 section 5.3).
std::string joined_fields(const http1::RequestHead& request, std::string_view name);

/// The `101` answer; `extra` headers are appended as they are.
///
/// Requires: check_handshake() returned kOk.
void append_switching_protocols(Outbox& out, const http1::RequestHead& request,
                                const std::optional<DeflateAgreement>& deflate, std::string_view subprotocol,
                                const std::vector<http1::Header>& extra);

/// The answer to a request that check_handshake() refused.
http1::Response refusal(ErrorCode code);

/// The subprotocols that a client offers, in its order; at most 16.
std::vector<std::string_view> offered_subprotocols(const http1::RequestHead& request);

// -- a client's side ------------------------------------------------------------------------------

/// Sixteen random bytes as a `Sec-WebSocket-Key`.
std::string make_key(RandomSource& random);

/// Appends the upgrade request; `headers` are appended as they are, but for those that are unsafe.
///
/// Requires: `target` is visible ASCII and `host` a name with its port.
void append_upgrade_request(std::string& out, std::string_view target, std::string_view host, std::string_view key,
                            const std::vector<http1::Header>& headers);

/// Whether a `101` answers the request with that key. Extensions and subprotocols, which are never asked for,
/// are refused, as RFC 6455 section 4.1 wants.
bool accepts_upgrade(const http1::ReceivedResponse& response, std::string_view key);

}  // namespace wirehall::ws
