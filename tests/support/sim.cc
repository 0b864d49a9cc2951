#include "support/sim.h"

#include <algorithm>

namespace wirehall::test {

SimNode::SimNode(unsigned shards, std::uint64_t seed) : random_(seed), world_(registry_) {
  registry_.of("/");
  for (unsigned i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<SimShard>());
    shards_.back()->mail.resize(shards);
    shards_.back()->random = std::make_unique<SeededRandom>(seed * 1000 + i);
  }
}

SimNode::~SimNode() {
  for (const auto& peer : peers_) {
    if (!peer->connection_) continue;
    turn(peer->shard_, [&] { peer->connection_->gone(false); });
    peer->connection_.reset();
  }
  dead_.clear();
}

void SimNode::start() {
  registry_.running = true;
  for (unsigned i = 0; i < shards_.size(); ++i) {
    shards_[i]->core =
        std::make_unique<pipeline::ShardCore>(world_, *this, i, *shards_[i]->random, now_, wall_);
  }
}

SimPeer& SimNode::connect(unsigned shard, std::string address) {
  peers_.push_back(std::make_unique<SimPeer>());
  SimPeer& peer = *peers_.back();
  peer.shard_ = shard;
  turn(shard, [&] {
    peer.connection_ = std::make_unique<SimConnection>(*shards_[shard]->core,
                                                       pipeline::PeerInfo{std::move(address), false}, peer);
  });
  return peer;
}

void SimNode::turn(unsigned shard, const std::function<void()>& work) {
  pipeline::ShardCore& core = *shards_[shard]->core;
  core.begin_turn(now_, wall_);
  const hub::Hub::Scope scope(core.hub());
  work();
  for (pipeline::Connection* connection : core.take_ready()) connection->resume();
  for (int round = 0; round < 4; ++round) {
    core.end_turn();
    flush(shard);
  }
  core.sweep();
  dead_.clear();
}

void SimNode::flush(unsigned shard) {
  for (pipeline::Connection* connection : shards_[shard]->core->take_touched()) {
    connection->touched = false;
    SimPeer& peer = static_cast<SimConnection*>(connection)->peer;
    if (!peer.connection_) continue;
    Outbox& outbox = connection->outbox();
    const std::size_t room = peer.reads ? outbox.bytes() : std::min(outbox.bytes(), peer.window);
    std::string bytes(room, '\0');
    outbox.copy_front(bytes.data(), room);
    peer.received_ += bytes;
    if (!peer.reads) peer.window -= room;
    if (connection->ending() != pipeline::Connection::Ending::kAbort) connection->wrote(room);
    const auto ending = connection->ending();
    if (ending == pipeline::Connection::Ending::kAbort ||
        (ending == pipeline::Connection::Ending::kGraceful && outbox.empty())) {
      end_connection(peer);
    } else if (connection->migrating_to() >= 0 && outbox.empty()) {
      const auto target = static_cast<unsigned>(connection->migrating_to());
      auto head = connection->take_migrating_head();
      auto kept = std::make_shared<std::string>(connection->take_kept());
      const pipeline::PeerInfo info = connection->peer();
      dead_.push_back(std::move(peer.connection_));
      post(shard, target, [&peer, target, head, kept, info](pipeline::ShardCore& core) {
        peer.shard_ = target;
        peer.connection_ = std::make_unique<SimConnection>(core, info, peer);
        peer.connection_->arrive(head, *kept);
        peer.connection_->touch();
      });
    }
  }
}

void SimNode::write_early(pipeline::Connection& connection) {
  SimPeer& peer = static_cast<SimConnection&>(connection).peer;
  const std::size_t bytes = connection.outbox().bytes();
  const std::size_t room = peer.reads ? bytes : std::min(bytes, peer.window);
  std::string piece(room, '\0');
  connection.outbox().copy_front(piece.data(), room);
  peer.received_ += piece;
  if (!peer.reads) peer.window -= room;
  connection.wrote_early(room);
}

