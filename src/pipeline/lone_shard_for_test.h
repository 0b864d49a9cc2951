// A server of one shard without sockets and system calls: bytes go in, and what would be written is thrown
// away, without taking anything from the heap itself. For benchmarks, and tests that count allocations.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "hub/hub.h"
#include "pipeline/shard_core.h"

namespace wirehall::pipeline {

/// Its handlers: `echo` acknowledges its argument, `subscribe` joins a room, `publish` sends to the others in
/// it.
///
/// Thread:   a plain value.
class LoneShard final : public ShardLink {
 public:
  struct Options {
    bool native = true;  ///< else Socket.IO over WebSocket
    bool deflate = false;
    bool upgraded = true;  ///< else the connections still speak HTTP
  };

  /// Opens so many connections, which all subscribe where they are upgraded.
  LoneShard(std::size_t connections, Options options) {
    Namespace& main = registry_.of("/").api;
    main.on_event("echo", [](Value data, Ack ack) { ack(std::move(data)); });
    main.on_event("subscribe", [](Socket& socket) { (void)socket.join("news"); });
    main.on_event("publish",
                  [](Socket& socket, Value data) { socket.to("news").emit("news", std::move(data)); });
    registry_.running = true;
    world_.deflate_enabled = options.deflate;
    core_ = std::make_unique<ShardCore>(world_, *this, 0, random_, MonoTime(), 0);
    const std::string request =
        "GET " + std::string(options.native ? "/ws" : "/socket.io/?EIO=4&transport=websocket") +
        " HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        (options.deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n" : "\r\n");
    for (std::size_t i = 0; i < connections; ++i) {
      connections_.push_back(std::make_unique<Connection>(*core_, PeerInfo{"127.0.0.1", false}));
      if (!options.upgraded) continue;
      receive(i, request);
      if (!options.native) receive(i, masked("40"));
      receive(i, masked(options.native ? R"({"type":"subscribe"})" : R"(42["subscribe"])"));
      flush();
    }
  }
  ~LoneShard() {
    for (const auto& connection : connections_) connection->gone(false);
    connections_.clear();
    core_->sweep();
  }

  /// A text frame as a client sends it.
  static std::string masked(std::string_view payload) {
    Outbox out;
    ws::append_masked_frame(out, ws::Opcode::kText, payload, false, 0x5a17c3e9);
    std::string bytes(out.bytes(), '\0');
    out.copy_front(bytes.data(), bytes.size());
    return bytes;
  }

  /// Bytes that a connection has received. Requires: at most 64 KiB.
  void receive(std::size_t connection, std::string_view bytes) {
    WIREHALL_ASSERT(bytes.size() <= buffer_.size());
    std::copy(bytes.begin(), bytes.end(), buffer_.begin());
    const hub::Hub::Scope scope(core_->hub());
    connections_[connection]->receive(buffer_.data(), buffer_.data() + bytes.size());
  }

  struct Written {
    std::size_t visited = 0;  ///< connections that were looked at
    std::size_t connections = 0;
    std::size_t bytes = 0;
  };
  /// Ends the turn, and throws away what the connections have to write.
  Written flush() {
    core_->end_turn();
    Written written;
    for (Connection* connection : core_->take_touched()) {
      connection->touched = false;
      const std::size_t size = connection->outbox().copy_front(buffer_.data(), buffer_.size());
      connection->wrote(size);
      ++written.visited;
      written.bytes += size;
      written.connections += size != 0 ? 1 : 0;
    }
    core_->sweep();
    return written;
  }

  // -- ShardLink ------------------------------------------------------------------------------------
  unsigned shard_count() const override { return 1; }
  void post(unsigned, unsigned, Task) override { WIREHALL_ASSERT(false); }
  bool try_post_all(unsigned, std::size_t, const Task&) override { return true; }
  bool run_blocking(unsigned, std::function<void()>, Task) override { return false; }
  void want_turn(unsigned) override {}
  void write_early(pipeline::Connection&) override {}

 private:
  hub::Registry registry_;
  World world_{registry_};
  SeededRandom random_{1};
  std::unique_ptr<ShardCore> core_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::array<char, 65'536> buffer_{};
};

}  // namespace wirehall::pipeline
