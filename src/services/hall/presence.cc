#include "services/hall/presence.h"

#include <algorithm>

#include "hub/gather.h"
#include "services/hall/fields.h"
#include "services/hall/hall_shard.h"
#include "services/hall/presentation.h"

namespace wirehall::services {
namespace {

constexpr std::size_t kStatusCharactersMax = 64;

// Characters, not bytes: a status may be in any language.
std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

using Answer = Result<Object>;

Task<Answer> Presence::update_status(hub::SocketPtr socket, std::string status) {
  if (characters(status) > kStatusCharactersMax || !is_valid_name(status, 4 * kStatusCharactersMax))
    co_return Answer(Error(ErrorCode::kInvalidFormat, "status is empty, too long, or has control characters"));
  if (status == "offline")
    co_return Answer(Error(ErrorCode::kInvalidFormat, "status cannot be \"offline\": use \"invisible\""));
  const std::string user_id = socket->user().id;
  std::function<bool(HallShard&)> set = [user_id, status](HallShard& hall) {
    hall.users.set_status(user_id, status);
    const std::string shown = hall.users.status_of(user_id);
    for (const Device& device : hall.users.devices(user_id)) {
      hall.on_shard(device.shard, [id = device.socket_id, shown](HallShard& there) {
        if (hub::Socket* known = there.find(id)) HallShard::extension(*known)->status = shown;
      });
    }
    return true;
  };
  hub::Completion<bool> setting = hall_.ask_owner<bool>(user_id, std::move(set));
  (void)co_await setting;
  Object result{{"status", status}};
  co_return Answer(std::move(result));
}

Task<Result<std::vector<std::string>>> Presence::members(hub::SocketPtr socket, std::string room) {
  using Ids = Result<std::vector<std::string>>;
  Task<bool> asking = hall_.joining.is_in(socket, room);
  if (!co_await asking) co_return Ids(ErrorCode::kNotInRoom);
  std::function<std::vector<std::string>(HallShard&)> ask = [room, most = hall_.shared().members_max](HallShard& hall) {
    std::vector<std::string> ids;
    for (const RoomMember& member : hall.rooms.members(room, most)) ids.push_back(member.user_id);
    return ids;
  };
  hub::Completion<std::vector<std::string>> listing =
      hall_.ask_owner<std::vector<std::string>>(room, std::move(ask));
  std::vector<std::string> ids = co_await listing;
  co_return Ids(std::move(ids));
}

Task<Answer> Presence::look(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  const auto room = fields.optional_room();
  auto ids = fields.texts("userIds", kNameBytesMax, hall_.shared().members_max);
  if (fields.ok() && room.has_value() == ids.has_value())
    fields.refuse(Error(ErrorCode::kInvalidFormat, "either roomId or userIds must be there"));
  if (!fields.ok()) co_return Answer(fields.error());
  if (room) {
    Task<Result<std::vector<std::string>>> listing = members(socket, *room);
    Result<std::vector<std::string>> listed = co_await listing;
    if (!listed.ok()) co_return Answer(listed.error());
    ids = std::move(*listed);
  }
  Task<std::vector<PresenceView>> looking = views(std::move(*ids));
  const std::vector<PresenceView> views = co_await looking;
  Array users;
  for (const PresenceView& view : views) {
    users.push_back({{"userId", view.user_id},
                     {"user", object_of(view.user_json)},
                     {"status", view.status},
                     {"lastSeen", view.last_seen == 0 ? Value() : Value(view.last_seen)},
                     {"connections", static_cast<std::int64_t>(view.connections)}});
  }
  Object result{{"users", Value(std::move(users))}};
  co_return Answer(std::move(result));
}

// Each owner is asked once for all of its users; who is not known there may be known to the store.
Task<std::vector<PresenceView>> Presence::views(std::vector<std::string> user_ids) {
  using Found = std::vector<std::pair<std::size_t, std::optional<PresenceView>>>;
  std::vector<std::vector<std::pair<std::size_t, std::string>>> wanted(
      hall_.hub().environment().shard_count());
  for (std::size_t i = 0; i < user_ids.size(); ++i) wanted[hall_.owner_of(user_ids[i])].emplace_back(i, user_ids[i]);
  std::vector<PresenceView> views(user_ids.size());
  std::vector<std::size_t> unknown;
  for (std::vector<std::pair<std::size_t, std::string>>& ids : wanted) {
    if (ids.empty()) continue;
    const std::string one_of_them = ids.front().second;
    std::function<Found(HallShard&)> ask = [ids = std::move(ids)](HallShard& hall) {
      Found found;
      for (const auto& [place, id] : ids) found.emplace_back(place, hall.users.view(id));
      return found;
    };
    hub::Completion<Found> asking = hall_.ask_owner<Found>(one_of_them, std::move(ask));
    Found found = co_await asking;
    for (auto& [place, view] : found) {
      if (!view) unknown.push_back(place);
      if (view) views[place] = std::move(*view);
    }
  }
  for (const std::size_t place : unknown) views[place].user_id = user_ids[place];
  Task<> filling = fill_from_store(views, std::move(unknown));
  co_await filling;
  co_return views;
}

Task<> Presence::fill_from_store(std::vector<PresenceView>& views, std::vector<std::size_t> unknown) {
  if (unknown.empty()) co_return;
  std::vector<std::string> ids;
  for (const std::size_t place : unknown) ids.push_back(views[place].user_id);
  using Records = std::vector<std::optional<UserRecord>>;
  std::function<Result<Records>(HallStore&)> ask = [ids](HallStore& store) {
    Records records;
    for (const std::string& id : ids) {
      Result<std::optional<UserRecord>> record = store.find_user(id);
      if (!record.ok()) return Result<Records>(record.error());
      records.push_back(std::move(*record));
    }
    return Result<Records>(std::move(records));
  };
  Task<Result<Records>> reading = hall_.store().read<Records>(std::move(ask));
  const Result<Records> records = co_await reading;
  if (!records.ok()) co_return;  // then they are offline, for all that is known
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    const std::optional<UserRecord>& record = (*records)[i];
    if (!record) continue;
    views[unknown[i]].user_json = record->user_json;
    views[unknown[i]].last_seen = record->last_seen;
  }
}

}  // namespace wirehall::services
