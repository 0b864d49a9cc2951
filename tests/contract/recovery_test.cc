// Connection state recovery: exact or refused, over shards, and for the same user only.
#include <gtest/gtest.h>

#include "server/recovery_log.h"
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

class RecoveryTest : public testing::TestWithParam<unsigned> {
 protected:
  RecoveryTest() : node(GetParam(), test::seed()) {
    Namespace& main = node.of("/");
    main.use([this](Socket& socket) -> Verdict {
      ++middlewares;
      User user;
      if (const std::string* id = socket.handshake().auth.find_string("user")) user.id = *id;
      socket.set_user(std::move(user));
      if (socket.user().id == "revoked") return Error(ErrorCode::kAuthenticationFailed);
      return {};
    });
    main.on_connection([this](Socket& socket) { recovered.push_back(socket.recovered()); });
    main.on_event("join", [](Socket& socket, std::string room) { (void)socket.join(room).ok(); });
    main.on_event("data", [](Socket& socket, Value data) { socket.data() = data; });
    main.on_event("say", [](Socket& socket, std::string room, Value what) {
      socket.nsp().to(room).emit("said", what);
    });
    main.on_event("whisper", [](Socket& socket, std::string room, Value what) {
      socket.nsp().to(room).volatile_().emit("said", what);
    });
    main.on_event("me", [](Socket& socket) { socket.emit("you", socket.data(), Value(socket.rooms().size())); });
    options.disconnection_max = std::chrono::seconds(120);
    main.spec().recovery = std::make_shared<server::LockedRecoveryLog>(options, GetParam(), "abc");
    node.start();
  }
  struct Client {
    SimPeer* peer;
    std::string sid, pid, offset;
    Frames events;
  };
  Client connect(unsigned shard, const std::string& auth = "") {
    Client client{&node.connect(shard % node.shard_count()), "", "", "", {}};
    client.peer->send(upgrade("/socket.io/?EIO=4&transport=websocket") + text("40" + auth));
    node.run();
    take_response(client.peer->received());
    read(client);
    return client;
  }
  /// Reads as the stock client does: the last string argument is the offset.
  void read(Client& client) {
    for (const std::string& frame : take_frames(client.peer->received())) {
      if (frame.starts_with("t:40")) {
        const Value reply = Value::from_json(frame.substr(4)).value();
        client.sid = *reply.find_string("sid");
        client.pid = *reply.find_string("pid");
      } else if (frame.starts_with("t:42")) {
        Array args = Value::from_json(frame.substr(4)).value().as_array();
        ASSERT_TRUE(args.back().is_string()) << frame;
        client.offset = args.back().as_string();
        args.pop_back();
        client.events.push_back(Value(std::move(args)).to_json());
      }
    }
  }
  void say(Client& client, const std::string& packet) {
    client.peer->send(text(packet));
    node.run();
    read(client);
  }
  Client again(const Client& lost, unsigned shard, const std::string& user = "") {
    Object auth{{"pid", lost.pid}};
    if (!lost.offset.empty()) auth.set("offset", lost.offset);
    if (!user.empty()) auth.set("user", user);
    return connect(shard, Value(auth).to_json());
  }
  server::RecoveryOptions options;
  std::vector<bool> recovered;
  int middlewares = 0;
  SimNode node;
};

TEST_P(RecoveryTest, WhatWasMissedComesInOrderBeforeTheAnswer) {
  Client ann = connect(0);
  Client bob = connect(1);
  say(ann, R"(42["join","r"])");
  say(ann, R"(42["data",{"n":7}])");
  say(bob, R"(42["say","r",1])");
  read(ann);
  EXPECT_EQ(ann.events, Frames{R"(["said",1])"});
  ann.peer->reset();
  node.run();
  for (int i = 2; i < 6; ++i) say(bob, R"(42["say","r",)" + std::to_string(i) + "]");
  say(bob, R"(42["say","elsewhere",0])");
  say(bob, R"(42["whisper","r",99])");
  Client back = again(ann, 2);
  EXPECT_EQ(back.sid, ann.sid);
  EXPECT_EQ(back.pid, ann.pid);
  EXPECT_TRUE(recovered.back());
  EXPECT_EQ(middlewares, 3) << "they run each time";
  EXPECT_EQ(back.events, (Frames{R"(["said",2])", R"(["said",3])", R"(["said",4])", R"(["said",5])"}));
  say(back, R"(42["me"])");
  EXPECT_EQ(back.events.back(), R"(["you",{"n":7},2])");
  say(bob, R"(42["say","r",6])");
  read(back);
  EXPECT_EQ(back.events.back(), R"(["said",6])");
}

TEST_P(RecoveryTest, MissedEventsStandInFrontOfTheConnectPacket) {
  Client ann = connect(0);
  say(ann, R"(42["join","r"])");
  Client bob = connect(1);
  say(bob, R"(42["say","r",1])");
  read(ann);
  ann.peer->reset();
  node.run();
  say(bob, R"(42["say","r",2])");
  SimPeer& peer = node.connect(0);
  peer.send(upgrade("/socket.io/?EIO=4&transport=websocket") +
            text("40" + Value(Object{{"pid", ann.pid}, {"offset", ann.offset}}).to_json()));
  node.run();
  take_response(peer.received());
  const Frames frames = take_frames(peer.received());
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_TRUE(frames[1].starts_with(R"(t:42["said",2,)"));
  EXPECT_TRUE(frames[2].starts_with("t:40{"));
}

