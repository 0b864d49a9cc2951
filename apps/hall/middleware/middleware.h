#pragma once

#include <wirehall/hall.h>
#include <wirehall/server.h>

namespace hall {

/// Who connects shows a token (or, with `auth.mode: "none"`, says who they are); a user's connections are
/// counted.
void use_authentication(wirehall::Server& io, wirehall::Hall& hall);

/// What a user sends is counted, over all of the user's connections.
void use_rate_limit(wirehall::Server& io, wirehall::Hall& hall);

}  // namespace hall
