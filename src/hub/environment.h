// What the hub of one shard needs from outside: time, randomness, timers, and the way to the other shards.
// Implemented by pipeline::ShardCore, which the io layer and the simulator drive.
#pragma once

#include <cstdint>
#include <functional>

#include "base/metrics.h"
#include "base/random.h"
#include "base/timer_wheel.h"
#include "wirehall/clock.h"
#include "wirehall/limits.h"

namespace wirehall::hub {

class Hub;
class EncodedMessage;

/// Work for another shard's hub.
using HubTask = std::function<void(Hub&)>;

/// Thread:   shard-affine, but for what says otherwise.
class Environment {
 public:
  /// The time of this loop turn.
  virtual MonoTime now() const = 0;
  virtual WallMs wall_now() const = 0;
  virtual RandomSource& random() = 0;
  virtual TimerWheel& timers() = 0;
  virtual Metrics& metrics() = 0;
  virtual const Limits& limits() const = 0;

  virtual unsigned shard() const = 0;
  virtual unsigned shard_count() const = 0;
  /// Runs a control task on another shard, after everything posted there before. Never refused: control
  /// tasks are bounded by what causes them.
  virtual void post(unsigned shard, HubTask task) = 0;
  /// Runs a task on every other shard, or on none when one of their mailboxes has no room for `bytes`.
  virtual bool try_post_all(std::size_t bytes, const HubTask& task) = 0;

  /// Builds every form that connections of this process have needed so far: before a message is frozen.
  virtual void build_forms_in_use(EncodedMessage& message) = 0;

  /// Asks for another turn soon: coroutines are ready to go on.
  virtual void want_turn() = 0;
  /// Runs work that may block on the pool, then `done` on this shard. False when the pool's queue is full.
  virtual bool run_blocking(std::function<void()> work, std::function<void()> done) = 0;

 protected:
  ~Environment() = default;
};

}  // namespace wirehall::hub
