#include "services/hall/presentation.h"

#include "base/json.h"

namespace wirehall::services {

Value object_of(const std::string& json) { return Value::from_validated_json(json.empty() ? "{}" : json); }

Value value_of(const std::string& json) {
  if (json.find("\"$binary\"") == std::string::npos) return Value::from_validated_json(json);
  Value value = json::parse_validated(json);
  json::restore_bytes(value);
  return value;
}

Object file_object(const StoredFile& file) {
  return {{"id", file.id},     {"name", file.name},     {"size", static_cast<std::int64_t>(file.size_bytes)},
          {"mime", file.mime}, {"sha256", file.sha256}, {"url", "/files/" + file.id}};
}

Object message_object(const StoredMessage& message) {
  Object object{{"id", message.id},
                {"roomId", message.room},
                {"seq", static_cast<std::int64_t>(message.seq)},
                {"userId", message.user_id},
                {"user", object_of(message.user_json)},
                {"content", message.deleted ? Value() : Value(message.content)},
                {"type", message.type},
                {"timestamp", message.timestamp},
                {"edited", message.edited},
                {"deleted", message.deleted}};
  if (!message.reply_to.empty()) object.set("replyTo", message.reply_to);
  if (message.file && !message.deleted) object.set("file", Value(file_object(*message.file)));
  return object;
}

namespace {

// Writes an object, and notes where its members stand.
class ObjectText {
 public:
  ObjectText(std::string& json, std::vector<json::MemberPlace>& members)
      : json_(json), members_(members), begin_(json.size()) {}
  /// Begins a member; its value is to be appended.
  std::string& member(std::string_view name) {
    end_member();
    json_.push_back(members_.empty() ? '{' : ',');
    json_.push_back('"');
    const std::uint32_t key_begin = here();
    json_.append(name).append("\":");
    members_.push_back({key_begin, static_cast<std::uint32_t>(name.size()), here(), 0});
    return json_;
  }
  void text(std::string_view name, std::string_view value) { json::append_string(member(name), value); }
  void number(std::string_view name, std::int64_t value) { json::append_number(member(name), value); }
  void flag(std::string_view name, bool value) { member(name).append(value ? "true" : "false"); }
  void finish() {
    end_member();
    json_.push_back('}');
  }

 private:
  std::uint32_t here() const { return static_cast<std::uint32_t>(json_.size() - begin_); }
  void end_member() {
    if (!members_.empty()) members_.back().value_end = here();
  }
  std::string& json_;
  std::vector<json::MemberPlace>& members_;
  std::size_t begin_;
};

}  // namespace

void append_message(std::string& json, const StoredMessage& message, std::vector<json::MemberPlace>& members) {
  constexpr std::size_t kMembers = 12;
  members.clear();
  members.reserve(kMembers);
  json.reserve(json.size() + shown_bytes(message));
  ObjectText object(json, members);
  object.text("id", message.id);
  object.text("roomId", message.room);
  object.number("seq", static_cast<std::int64_t>(message.seq));
  object.text("userId", message.user_id);
  object.member("user").append(message.user_json.empty() ? std::string_view("{}") : message.user_json);
  if (message.deleted) {
    object.member("content").append("null");
  } else {
    object.text("content", message.content);
  }
  object.text("type", message.type);
  object.number("timestamp", message.timestamp);
  object.flag("edited", message.edited);
  object.flag("deleted", message.deleted);
  if (!message.reply_to.empty()) object.text("replyTo", message.reply_to);
  if (message.file && !message.deleted) object.member("file").append(Value(file_object(*message.file)).to_json());
  object.finish();
}

std::size_t shown_bytes(const StoredMessage& message) {
  constexpr std::size_t kFieldsBytes = 256;
  return kFieldsBytes + message.content.size() + message.user_json.size() + message.room.size();
}

Object private_object(const PrivateMessage& message) {
  Object object{{"id", message.id},
                {"fromUserId", message.from_user},
                {"fromUser", object_of(message.from_json)},
                {"toUserId", message.to_user},
                {"content", message.content},
                {"timestamp", message.timestamp},
                {"read", message.read}};
  if (message.type != "text") object.set("type", message.type);
  if (message.file) object.set("file", Value(file_object(*message.file)));
  return object;
}

Object room_object(const std::string& name, std::string_view type, const RoomView& view) {
  Object object{{"id", name}};
  if (!type.empty()) object.set("type", type);
  if (view.role != RoomRole::kNone) object.set("role", role_name(view.role));
  if (!view.record) return object;
  if (!view.record->title.empty()) object.set("name", view.record->title);
  if (!view.record->metadata_json.empty()) object.set("metadata", object_of(view.record->metadata_json));
  if (!view.record->created_by.empty()) object.set("createdBy", view.record->created_by);
  object.set("createdAt", view.record->created_at);
  object.set("readUpTo", static_cast<std::int64_t>(view.read_up_to));
  return object;
}

std::string_view role_name(RoomRole role) {
  switch (role) {
    case RoomRole::kOwner: return "owner";
    case RoomRole::kModerator: return "moderator";
    case RoomRole::kMember: return "member";
    case RoomRole::kInvited: return "invited";
    case RoomRole::kNone: break;
  }
  return "none";
}

Result<RoomRole> role_of(std::string_view name) {
  for (const RoomRole role : {RoomRole::kOwner, RoomRole::kModerator, RoomRole::kMember}) {
    if (role_name(role) == name) return role;
  }
  return Error(ErrorCode::kInvalidFormat, "role must be owner, moderator or member");
}

}  // namespace wirehall::services
