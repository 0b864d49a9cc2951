#include "services/hall/room_management.h"

#include <algorithm>

#include "base/random.h"
#include "services/hall/fields.h"
#include "services/hall/hall_shard.h"
#include "services/hall/presentation.h"

namespace wirehall::services {

using Answer = Result<Object>;

namespace {

constexpr std::size_t kTitleBytesMax = 255;

// A room that nobody created has no roles.
Error refusal_of(const Error& error) {
  return error.code() == ErrorCode::kNotFound ? Error(ErrorCode::kAccessDenied, "nobody has a role in this room")
                                              : error;
}

}  // namespace

Task<Answer> RoomManagement::create(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  const HallShared& shared = hall_.shared();
  CreateRoom write;
  write.record.name = fields.room();
  write.record.type = fields.text_or_empty("type", kKindBytesMax);
  write.record.title = fields.text_or_empty("name", kTitleBytesMax);
  write.record.metadata_json = fields.json_object("metadata", shared.metadata_bytes_max);
  if (!fields.ok()) co_return Answer(fields.error());
  const std::string room = write.record.name;
  if (!socket->user().may_join(room) || is_socket_id(room)) co_return Answer(ErrorCode::kAccessDenied);
  const RoomType* type = write.record.type.empty() ? &shared.room_types.of(room, nullptr)
                                                   : shared.room_types.find(write.record.type);
  if (type == nullptr) co_return Answer(Error(ErrorCode::kInvalidFormat, "there is no such type of room"));
  write.record.type = std::string(shared.room_types.name_of(*type));
  write.record.created_by = socket->user().id;
  write.record.created_at = hall_.wall_now();
  write.rooms_per_user_max = shared.rooms_per_user_max;
  if (Status may = type->may_create(socket->user(), write.record); !may.ok()) co_return Answer(may.error());
  // Nobody becomes the owner of a room that others are in already.
  std::function<bool(HallShard&)> ask = [room](HallShard& hall) { return hall.rooms.member_count(room) != 0; };
  hub::Completion<bool> asking = hall_.ask_owner<bool>(room, std::move(ask));
  const bool taken = co_await asking;
  if (taken) co_return Answer(Error(ErrorCode::kConflict, "the room exists"));
  Task<Result<WriteOutcome>> writing = hall_.store().write(HallWrite(std::move(write)));
  Result<WriteOutcome> written = co_await writing;
  if (!written.ok() && written.error().code() == ErrorCode::kConflict)
    co_return Answer(Error(ErrorCode::kConflict, "the room exists"));
  if (!written.ok()) co_return Answer(written.error());
  RoomView view;
  view.record = std::move(written->room);
  view.role = RoomRole::kOwner;
  Object result{{"room", Value(room_object(room, view.record->type, view))}};
  co_return Answer(std::move(result));
}

Object RoomManagement::event_about(hub::Socket& socket, const About& about) const {
  return {{"roomId", about.room},
          {"userId", about.user_id},
          {"byUserId", socket.user().id},
          {"byUser", object_of(HallShard::extension(socket)->user_json())},
          {"timestamp", hall_.wall_now()}};
}

Task<Answer> RoomManagement::invite(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  About about;
  about.room = fields.room();
  about.user_id = fields.user("userId");
  const std::string role_text = fields.text_or_empty("role", kKindBytesMax);
  if (!fields.ok()) co_return Answer(fields.error());
  Result<RoomRole> role = role_text.empty() ? Result<RoomRole>(RoomRole::kInvited) : role_of(role_text);
  if (!role.ok()) co_return Answer(role.error());
  Task<bool> asking = hall_.joining.is_in(socket, about.room);
  if (!co_await asking) co_return Answer(ErrorCode::kNotInRoom);
  const HallSocket::InRoom* in_room = HallShard::extension(*socket)->find_room(about.room);
  const bool open = in_room->type->options().access != RoomAccess::kInvite;
  if (open && *role == RoomRole::kInvited && in_room->role < RoomRole::kModerator) {
    // Into an open room anybody may call others, but that gives them nothing.
    hall_.tell_user(about.user_id, "room-invited", event_about(*socket, about));
    Object told;
    co_return Answer(std::move(told));
  }
  SetRole write;
  write.room = about.room;
  write.user_id = about.user_id;
  write.actor = socket->user().id;
  write.role = *role;
  write.only_raise = *role == RoomRole::kInvited;
  write.must_outrank = *role != RoomRole::kInvited;
  write.actor_min = RoomRole::kModerator;
  Task<Result<WriteOutcome>> writing = hall_.store().write(HallWrite(std::move(write)));
  const Result<WriteOutcome> written = co_await writing;
  if (!written.ok()) co_return Answer(refusal_of(written.error()));
  Object event = event_about(*socket, about);
  if (*role != RoomRole::kInvited) {
    event.set("role", role_name(*role));
    roles_changed(about.room, about.user_id, *role);
  }
  hall_.tell_user(about.user_id, "room-invited", std::move(event));
  Object result;
  co_return Answer(std::move(result));
}

Task<Answer> RoomManagement::set_role(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  SetRole write;
  write.room = fields.room();
  write.user_id = fields.user("userId");
  const std::string role_text = fields.text("role", kKindBytesMax);
  if (!fields.ok()) co_return Answer(fields.error());
  const Result<RoomRole> role = role_of(role_text);
  if (!role.ok()) co_return Answer(role.error());
  Task<bool> asking = hall_.joining.is_in(socket, write.room);
  if (!co_await asking) co_return Answer(ErrorCode::kNotInRoom);
  write.role = *role;
  write.actor = socket->user().id;
  write.actor_min = *role == RoomRole::kOwner ? RoomRole::kOwner : RoomRole::kModerator;
  write.must_outrank = *role != RoomRole::kOwner;
  const About about{write.room, write.user_id};
  Task<Result<WriteOutcome>> writing = hall_.store().write(HallWrite(std::move(write)));
  const Result<WriteOutcome> written = co_await writing;
  if (!written.ok()) co_return Answer(refusal_of(written.error()));
  roles_changed(about.room, about.user_id, *role);
  Object result{{"role", role_name(*role)}};
  co_return Answer(std::move(result));
}

// What a socket may do in a room is looked up when it comes in, and brought up to date here.
void RoomManagement::roles_changed(const std::string& room, const std::string& user_id, RoomRole role) {
  hall_.on_owner(user_id, [room, user_id, role](HallShard& owner) {
    for (const Device& device : owner.users.devices(user_id)) {
      owner.on_shard(device.shard, [id = device.socket_id, room, role](HallShard& hall) {
        hub::Socket* socket = hall.find(id);
        HallSocket* extension = socket == nullptr ? nullptr : HallShard::extension(*socket);
        HallSocket::InRoom* in_room = extension == nullptr ? nullptr : extension->find_room(room);
        if (in_room != nullptr) in_room->role = role;
      });
    }
  });
}

Task<Answer> RoomManagement::kick(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  About about;
  about.room = fields.room();
  about.user_id = fields.user("userId");
  const std::string reason = fields.text_or_empty("reason", kIdBytesMax);
  if (!fields.ok()) co_return Answer(fields.error());
  Task<bool> asking = hall_.joining.is_in(socket, about.room);
  if (!co_await asking) co_return Answer(ErrorCode::kNotInRoom);
  SetRole write;
  write.room = about.room;
  write.user_id = about.user_id;
  write.role = RoomRole::kNone;
  write.actor = socket->user().id;
  write.actor_min = RoomRole::kModerator;
  write.must_outrank = true;
  Task<Result<WriteOutcome>> writing = hall_.store().write(HallWrite(std::move(write)));
  const Result<WriteOutcome> written = co_await writing;
  if (!written.ok()) co_return Answer(refusal_of(written.error()));
  Object event = event_about(*socket, about);
  if (!reason.empty()) event.set("reason", reason);
  Task<bool> expelling = expel(about.room, about.user_id, std::move(event));
  const bool was_there = co_await expelling;
  if (!was_there && written->role == RoomRole::kNone)
    co_return Answer(Error(ErrorCode::kNotFound, "the user is not in the room"));
  Object result;
  co_return Answer(std::move(result));
}

// Out on all devices, and of what is remembered for a later connection. Completes when the room's owner has
// told the others.
Task<bool> RoomManagement::expel(std::string room, std::string user_id, Object fields) {
  const auto shown = std::make_shared<const std::string>(Value(std::move(fields)).to_json());
  std::function<bool(HallShard&)> leave = [room, user_id, shown](HallShard& owner) {
    const bool known = owner.users.room_gone(user_id, room);
    owner.reschedule();
    std::vector<std::vector<std::string>> ids(owner.hub().environment().shard_count());
    for (const Device& device : owner.users.devices(user_id)) ids[device.shard].push_back(device.socket_id);
    for (unsigned shard = 0; shard < ids.size(); ++shard) {
      if (ids[shard].empty()) continue;
      owner.on_shard(shard, [user_id, room, shown, ids = ids[shard]](HallShard& hall) {
        hall.joining.expel(user_id, room, ids, Value::from_validated_json(*shown).as_object());
      });
    }
    return known;
  };
  hub::Completion<bool> leaving = hall_.ask_owner<bool>(user_id, std::move(leave));
  const bool known = co_await leaving;
  if (!known) {
    Task<> forgetting = forget_saved_room(room, user_id);
    co_await forgetting;
  }
  std::function<bool(HallShard&)> remove = [room, user_id](HallShard& owner) {
    owner.typists.stopped(room, user_id);
    return owner.rooms.remove(room, user_id, owner.wall_now());
  };
  hub::Completion<bool> removing = hall_.ask_owner<bool>(room, std::move(remove));
  const bool was_there = co_await removing;
  co_return was_there;
}

Task<> RoomManagement::forget_saved_room(std::string room, std::string user_id) {
  std::function<Result<std::optional<UserRecord>>(HallStore&)> ask = [user_id](HallStore& store) {
    return store.find_user(user_id);
  };
  Task<Result<std::optional<UserRecord>>> asking =
      hall_.store().read<std::optional<UserRecord>>(std::move(ask));
  Result<std::optional<UserRecord>> user = co_await asking;
  if (!user.ok() || !*user) co_return;
  std::vector<std::string> rooms = (*user)->rooms;
  if (std::erase(rooms, room) == 0) co_return;
  SaveUser write;
  write.id = user_id;
  write.rooms = std::move(rooms);
  (void)hall_.store().submit(HallWrite(std::move(write)));
}

}  // namespace wirehall::services
