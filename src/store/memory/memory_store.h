// Messages in memory: for tests, development, and whoever needs none of yesterday's.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "base/hash_map.h"
#include "base/random.h"
#include "wirehall/message_store.h"

namespace wirehall::store {

struct MemoryStoreOptions {
  std::uint32_t messages_per_room_max = 1'000;  ///< older ones are dropped
  std::uint32_t rooms_max = 100'000;   ///< beyond it the room that was written to least recently goes
  std::uint32_t keys_max = 1'000'000;  ///< idempotency keys; older ones are forgotten
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

 private:
  struct Room {
    std::deque<StoredMessage> messages;
    RoomPosition top;
    std::uint64_t written = 0;
  };
  struct Key {
    StoredMessage message;
    WallMs expires = 0;
  };
  Room& room(const std::string& name);
  void forget_old_keys(WallMs now);

  MemoryStoreOptions options_;
  std::unique_ptr<RandomSource> random_;
  std::mutex mutex_;
  TextMap<Room> rooms_;
  TextMap<Key> keys_;  // user id, a zero byte, the client's key
  std::deque<std::pair<WallMs, std::string>> key_order_;
  std::uint64_t writes_ = 0;
};

}  // namespace wirehall::store
