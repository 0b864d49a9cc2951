// Whole connections against the production pipeline: the input chooses bytes, clock steps and ends. Nothing may
// be left behind: no session, no socket, no room.
#include "pipeline/connection.h"

#include "support/fuzz.h"
#include "support/sim.h"

using namespace wirehall;

FUZZ_TARGET(pipeline_connection) {
  test::SimNode node(2, 1);
  node.of("/").on_event("echo", [](Args args, Ack ack) { ack.answer(args); });
  node.of("/").on_event("join", [](Socket& socket, std::string room, Ack ack) {
    if (const Status joined = socket.join(room); !joined.ok()) return ack.fail(joined.error());
    socket.to(room).emit("joined", room);
    ack.success();
  });
  node.of("/").on_event("bye", [](Socket& socket) { socket.disconnect(true); });
  node.world().deflate_enabled = true;
  node.world().engine.ping_interval = Milliseconds(100);
  node.world().engine.ping_timeout = Milliseconds(50);
  node.world().client.connect_timeout = Milliseconds(200);
  node.world().heartbeat_interval = Milliseconds(100);
  node.start();
  std::vector<test::SimPeer*> peers;
  std::string sid;
  while (!in.rest().empty() && peers.size() < 6) {
    const std::uint8_t what = in.byte();
    const auto pick = [&]() -> test::SimPeer& { return *peers[in.byte() % peers.size()]; };
    const unsigned kind = what % 12;
    if (kind <= 2 || peers.empty()) {
      peers.push_back(&node.connect(what % 2));
      test::SimPeer& peer = *peers.back();
      if (kind == 0) peer.send(test::upgrade("/ws"));
      if (kind == 1) peer.send(test::upgrade("/socket.io/?EIO=4&transport=websocket") + test::text("40"));
      if (kind == 2) {
        peer.send(test::get("/socket.io/?EIO=4&transport=polling"));
        node.run();
        if (const auto at = peer.received().find("\"sid\":\""); at != std::string::npos) sid = peer.received().substr(at + 7, 20);
      }
    } else if (kind == 3) {
      pick().send(in.take(in.byte()));
    } else if (kind == 4) {
      const std::string payload = in.take(in.byte());
      pick().send(test::frame(payload.size() % 3 == 0 ? 2 : 1, payload, payload.size() % 5 != 0));
    } else if (kind == 5) {
      pick().send(test::text("42" + in.take(in.byte())));
    } else if (kind == 6) {
      pick().send(test::post("/socket.io/?EIO=4&transport=polling&sid=" + sid, in.take(in.byte())));
    } else if (kind == 7) {
      pick().send(test::get("/socket.io/?EIO=4&transport=polling&sid=" + sid));
    } else if (kind == 8) {
      pick().send(test::upgrade("/socket.io/?EIO=4&transport=websocket&sid=" + sid) + test::text("2probe"));
    } else if (kind == 9) {
      node.advance(Milliseconds(in.byte()));
    } else if (kind == 10) {
      pick().reset();
    } else {
      pick().half_close();
    }
    if (what >= 128) node.run();
  }
  for (test::SimPeer* peer : peers) peer->reset();
  node.run();
  node.advance(std::chrono::seconds(40));
  FUZZ_CHECK(node.sessions() == 0);
  for (unsigned i = 0; i < 2; ++i) {
    FUZZ_CHECK(node.core(i).connection_count() == 0);
    FUZZ_CHECK(node.core(i).hub().socket_count() == 0 && node.core(i).hub().room_count() == 0);
  }
}
