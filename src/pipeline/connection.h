// One TCP connection from the first byte to the last, without the socket: bytes come in, an outbox fills.
//
//   I1  One owner for its whole life: whatever protocol is spoken stands in its stage, and stages change
//       only between two reads.
//   I2  What arrived and may not be processed yet (budget, back-pressure, a response that is awaited) is
//       kept, in order, and reading stops meanwhile.
//   I3  The end comes once: by ending() when our side wants it, by gone() when the peer went.
//
// The io layer calls receive(), receive_eof(), gone(), wrote(); it reads wants_read() and ending() after
// every call, and writes the outbox at the end of the turn.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/frame.h"
#include "base/prefetch.h"
#include "base/timer_wheel.h"
#include "http1/response.h"
#include "pipeline/world.h"
#include "wirehall/clock.h"

namespace wirehall::pipeline {

class Connection;
class ShardCore;

/// How much one connection may do in one loop turn.
struct TurnBudget {
  std::uint32_t messages = 64;
};

/// A protocol on a connection.
class Stage {
 public:
  virtual ~Stage() = default;
  /// Consumes from the front; may leave bytes when the budget is used up, a response is awaited, or the
  /// stage has been replaced. May change the bytes.
  virtual void receive(char*& cursor, char* end, TurnBudget& budget) = 0;
  /// The peer sends no more.
  virtual void receive_eof() = 0;
  /// The TCP connection has gone without our doing. The stage will be destroyed.
  virtual void gone(bool by_error) = 0;
  /// Everything was written. Called only where wants_drained() says so: most have nothing to do then, and it would be asked
  /// for after every delivery.
  virtual void drained() {}
  /// Asked once, when the stage takes over.
  virtual bool wants_drained() const { return false; }
  /// The server is stopping: end in order.
  virtual void shut_down() = 0;
  virtual MonoTime next_deadline() const { return kNever; }
  virtual void on_deadline(MonoTime) {}
  /// Whether the stage would take bytes now. When not, the peer's end of stream is reported at once.
  virtual bool accepts_input() const { return true; }
  /// Bytes are about to come: asks the processor for the memory that the stage will want.
  virtual void prefetch_state() const {}
  /// The response to one of its requests.
  virtual void respond(std::uint32_t, http1::Response) {}
  virtual std::string_view name() const = 0;
};

/// Who the peer is, as far as TCP and TLS know.
struct PeerInfo {
  std::string address;
  bool secure = false;
};

/// The io layer derives its own kind of connection from it, with the socket.
///
/// Thread:   shard-affine.
/// Lifetime: owned by the io layer; the core outlives it.
class Connection : private Timer {
 public:
  Connection(ShardCore& core, PeerInfo peer);
  ~Connection();
  Connection(const Connection&) = delete;

  // -- io → connection ----------------------------------------------------------------------------
  /// Processes bytes within the turn's budget; keeps what is left.
  void receive(char* begin, char* end);
  /// Goes on with what was kept. Returns: whether there is still more that could be processed now.
  bool resume();
  void receive_eof();
  void gone(bool by_error);
  /// Goes on with an upgrade request that arrived on another shard, and the bytes behind it.
  void arrive(HeadPtr head, std::string kept);
  /// The server is stopping: ends in the protocol's order.
  void shut_down();
  /// The upgrade request of a connection that migrates.
  HeadPtr take_migrating_head() { return std::move(rare_->migration->head); }
  /// The io layer has written; the outbox says what is left.
  void wrote(std::size_t bytes);
  /// The same in the middle of a turn: the stage is told at its end that everything was written.
  void wrote_early(std::size_t bytes);
  /// wrote() in two steps, of which this is the first, for all of an outbox of one piece: nobody is told of anything yet.
  /// Requires: is_settled(), and that tell_drained() follows.
  void forget_piece();
  /// Tells the stage that everything has left, unless it has ended or has something to write by now.
  void tell_drained();
  /// Whether it goes on as it is: it neither ends nor moves, nothing is kept, and nothing was refused by the kernel.
  bool is_settled() const { return !rare_ && ending_ == Ending::kNone; }

