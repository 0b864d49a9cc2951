#include "hub/adapter.h"

#include "base/assert.h"
#include "hub/encoded_message.h"
#include "hub/hub.h"

namespace wirehall::hub {

// -- ShardAdapter -------------------------------------------------------------------------------

void ShardAdapter::mark_excepted(const Selector& selector, std::uint64_t stamp) {
  for (const std::string& name : selector.except) {
    if (Room* room = nsp_.rooms().find(name)) {
      for (const Room::Place& place : room->members) place.socket->excepted_in = stamp;
    }
    if (Socket* socket = nsp_.find(name)) socket->excepted_in = stamp;
  }
}

template <class F>
void ShardAdapter::for_each(const Selector& selector, F&& visit) {
  const std::uint64_t stamp = ++stamp_;
  mark_excepted(selector, stamp);
  const auto once = [&](Socket& socket) {
    if (socket.excepted_in == stamp || socket.selected_in == stamp) return;
    if (!socket.is_connected()) return;  // joined in a middleware, not let in yet
    socket.selected_in = stamp;
    visit(socket);
  };
  if (selector.rooms.empty()) {
    for (Socket* socket : nsp_.sockets()) once(*socket);
    return;
  }
  for (const std::string& name : selector.rooms) {
    if (Room* room = nsp_.rooms().find(name)) {
      for (const Room::Place& place : room->members) once(*place.socket);
    }
    if (Socket* socket = nsp_.find(name)) once(*socket);
  }
}

std::vector<Socket*> ShardAdapter::matching(const Selector& selector) {
  std::vector<Socket*> sockets;
  for_each(selector, [&](Socket& socket) { sockets.push_back(&socket); });
  return sockets;
}

Status ShardAdapter::broadcast(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                               const EmitFlags& flags) {
  // A link neither changes rooms nor closes anything while it delivers (SocketLink), so the lists stand
  // still.
  for_each(to, [&](Socket& socket) { socket.link().deliver(socket, *message, flags); });
  return {};
}

void ShardAdapter::move(const Selector& whom, const std::string& room, bool join) {
  for (Socket* socket : matching(whom)) {
    if (join) {
      (void)socket->join(room).ok();
    } else {
      socket->leave(room);
    }
  }
}

void ShardAdapter::disconnect(const Selector& whom, bool close) {
  std::vector<SocketPtr> held;  // a disconnect handler may end others of the list
  for (Socket* socket : matching(whom)) held.emplace_back(socket);
  for (const SocketPtr& socket : held) socket->disconnect(close);
}

// -- NodeAdapter --------------------------------------------------------------------------------

bool NodeAdapter::try_send(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                           const EmitFlags& flags) {
  Environment& environment = nsp_.hub().environment();
  if (environment.shard_count() > 1) {
    environment.build_forms_in_use(*message);
    std::shared_ptr<const FrozenMessage> frozen = message->freeze();
    const std::size_t bytes = frozen->bytes();
    const HubTask task = [frozen, to, flags](Hub& hub) {
      if (NamespaceShard* nsp = hub.find(frozen->nsp)) {
        (void)nsp->local().broadcast(std::make_shared<EncodedMessage>(frozen), to, flags);
      }
    };
    if (!environment.try_post_all(bytes, task)) return false;
  }
  (void)local_.broadcast(message, to, flags);
  return true;
}

Status NodeAdapter::broadcast(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                              const EmitFlags& flags) {
  if (waiting_.empty() && try_send(message, to, flags)) return {};
  Environment& environment = nsp_.hub().environment();
  if (waiting_.size() >= environment.limits().paused_broadcasts_max) {
    environment.metrics().add(Counter::kDroppedMailbox);
    return ErrorCode::kUnavailable;
  }
  if (waiting_.empty()) nsp_.hub().broadcast_paused(nsp_);
  waiting_.push_back({message, to, flags});
  environment.want_turn();
  return {};
}

void NodeAdapter::resume() {
  std::size_t sent = 0;
  while (sent < waiting_.size() && try_send(waiting_[sent].message, waiting_[sent].to, waiting_[sent].flags))
    ++sent;
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(sent));
}

void NodeAdapter::move(const Selector& whom, const std::string& room, bool join) {
  Environment& environment = nsp_.hub().environment();
  for (unsigned shard = 0; shard < environment.shard_count(); ++shard) {
    if (shard == environment.shard()) continue;
    environment.post(shard, [name = nsp_.spec().name, whom, room, join](Hub& hub) {
      if (NamespaceShard* nsp = hub.find(name)) nsp->local().move(whom, room, join);
    });
  }
  local_.move(whom, room, join);
}

void NodeAdapter::disconnect(const Selector& whom, bool close) {
  Environment& environment = nsp_.hub().environment();
  for (unsigned shard = 0; shard < environment.shard_count(); ++shard) {
    if (shard == environment.shard()) continue;
    environment.post(shard, [name = nsp_.spec().name, whom, close](Hub& hub) {
      if (NamespaceShard* nsp = hub.find(name)) nsp->local().disconnect(whom, close);
    });
  }
  local_.disconnect(whom, close);
}

}  // namespace wirehall::hub
