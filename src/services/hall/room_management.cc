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
  // Nobody becomes the owner of a room that others are in already, and nobody comes in before it has its rules.
  std::function<bool(HallShard&)> reserve = [room](HallShard& hall) { return hall.rooms.reserve(room); };
  hub::Completion<bool> reserving = hall_.ask_owner<bool>(room, std::move(reserve));
  const bool reserved = co_await reserving;
  if (!reserved) co_return Answer(Error(ErrorCode::kConflict, "the room exists"));
  Stored writing = hall_.store().write(HallWrite(std::move(write)));
  const Result<OutcomePtr> written = co_await writing;
  hall_.on_owner(room, [room](HallShard& hall) { hall.rooms.release(room); });
  if (!written.ok() && written.error().code() == ErrorCode::kConflict)
    co_return Answer(Error(ErrorCode::kConflict, "the room exists"));
  if (!written.ok()) co_return Answer(written.error());
  RoomView view;
  view.record = (*written)->room;
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
  Stored writing = hall_.store().write(HallWrite(std::move(write)));
  const Result<OutcomePtr> written = co_await writing;
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
  Stored writing = hall_.store().write(HallWrite(std::move(write)));
  const Result<OutcomePtr> written = co_await writing;
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
  Stored writing = hall_.store().write(HallWrite(std::move(write)));
  const Result<OutcomePtr> written = co_await writing;
  if (!written.ok()) co_return Answer(refusal_of(written.error()));
  Task<bool> expelling = expel(about.room, about.user_id);
  const bool was_there = co_await expelling;
  if (!was_there && (*written)->role == RoomRole::kNone)
    co_return Answer(Error(ErrorCode::kNotFound, "the user is not in the room"));
  Object event = event_about(*socket, about);
  if (!reason.empty()) event.set("reason", reason);
  hall_.tell_user(about.user_id, "room-kicked", std::move(event));
  Object result;
  co_return Answer(std::move(result));
}

// Out on all devices, and of what is remembered for a later connection. Completes when that is stored and the
// room's owner has told the others. Returns: whether the user was in the room, or would have been put back.
Task<bool> RoomManagement::expel(std::string room, std::string user_id) {
  struct Found {
    bool known = false;
    bool had = false;
    std::vector<std::string> rooms;
  };
  std::function<Found(HallShard&)> leave = [room, user_id](HallShard& owner) {
    Found found;
    const std::optional<bool> had = owner.users.room_gone(user_id, room);
    found.known = had.has_value();
    found.had = had.value_or(false);
    found.rooms = owner.users.rooms_of(user_id).value_or(std::vector<std::string>());
    std::vector<std::vector<std::string>> ids(owner.hub().environment().shard_count());
    for (const Device& device : owner.users.devices(user_id)) ids[device.shard].push_back(device.socket_id);
    for (unsigned shard = 0; shard < ids.size(); ++shard) {
      if (ids[shard].empty()) continue;
      owner.on_shard(shard, [user_id, room, ids = ids[shard]](HallShard& hall) {
        hall.joining.expel(user_id, room, ids);
      });
    }
    return found;
  };
  hub::Completion<Found> leaving = hall_.ask_owner<Found>(user_id, std::move(leave));
  Found found = co_await leaving;
  std::function<bool(HallShard&)> remove = [room, user_id](HallShard& owner) {
    owner.typists.stopped(room, user_id);
    return owner.rooms.remove(room, user_id, owner.wall_now());
  };
  hub::Completion<bool> removing = hall_.ask_owner<bool>(room, std::move(remove));
  const bool was_there = co_await removing;
  if (found.known && !found.had) co_return was_there;
  Task<bool> forgetting = forget_saved_room(room, user_id, found.known, std::move(found.rooms));
  const bool was_saved = co_await forgetting;
  co_return was_there || found.had || was_saved;
}

// `known`: these are the user's rooms now; else the store says which they were.
Task<bool> RoomManagement::forget_saved_room(std::string room, std::string user_id, bool known,
                                             std::vector<std::string> rooms) {
  bool had = false;
  if (!known) {
    std::function<Result<std::optional<UserRecord>>(HallStore&)> ask = [user_id](HallStore& store) {
      return store.find_user(user_id);
    };
    Task<Result<std::optional<UserRecord>>> asking =
        hall_.store().read<std::optional<UserRecord>>(std::move(ask));
    Result<std::optional<UserRecord>> user = co_await asking;
    if (!user.ok() || !*user) co_return false;
    rooms = (*user)->rooms;
    had = std::erase(rooms, room) != 0;
    if (!had) co_return false;
  }
  SaveUser write;
  write.id = user_id;
  write.rooms = std::move(rooms);
  Stored writing = hall_.store().write(HallWrite(std::move(write)));
  (void)co_await writing;
  co_return had;
}

}  // namespace wirehall::services