void SimNode::end_connection(SimPeer& peer) {
  peer.closed_ = true;
  dead_.push_back(std::move(peer.connection_));
}

bool SimNode::deliver_mail(unsigned shard) {
  if (!mail_flows) return false;
  SimShard& target = *shards_[shard];
  std::vector<std::size_t> senders;
  for (std::size_t i = 0; i < target.mail.size(); ++i) {
    if (!target.mail[i].empty()) senders.push_back(i);
  }
  if (senders.empty()) return false;
  std::deque<Task>& queue = target.mail[senders[random_.below(senders.size())]];
  const Task task = std::move(queue.front());
  queue.pop_front();
  turn(shard, [&] { task(*target.core); });
  return true;
}

bool SimNode::deliver_bytes(SimPeer& peer) {
  if (!peer.connection_ || peer.closed_) return false;
  if (peer.reset_) {
    turn(peer.shard_, [&] {
      peer.connection_->gone(true);
      end_connection(peer);
    });
    return true;
  }
  if (!peer.outgoing_.empty() && peer.connection_->wants_read()) {
    const std::size_t size =
        whole_input
            ? peer.outgoing_.size()
            : 1 + random_.below(std::min<std::size_t>(peer.outgoing_.size(), 1 + random_.below(2000)));
    std::string piece = peer.outgoing_.substr(0, size);
    peer.outgoing_.erase(0, size);
    turn(peer.shard_, [&] {
      peer.connection_->receive(piece.data(), piece.data() + piece.size());
      if (peer.connection_) peer.connection_->touch();
    });
    return true;
  }
  if (peer.outgoing_.empty() && peer.half_closed_ && !peer.eof_delivered_) {
    peer.eof_delivered_ = true;
    turn(peer.shard_, [&] {
      peer.connection_->receive_eof();
      if (peer.connection_) peer.connection_->touch();
    });
    return true;
  }
  // A peer that reads again lets the server write on.
  if (peer.connection_ && (peer.reads || peer.window != 0) && !peer.connection_->outbox().empty()) {
    turn(peer.shard_, [&] { peer.connection_->touch(); });
    return true;
  }
  return false;
}

bool SimNode::step() {
  const std::size_t actors = shards_.size() * 2 + peers_.size();
  const std::size_t first = random_.below(actors);
  for (std::size_t k = 0; k < actors; ++k) {
    const std::size_t i = (first + k) % actors;
    if (i < shards_.size()) {
      if (deliver_mail(static_cast<unsigned>(i))) return true;
    } else if (i < shards_.size() * 2) {
      const auto shard = static_cast<unsigned>(i - shards_.size());
      if (std::exchange(shards_[shard]->wants_turn, false)) {
        turn(shard, [] {});
        return true;
      }
    } else if (deliver_bytes(*peers_[i - shards_.size() * 2])) {
      return true;
    }
  }
  return false;
}

void SimNode::run() {
  for (int steps = 0; step(); ++steps) {
    if (steps > 2'000'000) throw std::runtime_error("the simulation does not come to rest");
  }
}

void SimNode::settle(int steps) {
  for (int i = 0; i < steps && step(); ++i) {
  }
}

void SimNode::advance(Duration duration) {
  const MonoTime end = now_ + duration;
  const MonoTime begin = now_;
  const WallMs wall = wall_;
  run();
  while (now_ < end) {
    MonoTime next = end;
    for (const auto& shard : shards_)
      next = std::min(next, std::max(shard->core->next_deadline(), now_ + Milliseconds(1)));
    now_ = next;
    wall_ = wall + std::chrono::duration_cast<Milliseconds>(now_ - begin).count();
    for (unsigned i = 0; i < shards_.size(); ++i) {
      if (shards_[i]->core->next_deadline() <= now_) turn(i, [&] { shards_[i]->core->fire_timers(); });
    }
    run();
  }
}

std::size_t SimNode::sessions() const {
  std::size_t count = 0;
  for (const auto& shard : shards_) count += shard->core->engine().session_count();
  return count;
}

