// Who may have which stored file: whoever is in its room, or would be put back into it; a private one its two
// users.
#pragma once

#include "api/files.h"
#include "server/hall_wiring.h"

namespace wirehall::server {

/// Lifetime: the wiring outlives what is returned.
api::FileAccess make_file_access(HallWiring& wiring);

}  // namespace wirehall::server
