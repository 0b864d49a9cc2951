// Everything durable of a hall, in memory: for development, tests, and whoever needs none of yesterday's.
//
//   I1  Reading makes nothing: a room has a record from its first message, or its creation, on.
//   I2  Everything is bounded. What may be lost gives way, the oldest first, and losses() counts it: messages
//       (with their files), rooms that nobody created and in which nobody has a role, keys, private messages
//       that have arrived, users, read marks. Nothing else does: a write that would need more room for
//       created rooms, roles, pending private messages, files, uploads or subscriptions is refused with
//       kLimitReached.
//   I3  A stream that was cut at its beginning keeps its epoch, one that went gets a new one.
//   I4  The id of a file is in one place: uploads_, then files_, then dropped_ until maintain() has told it.
//   I5  A write looks for everything that may refuse it before it changes anything.
//
// memory_rooms.cc holds rooms, their messages, roles and read marks, memory_users.cc private messages, users,
// files and subscriptions, memory_store.cc the rest.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "base/hash_map.h"
#include "base/random.h"
#include "wirehall/hall_store.h"

namespace wirehall::store {

/// How much is kept (I2). Bytes are those of texts, with what it takes to hold them.
struct MemoryStoreOptions {
  std::uint32_t messages_per_room_max = 1'000;  ///< the oldest give way
  std::size_t bytes_max = 256 * 1024 * 1024;    ///< of messages; the least recently written rooms' go
  std::uint32_t rooms_max = 100'000;            ///< the least recently written one gives way, or none
  std::size_t created_rooms_bytes_max = 64 * 1024 * 1024;  ///< of the records of rooms that stay; refused
  std::uint32_t roles_max = 500'000;                       ///< refused
  std::uint32_t marks_max = 200'000;                 ///< read marks; the one that moved longest ago goes
  std::uint32_t keys_max = 200'000;                  ///< idempotency keys; the oldest are forgotten
  std::uint32_t private_max = 200'000;               ///< the oldest that have arrived go; pending: refused
  std::size_t private_bytes_max = 64 * 1024 * 1024;  ///< the same
  std::uint32_t users_max = 100'000;                 ///< the one saved longest ago goes
  std::size_t users_bytes_max = 64 * 1024 * 1024;    ///< the same
  std::uint32_t files_max = 100'000;                 ///< uploads, files, and ids to be told; refused
  std::uint32_t subscriptions_max = 50'000;          ///< refused
  std::size_t subscriptions_bytes_max = 32 * 1024 * 1024;  ///< refused
};

/// What has given way to the bounds since the start.
struct MemoryLosses {
  std::uint64_t messages = 0;
  std::uint64_t rooms = 0;
  std::uint64_t marks = 0;
  std::uint64_t keys = 0;
  std::uint64_t private_messages = 0;
  std::uint64_t users = 0;
};

/// Thread:   as the port says. UpkeepOptions::retention is called under the store's lock.
class MemoryStore final : public HallStore {
 public:
  MemoryStore(MemoryStoreOptions options, std::unique_ptr<RandomSource> random);

  Result<std::vector<WriteOutcome>> commit(std::span<HallWrite> writes, WallMs now) override;
  Result<UpkeepResult> maintain(const UpkeepOptions& options, WallMs now) override;
  Result<MessagePage> read_newest(const std::string& room, std::uint64_t before,
                                  std::uint32_t limit) override;
  Result<MessagePage> read_after(const std::string& room, std::uint64_t after, std::uint32_t limit) override;
  Result<RoomView> find_room(const std::string& room, const std::string& user_id) override;
  Result<std::vector<RoomRecord>> list_rooms(const std::string& after, std::uint32_t limit) override;
  Result<std::optional<UserRecord>> find_user(const std::string& user_id) override;
  Result<std::vector<PrivateMessage>> read_pending(const std::string& user_id, std::uint32_t limit) override;
  Result<std::optional<UploadRecord>> find_upload(const std::string& id) override;
  Result<std::optional<FileView>> find_file(const std::string& id) override;
  Result<std::vector<PushSubscription>> push_subscriptions(const std::string& user_id) override;

  /// Bytes of the messages that are kept.
  std::size_t bytes() const;
  std::size_t room_count() const;
  MemoryLosses losses() const;

 private:
  /// When something happened, and which of those it is: the order in which things give way.
  using Moment = std::pair<WallMs, std::uint64_t>;
  struct Mark {
    std::uint64_t up_to = 0;
    std::uint64_t moved = 0;  // its number in marks_by_age_
  };
  struct Room {
    RoomRecord record;
    std::deque<StoredMessage> messages;  // the end of the stream, without holes
    TextMap<RoomRole> roles;             // without kNone
    TextMap<Mark> marks;
    bool stays = false;         // somebody created it, or got a role in it
    std::uint64_t written = 0;  // its number in rooms_by_need_

    std::uint64_t first_seq() const { return record.top.seq + 1 - messages.size(); }
    StoredMessage& at(std::uint64_t seq) { return messages[static_cast<std::size_t>(seq - first_seq())]; }
  };
  struct MessagePlace {
    Room* room = nullptr;
    std::uint64_t seq = 0;
  };
  /// What a repeated key is answered with, and what says whether it is the same message.
  struct Key {
    std::uint64_t fingerprint = 0;
    std::string id;
    std::uint64_t seq = 0;
    WallMs timestamp = 0;
  };
  struct Private {
    PrivateMessage message;
    WallMs stored_at = 0;
    bool pending = true;
  };
  /// What is pending for one user.
  struct Inbox {
    std::set<std::uint64_t> numbers;
    std::size_t content_bytes = 0;
  };
  struct User {
    UserRecord record;
    Moment saved;
  };
  struct Usage {
    std::uint64_t bytes = 0;  // of files and uploads
    std::uint32_t uploads = 0;
  };
  struct Subscription {
    PushSubscription value;
    std::uint64_t number = 0;
  };

