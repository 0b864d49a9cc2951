// One shard's part of the hall.
//
// Two roles meet here. As the shard of its sockets it holds what they wait for; as the owner of some rooms
// and users (by hash) it keeps who is in them, who types, and how many connections a user has. Whatever
// others must see in one order is broadcast by the owner.
//
//   I1  `user-joined` and `user-left` alternate for each user and room: only the owner sends them.
//   I2  A room's messages are delivered in the order in which they were committed; a socket that is joining
//       gets those that are not in its recent messages, behind its answer. What a read of the store saw has
//       always been delivered on this shard before the read is used.
//   I3  Typing ends exactly once for each beginning.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash_map.h"
#include "base/timer_wheel.h"
#include "hub/completion.h"
#include "hub/encoded_message.h"
#include "hub/hub.h"
#include "services/allowance.h"
#include "services/hall/room_directory.h"
#include "wirehall/message_store.h"

namespace wirehall::services {

/// What a user's connections share, on whichever shards they are.
struct UserShared {
  Allowance allowance;
  Allowance typing;
  Allowance room_changes;
};

/// A message that was committed, ready to be delivered on every shard.
struct CommittedMessage {
  std::string room;
  std::uint64_t seq = 0;
  std::shared_ptr<const hub::FrozenMessage> event;  ///< nullptr: nothing to deliver
  // for the shard that asked:
  unsigned origin = 0;
  std::uint64_t ticket = 0;
  Result<AppendOutcome> outcome = ErrorCode::kUnavailable;
};
using CommittedBatch = std::shared_ptr<const std::vector<CommittedMessage>>;

/// What the shards of one hall share.
struct HallShared {
  AllowanceOptions allowance;
  AllowanceOptions typing;        ///< of typing and stop-typing
  AllowanceOptions room_changes;  ///< of joining and leaving
  Duration expiry_leeway{0};      ///< for a token that had expired already when it was accepted
  Duration typing_timeout = std::chrono::seconds(3);
  std::uint32_t recent_messages = 50;
  std::uint32_t missed_messages_max = 1'000;  ///< given to who comes back; beyond it: recovered false
  std::uint32_t members_max = 1'000;
  std::uint32_t connections_per_user_max = 100;
  std::uint32_t content_bytes_max = 64 * 1024;
  std::uint32_t held_messages_max = 1'000;  ///< for a socket that is joining; beyond it the join is refused
  MessageStore* store = nullptr;
  /// Queues a message for the writer. False: the queue is full.
  std::function<bool(MessageDraft draft, unsigned shard, std::uint64_t ticket)> submit;
  /// How many batches the writer has begun; each of them reaches committed() of every shard, in order.
  std::function<std::uint64_t()> batches_started;
};

class HallShard;

/// What the hall keeps for a socket.
class HallSocket final : public hub::SocketExtension, public Timer {
 public:
  HallSocket(HallShard& hall, hub::Socket& socket, std::shared_ptr<UserShared> shared)
      : shared_(std::move(shared)), hall_(hall), socket_(socket) {}
  ~HallSocket() override = default;
  UserShared& shared() { return *shared_; }
  /// The user's `info` as JSON text; made once.
  const std::string& user_json();
  bool counted = false;  ///< in the user's connections
  void never_connected() override;

 private:
  void on_timer(MonoTime now) override;  // the token has expired
  std::shared_ptr<UserShared> shared_;
  HallShard& hall_;
  hub::Socket& socket_;
  std::string user_json_;
};

/// Thread:   shard-affine.
class HallShard final : public hub::ShardService {
 public:
  HallShard(hub::Hub& hub, HallShared& shared);

  static HallShard& of(hub::Hub& hub, HallShared& shared);

  // -- as the shard of a socket -----------------------------------------------------------------------
  Task<Verdict> admit(hub::SocketPtr socket);
  Task<Result<Object>> join(hub::SocketPtr socket, std::string room, std::optional<RoomPosition> since);
  Status leave(hub::Socket& socket, std::string_view room);
  /// Takes its place in the writer's queue at once; completes when the message is durable.
  Task<Result<Object>> send_message(MessageDraft&& draft);
  Task<Result<Object>> broadcast(hub::SocketPtr socket, std::string room, Value data);
  Status typing(hub::Socket& socket, std::string_view room, bool typing);
  void disconnecting(hub::Socket& socket);
  void detach(hub::Socket& socket);
  void watch_expiry(hub::Socket& socket);
  HallSocket* extension(hub::Socket& socket);

