// A whole process in one thread: the production pipeline and hub on simulated shards, connections and time.
//
// Shards are queues that are drained in an order which the seed chooses; connections hand bytes over in
// pieces which the seed chooses; time moves only by advance(). A failing test prints its seed.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "hub/hub.h"
#include "pipeline/shard_core.h"

namespace wirehall::test {

class SimNode;
class SimPeer;

/// The server's end of one TCP connection, which knows the client's.
struct SimConnection final : pipeline::Connection {
  SimConnection(pipeline::ShardCore& core, pipeline::PeerInfo info, SimPeer& client)
      : Connection(core, std::move(info)), peer(client) {}
  SimPeer& peer;
};

/// The client's end of one TCP connection.
class SimPeer {
 public:
  /// Sends bytes; they arrive in pieces when the node runs.
  void send(std::string_view bytes) { outgoing_.append(bytes); }
  /// Closes the client's side; the server sees it behind what was sent.
  void half_close() { half_closed_ = true; }
  /// The connection breaks: the server sees a reset.
  void reset() { reset_ = true; }
  /// Everything received so far and not taken yet.
  std::string& received() { return received_; }
  std::string take() { return std::exchange(received_, {}); }
  /// Whether the server has ended the connection.
  bool closed() const { return closed_; }
  /// While false, the server's writes are blocked after `window` more bytes.
  bool reads = true;
  std::size_t window = 0;

 private:
  friend class SimNode;
  std::string outgoing_;
  std::string received_;
  bool half_closed_ = false;
  bool eof_delivered_ = false;
  bool reset_ = false;
  bool closed_ = false;
  unsigned shard_ = 0;
  std::unique_ptr<SimConnection> connection_;
};

class SimNode final : public pipeline::ShardLink {
 public:
  explicit SimNode(unsigned shards, std::uint64_t seed = 1);
  ~SimNode();

  hub::Registry& registry() { return registry_; }
  pipeline::World& world() { return world_; }
  Namespace& of(std::string_view name) { return registry_.of(name).api; }
  /// Registration has ended; the shards exist from here on.
  void start();

  SimPeer& connect(unsigned shard, std::string address = "10.0.0.1");
  /// Runs until nothing is left to do at this time.
  void run();
  /// Takes at most so many steps: for what cannot come to rest.
  void settle(int steps);
  /// Moves time in steps of at most one millisecond's deadline, running whatever becomes due.
  void advance(Duration duration);

  pipeline::ShardCore& core(unsigned shard) { return *shards_[shard]->core; }
  std::size_t sessions() const;
  SeededRandom& random() { return random_; }
  MonoTime now() const { return now_; }
  std::uint64_t sum(Counter counter) const;

  /// How much of a mailbox is left; broadcasts that do not fit are refused.
  std::uint32_t mailbox_tasks_max = 1'000'000;
  /// Mail from shard to shard is held while false.
  bool mail_flows = true;
  /// Blocking work is refused while false, as by a pool whose queue is full.
  bool pool_accepts = true;
  /// Whole inputs instead of random pieces.
  bool whole_input = false;

  // -- pipeline::ShardLink --------------------------------------------------------------------------
  unsigned shard_count() const override { return static_cast<unsigned>(shards_.size()); }
  void post(unsigned from, unsigned to, Task task) override;
  bool try_post_all(unsigned from, std::size_t bytes, const Task& task) override;
  bool run_blocking(unsigned from, std::function<void()> work, Task done) override;
  void want_turn(unsigned shard) override { shards_[shard]->wants_turn = true; }
  void write_early(pipeline::Connection& connection) override;

 private:
  struct SimShard {
    std::unique_ptr<SeededRandom> random;
    std::unique_ptr<pipeline::ShardCore> core;
    std::vector<std::deque<Task>> mail;  // by sender: order is kept per sender only
    std::size_t broadcasts = 0;
    bool wants_turn = false;
  };
  void turn(unsigned shard, const std::function<void()>& work);
  bool deliver_mail(unsigned shard);
  bool deliver_bytes(SimPeer& peer);
  void flush(unsigned shard);
  void end_connection(SimPeer& peer);
  bool step();

  SeededRandom random_;
  hub::Registry registry_;
  pipeline::World world_;
  MonoTime now_{};
  WallMs wall_ = 1'700'000'000'000;
  std::vector<std::unique_ptr<SimShard>> shards_;
  std::vector<std::unique_ptr<SimPeer>> peers_;
  std::vector<std::unique_ptr<SimConnection>> dead_;
};

// -- what a client of the protocols needs ---------------------------------------------------------

std::string get(std::string_view target, std::string_view headers = "");
std::string post(std::string_view target, std::string_view body, std::string_view headers = "");
std::string upgrade(std::string_view target, std::string_view headers = "");
/// A masked frame.
std::string frame(unsigned opcode, std::string_view payload, bool fin = true);
std::string text(std::string_view payload);

struct HttpAnswer {
  int status = 0;
  std::string head;
  std::string body;
};
/// Cuts one whole response off the front; status 0 when there is none.
HttpAnswer take_response(std::string& received);
/// Cuts all whole frames off the front, as "t:payload", "b:payload", "close:code", "ping:", "pong:".
std::vector<std::string> take_frames(std::string& received);

}  // namespace wirehall::test
