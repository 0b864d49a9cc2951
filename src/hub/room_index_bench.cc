// Rooms: joining, leaving, looking up; and the loop of a broadcast over their members, whose links do
// nothing.
#include "hub/room_index.h"

#include <memory>

#include "base/assert.h"
#include "hub/encoded_message.h"
#include "hub/hub.h"
#include "support/micro.h"

namespace wirehall::hub {
namespace {

// One shard that is alone, whose time stands still.
class LoneShard final : public Environment {
 public:
  MonoTime now() const override { return {}; }
  WallMs wall_now() const override { return 0; }
  RandomSource& random() override { return random_; }
  TimerWheel& timers() override { return timers_; }
  Metrics& metrics() override { return metrics_; }
  const Limits& limits() const override { return limits_; }
  unsigned shard() const override { return 0; }
  unsigned shard_count() const override { return 1; }
  void post(unsigned, HubTask) override { WIREHALL_ASSERT(false); }
  bool try_post_all(std::size_t, const HubTask&) override { return true; }
  void build_forms_in_use(EncodedMessage&) override {}
  void want_turn() override {}
  bool run_blocking(std::function<void()>, std::function<void()>) override { return false; }

 private:
  SeededRandom random_{1};
  TimerWheel timers_{MonoTime()};
  Metrics metrics_;
  Limits limits_;
};

class CountingLink final : public SocketLink {
 public:
  std::uint64_t delivered = 0;
  Protocol protocol() const override { return Protocol::kNative; }
  std::string_view transport() const override { return "websocket"; }
  void connected(Socket&) override {}
  void refused(Socket&, const Verdict&) override {}
  SendResult emit(Socket&, std::string_view, std::span<const Value>, std::optional<std::uint64_t>,
                  const EmitFlags&) override {
    return SendResult::kQueued;
  }
  SendResult deliver(Socket&, EncodedMessage&, const EmitFlags&) override {
    ++delivered;
    return SendResult::kQueued;
  }
  void answer(Socket&, const AckId&, std::span<const Value>) override {}
  void report_failure(Socket&, const Error&) override {}
  void disconnect(Socket&, bool) override {}
  void end_connection(ErrorCode, std::string_view) override {}
  void pause_reading(bool) override {}
};

// A namespace with sockets in the room "news".
class Rooms {
 public:
  explicit Rooms(std::size_t sockets) {
    registry_.of("/");
    registry_.running = true;
    hub_ = std::make_unique<Hub>(registry_, shard_);
    const Hub::Scope scope(*hub_);
    for (std::size_t i = 0; i < sockets; ++i) {
      sockets_.push_back(hub_->make_socket(nsp(), link_, KeptHandshake(Handshake())));
      hub_->connect(sockets_.back());
      nsp().enter_room(*sockets_.back(), "news");
    }
  }
  ~Rooms() {
    const Hub::Scope scope(*hub_);
    for (const SocketPtr& socket : sockets_) socket->close("done");
  }
  NamespaceShard& nsp() { return *hub_->find("/"); }
  Socket& socket(std::size_t i) { return *sockets_[i]; }
  CountingLink& link() { return link_; }

 private:
  LoneShard shard_;
  Registry registry_;
  std::unique_ptr<Hub> hub_;
  CountingLink link_;
  std::vector<SocketPtr> sockets_;
};

void broadcast(benchmark::State& state, std::size_t members, Selector to) {
  Rooms rooms(members);
  if (!to.except.empty()) to.except = {std::string(rooms.socket(0).id())};
  const auto message = std::make_shared<EncodedMessage>("/", "news", Args{Value("hello")});
  bench::measure(state, 0, [&] {
    if (!rooms.nsp().adapter().broadcast(message, to, {}).ok()) std::abort();
  });
  if (rooms.link().delivered == 0) state.SkipWithError("nothing was delivered");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(members));
}

void join_and_leave(benchmark::State& state, std::string_view room, std::size_t other_rooms) {
  Rooms rooms(1000);
  for (std::size_t i = 0; i < other_rooms; ++i)
    rooms.nsp().enter_room(rooms.socket(i % 1000), "room-" + std::to_string(i));
  std::size_t next = 0;
  bench::measure(state, 0, [&] {
    Socket& socket = rooms.socket(next);
    if (!rooms.nsp().rooms().add(socket, room) || !rooms.nsp().rooms().remove(socket, room)) std::abort();
    next = next + 1 == 1000 ? 0 : next + 1;
  });
}

const bench::Suite suite([] {
  for (const std::size_t members : {100u, 1000u, 10'000u}) {
    const std::string count = std::to_string(members);
    bench::add("rooms/broadcast_loop/room-of-" + count, [members](benchmark::State& state) {
      broadcast(state, members, {{"news"}, {}});
    });
    bench::add("rooms/broadcast_loop/room-of-" + count + "-without-the-sender",
               [members](benchmark::State& state) {
                 broadcast(state, members, {{"news"}, {"sender"}});
               });
  }
  bench::add("rooms/broadcast_loop/all-1000", [](benchmark::State& state) { broadcast(state, 1000, {}); });
  bench::add("rooms/join_and_leave/new-room",
             [](benchmark::State& state) { join_and_leave(state, "a room of its own", 0); });
  bench::add("rooms/join_and_leave/new-room-beside-100000",
             [](benchmark::State& state) { join_and_leave(state, "a room of its own", 100'000); });
  bench::add("rooms/find/of-10000", [](benchmark::State& state) {
    Rooms rooms(1000);
    for (std::size_t i = 0; i < 10'000; ++i)
      rooms.nsp().enter_room(rooms.socket(i % 1000), "room-" + std::to_string(i));
    bench::measure(state, 0, [&] { benchmark::DoNotOptimize(rooms.nsp().rooms().find("room-7919")); });
  });
});

}  // namespace
}  // namespace wirehall::hub
