// Credentials for TURN servers that last for a while.
#pragma once

#include <string>
#include <string_view>

namespace wirehall::auth {

/// The password of a user name of the form `<seconds since 1970>:<user>`: base64 of its HMAC-SHA1 under the
/// secret that is shared with the TURN server, which checks both by itself.
///
/// Spec: draft-uberti-behave-turn-rest, section 2.2.
std::string turn_credential(std::string_view secret, std::string_view user_name);

}  // namespace wirehall::auth
