// The port for everything durable of a hall: messages, rooms and roles, private messages, users, uploads,
// push subscriptions.
//
// One port, since one transaction holds what belongs together: a file appears with the message that names it,
// a duplicate is found with the row that it repeats. Changes are values (HallWrite) that are committed in
// order, many in a transaction; each is applied whole, or refused whole without a trace.
//
//   I1  A room's messages are numbered 1, 2, 3, … without holes, in the order of their commits.
//   I2  What commit() reports as done is durable as the implementation promises, before it returns.
//   I3  A refused write never takes the others of its batch with it.
//   I4  A room's stream has an epoch. It changes whenever a number might mean another message than before.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "wirehall/clock.h"
#include "wirehall/result.h"

namespace wirehall {

/// A file whose bytes are complete. They lie outside of the store, under the file's id.
struct StoredFile {
  std::string id;
  std::string user_id;  ///< who uploaded it
  std::string name;
  std::string mime;
  std::string sha256;  ///< of the bytes, 64 lower-case hexadecimal digits
  std::uint64_t size_bytes = 0;
};
using StoredFilePtr = std::shared_ptr<const StoredFile>;

/// A message of a room. JSON fields are texts that were validated.
struct StoredMessage {
  std::string id;
  std::string room;
  std::uint64_t seq = 0;  ///< 1, 2, 3, … per room, without holes
  std::string user_id;
  std::string user_json;  ///< what others are shown as `user`
  std::string type;       ///< the message's kind: "text", "file", …
  std::string content;    ///< empty once it is deleted
  std::string reply_to;   ///< id of another message of the room, or empty
  WallMs timestamp = 0;
  bool edited = false;
  bool deleted = false;
  StoredFilePtr file;  ///< of a message of type "file"; nullptr once it is deleted
};

/// A message between two users.
struct PrivateMessage {
  std::string id;
  std::string from_user;
  std::string from_json;  ///< what the target is shown as `fromUser`
  std::string to_user;
  std::string type;
  std::string content;
  WallMs timestamp = 0;
  bool read = false;
  StoredFilePtr file;
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

/// What a user may do in a room; each includes what stands before it.
enum class RoomRole : std::uint8_t { kNone, kInvited, kMember, kModerator, kOwner };

/// A room that was created, or that has had a message. Rooms without a record are empty and of the default
/// type.
struct RoomRecord {
  std::string name;
  std::string type;           ///< of the room types that the application has; empty: the default one
  std::string title;          ///< for people; may be empty
  std::string metadata_json;  ///< an object, validated; empty: none
  std::string created_by;     ///< empty: by its first message
  WallMs created_at = 0;
  WallMs last_activity = 0;  ///< of its last message, or of its creation
  RoomPosition top;
};

/// A room as one user sees it.
struct RoomView {
  std::optional<RoomRecord> record;
  RoomRole role = RoomRole::kNone;
  std::uint64_t read_up_to = 0;  ///< what the user has marked as read
};

/// What is kept of a user who is away.
struct UserRecord {
  std::string id;
  std::string user_json;
  WallMs last_seen = 0;
  std::vector<std::string> rooms;  ///< that the user was in
};

/// An upload that is not complete. Its bytes lie outside of the store; how many there are is known there.
struct UploadRecord {
  StoredFile file;          ///< as declared; sha256 may be empty
  std::string room;         ///< where it will appear, or
  std::string target_user;  ///< who will get it
  WallMs started_at = 0;
};

/// Who may read a file.
struct FileView {
  StoredFile file;
  std::string room;       ///< members of this room, or
  std::string from_user;  ///< these two
  std::string to_user;
};

/// A browser's subscription to Web Push.
struct PushSubscription {
  std::string user_id;
  std::string endpoint;
  std::string p256dh;  ///< 65 bytes
  std::string auth;    ///< 16 bytes
  WallMs created_at = 0;
};

// -- changes ----------------------------------------------------------------------------------------

/// Appends a message to its room, which gets a record with its first one. With `message.file` the file
/// becomes readable, and the upload of the same id ends.
///
/// Outcome:  the message with its seq; with `duplicate` the one that was first stored under the key.
/// Errors:   kConflict: the key was used for another message, or the id is taken; kNotFound: `reply_to` is no
///           message of the room, or there is no such upload.
struct PostMessage {
  StoredMessage message;          ///< without its seq
  std::string client_message_id;  ///< idempotency key of the user, over everything; empty: none
};

/// Changes the text of a message, or deletes it. What is deleted keeps its place in the stream, without
/// content, and cannot be changed again.
///
/// Outcome:  the message as it is now; when a file went with it, its id is among the next maintain()'s.
/// Errors:   kNotFound: no such message, or a deleted one; kAccessDenied.
struct ChangeMessage {
  std::string room;
  std::string id;
  std::string user_id;                 ///< who asks: the author, or
  RoomRole others_from{};              ///< whoever has at least this role; kNone: the author alone
  std::optional<std::string> content;  ///< nullopt: it is deleted
};

/// Stores a private message as pending for its target.
///
/// Outcome:  the message; with `duplicate` the one first stored under the key.
/// Errors:   kConflict; kNotFound: there is no such upload; kLimitReached: too much is pending for the
/// target.
struct PostPrivate {
  PrivateMessage message;
  std::string client_message_id;
  std::uint32_t pending_max = 1'000;
  std::uint64_t pending_bytes_max = 1024 * 1024;  ///< of contents
};

/// The target has got private messages, and maybe read them. Ids that are not the target's are ignored.
///
/// Outcome:  `settled`: who sent what was unread until now, in the order of the messages; only with `read`.
///           `count`: how many these are.
struct SettlePrivate {
  std::string user_id;
  std::vector<std::string> ids;
  bool read = false;
};

/// A user has read a room up to a message; a position beyond the newest one counts as the newest one, one
/// behind an earlier mark changes nothing.
///
/// Outcome:  `count`: by how many messages the mark moved; `position`: where it is.
struct MarkRoomRead {
  std::string room;
  std::string user_id;
  std::uint64_t up_to = 0;
};

/// Makes a room; its creator becomes the owner.
///
/// Outcome:  `room`.
/// Errors:   kConflict: it has a record; kLimitReached: the user has created `rooms_per_user_max` that exist.
struct CreateRoom {
  RoomRecord record;  ///< without its position
  std::uint32_t rooms_per_user_max = 1'000;
};

/// Gives a user a role, or takes it (kNone). A room without a record has no roles.
///
/// Outcome:  `role`: the one before.
/// Errors:   kNotFound: no such room; kAccessDenied: the actor has less than `actor_min`, or, with
///           `must_outrank`, no more than the user has or would get.
struct SetRole {
  std::string room;
  std::string user_id;
  RoomRole role{};
  std::string actor;  ///< empty: the server itself, which may
  RoomRole actor_min{};
  bool must_outrank = false;
  bool only_raise = false;  ///< who has the role or a higher one keeps it
};

/// Remembers a user; empty fields leave what is known.
struct SaveUser {
  std::string id;
  std::string user_json;
  WallMs last_seen = 0;
  std::optional<std::vector<std::string>> rooms;
};

/// Begins an upload under `record.file.id`.
///
/// Errors:   kConflict: the id is taken, also until maintain() has told it; kLimitReached: the user's or all
/// files and uploads would be more.
struct BeginUpload {
  UploadRecord record;
  std::uint64_t user_bytes_max = 0;    ///< of the user's files and uploads; inclusive
  std::uint64_t total_bytes_max = 0;   ///< of everybody's; inclusive
  std::uint32_t user_uploads_max = 0;  ///< unfinished ones of the user
};

/// Ends an upload without a file. Nothing happens when there is none.
struct EndUpload {
  std::string id;
};

/// Keeps a subscription; the same endpoint is moved to the user who gives it last. Of a user's beyond
/// `per_user_max` the oldest goes.
struct SavePushSubscription {
  PushSubscription subscription;
  std::uint32_t per_user_max = 20;
};

/// Errors:   kNotFound.
struct DropPushSubscription {
  std::string user_id;  ///< empty: whoever's
  std::string endpoint;
};

using HallWrite =
    std::variant<PostMessage, ChangeMessage, PostPrivate, SettlePrivate, MarkRoomRead, CreateRoom, SetRole,
                 SaveUser, BeginUpload, EndUpload, SavePushSubscription, DropPushSubscription>;

/// What became of one write.
struct WriteOutcome {
  ErrorCode code = ErrorCode::kOk;  ///< anything else: nothing was changed
  bool duplicate = false;
  std::uint64_t count = 0;
  std::uint64_t position = 0;
  RoomRole role{};
  WallMs committed_at = 0;  ///< set by who told the others of it, with the time that they were told
  StoredMessage message;
  PrivateMessage private_message;
  RoomRecord room;
  std::vector<std::pair<std::string, std::string>> settled;  ///< sender, message id
};

// -- upkeep -----------------------------------------------------------------------------------------

/// How much of a room's history is kept; 0: without limit. The numbers of what is left stay.
struct Retention {
  std::uint64_t messages_max = 0;
  WallMs age_ms_max = 0;
};

/// What maintain() removes.
struct UpkeepOptions {
  /// Of a room, by its name and type.
  std::function<Retention(std::string_view room, std::string_view type)> retention;
  WallMs key_lifetime_ms = 24LL * 3600 * 1000;          ///< idempotency keys
  WallMs private_lifetime_ms = 7LL * 24 * 3600 * 1000;  ///< private messages, pending or not
  WallMs upload_lifetime_ms = 24LL * 3600 * 1000;       ///< uploads that were not finished
  WallMs user_lifetime_ms = 90LL * 24 * 3600 * 1000;    ///< users who were not seen
  std::uint32_t rows_max = 5'000;                       ///< removed in one call
};

/// What one call of maintain() has done.
struct UpkeepResult {
  std::vector<std::string> files;  ///< ids whose bytes are not needed any more; told once
  std::uint64_t rows = 0;          ///< removed
  bool more = false;               ///< `rows_max` was reached: call it again soon
};

/// Everything durable of a hall. Ids of users are never empty.
///
/// Thread:   commit() and maintain() are called by one thread at a time, the others by any.
class HallStore {
 public:
  virtual ~HallStore() = default;
  /// Applies writes in order, in one transaction. A message may go over from its write into the outcome, so that
  /// it is not copied: afterwards writes are good for their kind and for what is no message.
  ///
  /// Returns:  outcomes in step with the writes.
  /// Errors:   kUnavailable: nothing was changed; the detail is for logs.
  virtual Result<std::vector<WriteOutcome>> commit(std::span<HallWrite> writes, WallMs now) = 0;
  /// Removes what is too old or too much. Errors: kUnavailable.
  virtual Result<UpkeepResult> maintain(const UpkeepOptions& options, WallMs now) = 0;