TEST_P(RecoveryTest, WhoHasSeenNothingYetCanComeBackToo) {
  Client ann = connect(0);
  say(ann, R"(42["join","r"])");
  ann.peer->reset();
  node.run();
  Client bob = connect(1);
  say(bob, R"(42["say","r",1])");
  Client back = again(ann, 1);
  EXPECT_TRUE(recovered.back());
  EXPECT_EQ(back.events, Frames{R"(["said",1])"});
}

TEST_P(RecoveryTest, APidIsOfNoUseToAnotherUser) {
  Client ann = connect(0, R"({"user":"ann"})");
  say(ann, R"(42["join","r"])");
  ann.peer->reset();
  node.run();
  Client thief = again(ann, 1, "eve");
  EXPECT_FALSE(recovered.back());
  EXPECT_NE(thief.sid, ann.sid);
  EXPECT_NE(thief.pid, ann.pid);
  const std::size_t before = recovered.size();
  again(ann, 1, "revoked");
  EXPECT_EQ(recovered.size(), before) << "not even let in";
  Client back = again(ann, 2, "ann");
  EXPECT_TRUE(recovered.back()) << "the session was put back";
  EXPECT_EQ(back.sid, ann.sid);
}

TEST_P(RecoveryTest, TheNewerConnectionWins) {
  Client ann = connect(0, R"({"user":"ann"})");
  say(ann, R"(42["join","r"])");
  Client eve = again(ann, 1, "eve");
  EXPECT_FALSE(recovered.back());
  EXPECT_FALSE(ann.peer->closed()) << "another user does not end it";
  Client back = again(ann, 1, "ann");
  EXPECT_TRUE(recovered.back());
  EXPECT_EQ(back.sid, ann.sid);
  EXPECT_NE(ann.peer->received().find("\x88"), std::string::npos) << "the older one is closed";
}

TEST_P(RecoveryTest, WhatCannotBeProvedIsRefused) {
  Client ann = connect(0);
  say(ann, R"(42["me"])");
  for (const std::string& offset : {std::string("e0-1"), std::string("eabc-9999"), std::string("eabc--1"), std::string("eabc-1x"),
                                    std::string("eabc-18446744073709551616"), std::string(1000, 'e')}) {
    Client lost = ann;
    lost.offset = offset;
    ann.peer->reset();
    node.run();
    Client back = again(lost, 1);
    EXPECT_FALSE(recovered.back()) << offset;
    Client good = again(ann, 1);
    EXPECT_TRUE(recovered.back()) << "the session was put back after " << offset;
    ann = good;
    if (ann.offset.empty()) ann.offset = lost.offset.empty() ? "" : "eabc-1";
  }
}

TEST_P(RecoveryTest, LeavingOnPurposeIsFinal) {
  Client ann = connect(0);
  say(ann, "41");
  ann.peer->reset();
  node.run();
  again(ann, 0);
  EXPECT_FALSE(recovered.back());
}

TEST_P(RecoveryTest, ATimeOutIsFinal) {
  Client ann = connect(0);
  ann.peer->reset();
  node.run();
  node.advance(std::chrono::seconds(121));
  again(ann, 0);
  EXPECT_FALSE(recovered.back());
}

TEST_P(RecoveryTest, AFloodThatWasMissedIsNotReplayed) {
  Client ann = connect(0);
  say(ann, R"(42["join","r"])");
  ann.peer->reset();
  node.run();
  Client bob = connect(1);
  for (std::uint32_t i = 0; i <= node.world().limits.recovery_messages_max; ++i) bob.peer->send(text(R"(42["say","r",1])"));
  node.run();
  Client back = again(ann, 1);
  EXPECT_FALSE(recovered.back());
  EXPECT_TRUE(back.events.empty());
}

// Many clients on all shards: whatever order the seed chooses, a client that comes back has the events of one
// that never left, each once and in the same order.
TEST_P(RecoveryTest, ComingBackIsLikeNeverHavingLeft) {
  Client steady = connect(1);
  say(steady, R"(42["join","r"])");
  Client lossy = connect(0);
  say(lossy, R"(42["join","r"])");
  std::vector<Client> talkers;
  for (unsigned i = 0; i < 3; ++i) talkers.push_back(connect(i));
  int number = 0;
  for (unsigned round = 0; round < 40; ++round) {
    for (Client& talker : talkers) talker.peer->send(text(R"(42["say","r",)" + std::to_string(number++) + "]"));
    node.settle(static_cast<int>(node.random().below(12)));
    if (round % 4 == 1) {
      read(lossy);
      lossy.peer->reset();
      node.settle(static_cast<int>(node.random().below(12)));
      Client back = again(lossy, round);
      ASSERT_TRUE(recovered.back());
      lossy.events.insert(lossy.events.end(), back.events.begin(), back.events.end());
      lossy.peer = back.peer;
      if (!back.offset.empty()) lossy.offset = back.offset;
    }
  }
  node.run();
  read(steady);
  read(lossy);
  EXPECT_EQ(steady.events.size(), 120u);
  EXPECT_EQ(lossy.events, steady.events);
}

INSTANTIATE_TEST_SUITE_P(Shards, RecoveryTest, testing::Values(1u, 3u));

}  // namespace
}  // namespace wirehall
