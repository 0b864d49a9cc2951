// What users see of a request that opens a connection, and what they may add to its answers.
#pragma once

#include <string>
#include <vector>

#include "hub/kept_handshake.h"
#include "http1/head.h"
#include "http1/response.h"
#include "pipeline/world.h"
#include "wirehall/handshake.h"

namespace wirehall::pipeline {

/// Where a request comes from.
struct RequestOrigin {
  std::string address;  ///< of the client; behind trusted proxies theirs
  bool secure = false;
  /// A browser page that may not use the user's cookies: they are left out, since they would authenticate
  /// whoever opened it.
  bool foreign_page = false;
};

Handshake make_handshake(const http1::RequestHead& head, const RequestOrigin& origin, WallMs now);
/// The same for a connection to keep: it becomes a Handshake when somebody looks.
hub::KeptHandshake keep_handshake(const http1::RequestHead& head, const RequestOrigin& origin, WallMs now);

/// What the header hooks add to the answer to a request; nothing where there are none. `initial`: it opens
/// the session. Fields that frame a message, and what may not stand in a field, are left out.
std::vector<http1::Header> added_headers(const World& world, const http1::RequestHead& head, bool initial);

}  // namespace wirehall::pipeline