  /// Messages of any shard were committed.
  void committed(const CommittedBatch& batch);

  // -- as an owner --------------------------------------------------------------------------------------
  struct Entered {
    std::vector<RoomMember> members;
    std::size_t member_count = 0;
  };
  void enter(const std::string& room, const std::string& user_id, const std::string& user_json,
             const std::string& socket_id);
  Entered present(const std::string& room) const;
  void exit(const std::string& room, const std::string& user_id);
  void type(const std::string& room, const std::string& user_id, const std::string& user_json,
            const std::string& socket_id, bool typing);
  Result<std::shared_ptr<UserShared>> attach_user(const std::string& user_id);
  void detach_user(const std::string& user_id);

  const RoomDirectory& rooms() const { return rooms_; }
  std::size_t user_count() const { return online_users_; }
  std::uint64_t delivered_messages() const { return messages_; }

 private:
  struct Hold {
    hub::SocketPtr socket;
    std::string room;
    std::vector<const CommittedMessage*> messages;
    std::vector<CommittedBatch> batches;  // what the pointers point into
    bool overflowed = false;
    bool left = false;  // before the join was complete
  };
  /// What a room's stream holds for who joins.
  struct Past {
    MessagePage recent;
    std::vector<StoredMessage> missed;
    bool recovered = false;
  };
  struct Typist;
  struct UserRecord {
    std::shared_ptr<UserShared> shared;
    std::uint32_t connections = 0;
    MonoTime idle_until{};  // when it may be forgotten, without connections
  };
  void on_owner(std::string_view name, std::function<void(HallShard&)> action);
  void broadcast_event(const std::string& room, std::string event, Object fields, const std::string& except);
  void deliver(const CommittedBatch& batch, const CommittedMessage& message);
  Status begin_to_join(HallSocket& extension, const std::shared_ptr<Hold>& hold);
  void forget_hold(const std::shared_ptr<Hold>& hold);
  void release_hold(const std::shared_ptr<Hold>& hold, std::uint64_t seq);
  Object describe(const std::string& room, const Entered& entered, const MessagePage& page) const;
  Task<Result<Past>> read_past(std::string room, std::optional<RoomPosition> since);
  static Result<Past> read_from(const HallShared& shared, const std::string& room,
                                const std::optional<RoomPosition>& since);
  struct Read {
    Result<Past> past = ErrorCode::kUnavailable;
    std::uint64_t fence = 0;  // batches that it may hold rows of
  };
  struct WaitingRead {
    std::shared_ptr<Read> read;
    std::shared_ptr<hub::CompletionState<Result<Past>>> state;
  };
  void complete_reads();
  static Task<Result<Object>> await_commit(std::shared_ptr<hub::CompletionState<Result<AppendOutcome>>> state);
  void typing_ended(const std::string& key);
  void forget_idle_users();

  hub::Hub& hub_;
  HallShared& shared_;
  RoomDirectory rooms_;
  TextMap<UserRecord> users_;
  std::deque<std::pair<MonoTime, std::string>> idle_users_;  // without connections since a minute before
  std::size_t online_users_ = 0;
  TextMap<std::unique_ptr<Typist>> typists_;
  std::vector<std::unique_ptr<Typist>> ended_typists_;
  std::unordered_map<std::uint64_t, std::shared_ptr<hub::CompletionState<Result<AppendOutcome>>>> tickets_;
  std::uint64_t next_ticket_ = 1;
  TextMap<std::vector<std::shared_ptr<Hold>>> holds_;  // by room
  std::vector<WaitingRead> waiting_reads_;
  std::uint64_t batches_seen_ = 0;
  std::uint64_t messages_ = 0;
};

/// A stored message as clients see it.
Object message_object(const StoredMessage& message);

/// Whether a room's or user's name can be used: not empty, not too long, UTF-8 without control characters.
bool is_valid_name(std::string_view name, std::size_t bytes_max);

}  // namespace wirehall::services
