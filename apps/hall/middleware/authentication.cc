#include "middleware/middleware.h"

namespace app {

void use_authentication(wirehall::Server& io, wirehall::Hall& hall) {
  io.use(wirehall::jwt_auth());
  io.use(
      [&hall](wirehall::Socket& socket) -> wirehall::Task<wirehall::Verdict> { return hall.admit(socket); });
}

}  // namespace app
