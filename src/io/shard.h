// One shard: one thread, one loop, its own listening socket, connections, buffers and timers.
//
//   A turn ends with the flush: every connection that was touched is written once, but for answers that concern nobody
//   else, which are written right after the group that was read with them. Whatever brings work — what the
//   poller reports, the mailbox among it, and a deadline — goes through turn().
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/assert.h"
#include "io/mailbox.h"
#include "io/poller.h"
#include "io/system.h"
#include "io/tcp_connection.h"
#include "io/tls.h"
#include "pipeline/shard_core.h"

namespace wirehall::io {

class Node;

/// Thread:   everything but post() and the constructor belongs to the shard's thread.
class Shard {
 public:
  Shard(Node& node, unsigned index);
  ~Shard();

  /// Starts to accept on a socket that listens already; may be called before run().
  void listen(int socket);
  void start_thread();
  void join();

  /// Runs a task on this shard. Thread: any.
  void post(std::function<void()> task) { mailbox_.push(std::move(task)); }
  Mailbox& mailbox() { return mailbox_; }

  // -- for connections ------------------------------------------------------------------------------
  pipeline::ShardCore& core() { return core_; }
  /// Requires: it is a shard's.
  static Shard& of(pipeline::ShardCore& core) { return static_cast<Core&>(core).shard; }
  Poller& poller() { return *poller_; }
  /// Requires: no group is in it.
  std::span<char> receive_buffer() {
    WIREHALL_ASSERT(group_count_ == 0);
    return {receive_buffer_.get(), kReceiveBytes};
  }
  // Connections that are ready together are read one after another, then processed, then written: what they have in
  // common, code above all, stays in the processor's cache, which the kernel needs for itself in each call.
  /// Where the next one reads to.
  std::span<char> group_room() { return {receive_buffer_.get() + group_bytes_, kReceiveBytes - group_bytes_}; }
  /// So much has been read there. Processes the group when there is no room for another.
  void received(TcpConnection& connection, std::size_t bytes);
  /// Processes what was read, and writes the answers.
  void serve_group() {
    if (group_count_ != 0) process_group();
  }
  std::span<char> write_buffer() { return {write_buffer_.get(), kWriteBytes}; }
  void retire(TcpConnection& connection);
  void read_later(TcpConnection& connection);
  void send_connection(unsigned target, std::shared_ptr<TcpConnection::Moved> moved);
  /// Has the next turn begin without waiting for anything.
  void want_turn() { turn_wanted_ = true; }
  /// Whether this turn has taken a batch before: who was served in it waits for the next one.
  bool takes_more() const { return takes_more_; }
  /// Tells a turn from the 255 before it.
  std::uint8_t turn_digits() const { return turn_digits_; }

  /// Stops accepting, ends every connection spread over the window, then stops the loop.
  void drain(Duration window);
  /// Stops the loop at the end of this turn.
  void stop() { stopping_ = true; }
  /// Runs what others have posted since the thread has ended. Requires: joined; the caller's thread stands for
  /// the shard's. Returns: how much there was.
  std::size_t run_left_mail();
  /// Without those that have ended in this turn.
  std::size_t connection_count() const { return core_.connection_count() - retired_.size(); }

 private:
  struct Core final : pipeline::ShardCore {
    template <class... Args>
    explicit Core(Shard& owner, Args&&... args) : ShardCore(std::forward<Args>(args)...), shard(owner) {}
    Shard& shard;
  };
  class Listener;
  class MailboxWatch;
  class DrainTimer;
  static constexpr std::size_t kReceiveBytes = 64 * 1024;
  static constexpr std::size_t kWriteBytes = 64 * 1024;
  static constexpr std::size_t kGroupConnectionsMax = 32;  // more save nothing
  static constexpr Duration kAnswerWaitMax = Milliseconds(1);  // for others of the group, but for the running handlers
  static constexpr std::size_t kGroupRoomBytesMin = 16 * 1024;  // as much as one read may be sure of

  void run();
  /// Whether its thread takes the sockets into a table of its own.
  bool separates_descriptors() const;
  template <class F>
  void turn(F&& work);
  void take_batches();
  void process_group();
  bool flush_touched();
  void write_answers();
  void finish_turn();
  Duration time_to_wait();
  void accepted(int socket, std::string address);
  void adopt(TcpConnection::Moved& moved);
  void drain_some();

  Node& node_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<Poller> poller_;
  Mailbox mailbox_;
  Core core_;
  std::unique_ptr<char[]> receive_buffer_;
  std::unique_ptr<char[]> write_buffer_;
  struct Received {
    TcpConnection* connection;
    std::size_t begin, bytes;  // in the receive buffer
  };
  std::array<Received, kGroupConnectionsMax> group_;
  std::size_t group_count_ = 0;
  std::size_t group_bytes_ = 0;
  std::unique_ptr<MailboxWatch> mailbox_watch_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<TcpConnection*> read_later_;
  // Those in use are owned through the core's table, from accepted() or adopt() until retire().
  std::vector<std::unique_ptr<TcpConnection>> retired_;
  std::unique_ptr<DrainTimer> drain_;
  bool turn_wanted_ = false;
  bool takes_more_ = false;
  std::uint8_t turn_digits_ = 0;
  std::size_t mail_left_ = 0;  // of what this turn may take
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wirehall::io
