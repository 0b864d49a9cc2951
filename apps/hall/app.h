// The application. Each event has a file of its own in handlers/, what every connection and every event
// passes stands in middleware/, kinds of rooms in rooms/.
#pragma once

#include <wirehall/hall.h>
#include <wirehall/server.h>

namespace app {

/// Registers everything with the server. Call once, before it runs.
void install(wirehall::Server& io, wirehall::Hall& hall);

}  // namespace app
