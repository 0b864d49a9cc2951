// Everything of one shard that does no I/O: its connections, Engine.IO sessions, hub and timers. The io
// layer drives it with a real clock and real sockets, the simulator with fake ones.
//
//   A turn:  begin_turn(now)  →  hang-ups, then bytes, timers, mail, in any number  →  end_turn()
//            →  the io layer writes every touched connection  →  sweep()
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/random.h"
#include "base/timer_wheel.h"
#include "http1/request_parser.h"
#include "hub/hub.h"
#include "pipeline/connection.h"
#include "pipeline/engine_server.h"
#include "pipeline/world.h"
#include "ws/deflate.h"

namespace wirehall::pipeline {

/// The way to the other shards and to the pool for blocking work; implemented by io and by the simulator.
class ShardLink {
 public:
  using Task = std::function<void(ShardCore&)>;
  virtual unsigned shard_count() const = 0;
  /// Runs on the target shard after everything posted there before by this one. Never refused.
  virtual void post(unsigned from, unsigned to, Task task) = 0;
  /// Posts to every shard but `from`, or to none when a mailbox has no room for one more task and `bytes`.
  virtual bool try_post_all(unsigned from, std::size_t bytes, const Task& task) = 0;
  virtual bool run_blocking(unsigned from, std::function<void()> work, Task done) = 0;
  /// Writes what a connection has queued, as far as the kernel takes it, in the middle of a turn.
  virtual void write_early(Connection& connection) = 0;
  /// Another turn is wanted soon.
  virtual void want_turn(unsigned shard) = 0;

 protected:
  ~ShardLink() = default;
};

/// The io layer derives its own, so that a connection finds the shard by its core.
///
/// Thread:   shard-affine.
class ShardCore : public hub::Environment, public http1::ResponseSink {
 public:
  ShardCore(const World& world, ShardLink& link, unsigned shard, RandomSource& random, MonoTime start,
            WallMs wall);
  virtual ~ShardCore();

  // -- turns --------------------------------------------------------------------------------------
  void begin_turn(MonoTime now, WallMs wall);
  /// Lets coroutines go on, retries broadcasts, answers polls.
  void end_turn();
  /// Destroys what ended in this turn. No pointer to a session survives it.
  void sweep();
  /// How many connections the next take_touched() would give.
  std::size_t touched_count() const { return touched_.size(); }
  /// Whether `is(connection)` holds for each of them.
  template <class F>
  bool all_touched(F&& is) const {
    return std::all_of(touched_.begin(), touched_.end(), [&](Connection* connection) { return is(*connection); });
  }
  /// The connections that have something to write or whose end has come.
  /// Lifetime: the list, until the next call.
  const std::vector<Connection*>& take_touched() {
    taken_.clear();
    taken_.swap(touched_);
    return taken_;
  }
  /// Takes a connection off that list when it is the only one on it.
  bool take_if_alone(const Connection& connection) {
    if (touched_.size() != 1 || touched_.front() != &connection) return false;
    touched_.clear();
    return true;
  }
  /// Connections that may go on with kept bytes.
  std::vector<Connection*> take_ready() { return std::exchange(ready_, {}); }
  bool has_ready() const { return !ready_.empty(); }
  MonoTime next_deadline() const { return timers_.next_deadline(); }
  void fire_timers() { timers_.advance(now_); }

  // -- hub::Environment ---------------------------------------------------------------------------
  MonoTime now() const final { return now_; }
  WallMs wall_now() const final { return wall_; }
  RandomSource& random() final { return random_; }
  TimerWheel& timers() final { return timers_; }
  Metrics& metrics() final { return metrics_; }
  const Limits& limits() const final { return world_.limits; }
  unsigned shard() const final { return shard_; }
  unsigned shard_count() const final { return link_.shard_count(); }
  void post(unsigned shard, hub::HubTask task) final;
  bool try_post_all(std::size_t bytes, const hub::HubTask& task) final;
  void build_forms_in_use(hub::EncodedMessage& message) final;
  void want_turn() final { link_.want_turn(shard_); }
  bool run_blocking(std::function<void()> work, std::function<void()> done) final;

  // -- for connections, stages and sessions ---------------------------------------------------------
  const World& world() const { return world_; }
  ShardLink& link() { return link_; }
  hub::Hub& hub() { return hub_; }
  EngineServer& engine() { return engine_; }
  ws::Inflater& inflater() { return inflater_; }
  ws::Deflater& deflater() { return deflater_; }
  native::FrameDecoder& native_decoder() { return native_decoder_; }
  /// For the next request. Parsers go from hand to hand, so that the one in use is as a rule in the cache.
  std::unique_ptr<http1::RequestParser> take_parser();
  /// Requires: a whole request was taken from it.
  void give_back(std::unique_ptr<http1::RequestParser> parser);
  const Metrics& metrics() const { return metrics_; }
  void respond(const Responder& to, http1::Response response) final;
  /// `Date` of this second.
  std::string_view date();

  std::uint64_t add(Connection& connection);
  void remove(Connection& connection);
  Connection* find(std::uint64_t id) const;
  std::size_t connection_count() const { return connection_count_; }
  void touched(Connection& connection);
  void ready(Connection& connection);
  void forget(Connection& connection);

  /// Every connection, for an orderly end.
  std::vector<Connection*> connections() const;

 private:
  /// The connection there; where there is none, the generation of the next one, as an odd number.
  class Slot {
   public:
    Connection* connection() const { return is_free() ? nullptr : reinterpret_cast<Connection*>(word_); }
    std::uint32_t take(Connection& connection) {
      const auto generation = static_cast<std::uint32_t>(word_ >> 1);
      word_ = reinterpret_cast<std::uintptr_t>(&connection);
      return generation;
    }
    void release(std::uint32_t next_generation) { word_ = static_cast<std::uintptr_t>(next_generation) << 1 | 1; }

   private:
    bool is_free() const { return (word_ & 1) != 0; }
    static_assert(sizeof(std::uintptr_t) == 8);
    std::uintptr_t word_ = 1 << 1 | 1;
  };

  const World& world_;
  ShardLink& link_;
  unsigned shard_;
  RandomSource& random_;
  MonoTime now_;
  WallMs wall_;
  TimerWheel timers_;
  Metrics metrics_;
  ws::Inflater inflater_;
  ws::Deflater deflater_;
  native::FrameDecoder native_decoder_;
  std::vector<std::unique_ptr<http1::RequestParser>> spare_parsers_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::size_t connection_count_ = 0;
  std::vector<Connection*> touched_;
  std::vector<Connection*> taken_;  // of touched_; kept, so that a turn takes no memory for its list
  std::vector<Connection*> ready_;
  std::string date_;
  std::int64_t date_second_ = -1;
  hub::Hub hub_;
  EngineServer engine_;
};

}  // namespace wirehall::pipeline
