// The port for durable messages.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wirehall/clock.h"
#include "wirehall/result.h"

namespace wirehall {

/// A message of a room. JSON fields are texts that were validated.
struct StoredMessage {
  std::string id;
  std::string room;
  std::uint64_t seq = 0;  ///< 1, 2, 3, … per room, without holes
  std::string user_id;
  std::string user_json;  ///< what others are shown as `user`
  std::string type;       ///< the message's kind: "text", "file", …
  std::string content;
  std::string reply_to;  ///< id of another message, or empty
  WallMs timestamp = 0;
  bool edited = false;
  bool deleted = false;
};

/// A message to be appended.
struct MessageDraft {
  StoredMessage message;          ///< without its seq
  std::string client_message_id;  ///< idempotency key of the user over all rooms; empty: none
};

/// What became of a draft.
struct AppendOutcome {
  enum class Kind : std::uint8_t {
    kStored,
    kDuplicate,  ///< the same key with the same content was stored before: `message` is the first one
    kConflict,   ///< the same key with another room or content: nothing was stored
  };
  Kind kind = Kind::kStored;
  StoredMessage message;
};

/// Where a room's stream stands.
struct RoomPosition {
  std::uint64_t seq = 0;  ///< of the newest message; 0: none
  std::string epoch;      ///< identity of the stream; a position from another epoch means nothing
};

/// A part of a room's stream.
struct MessagePage {
  std::vector<StoredMessage> messages;  ///< ascending
  RoomPosition top;
};

/// Durable messages of all rooms.
///
/// Thread:   append() is called by one thread at a time, read() by any.
class MessageStore {
 public:
  virtual ~MessageStore() = default;
  /// Stores drafts in order, in one transaction: when it returns, what it reports as stored is durable as the
  /// implementation promises. A refused draft never takes the others with it.
  ///
  /// Errors:   kUnavailable: nothing was stored.
  virtual Result<std::vector<AppendOutcome>> append(std::span<const MessageDraft> drafts, WallMs now) = 0;
  /// The newest `limit` messages with a seq below `before` (0: no bound).
  virtual Result<MessagePage> read_newest(const std::string& room, std::uint64_t before,
                                          std::uint32_t limit) = 0;
  /// The oldest `limit` messages with a seq above `after`.
  virtual Result<MessagePage> read_after(const std::string& room, std::uint64_t after,
                                         std::uint32_t limit) = 0;
};

}  // namespace wirehall
