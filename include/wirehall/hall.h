// The hall: rooms with members, messages, typing — what applications of this kind share, over both protocols.
//
// Handlers of an application call it and answer with what it returns (apps/hall/handlers). An application
// may also use it from C++ alone.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "wirehall/message_store.h"
#include "wirehall/result.h"
#include "wirehall/server.h"
#include "wirehall/socket.h"
#include "wirehall/task.h"

namespace wirehall {

namespace server {
class HallWiring;
}

/// Rooms, messages and typing of one server, in its namespace "/".
///
/// Every asynchronous function is called on the socket's shard, takes its place in the order when it is
/// called, and completes there. What it returns is ready to be sent as an answer.
///
/// Thread:   registration before the server runs; then on every shard.
/// Lifetime: made after the server and destroyed before it.
class Hall {
 public:
  explicit Hall(Server& server);
  ~Hall();
  Hall(const Hall&) = delete;

  /// The middleware that counts the user's connections; behind the one that authenticates.
  /// Errors:   kTooManyConnections.
  Task<Verdict> admit(Socket& socket);
  /// What a client is told when it is connected.
  Object welcome(Socket& socket);

  /// Enters a room. Others there are told when it is the user's first connection in it.
  ///
  /// The socket is in the room when this returns its task, so that what its client sends behind the request
  /// finds it there. `since`: where the client left off; what it missed is given completely, or
  /// `recovered` is false.
  ///
  /// Returns:  room, members (at most 1,000), memberCount, recentMessages, seq, epoch; with `since` also
  ///           recovered and missed.
  /// Errors:   kInvalidFormat, kAccessDenied (the user's `rooms`), kLimitReached, kUnavailable.
  Task<Result<Object>> join(Socket& socket, std::string room,
                            std::optional<RoomPosition> since = std::nullopt);
  /// Leaves a room, also one that is being joined.
  /// Errors:   kNotInRoom.
  Status leave(Socket& socket, std::string_view room);

  /// Stores a message and gives it to everybody in the room, the sender included, in the order of `seq`.
  ///
  /// `fields`: roomId, content, type?, clientMessageId?, replyTo?.
  /// Returns:  messageId, timestamp, seq, duplicate?; once the message is durable.
  /// Errors:   kInvalidFormat, kTooLarge, kNotInRoom, kConflict, kUnavailable.
  Task<Result<Object>> send_message(Socket& socket, Object fields);

  /// Gives `{room, data, from}` to everybody else in the room; not stored.
  /// Returns:  delivered: to how many connections.
  /// Errors:   kInvalidFormat, kNotInRoom, kUnavailable.
  Task<Result<Object>> broadcast(Socket& socket, Object fields);

  /// Somebody types, or no longer. Others are told of the change, and of the end by itself after
  /// `typingTimeout`, once.
  /// Errors:   kNotInRoom.
  Status typing(Socket& socket, std::string_view room, bool typing);

  /// Extends the stay of a user whose token is about to expire.
  /// Returns:  expiresAt.
  /// Errors:   kAuthenticationFailed, kAccessDenied when it is another user's token.
  Task<Result<Object>> refresh_token(Socket& socket, std::string token);

  /// What a user may do only so often; each kind has a bound of its own, over all connections of the user.
  enum class Allowed : std::uint8_t {
    kMessage,     ///< `rateLimit.messagesPerMinute`
    kTyping,      ///< limits.typing_per_minute_max
    kRoomChange,  ///< joining and leaving: limits.room_changes_per_minute_max
  };
  /// Takes one of the user's allowance.
  /// Errors:   kRateLimited, with retry_after_ms.
  Status take_allowance(Socket& socket, Allowed kind = Allowed::kMessage);

  /// The room that an argument names: a string, or an object's `roomId` or `room`.
  /// Errors:   kInvalidFormat.
  static Result<std::string> room_of(const Value& argument);
  /// The position in an object's `since`; nothing when there is none.
  /// Errors:   kInvalidFormat.
  static Result<std::optional<RoomPosition>> since_of(const Value& argument);

  /// Figures of all shards, for the management routes; completes on the calling shard.
  struct Figures {
    std::uint64_t online_users = 0;
    std::uint64_t rooms = 0;
    std::uint64_t connections = 0;
    std::uint64_t messages = 0;
  };
  void figures(std::function<void(const Figures&)> done);

 private:
  std::unique_ptr<server::HallWiring> wiring_;
};

}  // namespace wirehall
