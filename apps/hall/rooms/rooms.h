#pragma once

#include <wirehall/hall.h>

namespace app {

/// Adds the application's own kinds of rooms. Simple ones are entries of `rooms.types` in the configuration.
void add_room_types(wirehall::Hall& hall);
// wirehall add: room-type

}  // namespace app
