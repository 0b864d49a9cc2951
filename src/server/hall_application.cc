// The hall from C++: what an application adds to it, and asks it, without touching its handlers.
#include <algorithm>
#include <array>
#include <atomic>

#include "base/assert.h"
#include "hub/gather.h"
#include "hub/remote_call.h"
#include "server/hall_wiring.h"
#include "services/hall/presentation.h"
#include "wirehall/hall.h"

namespace wirehall {

using services::HallShard;

namespace {

// The hall's own events; every other one is an application's.
constexpr std::array<std::string_view, 30> kOwnEvents = {
    "join-room",    "leave-room",   "message",       "broadcast",        "edit-message",  "delete-message",
    "history",      "create-room",  "invite",        "kick",             "set-role",      "typing",
    "stop-typing",  "update-status", "presence",     "private-message",  "mark-read",     "upload-start",
    "upload-chunk", "upload-abort", "call-user",     "call-answer",      "call-reject",   "call-end",
    "ice-candidate", "ice-servers", "push-subscribe", "push-unsubscribe", "refresh-token", "ping"};

// Runs something on a shard's hall, from a shard or from outside.
void run_on(server::HallWiring& wiring, unsigned shard, std::function<void(HallShard&)> action) {
  hub::HubTask task = [&wiring, action = std::move(action)](hub::Hub& hub) { action(wiring.shard(hub)); };
  if (hub::Hub* here = hub::Hub::current()) {
    if (here->environment().shard() == shard) return task(*here);
    return here->environment().post(shard, std::move(task));
  }
  const auto& post = wiring.composition().registry().post_from_outside;
  WIREHALL_ASSERT(post);
  post(shard, std::move(task));
}

HallShard& here(server::HallWiring& wiring) {
  hub::Hub* hub = hub::Hub::current();
  WIREHALL_ASSERT(hub != nullptr);
  return wiring.shard(*hub);
}

// Adds one more to those that are told.
template <class... Args>
void add(std::function<void(Args...)>& told, std::function<void(Args...)> more) {
  if (!told) {
    told = std::move(more);
    return;
  }
  told = [first = std::move(told), second = std::move(more)](Args... args) {
    first(args...);
    second(args...);
  };
}

// Asks every shard, and brings the answers together here.
template <class T>
Task<std::vector<T>> ask_all(server::HallWiring& wiring, std::function<T(HallShard&)> question) {
  HallShard& hall = here(wiring);
  auto state = std::make_shared<hub::CompletionState<std::vector<T>>>(hall.hub());
  hub::gather<T>(
      hall.hub(),
      [&wiring, question = std::move(question)](hub::Hub& hub, std::function<void(T)> give) {
        give(question(wiring.shard(hub)));
      },
      [state](std::vector<T> answers) { state->complete(std::move(answers)); });
  hub::Completion<std::vector<T>> asking(state);
  std::vector<T> answers = co_await asking;
  co_return answers;
}

}  // namespace

// -- telling ----------------------------------------------------------------------------------------------

SendResult Hall::to_room(std::string_view room, std::string_view event, Value data) {
  return server_.to(room).emit(event, std::move(data));
}

SendResult Hall::broadcast(std::string_view event, Value data) { return server_.of("/").emit(event, std::move(data)); }

void Hall::to_user(std::string_view user_id, std::string_view event, Value data) {
  run_on(*wiring_, 0,
         [user = std::string(user_id), event = std::string(event), json = data.to_json()](HallShard& hall) {
           hall.tell_user(user, event, services::value_of(json));
         });
}

// -- asking -----------------------------------------------------------------------------------------------

Task<std::vector<std::string>> Hall::online_users() {
  using Ids = std::vector<std::string>;
  std::function<Ids(HallShard&)> question = [](HallShard& hall) { return hall.users.online_ids(); };
  Task<std::vector<Ids>> asking = ask_all<Ids>(*wiring_, std::move(question));
  const std::vector<Ids> shards = co_await asking;
  Ids all;
  for (const Ids& ids : shards) all.insert(all.end(), ids.begin(), ids.end());
  std::sort(all.begin(), all.end());
  co_return all;
}

Task<std::vector<Hall::Member>> Hall::room_members(std::string room) {
  using Members = std::vector<services::RoomMember>;
  HallShard& hall = here(*wiring_);
  std::function<Members(HallShard&)> question = [room](HallShard& owner) {
    return owner.rooms.members(room, owner.rooms.member_count(room));
  };
  hub::Completion<Members> asking = hall.ask_owner<Members>(room, std::move(question));
  const Members members = co_await asking;
  std::vector<Member> list;
  for (const services::RoomMember& member : members)
    list.push_back({member.user_id, services::object_of(*member.user_json), member.status});
  co_return list;
}

Task<std::vector<Hall::RoomInfo>> Hall::rooms() {
  using Infos = std::vector<RoomInfo>;
  std::function<Infos(HallShard&)> question = [](HallShard& hall) {
    Infos infos;
    for (const std::string& name : hall.rooms.names())
      infos.push_back({name, hall.rooms.member_count(name), hall.rooms.connection_count(name), 0});
    return infos;
  };
  Task<std::vector<Infos>> asking = ask_all<Infos>(*wiring_, std::move(question));
  const std::vector<Infos> shards = co_await asking;
  Infos all;
  for (const Infos& infos : shards) all.insert(all.end(), infos.begin(), infos.end());
  std::sort(all.begin(), all.end(), [](const RoomInfo& a, const RoomInfo& b) { return a.name < b.name; });
  std::function<Result<std::vector<WallMs>>(HallStore&)> look = [all](HallStore& store) {
    std::vector<WallMs> times;
    for (const RoomInfo& info : all) {
      const Result<RoomView> view = store.find_room(info.name, {});
      if (!view.ok()) return Result<std::vector<WallMs>>(view.error());
      times.push_back(view->record ? view->record->last_activity : 0);
    }
    return Result<std::vector<WallMs>>(std::move(times));
  };
  Task<Result<std::vector<WallMs>>> looking = here(*wiring_).store().read<std::vector<WallMs>>(std::move(look));
  const Result<std::vector<WallMs>> times = co_await looking;
  for (std::size_t i = 0; times.ok() && i < all.size(); ++i) all[i].last_activity = (*times)[i];
  co_return all;
}

Task<std::optional<RemoteSocket>> Hall::client(std::string id) {
  Task<std::vector<RemoteSocket>> fetching = server_.to(id).fetch_sockets();
  std::vector<RemoteSocket> found = co_await fetching;
  std::optional<RemoteSocket> client;
  if (!found.empty()) client = std::move(found.front());
  co_return client;
}

Task<std::vector<RemoteSocket>> Hall::clients() { return server_.fetch_sockets(); }

void Hall::disconnect(std::string_view client_id) { server_.to(client_id).disconnect_sockets(true); }

void Hall::disconnect_user(std::string_view user_id) {
  run_on(*wiring_, 0, [user = std::string(user_id)](HallShard& hall) {
    hall.on_owner(user, [user](HallShard& owner) {
      for (const services::Device& device : owner.users.devices(user)) {
        owner.on_shard(device.shard, [id = device.socket_id](HallShard& there) {
          if (hub::Socket* socket = there.find(id)) static_cast<Socket*>(socket)->disconnect(true);
        });
      }
    });
  });
}

// -- being told -------------------------------------------------------------------------------------------

Hall& Hall::on_connection(std::function<void(Socket&)> told) {
  server_.of("/").on_connection(std::move(told));
  return *this;
}
Hall& Hall::on_disconnection(std::function<void(Socket&, std::string_view)> told) {
  server_.of("/").on_disconnect(std::move(told));
  return *this;
}
Hall& Hall::on_message(std::function<void(const StoredMessage&)> told) {
  add(wiring_->shared().events.message, std::move(told));
  return *this;
}
Hall& Hall::on_custom_message(std::function<void(Socket&, std::string_view, const Args&)> told) {
  server_.of("/").use_event([told = std::move(told)](Socket& socket, std::string_view event, Args& args) {
    if (std::find(kOwnEvents.begin(), kOwnEvents.end(), event) == kOwnEvents.end()) told(socket, event, args);
    return Status();
  });
  return *this;
}
Hall& Hall::on_room_joined(std::function<void(Socket&, std::string_view)> told) {
  add(wiring_->shared().events.room_joined, std::move(told));
  return *this;
}
Hall& Hall::on_room_left(std::function<void(Socket&, std::string_view)> told) {
  add(wiring_->shared().events.room_left, std::move(told));
  return *this;
}
Hall& Hall::on_client_error(std::function<void(Socket&, const Error&)> told) {
  server_.of("/").on_failure(std::move(told));
  return *this;
}

Hall& Hall::use_store(std::unique_ptr<HallStore> store) {
  wiring_->replace_store(std::move(store));
  return *this;
}

void Hall::figures(std::function<void(const Figures&)> done) {
  hub::gather<Figures>(
      here(*wiring_).hub(),
      [this](hub::Hub& hub, std::function<void(Figures)> give) {
        const HallShard& hall = wiring_->shard(hub);
        give({hall.users.online(), hall.rooms.size(), hub.socket_count(), hall.told_messages()});
      },
      [done = std::move(done)](std::vector<Figures> shards) {
        Figures sum;
        for (const Figures& figures : shards) {
          sum.online_users += figures.online_users;
          sum.rooms += figures.rooms;
          sum.connections += figures.connections;
          sum.messages += figures.messages;
        }
        done(sum);
      });
}

}  // namespace wirehall
