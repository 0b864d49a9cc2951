// What the shards of one hall share: its settings, and the outside world behind ports.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/encoded_message.h"
#include "services/allowance.h"
#include "services/calls/call_registry.h"
#include "services/uploads/upload_bytes.h"
#include "wirehall/hall_store.h"
#include "wirehall/push_sender.h"
#include "wirehall/room_type.h"
#include "wirehall/socket.h"

namespace wirehall::services {

/// What the connections of a user may do only so often together.
enum class Allowed : std::uint8_t {
  kMessage,     ///< rateLimit.messagesPerMinute
  kTyping,      ///< limits.typing_per_minute_max
  kRoomChange,  ///< limits.room_changes_per_minute_max: joining, leaving, and what owners do
  kQuery,       ///< limits.queries_per_minute_max: history, presence and other questions
  kSignal,      ///< limits.signals_per_minute_max: calls
  kUpload,      ///< limits.upload_chunks_per_minute_max
  kCount
};

/// What is told of a write that was committed, or refused.
struct CommittedWrite {
  // Who asked:
  unsigned origin = 0;
  std::uint64_t ticket = 0;
  // What everybody in a room is told; nullptr: nothing.
  std::string room;
  std::shared_ptr<const hub::FrozenMessage> event;
  /// A private message that is new: the shard that owns its target delivers it.
  bool new_private = false;
};

/// Writes that were committed together, ready for every shard: in step, what became of each and what is told of it.
struct CommittedBatch {
  std::vector<WriteOutcome> outcomes;
  std::vector<CommittedWrite> writes;
};
using CommittedBatchPtr = std::shared_ptr<const CommittedBatch>;

/// What became of a write, as a part of its batch: nothing is copied for who asked.
using OutcomePtr = std::shared_ptr<const WriteOutcome>;

/// What is told of a write, made on the writer's thread. `write` is as HallStore::commit() has left it.
CommittedWrite describe_commit(const HallWrite& write, const WriteOutcome& outcome, WallMs now);

/// The room types that the application has.
class RoomTypes {
 public:
  /// Requires: before the server runs. The empty name is the default type.
  void add(std::string name, std::shared_ptr<const RoomType> type);
  /// Of a room: by its record's type, else by the patterns of the types, else the default one. A record whose
  /// type nobody knows any more gives one that lets nobody in who has no role.
  const RoomType& of(std::string_view room, const RoomRecord* record) const;
  /// nullptr: there is none of that name.
  const RoomType* find(std::string_view name) const;
  /// Requires: `type` is one of them.
  std::string_view name_of(const RoomType& type) const;

 private:
  std::vector<std::pair<std::string, std::shared_ptr<const RoomType>>> types_;
};

struct UploadSettings {
  std::uint64_t file_bytes_max = 10 * 1024 * 1024;
  std::uint32_t chunk_bytes_max = 256 * 1024;
  std::uint64_t user_bytes_max = 100 * 1024 * 1024;        ///< of one user's files and uploads
  std::uint64_t total_bytes_max = 10ULL * 1024 * 1024 * 1024;  ///< of all
  std::uint32_t user_uploads_max = 10;                     ///< unfinished ones of one user
  std::vector<std::string> types;                          ///< patterns of media types; empty: any
};

struct TurnSettings {
  std::vector<std::string> stun_urls;
  std::vector<std::string> turn_urls;
  Duration lifetime = std::chrono::hours(1);
  /// The credential of a user name (RFC "TURN REST API": base64 of HMAC-SHA1); empty: no TURN server.
  std::function<std::string(std::string_view user_name)> credential;
};

/// Told of what happens; each may be empty. Called on the shard where it happened.
struct HallEvents {
  std::function<void(const StoredMessage&)> message;
  std::function<void(Socket&, std::string_view room)> room_joined;
  std::function<void(Socket&, std::string_view room)> room_left;
};

/// Thread:   what is called on shards is safe from all of them.
struct HallShared {
  AllowanceOptions allowances[static_cast<std::size_t>(Allowed::kCount)];
  Duration expiry_leeway{0};  ///< for a token that had expired already when it was accepted
  Duration typing_timeout = std::chrono::seconds(3);
  Duration presence_grace = std::chrono::seconds(5);    ///< before somebody who is gone is offline
  Duration presence_tick = std::chrono::seconds(1);     ///< of rooms whose changes are told together
  std::uint32_t presence_tick_members = 200;            ///< rooms with so many members and more
  std::uint32_t presence_diff_max = 200;                ///< of each kind in one presence-diff
  Duration recovery_window{0};                          ///< how long a lost client counts as a member
  WallMs rejoin_ms_max = 24LL * 3600 * 1000;            ///< rooms are remembered for so long
  std::uint32_t recent_messages = 50;
  std::uint32_t history_page_max = 200;
  std::uint32_t missed_messages_max = 1'000;  ///< given to who comes back; beyond it: recovered false
  std::size_t answer_bytes_max = 512 * 1024;  ///< of the messages in one answer: half of what may wait unread
  std::uint32_t members_max = 1'000;          ///< listed in one answer
  std::uint32_t connections_per_user_max = 100;
  std::uint32_t content_bytes_max = 64 * 1024;
  std::uint32_t metadata_bytes_max = 4 * 1024;
  std::uint32_t signal_bytes_max = 64 * 1024;  ///< of an offer, an answer, a candidate
  std::uint32_t ids_max = 1'000;               ///< in one request
  std::uint32_t held_messages_max = 1'000;  ///< for a socket that is joining; beyond it the join is refused
  std::uint32_t pending_max = 1'000;           ///< private messages that wait for one user
  std::uint64_t pending_bytes_max = 1024 * 1024;
  std::uint32_t rooms_per_user_max = 1'000;    ///< that one user may create
  bool create_on_join = true;
  UploadSettings uploads;
  TurnSettings turn;
  CallOptions calls;
  RoomTypes room_types;
  HallEvents events;

  HallStore* store = nullptr;
  UploadBytes* files = nullptr;
  PushSender* push = nullptr;  ///< nullptr: off
  /// Whether a push subscription is well-formed and leads outside.
  std::function<Result<PushSubscription>(const Value&)> parse_push_subscription;
  /// Queues a write for the writer. False: the queue is full.
  std::function<bool(HallWrite&& write, unsigned shard, std::uint64_t ticket)> submit;
  /// How many batches the writer has begun; each of them reaches committed() of every shard, in order.
  std::function<std::uint64_t()> batches_started;
};

}  // namespace wirehall::services
