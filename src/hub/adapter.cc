#include "hub/adapter.h"

#include <iterator>
#include <utility>

#include "base/assert.h"
#include "base/prefetch.h"
#include "hub/encoded_message.h"
#include "hub/gather.h"
#include "hub/hub.h"
#include "hub/recovery.h"

namespace wirehall::hub {

// -- ShardAdapter -------------------------------------------------------------------------------

// When the numbers begin again, no old mark may be taken for a new one.
std::uint32_t ShardAdapter::next_stamp() {
  if (++stamp_ != 0) [[likely]] return stamp_;
  nsp_.forget_marks();
  return ++stamp_;
}

void ShardAdapter::mark_excepted(const Selector& selector, std::uint32_t stamp) {
  for (const std::string& name : selector.except) {
    if (Room* room = nsp_.rooms().find(name)) {
      for (const Room::Place& place : room->members) place.socket->excepted_in = stamp;
    }
    if (Socket* socket = nsp_.find(name)) socket->excepted_in = stamp;
  }
}

namespace {

// Asks for what stands around a link.
void prefetch_link(const SocketLink& link) {
  const char* const begin = reinterpret_cast<const char*>(&link) - SocketLink::kDeliveryBytesBefore;
  prefetch(begin, SocketLink::kDeliveryBytesBefore + SocketLink::kDeliveryBytesBehind);
}

// Visits sockets in order, with the next ones and what leads from them to their connections on its way into the cache.
template <class List, class SocketOf, class F>
void walk(const List& list, SocketOf socket_of, F&& visit) {
  constexpr std::size_t kAhead = 12, kLinkAhead = 8, kConnectionAhead = 4;
  const std::size_t count = list.size();
  // Who stands in a list has its link still: leaving the lists is part of being closed, which the link outlives.
  for (std::size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) prefetch(socket_of(list[i + kAhead]), Socket::kDeliveryBytes);
    if (i + kLinkAhead < count) prefetch_link(socket_of(list[i + kLinkAhead])->link());
    if (i + kConnectionAhead < count) socket_of(list[i + kConnectionAhead])->link().prefetch_ahead();
    visit(*socket_of(list[i]));
  }
}

}  // namespace

