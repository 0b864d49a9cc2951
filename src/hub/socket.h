// One client's presence in one namespace on this shard; see wirehall/socket.h for what users see.
//
//   I1  connecting → connected → closed, or connecting → closed. A closed socket never runs a handler again
//       and sends nothing.
//   I2  Disconnect handlers run exactly once, and only for a socket that was connected.
//   I3  Every wait for an answer ends exactly once: answer, timeout, or disconnected.
//   I4  The object lives while somebody holds a SocketPtr: a running handler does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/short_id.h"
#include "base/timer_wheel.h"
#include "hub/completion.h"
#include "hub/kept_handshake.h"
#include "hub/kept_user.h"
#include "hub/room_index.h"
#include "hub/socket_link.h"
#include "hub/spec.h"
#include "wirehall/remote_socket.h"
#include "wirehall/socket.h"

namespace wirehall::hub {

class Hub;
class NamespaceShard;
class Socket;
struct LogEntry;

/// Counts references to a socket, on its shard.
class SocketPtr {
 public:
  SocketPtr() = default;
  explicit SocketPtr(Socket* socket);
  SocketPtr(const SocketPtr& other);
  SocketPtr(SocketPtr&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
  SocketPtr& operator=(SocketPtr other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
  }
  ~SocketPtr();
  Socket* get() const { return socket_; }
  Socket& operator*() const { return *socket_; }
  Socket* operator->() const { return socket_; }
  explicit operator bool() const { return socket_ != nullptr; }

 private:
  Socket* socket_ = nullptr;
};

/// State that a service keeps for a socket; dies with it.
class SocketExtension {
 public:
  virtual ~SocketExtension() = default;
  /// The socket was refused, or its connection ended, before it was connected.
  virtual void never_connected() {}
  /// Whether a client that comes back may continue a session: it was in these rooms.
  virtual bool may_continue(const std::vector<std::string>& rooms) const {
    (void)rooms;
    return true;
  }
  /// The socket is about to leave a room, whoever wanted it; not told at its end, when it leaves all of them.
  /// Returns: whether left() is to be called when it is out.
  virtual bool leaving(const std::string& room) {
    (void)room;
    return false;
  }
  virtual void left(const std::string& room) { (void)room; }
};

/// Thread:   shard-affine.
class Socket final : public wirehall::Socket {
 public:
  Socket(NamespaceShard& nsp, SocketLink& link, KeptHandshake handshake, std::string_view id);

  // -- what the links call ------------------------------------------------------------------------
  /// An event of the client. `ack`: the answer it waits for.
  void receive_event(std::string_view event, Args& args, std::optional<AckId> ack);
  /// The client's answer to an event of ours; unknown numbers are ignored.
  void receive_ack(std::uint64_t id, Args args);
  /// The connection, or the client's part in this namespace, has ended.
  void close(std::string_view reason);

  // -- connection state recovery --------------------------------------------------------------------
  struct Recovery {
    std::string wanted_pid;     ///< what the client wants to continue
    std::string wanted_offset;  ///< the last position that it has seen; empty: none
    std::string pid;
    std::uint64_t position = 0;  ///< of the log when it connected
    bool recovered = false;
    std::vector<std::shared_ptr<const LogEntry>> missed;
  };
  Recovery* recovery() const { return more_ ? more_->recovery.get() : nullptr; }
  Recovery& make_recovery() {
    if (recovery() == nullptr) more().recovery = std::make_unique<Recovery>();
    return *more_->recovery;
  }
  bool wants_recovery() const { return recovery() != nullptr && !recovery()->wanted_pid.empty(); }
  std::vector<std::shared_ptr<const LogEntry>> take_missed() {
    return recovery() != nullptr ? std::exchange(recovery()->missed, {})
                                 : std::vector<std::shared_ptr<const LogEntry>>();
  }
  /// Continues under the id that it had. Requires: not connected yet.
  void become(std::string_view id) { id_ = ShortId(id); }

  // -- what the hub calls -------------------------------------------------------------------------
  void mark_connected();
  bool is_connected() const { return state_ == State::kConnected; }
  bool is_closed() const { return state_ == State::kClosed; }
  bool is_closing() const { return closing_; }
  /// Whether the handlers of the end have run: the link may be gone, and is not to be asked any more.
  bool is_over() const { return over_; }
  Protocol protocol() const { return protocol_; }
  NamespaceShard& shard() const { return *nsp_; }
  Hub& hub() const;
  SocketLink& link() const { return *link_; }
  /// Lifetime: as long as the socket, or until it becomes another one.
  std::string_view id() const { return id_.view(); }
  MembershipList& memberships() { return memberships_; }
  const MembershipList& memberships() const { return memberships_; }
  const KeptHandshake& kept_handshake() const { return handshake_; }
  /// Whoever holds the one that it had may not look at it any more.
  void set_handshake(KeptHandshake handshake) { handshake_ = std::move(handshake); }
  const User& user() const { return user_.get(); }
  void set_user(User user) { user_.set(std::move(user)); }
  /// Who it is is known, and its handshake is what stays: both are kept as small as they can be. Whoever holds the User
  /// may not look at it any more.
  void pack_user() { user_.pack(handshake_); }

  /// A handler of this socket is suspended, or no longer.
  void handler_suspended();
  void handler_resumed();
  /// A coroutine waits for this client's answer, or no longer.
  void client_awaited(bool begins);

