#pragma once

#include <wirehall/hall.h>
#include <wirehall/server.h>

namespace app {

/// Who is there, and how they are.
void on_presence(wirehall::Server& io, wirehall::Hall& hall);

}  // namespace app