  // -- memory_store.cc
  static WriteOutcome refused(ErrorCode code);
  static std::string key_of(const std::string& user_id, const std::string& client_message_id);
  const Key* find_key(const std::string& key) const;
  void remember_key(std::string key, Key value, WallMs now);
  std::string epoch_of(std::string_view room) const;
  void renew_epochs();
  void forget_keys(const UpkeepOptions& options, WallMs now, UpkeepResult& result);
  void tell_dropped(const UpkeepOptions& options, UpkeepResult& result);

  // -- memory_rooms.cc
  WriteOutcome apply(const PostMessage& write, WallMs now);
  WriteOutcome apply(const ChangeMessage& write, WallMs now);
  WriteOutcome apply(const MarkRoomRead& write, WallMs now);
  WriteOutcome apply(const CreateRoom& write, WallMs now);
  WriteOutcome apply(const SetRole& write, WallMs now);
  Room* find_room_record(const std::string& name);
  bool is_room_left() const { return lasting_rooms_ < options_.rooms_max; }
  Room& make_room(RoomRecord record, WallMs now);
  bool may_stay(const RoomRecord& record) const;
  void let_stay(Room& room);
  static RoomRole role_in(const Room& room, const std::string& user_id);
  void touch(Room& room);
  void leave_need(Room& room);
  void drop_oldest_message(Room& room);
  void drop_messages(Room& room);
  void evict(Room& room);
  void give_way_to(Room& room);
  void forget_mark(Room& room, const std::string& user_id);
  void trim_rooms(const UpkeepOptions& options, WallMs now, UpkeepResult& result);

  // -- memory_users.cc
  WriteOutcome apply(const PostPrivate& write, WallMs now);
  WriteOutcome apply(const SettlePrivate& write, WallMs now);
  WriteOutcome apply(const SaveUser& write, WallMs now);
  WriteOutcome apply(const BeginUpload& write, WallMs now);
  WriteOutcome apply(const EndUpload& write, WallMs now);
  WriteOutcome apply(const SavePushSubscription& write, WallMs now);
  WriteOutcome apply(const DropPushSubscription& write, WallMs now);
  void settle(std::uint64_t number, Private& entry);
  void remove_private(std::uint64_t number);
  void remove_user(const std::string& id);
  bool is_uploaded(const StoredFilePtr& file) const;
  void publish(const StoredFile& file, FileView view);
  void drop_file(const StoredFilePtr& file);
  void end_upload(const std::string& id);
  void use(const std::string& user_id, std::uint64_t bytes, std::uint32_t uploads);
  void release(const std::string& user_id, std::uint64_t bytes, std::uint32_t uploads);
  void remove_subscription(const std::string& endpoint);
  void remove_old_private(const UpkeepOptions& options, WallMs now, UpkeepResult& result);
  void remove_old_uploads(const UpkeepOptions& options, WallMs now, UpkeepResult& result);
  void remove_old_users(const UpkeepOptions& options, WallMs now, UpkeepResult& result);

  const MemoryStoreOptions options_;
  std::unique_ptr<RandomSource> random_;
  mutable std::mutex mutex_;
  MemoryLosses losses_;
  std::uint64_t last_number_ = 0;  // of everything that needs an order

  std::string epoch_base_;  // of rooms that have no record
  std::map<std::string, Room, std::less<>> rooms_;
  /// Rooms that nobody needs come first, then those with messages; each by its last write.
  std::map<std::pair<bool, std::uint64_t>, Room*> rooms_by_need_;
  TextMap<MessagePlace> messages_;  // by id
  std::size_t bytes_ = 0;           // of messages
  std::uint32_t lasting_rooms_ = 0;
  std::size_t lasting_rooms_bytes_ = 0;
  TextMap<std::uint32_t> rooms_created_;  // by user
  std::uint32_t roles_ = 0;
  std::map<std::uint64_t, std::pair<Room*, std::string>> marks_by_age_;

  TextMap<Key> keys_;
  std::map<Moment, std::string> keys_by_age_;

  std::map<std::uint64_t, Private> private_;
  TextMap<std::uint64_t> private_by_id_;
  std::set<Moment> private_by_age_;
  std::set<std::uint64_t> private_settled_;
  TextMap<Inbox> inboxes_;
  std::size_t private_bytes_ = 0;
  std::size_t private_pending_bytes_ = 0;

  TextMap<User> users_;
  std::map<Moment, std::string> users_by_age_;
  std::size_t users_bytes_ = 0;

  std::map<std::string, UploadRecord, std::less<>> uploads_;
  TextMap<FileView> files_;
  std::set<std::string, std::less<>> dropped_;
  TextMap<Usage> usage_;  // by user
  Usage usage_of_all_;

  TextMap<Subscription> subscriptions_;                         // by endpoint
  TextMap<std::map<std::uint64_t, std::string>> endpoints_of_;  // by user, the oldest first
  std::size_t subscriptions_bytes_ = 0;
};

}  // namespace wirehall::store
