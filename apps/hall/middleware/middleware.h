#pragma once

#include <wirehall/hall.h>
#include <wirehall/server.h>

namespace app {

/// Who connects shows a token (or, with `auth.mode: "none"`, says who they are); a user's connections are
/// counted.
void use_authentication(wirehall::Server& io, wirehall::Hall& hall);

/// What a user sends is counted, over all of the user's connections.
void use_rate_limit(wirehall::Server& io, wirehall::Hall& hall);

/// What arrives looks as it should.
void use_validation(wirehall::Server& io);

/// A line in the log for who comes and goes, and for what was refused.
void use_logging(wirehall::Hall& hall);

// wirehall add: middleware

}  // namespace app
