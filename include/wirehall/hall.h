// The hall: rooms with members, messages with history, presence, private messages, files, calls — what
// applications of this kind share, over both protocols.
//
// Handlers of an application call it and answer with what it returns (apps/hall/handlers). An application may
// also use it from C++ alone: see "from C++" below.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wirehall/hall_store.h"
#include "wirehall/result.h"
#include "wirehall/room_type.h"
#include "wirehall/server.h"
#include "wirehall/socket.h"
#include "wirehall/task.h"

namespace wirehall {

namespace server {
class HallWiring;
}

/// The hall of one server, in its namespace "/".
///
/// What answers an event is a task of an Answer: the fields of a success, or the error. It takes its place in
/// the order when it is called, on the socket's shard, and completes there. Fields that are missing, of
/// another kind or too long are kInvalidFormat or kTooLarge with a text that names them; a room's events are
/// kNotInRoom for who is not in it; what cannot be stored now is kUnavailable; nothing is half done.
///
/// Thread:   registration before the server runs; then on every shard.
/// Lifetime: made after the server and destroyed before it.
class Hall {
 public:
  using Answer = Result<Object>;

  explicit Hall(Server& server);
  ~Hall();
  Hall(const Hall&) = delete;

  /// A configuration as a hall wants it: the library's, with connection state recovery of 120 s.
  static Config defaults();

  // -- connecting -------------------------------------------------------------------------------------
  /// The middleware that counts the user's connections; behind the one that authenticates.
  /// Errors:   kTooManyConnections, kUnavailable.
  Task<Verdict> admit(Socket& socket);
  /// For on_connection(): puts the socket back into the rooms where its user was, emits `connected`, then
  /// `pending-messages` if some wait.
  void connected(Socket& socket);
  /// Extends the stay of a user whose token is about to expire.
  /// Returns:  expiresAt.
  /// Errors:   kAuthenticationFailed, kAccessDenied when it is another user's token.
  Task<Answer> refresh_token(Socket& socket, std::string token);

  // -- rooms --------------------------------------------------------------------------------------------
  /// Adds a kind of room; see room_type.h. An empty name: that of rooms without a type. What the
  /// configuration says of the same name is replaced. Requires: before the server runs.
  Hall& room_type(std::string name, std::shared_ptr<const RoomType> type);

  /// Enters a room. Others there are told when it is the user's first connection in it. What the client asks
  /// of the room behind the request waits for the answer. `since`: where the client left off; what it missed
  /// is given completely, or `recovered` is false.
  ///
  /// Returns:  room, members (at most 1,000), memberCount, recentMessages, seq, epoch; with `since` also
  ///           recovered and missed.
  /// Errors:   kAccessDenied (the user's `rooms`, or the room's type), kNotFound, kLimitReached.
  Task<Answer> join(Socket& socket, std::string room, std::optional<RoomPosition> since = std::nullopt);
  Task<Answer> leave(Socket& socket, std::string room);
  /// `fields`: roomId, type?, name?, metadata?. Returns: room. Errors: kConflict, kAccessDenied,
  /// kLimitReached.
  Task<Answer> create_room(Socket& socket, Object fields);
  /// `fields`: roomId, userId, role?. Errors: kAccessDenied.
  Task<Answer> invite(Socket& socket, Object fields);
  /// `fields`: roomId, userId, reason?. Errors: kAccessDenied, kNotFound.
  Task<Answer> kick(Socket& socket, Object fields);
  /// `fields`: roomId, userId, role. Errors: kAccessDenied.
  Task<Answer> set_role(Socket& socket, Object fields);

