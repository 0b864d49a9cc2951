// JSONP polling: responses that a page loads as a script, and requests that it posts as a form.
//
// It stands outside the payload's encoding: what is wrapped here is the payload of either version. Its
// responses are `text/plain`, which a browser runs as a script unless the response forbids it by
// `X-Content-Type-Options: nosniff`.
//
// Spec: Engine.IO protocol v3, "JSONP"; engine.io 6.6 `transports/polling-jsonp`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wirehall::engineio {

/// The body of a response: `___eio[<index>]("<payload>");`, the payload as a JavaScript string.
///
/// Requires: the payload is UTF-8 text: a client that uses JSONP cannot take binary, whatever it says.
/// Effects:  of `index`, which the client chose (`j`), only the digits are used.
std::string jsonp_response(std::string_view index, std::string_view payload);

/// The payload in the body of a request: the field `d` of a form, newlines unescaped.
///
/// Returns:  nullopt when there is no such field, or more than one; the reference answers `ok` and ignores
///           the body. Ill-formed UTF-8 has become U+FFFD. Only the first 1000 fields are looked at.
std::optional<std::string> jsonp_body(std::string_view form);

}  // namespace wirehall::engineio
