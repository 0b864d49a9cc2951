// The application: what `wirehall serve` runs. Each event has a file of its own in handlers/, what every
// connection and event passes stands in middleware/.
#pragma once

#include <wirehall/hall.h>
#include <wirehall/server.h>

namespace hall {

/// Registers everything with the server. Call once, before it runs.
void install(wirehall::Server& io, wirehall::Hall& hall);

}  // namespace hall
