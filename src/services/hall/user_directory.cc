#include "services/hall/user_directory.h"

#include <algorithm>

#include "base/append_sparingly.h"

namespace wirehall::services {
namespace {

constexpr std::int64_t kRetryAfterMs = 5'000;  // another connection of the user may have ended by then
constexpr std::size_t kIdleUsersMax = 100'000;
constexpr Duration kSaveDelay = std::chrono::seconds(1);
constexpr Duration kRefresh = std::chrono::hours(1);  // so that who was online when a server died was seen lately

}  // namespace

UserDirectory::Entry* UserDirectory::find(std::string_view user_id) {
  const auto found = users_.find(user_id);
  return found == users_.end() ? nullptr : &found->second;
}

// -- connections --------------------------------------------------------------------------------------

Result<UserDirectory::Attached> UserDirectory::attach(const std::string& user_id, const SharedText& user_json,
                                                      bool guest, Device device) {
  forget_idle();
  Entry& entry = users_[user_id];
  if (entry.devices.size() >= shared_.connections_per_user_max)
    return Error(ErrorCode::kTooManyConnections).retry_after_ms(kRetryAfterMs);
  if (!entry.shared) entry.shared = std::make_shared<UserShared>();
  if (entry.devices.empty()) {
    ++online_;
    if (entry.known && port_.wall_now() - entry.gone_at >= shared_.rejoin_ms_max) entry.rooms.clear();
  }
  entry.user_json = user_json;
  entry.guest = guest;
  entry.forget_at = kNever;
  entry.devices.push_back(std::move(device));
  if (!guest && entry.refresh_at == kNever) plan_refresh(user_id, entry);
  Attached attached;
  attached.shared = entry.shared;
  attached.status = status_of(user_id);
  // Until the first connection has been put back only the store knows where the user was.
  if (entry.known || guest) {
    attached.rooms.emplace();
    for (const InRoom& room : entry.rooms) attached.rooms->push_back(room.name);
  }
  return attached;
}

std::vector<std::string> UserDirectory::ready(const std::string& user_id, const std::string& socket_id,
                                              WallMs last_seen, const std::vector<std::string>& rooms) {
  Entry* entry = find(user_id);
  if (entry == nullptr) return {};
  std::vector<std::string> kicked;
  for (Device& device : entry->devices) {
    if (device.socket_id != socket_id) continue;
    device.ready = true;
    kicked = std::exchange(device.kicked, {});
  }
  for (const std::string& room : rooms) {
    if (std::find(kicked.begin(), kicked.end(), room) == kicked.end()) add_room(*entry, room);
  }
  entry->known = true;
  if (entry->last_seen == 0) entry->last_seen = last_seen;
  entry->offline_at = kNever;
  if (!std::exchange(entry->offline, false)) {
    for (const std::string& room : rooms) tell_room(user_id, *entry, room);
    return kicked;
  }
  entry->status.clear();  // who was away for long begins anew
  entry->shared->invisible.store(false, std::memory_order_relaxed);
  tell(user_id, *entry);
  return kicked;
}

bool UserDirectory::add_room(Entry& entry, const std::string& room) {
  for (InRoom& known : entry.rooms) {
    if (known.name != room) continue;
    ++known.connections;
    return false;
  }
  append_sparingly(entry.rooms, InRoom{room, 1});
  return true;
}

void UserDirectory::detach(const std::string& user_id, const std::string& socket_id) {
  Entry* entry = find(user_id);
  if (entry == nullptr) return;
  const std::size_t before = entry->devices.size();
  std::erase_if(entry->devices, [&](const Device& device) { return device.socket_id == socket_id; });
  if (before != 0 && entry->devices.empty()) last_device_gone(user_id, *entry);
}

void UserDirectory::last_device_gone(const std::string& user_id, Entry& entry) {
  --online_;
  const MonoTime now = port_.now();
  entry.gone_at = port_.wall_now();
  if (!entry.offline) {
    if (!entry.shared->invisible.load(std::memory_order_relaxed)) entry.last_seen = port_.wall_now();
    entry.offline_at = now + shared_.presence_grace;
    graces_.emplace_back(entry.offline_at, user_id);
  }
  save(user_id, entry);
  // Kept for as long as the allowance needs to fill up, since reconnecting must not be a way to get a new one,
  // and for as long as it may come back as a member.
  Duration fill{0};
  for (const AllowanceOptions& allowance : shared_.allowances) fill = std::max(fill, allowance.fill_time());
  entry.forget_at = now + std::max({fill, shared_.recovery_window, shared_.presence_grace + kSaveDelay});
  idle_.emplace_back(entry.forget_at, user_id);
  forget_idle();
}

// -- rooms ----------------------------------------------------------------------------------------------

void UserDirectory::room_in(const std::string& user_id, const std::string& room) {
  Entry* entry = find(user_id);
  if (entry == nullptr || !add_room(*entry, room)) return;
  mark_dirty(user_id, *entry);
  tell_room(user_id, *entry, room);  // the status may have changed while the user came in
}

void UserDirectory::connection_out(const std::string& user_id, Entry& entry, const std::string& room, Keep keep) {
  const auto known = std::find_if(entry.rooms.begin(), entry.rooms.end(),
                                  [&](const InRoom& in_room) { return in_room.name == room; });
  if (known == entry.rooms.end()) return;
  if (known->connections != 0) --known->connections;
  if (known->connections != 0 || keep == Keep::kYes) return;
  entry.rooms.erase(known);
  mark_dirty(user_id, entry);
}

void UserDirectory::room_out(const std::string& user_id, const std::string& room) {
  if (Entry* entry = find(user_id)) connection_out(user_id, *entry, room, Keep::kNo);
}

// What the last connection was in is remembered (I2).
void UserDirectory::room_ends(const std::string& user_id, const std::string& room, bool lost) {
  Entry* entry = find(user_id);
  if (entry == nullptr) return;
  connection_out(user_id, *entry, room, lost || entry->devices.size() <= 1 ? Keep::kYes : Keep::kNo);
}

void UserDirectory::room_ran_out(const std::string& user_id, const std::string& room) {
  Entry* entry = find(user_id);
  if (entry == nullptr || entry->devices.empty()) return;
  if (std::erase_if(entry->rooms, [&](const InRoom& in_room) {
        return in_room.name == room && in_room.connections == 0;
      }) != 0)
    mark_dirty(user_id, *entry);
}

void UserDirectory::rename(const std::string& user_id, const std::string& from, const std::string& to) {
  Entry* entry = find(user_id);
  if (entry == nullptr) return;
  for (Device& device : entry->devices) {
    if (device.socket_id == from) device.socket_id = to;
  }
}

std::optional<bool> UserDirectory::room_gone(const std::string& user_id, const std::string& room) {
  Entry* entry = find(user_id);
  if (entry == nullptr) return std::nullopt;
  for (Device& device : entry->devices) {
    if (!device.ready) device.kicked.push_back(room);
  }
  return std::erase_if(entry->rooms, [&](const InRoom& in_room) { return in_room.name == room; }) != 0;
}

bool UserDirectory::is_in(std::string_view user_id, std::string_view room) const {
  const Entry* entry = find(user_id);
  return entry != nullptr && std::any_of(entry->rooms.begin(), entry->rooms.end(),
                                         [&](const InRoom& in_room) { return in_room.name == room; });
}

std::optional<std::vector<std::string>> UserDirectory::rooms_of(std::string_view user_id) const {
  const Entry* entry = find(user_id);
  if (entry == nullptr) return std::nullopt;
  std::vector<std::string> rooms;
  for (const InRoom& room : entry->rooms) rooms.push_back(room.name);
  return rooms;
}

// -- presence -------------------------------------------------------------------------------------------

std::string UserDirectory::shown_status(const Entry& entry) {
  if (entry.offline || entry.shared->invisible.load(std::memory_order_relaxed)) return "offline";
  return entry.status.empty() ? "online" : entry.status;
}

void UserDirectory::tell(const std::string& user_id, const Entry& entry) {
  for (const InRoom& room : entry.rooms) tell_room(user_id, entry, room.name);
}

// Who is shown so already is told nothing.
void UserDirectory::tell_room(const std::string& user_id, const Entry& entry, const std::string& room) {
  const std::string status = shown_status(entry);
  port_.tell_status(room, user_id, status, status == "offline" ? entry.last_seen : 0);
}

void UserDirectory::set_status(const std::string& user_id, const std::string& status) {
  Entry* entry = find(user_id);
  if (entry == nullptr) return;
  const bool invisible = status == "invisible";
  // Whoever hides was seen until now; who was hidden already keeps the old time.
  if (invisible && !entry->shared->invisible.load(std::memory_order_relaxed)) entry->last_seen = port_.wall_now();
  entry->shared->invisible.store(invisible, std::memory_order_relaxed);
  if (!invisible) entry->status = status == "online" ? std::string() : status;
  tell(user_id, *entry);
}

std::optional<PresenceView> UserDirectory::view(std::string_view user_id) const {
  const Entry* entry = find(user_id);
  if (entry == nullptr) return std::nullopt;
  PresenceView view;
  view.user_id = std::string(user_id);
  view.user_json = *entry->user_json;
  view.status = shown_status(*entry);
  if (view.status == "offline") {
    view.last_seen = entry->last_seen;
  } else {
    view.connections = static_cast<std::uint32_t>(entry->devices.size());
  }
  return view;
}

std::vector<Device> UserDirectory::devices(std::string_view user_id) const {
  const Entry* entry = find(user_id);
  std::vector<Device> ready;
  if (entry == nullptr) return ready;
  std::copy_if(entry->devices.begin(), entry->devices.end(), std::back_inserter(ready),
               [](const Device& device) { return device.ready; });
  return ready;
}

std::string UserDirectory::status_of(std::string_view user_id) const {
  const Entry* entry = find(user_id);
  if (entry == nullptr || entry->offline) return {};  // whoever comes is online then
  const std::string shown = shown_status(*entry);
  return shown == "online" ? std::string() : shown;
}

std::size_t UserDirectory::ready_devices(std::string_view user_id) const {
  const Entry* entry = find(user_id);
  if (entry == nullptr) return 0;
  return static_cast<std::size_t>(std::count_if(entry->devices.begin(), entry->devices.end(),
                                                [](const Device& device) { return device.ready; }));
}

std::vector<std::string> UserDirectory::online_ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, entry] : users_) {
    if (shown_status(entry) != "offline") ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

// -- time -----------------------------------------------------------------------------------------------

void UserDirectory::mark_dirty(const std::string& user_id, Entry& entry) {
  if (entry.guest || std::exchange(entry.dirty, true)) return;
  dirty_.emplace_back(port_.now() + kSaveDelay, user_id);
}

void UserDirectory::save(const std::string& user_id, Entry& entry) {
  entry.dirty = false;
  if (entry.guest) return;
  SaveUser write;
  write.id = user_id;
  write.user_json = *entry.user_json;
  // Of who is online when the server dies this is the last that is known.
  const bool hidden = entry.shared->invisible.load(std::memory_order_relaxed);
  write.last_seen = entry.devices.empty() || hidden ? entry.last_seen : port_.wall_now();
  write.rooms.emplace();
  for (const InRoom& room : entry.rooms) write.rooms->push_back(room.name);
  port_.save(std::move(write));
}

void UserDirectory::go_offline() {
  while (!graces_.empty() && graces_.front().first <= port_.now()) {
    const auto [at, user_id] = std::move(graces_.front());
    graces_.pop_front();
    Entry* entry = find(user_id);
    if (entry == nullptr || entry->offline_at != at || !entry->devices.empty()) continue;
    entry->offline_at = kNever;
    entry->offline = true;
    tell(user_id, *entry);
  }
}

void UserDirectory::plan_refresh(const std::string& user_id, Entry& entry) {
  entry.refresh_at = port_.now() + kRefresh;
  refresh_.emplace_back(entry.refresh_at, user_id);
}

void UserDirectory::refresh() {
  while (!refresh_.empty() && refresh_.front().first <= port_.now()) {
    const auto [at, user_id] = std::move(refresh_.front());
    refresh_.pop_front();
    Entry* entry = find(user_id);
    // The user may have been forgotten and come again meanwhile: then a later entry decides.
    if (entry == nullptr || entry->refresh_at != at) continue;
    entry->refresh_at = kNever;
    if (entry->devices.empty()) continue;
    mark_dirty(user_id, *entry);
    plan_refresh(user_id, *entry);
  }
}

void UserDirectory::forget_idle() {
  while (!idle_.empty() && (idle_.front().first <= port_.now() || idle_.size() > kIdleUsersMax)) {
    const auto found = users_.find(idle_.front().second);
    // The user may have been here again meanwhile: then a later entry decides.
    if (found != users_.end() && found->second.devices.empty() && found->second.forget_at == idle_.front().first)
      users_.erase(found);
    idle_.pop_front();
  }
}

void UserDirectory::save_all() {
  for (const auto& [at, user_id] : std::exchange(dirty_, {})) {
    if (Entry* entry = find(user_id); entry != nullptr && entry->dirty) save(user_id, *entry);
  }
}

void UserDirectory::on_deadline() {
  go_offline();
  refresh();
  while (!dirty_.empty() && dirty_.front().first <= port_.now()) {
    const std::string user_id = std::move(dirty_.front().second);
    dirty_.pop_front();
    if (Entry* entry = find(user_id); entry != nullptr && entry->dirty) save(user_id, *entry);
  }
  forget_idle();
}

MonoTime UserDirectory::next_deadline() const {
  MonoTime next = kNever;
  for (const auto* queue : {&graces_, &dirty_, &idle_, &refresh_}) {
    if (!queue->empty()) next = std::min(next, queue->front().first);
  }
  return next;
}

}  // namespace wirehall::services
