// The configured authenticators: tokens, or whoever says who they are.
#pragma once

#include <memory>

#include "wirehall/auth.h"
#include "wirehall/config.h"

namespace wirehall::server {

/// Never fails: what is wrong with the keys appears in check_authenticator().
std::unique_ptr<Authenticator> make_authenticator(const AuthConfig& config);

/// Errors:   kConfig: a key is weak, cannot be read, or does not fit its algorithm.
Status check_authenticator(const Authenticator& authenticator);

}  // namespace wirehall::server
