#include "server/file_access.h"

#include <algorithm>

#include "pipeline/handshake_of.h"

namespace wirehall::server {
namespace {

using services::HallShard;

// A page of another origin does not act with the user's cookies.
bool is_foreign_page(const http1::RequestHead& head) {
  const auto origin = head.find("origin");
  if (!origin) return false;
  const std::size_t scheme = origin->find("://");
  const std::string_view host = head.find("host").value_or("");
  return scheme == std::string_view::npos || origin->substr(scheme + 3) != host;
}

struct Request {
  Handshake handshake;
  std::string id;
  std::function<void(Result<api::OpenFile>)> done;
};

/// What the store knows: the file, and the user's rooms where the hall itself does not know them.
struct Known {
  FileView file;
  RoomView room;
  std::vector<std::string> rooms;
};

Result<Known> look_up(HallStore& store, const std::string& id, const std::string& user_id,
                      const std::optional<std::vector<std::string>>& rooms, WallMs now, WallMs rejoin_ms_max) {
  Known known;
  Result<std::optional<FileView>> file = store.find_file(id);
  if (!file.ok()) return file.error();
  if (!*file) return ErrorCode::kNotFound;
  known.file = std::move(**file);
  if (known.file.room.empty()) return known;
  Result<RoomView> room = store.find_room(known.file.room, user_id);
  if (!room.ok()) return room.error();
  known.room = std::move(*room);
  if (rooms) {
    known.rooms = *rooms;
    return known;
  }
  Result<std::optional<UserRecord>> user = store.find_user(user_id);
  if (!user.ok()) return user.error();
  if (*user && now - (*user)->last_seen <= rejoin_ms_max) known.rooms = std::move((*user)->rooms);
  return known;
}

Status may_have(const User& user, const Known& known, const services::HallShared& shared) {
  const FileView& file = known.file;
  if (file.room.empty())
    return user.id == file.from_user || user.id == file.to_user ? Status() : Status(ErrorCode::kAccessDenied);
  const bool there = std::find(known.rooms.begin(), known.rooms.end(), file.room) != known.rooms.end();
  if (!there || !user.may_join(file.room)) return ErrorCode::kAccessDenied;
  const RoomRecord* record = known.room.record ? &*known.room.record : nullptr;
  return services::Joining::may_enter(shared.room_types.of(file.room, record), user, known.room, true);
}

Task<Result<api::OpenFile>> open_file(HallWiring& wiring, HallShard& hall, std::shared_ptr<Request> request) {
  using Answer = Result<api::OpenFile>;
  Task<Result<User>> authenticating = wiring.composition().authenticator().authenticate(request->handshake);
  const Result<User> user = co_await authenticating;
  if (!user.ok()) co_return Answer(user.error());
  using Rooms = std::optional<std::vector<std::string>>;
  std::function<Rooms(HallShard&)> ask = [id = user->id](HallShard& owner) { return owner.users.rooms_of(id); };
  hub::Completion<Rooms> asking = hall.ask_owner<Rooms>(user->id, std::move(ask));
  const Rooms rooms = co_await asking;
  std::function<Result<Known>(HallStore&)> look = [id = request->id, user_id = user->id, rooms,
                                                   now = hall.wall_now(),
                                                   most = hall.shared().rejoin_ms_max](HallStore& store) {
    return look_up(store, id, user_id, rooms, now, most);
  };
  Task<Result<Known>> looking = hall.store().read<Known>(std::move(look));
  const Result<Known> known = co_await looking;
  if (!known.ok()) co_return Answer(known.error());
  if (const Status may = may_have(*user, *known, hall.shared()); !may.ok()) co_return Answer(may.error());
  const StoredFile& file = known->file.file;
  api::OpenFile opened;
  opened.name = file.name;
  opened.mime = file.mime;
  opened.sha256 = file.sha256;
  opened.size = file.size_bytes;
  opened.source = [files = wiring.files(), id = file.id](std::uint64_t offset, std::size_t bytes_max) {
    return files->read(id, offset, bytes_max);
  };
  co_return Answer(std::move(opened));
}

Task<> answer(HallWiring& wiring, HallShard& hall, std::shared_ptr<Request> request) {
  Task<Result<api::OpenFile>> opening = open_file(wiring, hall, request);
  Result<api::OpenFile> opened = co_await opening;
  request->done(std::move(opened));
}

}  // namespace

api::FileAccess make_file_access(HallWiring& wiring) {
  return [&wiring](http1::ResponseSink& sink, const http1::HttpRequest& http, std::string id,
                   std::function<void(Result<api::OpenFile>)> done) {
    hub::Hub* hub = hub::Hub::current();
    auto request = std::make_shared<Request>();
    pipeline::RequestOrigin origin;
    origin.address = http.address;
    origin.foreign_page = is_foreign_page(*http.head);
    request->handshake = pipeline::make_handshake(*http.head, origin, sink.wall_now());
    request->id = std::move(id);
    request->done = std::move(done);
    hub->spawn(answer(wiring, wiring.shard(*hub), std::move(request)), hub::SocketPtr(), nullptr, Ack());
  };
}

}  // namespace wirehall::server
