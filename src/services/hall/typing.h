// Who types where: on the room's owner shard. A beginning is told once, and so is its end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/hash_map.h"
#include "base/timer_wheel.h"
#include "hub/hub.h"
#include "wirehall/value.h"

namespace wirehall::services {

/// Thread:   shard-affine: only rooms that this shard owns.
class TypingTracker {
 public:
  using Tell = std::function<void(const std::string& room, std::string event, Object fields,
                                  const std::string& except)>;
  TypingTracker(hub::Hub& hub, Duration timeout, Tell tell);
  ~TypingTracker();

  void typing(const std::string& room, const std::string& user_id, const std::string& user_json,
              const std::string& socket_id);
  /// Ends by itself after the timeout, or with this; nothing happens when it has ended.
  void stopped(const std::string& room, const std::string& user_id);

 private:
  struct Typist;
  void end(const std::string& key);

  hub::Hub& hub_;
  Duration timeout_;
  Tell tell_;
  TextMap<std::unique_ptr<Typist>> typists_;
  std::vector<std::unique_ptr<Typist>> ended_;
};

}  // namespace wirehall::services
