// What a message costs between the receive buffer and the outbox: no sockets, no system calls, one shard.
#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.h"
#include "hub/hub.h"
#include "pipeline/shard_core.h"

namespace wirehall::pipeline {
namespace {

class Link final : public ShardLink {
 public:
  unsigned shard_count() const override { return 1; }
  void post(unsigned, unsigned, Task) override { WIREHALL_ASSERT(false); }
  bool try_post_all(unsigned, std::size_t, const Task&) override { return true; }
  bool run_blocking(unsigned, std::function<void()>, Task) override { return false; }
  void want_turn(unsigned) override {}
  void write_early(pipeline::Connection&) override {}
};

std::string masked(std::string_view payload) {
  Outbox out;
  ws::append_masked_frame(out, ws::Opcode::kText, payload, false, 0x5a17c3e9);
  std::string bytes(out.bytes(), '\0');
  out.copy_front(bytes.data(), bytes.size());
  return bytes;
}

// A server with some connections; what they are sent is thrown away.
class Bench {
 public:
  Bench(std::size_t connections, bool native) {
    Namespace& main = registry_.of("/").api;
    main.on_event("echo", [](Value data, Ack ack) { ack(std::move(data)); });
    main.on_event("subscribe", [](Socket& socket) { (void)socket.join("news"); });
    main.on_event("publish",
                  [](Socket& socket, Value data) { socket.to("news").emit("news", std::move(data)); });
    registry_.running = true;
    core_ = std::make_unique<ShardCore>(world_, link_, 0, random_, MonoTime(), 0);
    const std::string request =
        "GET " + std::string(native ? "/ws" : "/socket.io/?EIO=4&transport=websocket") +
        " HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    for (std::size_t i = 0; i < connections; ++i) {
      connections_.push_back(std::make_unique<Connection>(*core_, PeerInfo{"127.0.0.1", false}));
      receive(i, request);
      if (!native) receive(i, masked("40"));
      receive(i, masked(native ? R"({"type":"subscribe"})" : R"(42["subscribe"])"));
      flush();
    }
  }
  ~Bench() {
    for (const auto& connection : connections_) connection->gone(false);
    connections_.clear();
    core_->sweep();
  }
  void receive(std::size_t connection, std::string_view bytes) {
    std::copy(bytes.begin(), bytes.end(), buffer_.begin());
    const hub::Hub::Scope scope(core_->hub());
    connections_[connection]->receive(buffer_.data(), buffer_.data() + bytes.size());
  }
  std::size_t flush() {
    core_->end_turn();
    std::size_t bytes = 0;
    for (Connection* connection : core_->take_touched()) {
      connection->touched = false;
      const std::size_t size = connection->outbox().copy_front(buffer_.data(), buffer_.size());
      connection->wrote(size);
      bytes += size;
    }
    core_->sweep();
    return bytes;
  }

 private:
  Link link_;
  hub::Registry registry_;
  World world_{registry_};
  SeededRandom random_{1};
  std::unique_ptr<ShardCore> core_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::array<char, 65'536> buffer_{};
};

const std::string kText(80, 'x');

void run(benchmark::State& state, std::size_t connections, bool native, const std::string& payload) {
  Bench bench(connections, native);
  const std::string frame = masked(payload);
  std::size_t next = 0, bytes = 0;
  for (auto _ : state) {
    bench.receive(next, frame);
    bytes += bench.flush();
    next = next + 1 == connections ? 0 : next + 1;
  }
  if (bytes == 0) state.SkipWithError("nothing was sent");
}

void native_echo(benchmark::State& state) {
  run(state, 1, true, R"({"type":"echo","id":123456789,"text":")" + kText + "\"}");
}
void socketio_echo(benchmark::State& state) {
  run(state, 1, false, R"(4217["echo",{"text":")" + kText + "\"}]");
}
void native_fanout_to_1000(benchmark::State& state) {
  run(state, 1001, true, R"({"type":"publish","text":")" + kText + "\"}");
}
void socketio_fanout_to_1000(benchmark::State& state) {
  run(state, 1001, false, R"(42["publish",{"text":")" + kText + "\"}]");
}
BENCHMARK(native_echo);
BENCHMARK(socketio_echo);
BENCHMARK(native_fanout_to_1000);
BENCHMARK(socketio_fanout_to_1000);

}  // namespace
}  // namespace wirehall::pipeline
