// What a HallStore takes and answers, as texts that can be compared and printed: every field is in them.
//
// An epoch's own text means nothing: it appears as the number of the first answer that showed it, so that two
// stores give the same texts when their epochs are equal, and change, at the same moments.
#pragma once

#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "wirehall/hall_store.h"

namespace wirehall::test {

/// Writes values as texts.
///
/// Thread:   one at a time; one for each store, since it remembers the store's epochs.
class HallText {
 public:
  template <class T>
  std::string of(const T& value) {
    out_.clear();
    add(value);
    return std::move(out_);
  }

 private:
  void add(std::string_view text) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    out_.push_back('"');
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte < 0x7F && c != '\\') {
        out_.push_back(c);
      } else {
        out_.append({'\\', 'x', kDigits[byte / 16], kDigits[byte % 16]});
      }
    }
    out_.push_back('"');
  }
  void add(const std::string& text) { add(std::string_view(text)); }
  template <class T>
  requires std::is_integral_v<T>
  void add(T value) { out_.append(std::to_string(value)); }
  void add(RoomRole role) { add(static_cast<int>(role)); }
  void add(ErrorCode code) { out_.append(error_info(code).code); }
  template <class T>
  void add(const std::optional<T>& value) {
    if (value) add(*value);
    if (!value) out_.append("none");
  }
  template <class T>
  void add(const std::vector<T>& values) {
    out_.append("[");
    for (const T& value : values) add(value), out_.append(", ");
    out_.append("]");
  }
  template <class A, class B>
  void add(const std::pair<A, B>& pair) {
    add(pair.first), out_.append("/"), add(pair.second);
  }
  template <class T>
  void field(const char* name, const T& value) {
    out_.append(" ").append(name).append("=");
    add(value);
  }

  void add(const RoomPosition& top) {
    const auto [known, is_new] = epochs_.emplace(top.epoch, epochs_.size() + 1);
    out_.append("{");
    field("seq", top.seq), field("epoch", top.epoch.empty() ? 0 : known->second);
    out_.append(" }");
  }
  void add(const StoredFile& file) {
    out_.append("{");
    field("id", file.id), field("user", file.user_id), field("name", file.name), field("mime", file.mime);
    field("sha256", file.sha256), field("size", file.size_bytes);
    out_.append(" }");
  }
  void add(const StoredFilePtr& file) {
    if (file) add(*file);
    if (!file) out_.append("none");
  }
  void add(const StoredMessage& message) {
    out_.append("\n  {");
    field("id", message.id), field("room", message.room), field("seq", message.seq);
    field("user", message.user_id), field("json", message.user_json), field("type", message.type);
    field("content", message.content), field("reply", message.reply_to), field("time", message.timestamp);
    field("edited", message.edited), field("deleted", message.deleted), field("file", message.file);
    out_.append(" }");
  }
  void add(const PrivateMessage& message) {
    out_.append("\n  {");
    field("id", message.id), field("from", message.from_user), field("json", message.from_json);
    field("to", message.to_user), field("type", message.type), field("content", message.content);
    field("time", message.timestamp), field("read", message.read), field("file", message.file);
    out_.append(" }");
  }
  void add(const RoomRecord& room) {
    out_.append("\n  {");
    field("name", room.name), field("type", room.type), field("title", room.title);
    field("metadata", room.metadata_json), field("by", room.created_by), field("created", room.created_at);
    field("active", room.last_activity), field("top", room.top);
    out_.append(" }");
  }
  void add(const WriteOutcome& outcome) {
    field("code", outcome.code), field("duplicate", outcome.duplicate), field("count", outcome.count);
    field("position", outcome.position), field("role", outcome.role), field("message", outcome.message);
    field("private", outcome.private_message), field("room", outcome.room);
    field("settled", outcome.settled);
  }
  void add(const MessagePage& page) { field("top", page.top), field("messages", page.messages); }
  void add(const RoomView& view) {
    field("record", view.record), field("role", view.role), field("read", view.read_up_to);
  }
  void add(const UserRecord& user) {
    field("id", user.id), field("json", user.user_json), field("seen", user.last_seen);
    field("rooms", user.rooms);
  }
  void add(const UploadRecord& upload) {
    field("file", upload.file), field("room", upload.room), field("target", upload.target_user);
    field("started", upload.started_at);
  }
  void add(const FileView& view) {
    field("file", view.file), field("room", view.room), field("from", view.from_user);
    field("to", view.to_user);
  }
  void add(const PushSubscription& subscription) {
    out_.append("\n  {");
    field("user", subscription.user_id), field("endpoint", subscription.endpoint);
    field("p256dh", subscription.p256dh), field("auth", subscription.auth);
    field("created", subscription.created_at);
    out_.append(" }");
  }

  void add(const PostMessage& write) {
    out_.append("PostMessage");
    field("key", write.client_message_id), field("message", write.message);
  }
  void add(const ChangeMessage& write) {
    out_.append("ChangeMessage");
    field("room", write.room), field("id", write.id), field("user", write.user_id);
    field("others_from", write.others_from), field("content", write.content);
  }
  void add(const PostPrivate& write) {
    out_.append("PostPrivate");
    field("key", write.client_message_id), field("max", write.pending_max);
    field("bytes_max", write.pending_bytes_max), field("message", write.message);
  }
  void add(const SettlePrivate& write) {
    out_.append("SettlePrivate");
    field("user", write.user_id), field("ids", write.ids), field("read", write.read);
  }
  void add(const MarkRoomRead& write) {
    out_.append("MarkRoomRead");
    field("room", write.room), field("user", write.user_id), field("up_to", write.up_to);
  }
  void add(const CreateRoom& write) {
    out_.append("CreateRoom");
    field("max", write.rooms_per_user_max), field("record", write.record);
  }
  void add(const SetRole& write) {
    out_.append("SetRole");
    field("room", write.room), field("user", write.user_id), field("role", write.role);
    field("actor", write.actor), field("actor_min", write.actor_min);
    field("must_outrank", write.must_outrank), field("only_raise", write.only_raise);
  }
  void add(const SaveUser& write) {
    out_.append("SaveUser");
    field("id", write.id), field("json", write.user_json), field("seen", write.last_seen);
    field("rooms", write.rooms);
  }
  void add(const BeginUpload& write) {
    out_.append("BeginUpload");
    field("record", write.record), field("user_bytes_max", write.user_bytes_max);
    field("total_bytes_max", write.total_bytes_max), field("user_uploads_max", write.user_uploads_max);
  }
  void add(const EndUpload& write) { out_.append("EndUpload"), field("id", write.id); }
  void add(const SavePushSubscription& write) {
    out_.append("SavePushSubscription");
    field("max", write.per_user_max), field("subscription", write.subscription);
  }
  void add(const DropPushSubscription& write) {
    out_.append("DropPushSubscription");
    field("user", write.user_id), field("endpoint", write.endpoint);
  }
  void add(const HallWrite& write) {
    std::visit([this](const auto& kind) { add(kind); }, write);
  }
  template <class T>
  void add(const Result<T>& result) {
    if (result.ok()) add(*result);
    if (!result.ok()) add(result.error().code());
  }

  std::string out_;
  std::map<std::string, std::size_t> epochs_;
};

}  // namespace wirehall::test
