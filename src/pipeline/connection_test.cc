// What a connection keeps, and how the shard's table finds it.
#include "pipeline/connection.h"

#include <gtest/gtest.h>

#include <set>

#include "pipeline/lone_shard_for_test.h"
#include "support/seed.h"
#include "support/sim.h"

namespace wirehall::pipeline {
namespace {

using namespace std::string_literals;

struct ConnectionTest : testing::Test {
  ConnectionTest() : node(1, test::seed()) {
    node.of("/").on_event("all", [](Socket& socket) { socket.nsp().emit("m", 1); });
    node.start();
  }
  test::SimPeer& open() {
    test::SimPeer& peer = node.connect(0);
    peer.send(test::upgrade("/ws"));
    node.run();
    test::take_response(peer.received());
    return peer;
  }
  std::uint64_t only_id() { return node.core(0).connections().at(0)->id(); }
  test::SimNode node;
};

TEST_F(ConnectionTest, TheIdOfOneThatHasGoneFindsNobodyInItsSlot) {
  ShardCore& core = node.core(0);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 5; ++i) {
    test::SimPeer& peer = open();
    const std::uint64_t id = only_id();
    EXPECT_EQ(core.find(id), core.connections().at(0));
    EXPECT_EQ(static_cast<std::uint32_t>(id), 0u) << "the slot is used again";
    EXPECT_TRUE(seen.insert(id).second) << "but not the id";
    for (const std::uint64_t old : seen) EXPECT_EQ(core.find(old) != nullptr, old == id);
    peer.reset();
    node.run();
    EXPECT_EQ(core.find(id), nullptr);
    EXPECT_TRUE(core.connections().empty());
  }
  EXPECT_EQ(core.find(77), nullptr) << "beyond the table";
}

TEST(Connection, WhoseResponseWasWrittenIsNotLookedAtAgain) {
  LoneShard shard(2, {.upgraded = false});
  const std::string request = "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n";
  shard.receive(0, request);
  shard.receive(1, request);
  EXPECT_EQ(shard.flush().connections, 2u);
  EXPECT_EQ(shard.flush().visited, 0u);
  shard.receive(0, request + request);  // the second one has to wait
  EXPECT_EQ(shard.flush().connections, 1u);
}

TEST_F(ConnectionTest, ABadRequestLeavesNothingToTheNextConnection) {
  const std::string request = "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const std::string& bad : {request.substr(0, 10), std::string("GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
                                 "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"s}) {
    test::SimPeer& peer = node.connect(0);
    peer.send(bad);
    node.run();
    peer.reset();
    for (int i = 0; i < 2; ++i) {
      test::SimPeer& next = node.connect(0);
      next.send(request);
      node.run();
      EXPECT_TRUE(next.received().starts_with("HTTP/1.1 404 ")) << bad;
    }
  }
}

// A WebSocket that stalls has a time by which it must take something, and at rest none.
TEST_F(ConnectionTest, AWebSocketThatTakesNothingEndsAndOneThatTakesSomethingStays) {
  const auto stall = node.world().limits.write_stall_timeout;
  test::SimPeer& slow = open();
  test::SimPeer& late = open();
  test::SimPeer& other = open();
  slow.reads = late.reads = false;
  other.send(test::text(R"({"type":"all"})"));
  node.run();
  node.advance(stall - Milliseconds(1));
  EXPECT_FALSE(slow.closed());
  late.reads = true;
  node.run();
  EXPECT_EQ(test::take_frames(late.received()).size(), 1u);
  node.advance(Milliseconds(2));
  EXPECT_TRUE(slow.closed());
  EXPECT_FALSE(late.closed());
  node.advance(stall);
  EXPECT_FALSE(late.closed()) << "nothing waits for it any more";
}

}  // namespace
}  // namespace wirehall::pipeline
