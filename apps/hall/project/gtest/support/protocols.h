// The protocols that this server speaks; each behaviour is tested over all of them.
#pragma once

#include <wirehall/client.h>

#include <vector>

namespace app {

inline std::vector<wirehall::Protocol> protocols() {
  std::vector<wirehall::Protocol> all;
  all.push_back(wirehall::Protocol::kNative);    // feature: native
  all.push_back(wirehall::Protocol::kSocketIo);  // feature: socketio
  return all;
}

}  // namespace app