  enum class Ending : std::uint8_t {
    kNone,
    kGraceful,  ///< write what is pending, shut down our side, wait for the peer's end
    kAbort,     ///< close at once
  };
  Ending ending() const { return ending_; }
  /// Whether bytes may be read from the socket: not while kept bytes wait.
  bool wants_read() const {
    return (!has_kept() || expects_proxy_header_) && !paused_ && ending_ == Ending::kNone;
  }
  bool has_kept() const { return rare_ && !rare_->kept.empty(); }
  Outbox& outbox() { return outbox_; }
  const Outbox& outbox() const { return outbox_; }

  // -- stage → connection -------------------------------------------------------------------------
  ShardCore& core() const { return core_; }
  /// Requires: HTTP is still spoken; who comes behind it has taken what it needs.
  PeerInfo& peer() const;
  /// A proxy in front of TLS has said whom it speaks for; nothing of the kind comes inside any more.
  void set_proxied_address(std::string address);
  /// Whether the peer is a proxy that may begin with a PROXY header.
  bool expects_proxy_header() const { return expects_proxy_header_; }
  std::uint64_t id() const { return id_; }
  /// Something was appended to the outbox: it is written at the end of the turn.
  void touch();
  /// Something is about to be appended: asks the processor for the memory that this takes.
  void prefetch_for_output() const {
    prefetch(static_cast<const Timer*>(this) + 1, sizeof(Connection) - sizeof(Timer));
  }
  /// Replaces the stage, once a running receive() of it has returned, else at once.
  void become(std::unique_ptr<Stage> stage);
  /// Whether the stage may take more of what has been read.
  bool accepts() const { return !paused_ && !migrates() && ending_ == Ending::kNone; }
  /// Bytes that wait behind the frame that is leaving. Where that is more than `limit` although the kernel
  /// was not asked to take them yet, it is asked first: a burst is no sign of a slow peer.
  std::size_t backlog_bytes(std::size_t limit);
  /// Whether the kernel took less than was written.
  bool is_backed_up() const { return stalled_until() != kNever; }
  /// Ends after the outbox was written.
  void end_gracefully();
  void abort();
  /// The consumer is too slow: what has not begun to leave is dropped, `last` is sent, and it ends.
  void cut(std::string_view last);
  /// Stops or goes on taking bytes.
  void pause_reading(bool paused);
  /// The stage may go on with kept bytes.
  void continue_input();
  /// A deadline of the stage has changed.
  void reschedule();
  /// Moves the connection to another shard, with its stage's request, once everything was written.
  void migrate(unsigned shard, HeadPtr head);
  /// Returns: the shard to which it moves; -1 when it stays.
  int migrating_to() const { return migrates() ? static_cast<int>(rare_->migration->shard) : -1; }
  /// Takes the bytes that were kept; for a migration.
  std::string take_kept() { return rare_ ? std::move(rare_->kept) : std::string(); }

  Stage& stage() const { return *stage_; }

 private:
  void on_timer(MonoTime now) override;
  void process(char* begin, char* end);
  void account_written(std::size_t bytes);
  bool adopt_stage() { return rare_ && rare_->next_stage && adopt_next_stage(); }
  bool adopt_next_stage();
  bool read_proxy_header(char*& cursor, char* end);

  struct Migration {
    unsigned shard;
    HeadPtr head;
  };
  /// What a connection has only while bytes are kept or cannot be written, or while it changes its stage or its shard.
  struct Rare {
    std::unique_ptr<Stage> next_stage;
    std::optional<Migration> migration;
    std::string kept;
    MonoTime stalled_until = kNever;
  };
  Rare& rare();
  void drop_rare();
  /// When the peer must have taken something of what waits; kNever while nothing does.
  MonoTime stalled_until() const { return rare_ ? rare_->stalled_until : kNever; }
  bool migrates() const { return rare_ && rare_->migration; }

  // What every message touches stands first; the base, a timer, has what it needs less often.
  ShardCore& core_;
  std::unique_ptr<Stage> stage_;
  std::unique_ptr<Rare> rare_;
  Outbox outbox_;
  std::uint64_t id_ = 0;
  Ending ending_ : 2 = Ending::kNone;
  bool paused_ : 1 = false;
  bool expects_proxy_header_ : 1 = false;
  bool in_stage_ : 1 = false;
  bool stage_wants_drained_ : 1 = true;  // HTTP's does

 public:
  // The io layer's lists.
  bool touched : 1 = false;
  bool in_ready_list : 1 = false;
};

}  // namespace wirehall::pipeline
