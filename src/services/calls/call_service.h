// Calls of the hall's sockets. The registry lives on one shard, the first, which is the one place where calls
// have an order; every shard asks it, and delivers what comes back.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/timer_wheel.h"
#include "hub/socket.h"
#include "services/calls/call_registry.h"
#include "services/hall/user_directory.h"
#include "wirehall/task.h"

namespace wirehall::services {

class HallShard;
struct HallShared;

/// Thread:   shard-affine.
class CallService {
 public:
  CallService(HallShard& hall, const CallOptions& options);
  ~CallService();

  /// When the target is calling already, kConflict has the id of that call as its field `callId`.
  Task<Result<Object>> start(hub::SocketPtr socket, Object fields);
  Task<Result<Object>> answer(hub::SocketPtr socket, Object fields);
  Task<Result<Object>> reject(hub::SocketPtr socket, Object fields);
  Task<Result<Object>> end(hub::SocketPtr socket, Object fields);
  Task<Result<Object>> candidate(hub::SocketPtr socket, Object fields);
  /// STUN and TURN servers, with credentials for a while. Spec: "A REST API for access to TURN services".
  Result<Object> ice_servers(const std::string& user_id) const;

  /// A socket has gone. Its user may have had a part in a call.
  void disconnected(const hub::Socket& socket);

 private:
  /// What crosses shards: values as text.
  struct Outcome {
    Status status;
    std::string fields_json;
  };
  struct Deadline;
  using Question = std::function<CallOutcome(CallRegistry&, HallShard& there)>;
  CallEnd end_of(const hub::Socket& socket) const;
  Task<Result<Object>> ask(Question question);
  Outcome answer_here(const Question& question);
  void disconnected_here(const CallEnd& end);
  void deliver(CallEffects effects);
  void reschedule();

  HallShard& hall_;
  std::unique_ptr<CallRegistry> registry_;  // on the first shard
  std::unique_ptr<Deadline> deadline_;
};

}  // namespace wirehall::services
