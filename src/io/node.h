// All shards of this process, and the links between them.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "io/blocking_pool.h"
#include "io/shard.h"
#include "pipeline/shard_core.h"

namespace wirehall::io {

struct NodeOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free one
  unsigned shards = 1;
  bool portable_poller = false;
  std::shared_ptr<TlsContext> tls;
  unsigned blocking_threads = 2;
  /// The shard's sockets are in a table that is its thread's alone, when there is one shard (sockets move between
  /// several) and the system allows it.
  bool separate_descriptors = false;
};

/// Thread:   start, drain, stop and join from the thread that made it; the rest from shards.
/// Lifetime: the world outlives it.
class Node final : public pipeline::ShardLink {
 public:
  Node(const pipeline::World& world, NodeOptions options);
  ~Node();

  /// Binds and starts the shards.
  /// Errors:   kConfig: the address cannot be bound, with the reason.
  Status start();
  std::uint16_t port() const { return port_; }
  /// Ends in order within the window; join() returns when it is done.
  void drain(Duration window);
  void stop();
  void join();
  /// Runs what shards have posted to others that had ended already. Requires: joined.
  void run_left_mail();

  const pipeline::World& world() const { return world_; }
  const NodeOptions& options() const { return options_; }
  Shard& shard(unsigned index) { return *shards_[index]; }
  /// Runs a task on a shard, in a turn. Thread: any.
  void post_to(unsigned shard, Task task);
  /// Counter sums over all shards. Thread: any.
  std::uint64_t sum(Counter counter) const;

  /// A shard has no connection left; told once by each.
  void shard_drained() { drained_.fetch_add(1, std::memory_order_acq_rel); }
  bool all_drained() const { return drained_.load(std::memory_order_acquire) >= shards_.size(); }

  // -- places for connections, over all shards. Thread: any.
  bool take_place();
  void keep_place() { places_.fetch_add(1, std::memory_order_relaxed); }
  void give_place() { places_.fetch_sub(1, std::memory_order_relaxed); }
  std::size_t connections() const { return places_.load(std::memory_order_relaxed); }

  // -- pipeline::ShardLink --------------------------------------------------------------------------
  unsigned shard_count() const override { return static_cast<unsigned>(shards_.size()); }
  void post(unsigned from, unsigned to, Task task) override;
  bool try_post_all(unsigned from, std::size_t bytes, const Task& task) override;
  bool run_blocking(unsigned from, std::function<void()> work, Task done) override;
  void want_turn(unsigned shard) override { shards_[shard]->want_turn(); }
  void write_early(pipeline::Connection& connection) override {
    static_cast<TcpConnection&>(connection).write_early();
  }

 private:
  Result<int> open_listener(bool shared, std::uint16_t port);

  const pipeline::World& world_;
  NodeOptions options_;
  BlockingPool pool_;
  std::size_t places_max_;
  std::atomic<std::size_t> places_{0};
  std::atomic<std::size_t> drained_{0};
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace wirehall::io
