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

void append_message(std::string& json, const StoredMessage& message) {
  const auto text = [&json](std::string_view name, std::string_view value) {
    json.append(name);
    json::append_string(json, value);
  };
  json.reserve(json.size() + shown_bytes(message));
  text(R"({"id":)", message.id);
  text(R"(,"roomId":)", message.room);
  json.append(R"(,"seq":)");
  json::append_number(json, static_cast<std::int64_t>(message.seq));
  text(R"(,"userId":)", message.user_id);
  json.append(R"(,"user":)").append(message.user_json.empty() ? std::string_view("{}") : message.user_json);
  if (message.deleted) {
    json.append(R"(,"content":null)");
  } else {
    text(R"(,"content":)", message.content);
  }
  text(R"(,"type":)", message.type);
  json.append(R"(,"timestamp":)");
  json::append_number(json, message.timestamp);
  json.append(message.edited ? R"(,"edited":true)" : R"(,"edited":false)");
  json.append(message.deleted ? R"(,"deleted":true)" : R"(,"deleted":false)");
  if (!message.reply_to.empty()) text(R"(,"replyTo":)", message.reply_to);
  if (message.file && !message.deleted)
    json.append(R"(,"file":)").append(Value(file_object(*message.file)).to_json());
  json.push_back('}');
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
