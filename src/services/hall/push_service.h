// Reaching users who are away, and the subscriptions by which they can be reached.
#pragma once

#include <string>

#include "hub/socket.h"
#include "services/hall/hall_shared.h"
#include "wirehall/push_sender.h"
#include "wirehall/task.h"

namespace wirehall::services {

class HallShard;

/// Thread:   shard-affine.
class PushService {
 public:
  explicit PushService(HallShard& hall) : hall_(hall) {}

  Task<Result<Object>> subscribe(hub::SocketPtr socket, Object fields);
  Task<Result<Object>> unsubscribe(hub::SocketPtr socket, Object fields);
  /// Off the hot path, and at most once; nothing happens where push is off.
  void send(const std::string& user_id, Object payload, std::string topic, PushUrgency urgency);

 private:
  Task<> send_later(std::string user_id, std::string payload_json, std::string topic, PushUrgency urgency);
  HallShard& hall_;
};

}  // namespace wirehall::services
