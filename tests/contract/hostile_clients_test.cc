// What Socket.IO clients may do to a server that trusts them: RELIABILITY 1.4, where it takes a whole node.
#include <gtest/gtest.h>

#include <algorithm>
#include <coroutine>
#include <map>
#include <stdexcept>

#include "support/seed.h"
#include "support/sim.h"

namespace wirehall {
namespace {

using test::SimNode;
using test::SimPeer;
using test::take_frames;
using test::take_response;
using test::text;
using test::upgrade;
using Frames = std::vector<std::string>;

class HostileClientsTest : public testing::TestWithParam<unsigned> {
 protected:
  HostileClientsTest() : node(GetParam(), test::seed()) { node.whole_input = true; }

  SimPeer& open(unsigned shard) {
    SimPeer& peer = node.connect(shard % node.shard_count());
    peer.send(upgrade("/socket.io/?EIO=4&transport=websocket"));
    node.run();
    take_response(peer.received());
    return peer;
  }
  Frames say(SimPeer& peer, const std::string& packet) {
    peer.send(text(packet));
    node.run();
    return take_frames(peer.received());
  }
  std::size_t namespaces(std::string_view parent) {
    std::size_t found = 0;
    for (unsigned shard = 0; shard < node.shard_count(); ++shard) found += node.core(shard).hub().children_of(parent).size();
    return found;
  }
  hub::NamespaceSpec& parent_of_anything() {
    node.of("/");
    return node.registry().add_parent([](std::string, Value) -> Task<bool> { co_return true; });
  }
  std::map<std::string, int> outcomes;  // what handlers write to outlives the node
  SimNode node;
};

// S5
TEST_P(HostileClientsTest, AnswersThatNeverComeAreBounded) {
  node.of("/").on_event("ask", [this](Socket& socket) -> Task<> {
    Task<Result<Args>> asking = socket.emit_with_ack("question", {});
    const Result<Args> answer = co_await asking;
    ++outcomes[answer.ok() ? "answered" : std::string(answer.error().kebab())];
  });
  node.start();
  SimPeer& peer = open(0);
  say(peer, "40");
  const std::uint32_t kept = node.world().limits.pending_acks_max;
  constexpr std::uint32_t kAsked = 20'000;
  for (std::uint32_t i = 0; i < kAsked; ++i) peer.send(text(R"(42["ask"])"));
  node.run();
  const Frames asked = take_frames(peer.received());
  ASSERT_EQ(asked.size(), kAsked);
  EXPECT_EQ(outcomes, (std::map<std::string, int>{{"timeout", static_cast<int>(kAsked - kept)}})) << "the oldest fail first";
  const auto answer = [&](const std::string& frame) { say(peer, "43" + frame.substr(4, frame.find('[') - 4) + "[1]"); };
  answer(asked.front());
  EXPECT_EQ(outcomes["answered"], 0) << "it is not waited for any more";
  answer(asked.back());
  EXPECT_EQ(outcomes["answered"], 1);
  peer.reset();
  node.run();
  EXPECT_EQ(outcomes["disconnected"], static_cast<int>(kept - 1));
}

// S6
TEST_P(HostileClientsTest, NamespacesMadeForClientsGoWithThem) {
  hub::NamespaceSpec& parent = parent_of_anything();
  node.registry().cleanup_empty_children = true;
  node.start();
  SimPeer& peer = open(0);
  for (int i = 0; i < 3'000; ++i) {
    const std::string name = "/n" + std::to_string(i);
    const Frames answer = say(peer, "40" + name + ",");
    ASSERT_FALSE(answer.empty()) << i;
    ASSERT_TRUE(answer.back().starts_with("t:40")) << answer.back();
    say(peer, "41" + name + ",");
  }
  EXPECT_EQ(namespaces(parent.name), 0u);
}

// S6, with what the reference does by default: they stay.
TEST_P(HostileClientsTest, NamespacesMadeForClientsAreBounded) {
  hub::NamespaceSpec& parent = parent_of_anything();
  node.world().limits.dynamic_namespaces_per_shard_max = 50;
  node.start();
  SimPeer& peer = open(0);
  Frames answers;
  for (int i = 0; i < 60; ++i) {
    const std::string name = "/n" + std::to_string(i);
    const Frames answer = say(peer, "40" + name + ",");
    ASSERT_FALSE(answer.empty()) << i;
    answers.push_back(answer.back());
    if (answer.back().starts_with("t:40")) say(peer, "41" + name + ",");
  }
  EXPECT_EQ(std::count_if(answers.begin(), answers.end(), [](const std::string& a) { return a.starts_with("t:40"); }), 50);
  EXPECT_NE(answers.back().find(R"("code":"limit-reached")"), std::string::npos) << answers.back();
  EXPECT_TRUE(say(peer, "40/n7,").at(0).starts_with("t:40/n7,")) << "those that are there can be used";
  EXPECT_GE(namespaces(parent.name), 50u);
}

// S6
TEST_P(HostileClientsTest, ConnectsThatAreStillBeingDecidedCountToo) {
  node.of("/");
  node.registry().add_parent([this](std::string, Value) -> Task<bool> {
    ++outcomes["asked"];
    std::suspend_always forever;
    co_await forever;
    co_return false;
  });
  node.start();
  SimPeer& peer = open(0);
  for (int i = 0; i < 100; ++i) peer.send(text("40/n" + std::to_string(i) + ","));
  node.run();
  EXPECT_EQ(outcomes["asked"], static_cast<int>(node.world().limits.namespaces_per_client_max));
  const Frames answers = take_frames(peer.received());
  EXPECT_NE(answers.back().find("limit-reached"), std::string::npos);
}

TEST_P(HostileClientsTest, AMatcherThatThrowsRefuses) {
  node.of("/");
  node.registry().add_parent([](std::string, Value) -> Task<bool> {
    throw std::runtime_error("no");
    co_return true;
  });
  node.start();
  SimPeer& peer = open(0);
  EXPECT_EQ(say(peer, "40/n,").back(), R"(t:44/n,{"message":"Invalid namespace"})");
}

// S6
TEST_P(HostileClientsTest, RoomsGoWithTheirLastMember) {
  node.of("/").on_event("join", [](Socket& socket, std::string room) { (void)socket.join(room).ok(); });
  node.of("/").on_event("leave", [](Socket& socket, std::string room) { socket.leave(room); });
  node.start();
  SimPeer& peer = open(0);
  say(peer, "40");
  const std::size_t before = node.core(0).hub().room_count();
  std::vector<std::string> in;
  for (int i = 0; i < 50'000; ++i) {
    const std::string room = "r" + std::to_string(node.random().below(1'000'000));
    peer.send(text(R"(42["join",")" + room + "\"]"));
    in.push_back(room);
    if (in.size() == 100) {
      for (const std::string& left : in) peer.send(text(R"(42["leave",")" + left + "\"]"));
      in.clear();
      node.run();
      ASSERT_EQ(node.core(0).hub().room_count(), before);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, HostileClientsTest, testing::Values(1u, 3u));

}  // namespace
}  // namespace wirehall