  SocketExtension* extension() const { return more_ ? more_->extension.get() : nullptr; }
  void set_extension(std::unique_ptr<SocketExtension> extension) { more().extension = std::move(extension); }

  using AckDone = std::function<void(Result<Args>)>;
  /// Registers a wait for the client's answer under that number. `done` is called once, in its own time.
  void expect_ack(std::uint64_t id, Duration timeout, AckDone done);
  /// Asked once for each receiver of a broadcast: answered without a look at what few sockets have.
  bool has_outgoing_listeners() const { return has_outgoing_listeners_; }
  void add_outgoing_listener(AnyOutgoingHandler listener, bool first);
  void drop_outgoing_listeners();
  void tell_outgoing(std::string_view event, const Args& args);
  /// A copy that may leave the shard.
  SocketInfo info() const;
  /// Emits and registers a wait for the answer.
  std::shared_ptr<CompletionState<Result<Args>>> emit_expecting(std::string_view event,
                                                                std::span<const Value> args,
                                                                Duration timeout);
  bool can_emit() const;
  SendResult emit_logged(std::string_view event, std::span<const Value> args, const EmitFlags& flags);
  SendResult emit_flagged(std::string_view event, std::span<const Value> args, const EmitFlags& flags);

  /// Of a socket, from its beginning, what delivering to it looks at.
  static constexpr std::size_t kDeliveryBytes = 32;

 private:
  SocketLink* link_;

 public:
  // Marks of the broadcast that is going through the rooms: its number, which the adapter gives.
  std::uint32_t selected_in = 0;
  std::uint32_t excepted_in = 0;
  std::uint32_t index_in_namespace = 0;

 private:
  friend class wirehall::Socket;
  friend class SocketPtr;
  enum class State : std::uint8_t { kConnecting, kConnected, kClosed };

  struct OwnHandler {
    std::string event;
    SharedHandler handler;
    bool once = false;
  };
  struct PendingAck {
    std::uint64_t id;
    MonoTime deadline;
    AckDone done;
  };
  /// What few sockets have, so that most cost nothing for it.
  struct Rare final : Timer {
    explicit Rare(Socket& owner) : socket(owner) {}
    void on_timer(MonoTime now) override { socket.expire_acks(now); }
    Socket& socket;
    Value data;
    std::vector<OwnHandler> handlers;
    std::vector<AnyHandler> any;
    std::vector<AnyOutgoingHandler> any_outgoing;
    std::vector<std::function<Status(std::string_view, Args&)>> middlewares;
    std::vector<std::function<void(wirehall::Socket&, std::string_view)>> disconnecting;
    std::vector<std::function<void(wirehall::Socket&, std::string_view)>> disconnect;
    std::vector<PendingAck> acks;  // ascending by id
  };
  /// What a socket at rest in a plain application has none of.
  struct More {
    std::unique_ptr<Rare> rare;
    std::unique_ptr<SocketExtension> extension;
    std::unique_ptr<Recovery> recovery;
  };
  ~Socket();
  More& more() {
    if (!more_) more_ = std::make_unique<More>();
    return *more_;
  }
  Rare& rare();
  Rare* find_rare() const { return more_ ? more_->rare.get() : nullptr; }
  Status check_event(std::string_view event, Args& args);
  void run_handlers(std::string_view event, Args& args, Ack& ack);
  std::vector<SharedHandler> take_own_handlers(std::string_view event);
  void expire_acks(MonoTime now);
  void schedule_acks();
  void update_reading();
  void leave_to_recovery(std::string_view reason);

  // Without a gap, what each delivery looks at first, and the id at the end of what is small: 88 bytes in all.
  std::uint32_t references_ = 0;
  State state_ : 2 = State::kConnecting;
  bool reading_paused_ : 1 = false;
  bool closing_ : 1 = false;  // close() has been called
  bool over_ : 1 = false;     // and has ended
  bool has_outgoing_listeners_ : 1 = false;
  const Protocol protocol_ : 1;
  // Handlers that are suspended, without those that wait for this client's answer.
  std::int32_t waiting_handlers_ : 17 = 0;
  ShortId id_;
  NamespaceShard* nsp_;
  KeptHandshake handshake_;
  KeptUser user_;
  MembershipList memberships_;
  std::unique_ptr<More> more_;
};

}  // namespace wirehall::hub

namespace wirehall::detail {

/// The answer to one event.
struct AckState {
  hub::SocketPtr socket;
  hub::AckId id;
  bool wanted = false;
  bool answered = false;

  void clear() {
    socket = {};
    id.number = 0;
    id.bytes.clear();
    id.msgpack = wanted = answered = false;
  }
};

/// The state of the last answer, for the next event: as a rule no handler keeps its Ack.
///
/// Thread:   shard-affine.
class SpareAck {
 public:
  Ack take() { return Ack(state_ ? std::move(state_) : std::make_shared<AckState>()); }
  /// Where a handler has kept a copy, there is nothing to take back.
  void give_back(Ack ack) {
    if (ack.state_.use_count() != 1) return;
    ack.state_->clear();
    state_ = std::move(ack.state_);
  }
  AckState& state_of(Ack& ack) { return *ack.state_; }

 private:
  std::shared_ptr<AckState> state_;
};

}  // namespace wirehall::detail
