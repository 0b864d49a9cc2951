// Messages in memory: for tests, development, and whoever needs none of yesterday's.
//
//   I1  Reading makes nothing: a room exists from its first message on.
//   I2  Messages and keys are bounded in count and bytes. The room that was written to least recently goes
//       first; a stream that was cut at its beginning keeps its epoch, one that went gets a new one.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <mutex>

#include "base/hash_map.h"
#include "base/random.h"
#include "wirehall/message_store.h"

namespace wirehall::store {

struct MemoryStoreOptions {
  std::uint32_t messages_per_room_max = 1'000;      ///< older ones are dropped
  std::size_t bytes_max = 256 * 1024 * 1024;        ///< of all messages; the oldest rooms lose theirs
  std::uint32_t rooms_max = 100'000;                ///< beyond it the least recently written room goes
  std::uint32_t keys_max = 200'000;                 ///< idempotency keys; older ones are forgotten
  WallMs key_lifetime_ms = 24LL * 3600 * 1000;
};

/// Thread:   as the port says.
class MemoryStore final : public MessageStore {
 public:
  MemoryStore(MemoryStoreOptions options, std::unique_ptr<RandomSource> random);

  Result<std::vector<AppendOutcome>> append(std::span<const MessageDraft> drafts, WallMs now) override;
  Result<MessagePage> read_newest(const std::string& room, std::uint64_t before,
                                  std::uint32_t limit) override;
  Result<MessagePage> read_after(const std::string& room, std::uint64_t after, std::uint32_t limit) override;

  /// Bytes of the messages that are kept.
  std::size_t bytes() const { return bytes_; }
  std::size_t room_count() const { return rooms_.size(); }

 private:
  struct Room {
    std::deque<StoredMessage> messages;
    RoomPosition top;
    std::list<std::string>::iterator place;  // in by_age_
  };
  /// What a repeated key is answered with, and what says whether it is the same message.
  struct Key {
    std::uint64_t fingerprint = 0;
    std::string id;
    std::uint64_t seq = 0;
    WallMs timestamp = 0;
  };
  std::string epoch_of(std::string_view room) const;
  Room& room_to_write(const std::string& name);
  void drop_oldest(Room& room);
  void evict_oldest_room();
  void forget_old_keys(WallMs now);
  void renew_epochs();

  MemoryStoreOptions options_;
  std::unique_ptr<RandomSource> random_;
  std::mutex mutex_;
  std::string epoch_base_;  // of rooms that have no message
  TextMap<Room> rooms_;
  std::list<std::string> by_age_;  // the least recently written first
  std::size_t bytes_ = 0;
  TextMap<Key> keys_;  // user id, a zero byte, the client's key
  std::deque<std::pair<WallMs, std::string>> key_order_;
};

}  // namespace wirehall::store