  /// The newest `limit` messages with a seq below `before` (0: no bound).
  virtual Result<MessagePage> read_newest(const std::string& room, std::uint64_t before,
                                          std::uint32_t limit) = 0;
  /// The oldest `limit` messages with a seq above `after`.
  virtual Result<MessagePage> read_after(const std::string& room, std::uint64_t after,
                                         std::uint32_t limit) = 0;
  virtual Result<RoomView> find_room(const std::string& room, const std::string& user_id) = 0;
  /// Rooms with a record whose names come behind `after`, in the order of their names (by bytes).
  virtual Result<std::vector<RoomRecord>> list_rooms(const std::string& after, std::uint32_t limit) = 0;
  virtual Result<std::optional<UserRecord>> find_user(const std::string& user_id) = 0;
  /// Private messages that wait for the user, the oldest first.
  virtual Result<std::vector<PrivateMessage>> read_pending(const std::string& user_id,
                                                           std::uint32_t limit) = 0;
  virtual Result<std::optional<UploadRecord>> find_upload(const std::string& id) = 0;
  virtual Result<std::optional<FileView>> find_file(const std::string& id) = 0;
  virtual Result<std::vector<PushSubscription>> push_subscriptions(const std::string& user_id) = 0;
};

}  // namespace wirehall