template <class F>
void ShardAdapter::for_each(const Selector& selector, F&& visit) {
  const std::uint32_t stamp = next_stamp();
  mark_excepted(selector, stamp);
  const bool may_meet_again = selector.rooms.size() > 1;
  const auto once = [&](Socket& socket) {
    if (socket.excepted_in == stamp) return;
    if (!socket.is_connected()) return;  // joined in a middleware, not let in yet
    if (may_meet_again && std::exchange(socket.selected_in, stamp) == stamp) return;
    visit(socket);
  };
  if (selector.rooms.empty()) {
    walk(nsp_.sockets(), [](Socket* socket) { return socket; }, once);
    return;
  }
  for (const std::string& name : selector.rooms) {
    if (Room* room = nsp_.rooms().find(name))
      walk(room->members, [](const Room::Place& place) { return place.socket; }, once);
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
  if (nsp_.recovery() == nullptr && nsp_.broadcast_watcher()) nsp_.broadcast_watcher()(*message, to);
  // A link neither changes rooms nor closes anything while it delivers (SocketLink), so the lists stand
  // still.
  // What does not go through the log says how far the receivers have got.
  if (nsp_.recovery() != nullptr && message->offset().empty()) message->set_offset(nsp_.position_text());
  std::vector<SocketPtr> listening;
  for_each(to, [&](Socket& socket) {
    if (socket.has_outgoing_listeners()) listening.emplace_back(&socket);
    socket.link().deliver(socket, *message, flags);
  });
  tell(listening, *message);
  return {};
}

// Listeners may do what they want, so they are called when the rooms have been walked through.
void ShardAdapter::tell(const std::vector<SocketPtr>& sockets, EncodedMessage& message) {
  for (const SocketPtr& socket : sockets) socket->tell_outgoing(message.event(), message.args());
}

namespace {

// The answers of one shard; every receiver ends its wait exactly once.
struct Collector {
  BroadcastAnswers answers;
  std::size_t left = 1;  // one for the sending itself, so that it cannot end before all were asked
  Adapter::AnswersDone done;

  void ended(Result<Args> answer) {
    if (answer.ok()) answers.responses.push_back(answer->empty() ? Value() : std::move(answer->front()));
    if (--left == 0) done(std::move(answers));
  }
};

}  // namespace

Status ShardAdapter::broadcast_with_ack(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                                        const EmitFlags& flags, AnswersDone done) {
  auto collector = std::make_shared<Collector>();
  collector->done = std::move(done);
  std::vector<SocketPtr> listening;
  for_each(to, [&](Socket& socket) {
    ++collector->answers.expected;
    ++collector->left;
    socket.expect_ack(*message->ack(), flags.timeout,
                      [collector](Result<Args> answer) { collector->ended(std::move(answer)); });
    if (socket.has_outgoing_listeners()) listening.emplace_back(&socket);
    socket.link().deliver(socket, *message, flags);
  });
  tell(listening, *message);
  if (--collector->left == 0) collector->done(std::move(collector->answers));
  return {};
}

void ShardAdapter::fetch(const Selector& whom, SocketsDone done) {
  std::vector<SocketInfo> infos;
  for_each(whom, [&](Socket& socket) { infos.push_back(socket.info()); });
  done(std::move(infos));
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
    // With recovery the bytes hold a position, which is each shard's own.
    if (nsp_.recovery() == nullptr) environment.build_forms_in_use(*message);
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
  if (nsp_.spec().is_parent) {
    broadcast_to_children(message, to, flags);
    return {};
  }
  if (nsp_.recovery() != nullptr && !flags.is_volatile) return log_and_deliver(message, to, flags);
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

Status NodeAdapter::log_and_deliver(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                                    const EmitFlags& flags) {
  Environment& environment = nsp_.hub().environment();
  const std::shared_ptr<RecoveryLog>& log = nsp_.spec().recovery;
  if (!log->append(message->freeze(), to, flags, environment.now())) {
    environment.metrics().add(Counter::kDroppedMailbox);
    return ErrorCode::kUnavailable;
  }
  for (unsigned shard = 0; shard < environment.shard_count(); ++shard) {
    if (shard == environment.shard() || !log->must_tell(shard)) continue;
    environment.post(shard, [log, name = nsp_.spec().name](Hub& hub) {
      if (NamespaceShard* nsp = hub.find(name)) {
        nsp->drain();
      } else {
        log->skip(hub.environment().shard());
      }
    });
  }
  nsp_.drain();
  return {};
}

// A parent has no sockets of its own: its children on every shard get the event, each under its own name.
bool NodeAdapter::broadcast_to_children(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                                        const EmitFlags& flags) {
  const HubTask task = [frozen = message->freeze(), to, flags](Hub& hub) {
    for (NamespaceShard* child : hub.children_of(frozen->nsp)) {
      EncodedMessage source(frozen);
      auto copy = std::make_shared<EncodedMessage>(child->spec().name, frozen->event, source.args());
      (void)child->local().broadcast(copy, to, flags).ok();
    }
  };
  Environment& environment = nsp_.hub().environment();
  for (unsigned shard = 0; shard < environment.shard_count(); ++shard) {
    if (shard != environment.shard()) environment.post(shard, task);
  }
  task(nsp_.hub());
  return true;
}

namespace {

// The answers of all shards, on the shard that asked.
struct Totals {
  BroadcastAnswers answers;
  std::size_t left;
  Adapter::AnswersDone done;

  void add(BroadcastAnswers part) {
    answers.expected += part.expected;
    std::move(part.responses.begin(), part.responses.end(), std::back_inserter(answers.responses));
    if (--left == 0) done(std::move(answers));
  }
};

}  // namespace

Status NodeAdapter::broadcast_with_ack(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                                       const EmitFlags& flags, AnswersDone done) {
  Environment& environment = nsp_.hub().environment();
  auto totals = std::make_shared<Totals>(Totals{{}, environment.shard_count(), std::move(done)});
  if (environment.shard_count() > 1) {
    environment.build_forms_in_use(*message);
    std::shared_ptr<const FrozenMessage> frozen = message->freeze();
    const HubTask task = [frozen, to, flags, origin = environment.shard(), totals](Hub& hub) {
      const auto report = [&hub, origin, totals](BroadcastAnswers part) {
        auto moved = std::make_shared<BroadcastAnswers>(std::move(part));
        hub.environment().post(origin, [totals, moved](Hub&) { totals->add(std::move(*moved)); });
      };
      NamespaceShard* nsp = hub.find(frozen->nsp);
      if (nsp == nullptr) return report({});
      (void)nsp->local()
          .broadcast_with_ack(std::make_shared<EncodedMessage>(frozen), to, flags, report)
          .ok();
    };
    if (!environment.try_post_all(frozen->bytes(), task)) {
      environment.metrics().add(Counter::kDroppedMailbox);
      return ErrorCode::kUnavailable;
    }
  }
  return local_.broadcast_with_ack(message, to, flags,
                                   [totals](BroadcastAnswers part) { totals->add(std::move(part)); });
}

void NodeAdapter::fetch(const Selector& whom, SocketsDone done) {
  using Infos = std::vector<SocketInfo>;
  gather<Infos>(
      nsp_.hub(),
      [name = nsp_.spec().name, whom](Hub& hub, std::function<void(Infos)> give) {
        NamespaceShard* nsp = hub.find(name);
        if (nsp == nullptr) return give({});
        nsp->local().fetch(whom, give);
      },
      [done = std::move(done)](std::vector<Infos> shards) {
        Infos all;
        for (Infos& infos : shards) std::move(infos.begin(), infos.end(), std::back_inserter(all));
        done(std::move(all));
      });
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
