// What a server's words mean as errors of the catalogue.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http1/response_parser.h"
#include "wirehall/handshake.h"
#include "wirehall/result.h"
#include "wirehall/value.h"

namespace wirehall::client {

/// The catalogue's entry with that code; nullopt where it has none.
std::optional<ErrorCode> code_from_kebab(std::string_view kebab);

/// An error with the server's text, which is not repeated where it begins as the catalogue's does.
Error error_with_text(ErrorCode code, std::string_view text);

/// The error that an answer is: an object with the texts `error` and `code`; nullopt for every other one.
std::optional<Error> error_in_answer(const Value& answer);

/// What a server's HTTP response to the handshake means, which is not what was asked for.
Error error_of_response(const http1::ReceivedResponse& response, Protocol protocol, const std::string& where);

}  // namespace wirehall::client