  // -- messages -------------------------------------------------------------------------------------------
  /// Stores a message and gives it to everybody in the room, the sender included, in the order of `seq`.
  ///
  /// `fields`: roomId, content, type?, clientMessageId?, replyTo?.
  /// Returns:  messageId, timestamp, seq, duplicate?; once the message is durable.
  /// Errors:   kConflict, kNotFound (replyTo), kAccessDenied.
  Task<Answer> send_message(Socket& socket, Object fields);
  /// `fields`: roomId, messageId, content; by the author. Returns: timestamp. Errors: kNotFound,
  /// kAccessDenied.
  Task<Answer> edit_message(Socket& socket, Object fields);
  /// `fields`: roomId, messageId; by the author, moderators and owners.
  Task<Answer> delete_message(Socket& socket, Object fields);
  /// `fields`: roomId, before?, after?, limit?. Returns: messages, hasMore, oldestSeq, epoch.
  Task<Answer> history(Socket& socket, Object fields);
  /// `fields`: roomId, upTo; or messageIds of private messages. Returns: count.
  Task<Answer> mark_read(Socket& socket, Object fields);
  /// Gives `{room, data, from}` to everybody else in the room; not stored. Returns: delivered: to how many
  /// connections.
  Task<Answer> broadcast(Socket& socket, Object fields);
  /// `fields`: targetUserId, content, clientMessageId?. Returns: messageId, delivered, timestamp, duplicate?.
  /// Errors:   kConflict, kLimitReached.
  Task<Answer> private_message(Socket& socket, Object fields);

  // -- presence -------------------------------------------------------------------------------------------
  /// Somebody types, or no longer. Others are told of the change, and of the end by itself after
  /// `typingTimeout`, once.
  Task<Answer> typing(Socket& socket, std::string room, bool typing);
  /// online, away, busy, invisible, or a text of at most 64 characters.
  Task<Answer> update_status(Socket& socket, std::string status);
  /// `fields`: roomId, or userIds. Returns: users.
  Task<Answer> presence(Socket& socket, Object fields);

  // -- files ----------------------------------------------------------------------------------------------
  /// `fields`: roomId or targetUserId, name, size, mime, sha256?; or uploadId alone to go on. Returns:
  /// uploadId, chunkSize, offset. Errors: kTooLarge, kLimitReached, kAccessDenied (its type), kNotFound.
  Task<Answer> upload_start(Socket& socket, Object fields);
  /// `fields`: uploadId, offset, data. Returns: offset; with the last one also complete, file, messageId.
  /// Errors:   kConflict, with the right `offset` beside the code; kNotFound.
  Task<Answer> upload_chunk(Socket& socket, Object fields);
  Task<Answer> upload_abort(Socket& socket, Object fields);

  // -- calls ----------------------------------------------------------------------------------------------
  /// `fields`: targetUserId, offer, media. Returns: callId, ringing. Errors: kConflict.
  Task<Answer> call_user(Socket& socket, Object fields);
  /// `fields`: callId, answer. Errors: kNotFound, kConflict.
  Task<Answer> call_answer(Socket& socket, Object fields);
  Task<Answer> call_reject(Socket& socket, Object fields);
  Task<Answer> call_end(Socket& socket, Object fields);
  /// `fields`: callId, candidate.
  Task<Answer> ice_candidate(Socket& socket, Object fields);
  /// Returns:  iceServers.
  Answer ice_servers(Socket& socket);

  // -- push -----------------------------------------------------------------------------------------------
  /// `fields`: subscription, as browsers make it. Errors: kUnavailable: push is off.
  Task<Answer> push_subscribe(Socket& socket, Object fields);
  Task<Answer> push_unsubscribe(Socket& socket, Object fields);

  // -- HTTP -----------------------------------------------------------------------------------------------
  /// Adds `GET /ws/stats` and `POST /ws/broadcast` (for holders of an API key), /healthz, /livez and /readyz.
  Hall& serve_management();
  /// Adds `GET /files/<id>`: uploaded files, for those who may have them.
  Hall& serve_files();

