// What is told of writes that were committed, and the types of rooms.
#include <algorithm>

#include "services/hall/hall_shared.h"
#include "services/hall/presentation.h"

namespace wirehall::services {
namespace {

std::shared_ptr<hub::FrozenMessage> event_of(std::string name, std::string args_json) {
  auto event = std::make_shared<hub::FrozenMessage>();
  event->nsp = "/";
  event->event = std::move(name);
  event->args_json = std::move(args_json);
  return event;
}

std::shared_ptr<const hub::FrozenMessage> event_of(std::string name, Object fields) {
  return event_of(std::move(name), "[" + Value(std::move(fields)).to_json() + "]");
}

std::shared_ptr<const hub::FrozenMessage> new_message(const StoredMessage& message) {
  auto event = event_of("new-message", std::string("["));
  append_message(event->args_json, message, event->members);
  event->args_json.push_back(']');
  event->tag = message.seq;
  return event;
}

// One function for each write that anybody else is told of.
struct Describe {
  const WriteOutcome& outcome;
  WallMs now;
  CommittedWrite& committed;

  void operator()(const PostMessage&) const {
    if (outcome.duplicate) return;
    committed.room = outcome.message.room;
    committed.event = new_message(outcome.message);
  }
  void operator()(const ChangeMessage& write) const {
    const StoredMessage& message = outcome.message;
    committed.room = message.room;
    Object fields{{"roomId", message.room}, {"id", message.id}, {"seq", static_cast<std::int64_t>(message.seq)}};
    if (write.content) fields.set("content", message.content);
    fields.set("timestamp", now);
    committed.event = event_of(write.content ? "message-edited" : "message-deleted", std::move(fields));
  }
  void operator()(const MarkRoomRead& write) const {
    if (outcome.count == 0) return;
    committed.room = write.room;
    committed.event = event_of("read-receipt", {{"roomId", write.room},
                                                {"userId", write.user_id},
                                                {"upTo", static_cast<std::int64_t>(outcome.position)},
                                                {"timestamp", now}});
  }
  void operator()(const SetRole& write) const {
    // Invitations and expulsions are told in their own way.
    if (write.role < RoomRole::kMember || write.only_raise || write.role == outcome.role) return;
    committed.room = write.room;
    committed.event = event_of("role-changed", {{"roomId", write.room},
                                                {"userId", write.user_id},
                                                {"role", role_name(write.role)},
                                                {"byUserId", write.actor},
                                                {"timestamp", now}});
  }
  void operator()(const PostPrivate&) const { committed.new_private = !outcome.duplicate; }
  void operator()(const auto&) const {}
};

}  // namespace

CommittedWrite describe_commit(const HallWrite& write, const WriteOutcome& outcome, WallMs now) {
  CommittedWrite committed;
  if (outcome.code == ErrorCode::kOk) std::visit(Describe{outcome, now, committed}, write);
  return committed;
}

// -- room types ---------------------------------------------------------------------------------------

namespace {

const RoomType& plain_type() {
  static const RoomType type;
  return type;
}
// Of a room whose type is gone: its rules are not known, so it stays shut for who has no role.
const RoomType& shut_type() {
  static const RoomType type([] {
    RoomTypeOptions options;
    options.access = RoomAccess::kInvite;
    return options;
  }());
  return type;
}

}  // namespace

void RoomTypes::add(std::string name, std::shared_ptr<const RoomType> type) {
  std::erase_if(types_, [&](const auto& entry) { return entry.first == name; });
  types_.emplace_back(std::move(name), std::move(type));
}

const RoomType* RoomTypes::find(std::string_view name) const {
  for (const auto& [known, type] : types_) {
    if (known == name) return type.get();
  }
  return name.empty() ? &plain_type() : nullptr;
}

const RoomType& RoomTypes::of(std::string_view room, const RoomRecord* record) const {
  if (record != nullptr && !record->type.empty()) {
    const RoomType* type = find(record->type);
    return type == nullptr ? shut_type() : *type;
  }
  for (const auto& [name, type] : types_) {
    const auto& patterns = type->options().names;
    if (std::any_of(patterns.begin(), patterns.end(),
                    [&](const std::string& pattern) { return matches_pattern(pattern, room); }))
      return *type;
  }
  return *find({});
}

std::string_view RoomTypes::name_of(const RoomType& wanted) const {
  for (const auto& [name, type] : types_) {
    if (type.get() == &wanted) return name;
  }
  return {};
}

}  // namespace wirehall::services