std::uint64_t SimNode::sum(Counter counter) const {
  std::uint64_t total = 0;
  for (const auto& shard : shards_) total += std::as_const(*shard->core).metrics().get(counter);
  return total;
}

void SimNode::post(unsigned from, unsigned to, Task task) {
  shards_[to]->mail[from].push_back(std::move(task));
}

bool SimNode::try_post_all(unsigned from, std::size_t, const Task& task) {
  for (unsigned i = 0; i < shards_.size(); ++i) {
    if (i != from && shards_[i]->broadcasts >= mailbox_tasks_max) return false;
  }
  for (unsigned i = 0; i < shards_.size(); ++i) {
    if (i == from) continue;
    SimShard& target = *shards_[i];
    ++target.broadcasts;
    target.mail[from].push_back([&target, task](pipeline::ShardCore& core) {
      --target.broadcasts;
      task(core);
    });
  }
  return true;
}

bool SimNode::run_blocking(unsigned from, std::function<void()> work, Task done) {
  if (!pool_accepts) return false;
  work();
  post(from, from, std::move(done));
  return true;
}

// -- protocols ----------------------------------------------------------------------------------

std::string get(std::string_view target, std::string_view headers) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: sim\r\n" + std::string(headers) + "\r\n";
}

std::string post(std::string_view target, std::string_view body, std::string_view headers) {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: sim\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string upgrade(std::string_view target, std::string_view headers) {
  return get(target,
             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
             "dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                 std::string(headers));
}

std::string frame(unsigned opcode, std::string_view payload, bool fin) {
  std::string out(1, static_cast<char>((fin ? 0x80 : 0) | opcode));
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(0x80 | payload.size()));
  } else if (payload.size() <= 0xffff) {
    out.push_back(static_cast<char>(0x80 | 126));
    out.push_back(static_cast<char>(payload.size() >> 8));
    out.push_back(static_cast<char>(payload.size()));
  } else {
    out.push_back(static_cast<char>(0x80 | 127));
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(payload.size() >> shift));
  }
  const std::string_view key = "\x12\x34\x56\x78";
  out += key;
  for (std::size_t i = 0; i < payload.size(); ++i) out.push_back(static_cast<char>(payload[i] ^ key[i % 4]));
  return out;
}
std::string text(std::string_view payload) { return frame(1, payload); }

HttpAnswer take_response(std::string& received) {
  HttpAnswer answer;
  const std::size_t end = received.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  const std::string head = received.substr(0, end + 4);
  std::size_t length = 0;
  std::string lower = head;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (const std::size_t at = lower.find("content-length: "); at != std::string::npos)
    length = std::stoul(lower.substr(at + 16));
  if (received.size() < head.size() + length) return answer;
  answer.status = std::stoi(head.substr(9, 3));
  answer.head = head;
  answer.body = received.substr(head.size(), length);
  received.erase(0, head.size() + length);
  return answer;
}

std::vector<std::string> take_frames(std::string& received) {
  std::vector<std::string> frames;
  for (;;) {
    if (received.size() < 2) return frames;
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(received[i]); };
    std::size_t header = 2;
    std::size_t length = at(1) & 0x7f;
    const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (received.size() < 2 + extended) return frames;
    if (extended != 0) {
      length = 0;
      for (std::size_t i = 0; i < extended; ++i) length = length << 8 | at(2 + i);
      header += extended;
    }
    if (received.size() < header + length) return frames;
    const std::string payload = received.substr(header, length);
    switch (at(0) & 0x0f) {
      case 1: frames.push_back("t:" + payload); break;
      case 2: frames.push_back("b:" + payload); break;
      case 8:
        frames.push_back("close:" + (payload.size() >= 2
                                         ? std::to_string(static_cast<unsigned char>(payload[0]) << 8 |
                                                          static_cast<unsigned char>(payload[1]))
                                         : ""));
        break;
      case 9: frames.push_back("ping:" + payload); break;
      case 10: frames.push_back("pong:" + payload); break;
      default: frames.push_back("?");
    }
    received.erase(0, header + length);
  }
}

}  // namespace wirehall::test