  // -- allowances -----------------------------------------------------------------------------------------
  /// What a user may do only so often; each kind has a bound of its own, over all connections of the user.
  enum class Allowed : std::uint8_t {
    kMessage,     ///< `rateLimit.messagesPerMinute`
    kTyping,      ///< limits.typing_per_minute_max
    kRoomChange,  ///< joining, leaving, and what owners do: limits.room_changes_per_minute_max
    kQuery,       ///< questions and receipts: limits.queries_per_minute_max
    kSignal,      ///< calls: limits.signals_per_minute_max
    kUpload,      ///< limits.upload_chunks_per_minute_max
  };
  /// Takes one of the user's allowance. Errors: kRateLimited, with retry_after_ms.
  Status take_allowance(Socket& socket, Allowed kind = Allowed::kMessage);

  /// The room that an argument names: a string, or an object's `roomId` or `room`. Errors: kInvalidFormat.
  static Result<std::string> room_of(const Value& argument);
  /// A text that stands alone, or as a field of that name. Errors: kInvalidFormat, with the name.
  static Result<std::string> text_of(const Value& argument, std::string_view name);
  /// The position in an object's `since`; nothing when there is none. Errors: kInvalidFormat.
  static Result<std::optional<RoomPosition>> since_of(const Value& argument);

  // -- from C++ -------------------------------------------------------------------------------------------
  /// Emits to everybody in a room, to every connection of a user, to everybody. Thread: any.
  SendResult to_room(std::string_view room, std::string_view event, Value data);
  void to_user(std::string_view user_id, std::string_view event, Value data);
  SendResult broadcast(std::string_view event, Value data);

  struct Member {
    std::string user_id;
    Value user;
    std::string status;
  };
  struct RoomInfo {
    std::string name;
    std::size_t members = 0;
    std::size_t connections = 0;
    WallMs last_activity = 0;  ///< of its last message or its creation; 0: never
  };
  /// Ids of users who are online and not invisible, sorted. Thread: a shard, as the following.
  Task<std::vector<std::string>> online_users();
  Task<std::vector<Member>> room_members(std::string room);
  /// Rooms with somebody in them, by name.
  Task<std::vector<RoomInfo>> rooms();
  /// nullopt: there is no such connection.
  Task<std::optional<RemoteSocket>> client(std::string id);
  Task<std::vector<RemoteSocket>> clients();
  /// Ends one connection, or all of a user. Thread: any.
  void disconnect(std::string_view client_id);
  void disconnect_user(std::string_view user_id);

  /// Adds a handler for an event of the application's own; see handler.h.
  template <class F>
  Hall& register_handler(std::string_view type, F handler) {
    server_.on_event(type, std::move(handler));
    return *this;
  }
  // What happens, on the shard where it happens. Several may be added; they must not throw.
  Hall& on_connection(std::function<void(Socket&)> told);
  Hall& on_disconnection(std::function<void(Socket&, std::string_view reason)> told);
  Hall& on_message(std::function<void(const StoredMessage&)> told);  ///< when it has been stored
  /// An event that is none of the hall's own.
  Hall& on_custom_message(std::function<void(Socket&, std::string_view type, const Args&)> told);
  Hall& on_room_joined(std::function<void(Socket&, std::string_view room)> told);
  Hall& on_room_left(std::function<void(Socket&, std::string_view room)> told);
  /// An event was answered with an error.
  Hall& on_client_error(std::function<void(Socket&, const Error&)> told);

  /// Figures of all shards, for the management routes; completes on the calling shard.
  struct Figures {
    std::uint64_t online_users = 0;
    std::uint64_t rooms = 0;
    std::uint64_t connections = 0;
    std::uint64_t messages = 0;
  };
  void figures(std::function<void(const Figures&)> done);

  /// Uses a store of the application's own instead of the configured one. Requires: before the server runs.
  Hall& use_store(std::unique_ptr<HallStore> store);
  server::HallWiring& wiring() { return *wiring_; }

 private:
  Server& server_;
  std::unique_ptr<server::HallWiring> wiring_;
};

}  // namespace wirehall
