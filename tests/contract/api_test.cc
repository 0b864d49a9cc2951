// The server API of Socket.IO over simulated connections: the same on one shard and on three.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "server/room_census.h"
#include "support/seed.h"
#include "support/sim.h"
#include "wirehall/remote_socket.h"

namespace wirehall {
namespace {

using test::SimNode;
using test::SimPeer;
using test::take_frames;
using test::take_response;
using test::text;
using test::upgrade;
using Frames = std::vector<std::string>;

class ApiTest : public testing::TestWithParam<unsigned> {
 protected:
  ApiTest() : node(GetParam(), test::seed()) {}

  /// A Socket.IO client over WebSocket, connected to a namespace.
  SimPeer& open(unsigned shard, const std::string& connect = "40") {
    SimPeer& peer = node.connect(shard % node.shard_count());
    peer.send(upgrade("/socket.io/?EIO=4&transport=websocket") + text(connect));
    node.run();
    take_response(peer.received());
    return peer;
  }
  SimPeer& joined(unsigned shard, const std::string& room) {
    SimPeer& peer = open(shard);
    peer.send(text(R"(42["join",")" + room + "\"]"));
    node.run();
    take_frames(peer.received());
    return peer;
  }
  Frames say(SimPeer& peer, const std::string& packet) {
    peer.send(text(packet));
    node.run();
    return take_frames(peer.received());
  }
  std::vector<std::string> log;  // what handlers write to outlives the node
  int joins = 0, leaves = 0;
  SimNode node;
};

void add_basics(Namespace& nsp) {
  nsp.on_event("join", [](Socket& socket, std::string room) { (void)socket.join(room).ok(); });
  nsp.on_event("leave", [](Socket& socket, std::string room) { socket.leave(room); });
}

// -- answers -------------------------------------------------------------------------------------

// What a handler keeps is not used again for the events that follow.
TEST_P(ApiTest, AnAnswerThatIsKeptIsGivenToWhoAsked) {
  std::vector<Ack> kept;
  Namespace& main = node.of("/");
  main.on_event("later", [&](Ack ack) { kept.push_back(ack); });
  main.on_event("now", [](Value what, Ack ack) { ack(std::move(what)); });
  main.on_event("give", [&](std::string what) {
    for (std::size_t i = kept.size(); i-- > 0;) kept[i](Value(what + std::to_string(i)));
  });
  node.start();
  SimPeer& one = open(0);
  SimPeer& other = open(0);
  take_frames(one.received());
  take_frames(other.received());
  EXPECT_EQ(say(one, R"(421["later"])"), Frames{});
  EXPECT_EQ(say(other, R"(4217["later"])"), Frames{});
  EXPECT_EQ(say(other, R"(4218["now","at once"])"), (Frames{R"(t:4318["at once"])"}));
  EXPECT_EQ(say(one, R"(42["now","not asked for"])"), Frames{});
  EXPECT_EQ(say(other, R"(42["give","late"])"), (Frames{R"(t:4317["late1"])"}));
  EXPECT_EQ(take_frames(one.received()), (Frames{R"(t:431["late0"])"}));
  kept.clear();
}

// -- broadcasts with answers --------------------------------------------------------------------

TEST_P(ApiTest, ABroadcastCollectsTheAnswersOfAllShards) {
  Namespace& main = node.of("/");
  add_basics(main);
  main.on_event("ask", [&](Socket& socket, int ms) -> Task<> {
    Task<Result<BroadcastAnswers>> asking =
        socket.nsp().to("r").timeout(Milliseconds(ms)).emit_with_ack("question", {Value("?")});
    Result<BroadcastAnswers> answers = co_await asking;
    std::multiset<std::string> sorted;
    for (const Value& response : answers->responses) sorted.insert(response.to_json());
    std::string line = std::to_string(answers->expected) + (answers->complete() ? " complete:" : " partial:");
    for (const std::string& response : sorted) line += " " + response;
    log.push_back(line);
  });
  node.start();
  std::vector<SimPeer*> peers;
  for (unsigned i = 0; i < 5; ++i) peers.push_back(&joined(i, "r"));
  SimPeer& asker = open(1);
  take_frames(asker.received());
  asker.send(text(R"(42["ask",100])"));
  node.run();
  std::set<std::string> numbers;
  for (unsigned i = 0; i < 4; ++i) {
    const Frames frames = take_frames(peers[i]->received());
    ASSERT_EQ(frames.size(), 1u);
    ASSERT_TRUE(frames[0].ends_with(R"(["question","?"])")) << frames[0];
    numbers.insert(frames[0]);
    const std::string id = frames[0].substr(4, frames[0].find('[') - 4);
    peers[i]->send(text("43" + id + "[" + std::to_string(i) + "]"));
    if (i == 0) peers[i]->send(text("43" + id + "[99]"));  // a second answer does not count
  }
  EXPECT_EQ(numbers.size(), 1u) << "all are asked under one number";
  node.run();
  EXPECT_TRUE(log.empty()) << "one is missing";
  node.advance(Milliseconds(101));
  EXPECT_EQ(log, Frames{"5 partial: 0 1 2 3"});

  log.clear();
  asker.send(text(R"(42["ask",100])"));
  node.run();
  for (SimPeer* peer : peers) {
    const std::string frame = take_frames(peer->received()).at(0);
    if (peer == peers[4]) {
      peer->reset();
    } else {
      peer->send(text("43" + frame.substr(4, frame.find('[') - 4) + "[true]"));
    }
  }
  node.run();
  EXPECT_EQ(log, Frames{"5 partial: true true true true"}) << "who has gone is not waited for";
}

TEST_P(ApiTest, ABroadcastToNobodyIsCompleteAtOnce) {
  Namespace& main = node.of("/");
  main.on_event("ask", [&](Socket& socket) -> Task<> {
    Task<Result<BroadcastAnswers>> asking = socket.nsp().to("nobody").emit_with_ack("question", {});
    Result<BroadcastAnswers> answers = co_await asking;
    log.push_back(std::to_string(answers->expected) + (answers->complete() ? " complete" : " partial"));
  });
  node.start();
  SimPeer& asker = open(0);
  say(asker, R"(42["ask"])");
  EXPECT_EQ(log, Frames{"0 complete"});
}

// -- other sockets ------------------------------------------------------------------------------

TEST_P(ApiTest, FetchedSocketsTellWhoTheyAreAndCanBeReached) {
  Namespace& main = node.of("/");
  add_basics(main);
  main.on_event("name", [](Socket& socket, std::string name) { socket.data() = {{"name", name}}; });
  main.on_event("look", [&](Socket& socket) -> Task<> {
    Task<std::vector<RemoteSocket>> fetching = socket.nsp().in("r").except("x").fetch_sockets();
    std::vector<RemoteSocket> sockets = co_await fetching;
    for (RemoteSocket& remote : sockets) {
      std::vector<std::string> rooms = remote.rooms();
      std::sort(rooms.begin(), rooms.end());
      log.push_back(remote.data().to_json() + " " + std::to_string(rooms.size()) + " " +
                    std::string(remote.handshake().query("who").value_or("")));
      remote.emit("hello", remote.id());
      remote.join("later");
    }
    std::sort(log.begin(), log.end());
    socket.nsp().to("later").emit("later");
  });
  node.start();
  std::vector<SimPeer*> peers;
  for (unsigned i = 0; i < 4; ++i) {
    peers.push_back(&joined(i, "r"));
    say(*peers[i], R"(42["name","n)" + std::to_string(i) + "\"]");
  }
  say(*peers[3], R"(42["join","x"])");
  SimPeer& looker = open(2);
  take_frames(looker.received());
  say(looker, R"(42["look"])");
  EXPECT_EQ(log, (Frames{R"({"name":"n0"} 2 )", R"({"name":"n1"} 2 )", R"({"name":"n2"} 2 )"}));
  for (unsigned i = 0; i < 3; ++i) {
    const Frames frames = take_frames(peers[i]->received());
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_TRUE(frames[0].starts_with(R"(t:42["hello",)"));
    EXPECT_EQ(frames[1], R"(t:42["later"])");
  }
  EXPECT_TRUE(take_frames(peers[3]->received()).empty());
}

TEST_P(ApiTest, ListenersForAnythingHearBothWays) {
  Namespace& main = node.of("/");
  add_basics(main);
  main.on_event("go", [](Socket& socket, Ack ack) {
    socket.emit("one", 1);
    socket.nsp().to("r").emit("two");
    ack.success();
  });
  main.on_connection([&](Socket& socket) {
    socket.on_any([&](Socket&, std::string_view event, Args&) { log.push_back("in " + std::string(event)); });
    socket.prepend_any([&](Socket&, std::string_view event, Args&) { log.push_back("first " + std::string(event)); });
    socket.on_any_outgoing([&](Socket&, std::string_view event, const Args& args) {
      log.push_back("out " + std::string(event) + " " + std::to_string(args.size()));
    });
  });
  main.on_event("quiet", [](Socket& socket) {
    socket.off_any();
    socket.off_any_outgoing();
  });
  node.start();
  SimPeer& peer = joined(0, "r");
  log.clear();
  say(peer, R"(42["go"])");
  EXPECT_EQ(log, (Frames{"first go", "in go", "out one 1", "out two 0"}));
  say(peer, R"(42["quiet"])");
  log.clear();
  say(peer, R"(42["go"])");
  EXPECT_TRUE(log.empty());
}

TEST_P(ApiTest, RoomsAppearAndVanishOnceInAProcess) {
  Namespace& main = node.of("/");
  add_basics(main);
  main.on_create_room([&](std::string_view room) { log.push_back("create " + std::string(room)); });
  main.on_delete_room([&](std::string_view room) { log.push_back("delete " + std::string(room)); });
  main.on_join_room([&](std::string_view, std::string_view) { ++joins; });
  main.on_leave_room([&](std::string_view, std::string_view) { ++leaves; });
  main.spec().census = std::make_shared<server::LockedRoomCensus>();
  node.start();
  SimPeer& a = joined(0, "r");
  SimPeer& b = joined(1, "r");
  EXPECT_EQ(std::count(log.begin(), log.end(), "create r"), 1);
  EXPECT_EQ(log.size(), 3u) << "each socket's own room too";
  EXPECT_EQ(joins, 4);
  say(a, R"(42["leave","r"])");
  EXPECT_EQ(log.size(), 3u);
  b.reset();
  node.run();
  EXPECT_EQ(std::count(log.begin(), log.end(), "delete r"), 1);
  EXPECT_EQ(log.size(), 5u);
  EXPECT_EQ(leaves, 3);
}

// -- handshakes -----------------------------------------------------------------------------------

// The first namespace's auth is kept with what is the session's.
TEST_P(ApiTest, EachNamespaceOfAClientHasTheAuthThatItWasGiven) {
  for (const char* name : {"/", "/plain", "/other", "/late"}) {
    node.of(name).on_event("auth", [](Socket& socket, Ack ack) {
      ack(socket.handshake().auth, socket.handshake().url);
    });
  }
  node.start();
  const std::string url = ",\"/socket.io/?EIO=4&transport=websocket\"]";
  SimPeer& peer = open(0, R"(40{"token":"one"})");
  for (const char* connect : {"40/plain,", R"(40/other,{"token":"two"})"}) peer.send(text(connect));
  node.run();
  take_frames(peer.received());
  for (int looks = 0; looks < 2; ++looks) {
    EXPECT_EQ(say(peer, R"(420["auth"])"), Frames{R"(t:430[{"token":"one"})" + url});
    EXPECT_EQ(say(peer, R"(42/plain,0["auth"])"), Frames{"t:43/plain,0[null" + url});
    EXPECT_EQ(say(peer, R"(42/other,0["auth"])"), Frames{R"(t:43/other,0[{"token":"two"})" + url});
  }
  peer.send(text("40/late,"));
  node.run();
  take_frames(peer.received());
  EXPECT_EQ(say(peer, R"(42/late,0["auth"])"), Frames{"t:43/late,0[null" + url});
  EXPECT_EQ(say(peer, R"(420["auth"])"), Frames{R"(t:430[{"token":"one"})" + url});
}

// -- namespaces made for clients ----------------------------------------------------------------

TEST_P(ApiTest, NamespacesAreMadeForWhoConnects) {
  hub::Registry& registry = node.registry();
  node.of("/");
  Namespace& parent = registry.add_parent([](std::string name, Value auth) -> Task<bool> {
                                const bool matches = name.starts_with("/dynamic-") && auth.find("no") == nullptr;
                                co_return matches;
                              }).api;
  parent.use([](Socket& socket) -> Verdict {
    if (socket.handshake().auth.find("bad") != nullptr) return Verdict::refuse("bad");
    return {};
  });
  parent.on_event("echo", [](Socket& socket, Args args) { socket.emit_args("echo", args); });
  parent.on_event("all", [](Socket& socket) { socket.nsp().emit("all", socket.nsp().name()); });
  registry.new_namespace_handlers.push_back([&](Namespace& nsp) { log.push_back("new " + nsp.name()); });
  registry.cleanup_empty_children = true;
  node.start();
  EXPECT_EQ(take_frames(open(0, "40/other,").received()).at(1), R"(t:44/other,{"message":"Invalid namespace"})");
  EXPECT_EQ(take_frames(open(0, R"(40/dynamic-1,{"no":1})").received()).at(1),
            R"(t:44/dynamic-1,{"message":"Invalid namespace"})");
  EXPECT_EQ(take_frames(open(0, "40/_0,").received()).at(1), R"(t:44/_0,{"message":"Invalid namespace"})");
  SimPeer& a = open(0, "40/dynamic-1,");
  SimPeer& b = open(1, "40/dynamic-1,");
  SimPeer& c = open(2, "40/dynamic-2,");
  for (SimPeer* peer : {&a, &b, &c}) EXPECT_TRUE(take_frames(peer->received()).at(1).find("{\"sid\":\"") != std::string::npos);
  EXPECT_EQ(say(a, R"(42/dynamic-1,["echo",1])"), Frames{R"(t:42/dynamic-1,["echo",1])"});
  a.send(text(R"(42/dynamic-1,["all"])"));
  node.run();
  EXPECT_EQ(take_frames(b.received()), Frames{R"(t:42/dynamic-1,["all","/dynamic-1"])"});
  EXPECT_TRUE(take_frames(c.received()).empty());
  take_frames(a.received());
  parent.emit("everybody", 1);
  node.run();
  std::sort(log.begin(), log.end());
  EXPECT_EQ(log, (Frames{"new /dynamic-1", "new /dynamic-2"})) << "each once in the process";
  a.reset();
  b.reset();
  node.run();
  for (unsigned shard = 0; shard < node.shard_count(); ++shard)
    EXPECT_EQ(node.core(shard).hub().find("/dynamic-1"), nullptr) << "it went with its last socket";
  EXPECT_TRUE(take_frames(open(0, R"(40/dynamic-3,{"bad":1})").received()).at(1).starts_with("t:44/dynamic-3,"));
  for (unsigned shard = 0; shard < node.shard_count(); ++shard)
    EXPECT_EQ(node.core(shard).hub().find("/dynamic-3"), nullptr) << "nobody was let in";
}

TEST_P(ApiTest, WhatAParentSendsReachesAllChildren) {
  hub::Registry& registry = node.registry();
  Namespace& parent = registry.add_parent([](std::string, Value) -> Task<bool> { co_return true; }).api;
  node.of("/").on_event("go", [&](Socket&) { parent.emit("everybody", 1); });
  node.start();
  SimPeer& a = open(0, "40/x,");
  SimPeer& b = open(1, "40/y,");
  for (SimPeer* peer : {&a, &b}) take_frames(peer->received());
  say(open(2), R"(42["go"])");
  EXPECT_EQ(take_frames(a.received()), Frames{R"(t:42/x,["everybody",1])"});
  EXPECT_EQ(take_frames(b.received()), Frames{R"(t:42/y,["everybody",1])"});
}

TEST_P(ApiTest, ReservedEventsAreRefused) {
  Namespace& main = node.of("/");
  main.on_event("try", [&](Socket& socket) -> Task<> {
    for (const char* name : {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}) {
      if (socket.emit(name, 1) == SendResult::kReserved && socket.nsp().emit(name) == SendResult::kReserved)
        log.push_back(name);
    }
    Task<Result<Args>> asking = socket.emit_with_ack("connect", {});
    const Result<Args> answer = co_await asking;
    Task<Result<BroadcastAnswers>> all = socket.nsp().emit_with_ack("connect", {});
    const Result<BroadcastAnswers> answers = co_await all;
    log.push_back(std::string(answer.error().kebab()) + " " + std::string(answers.error().kebab()));
  });
  node.start();
  SimPeer& peer = open(0);
  take_frames(peer.received());
  EXPECT_TRUE(say(peer, R"(42["try"])").empty());
  EXPECT_EQ(log.size(), 7u);
  EXPECT_EQ(log.back(), "invalid-format invalid-format");
}

TEST_P(ApiTest, ReservedServerEventsAreRefused) {
  Namespace& main = node.of("/");
  EXPECT_FALSE(main.server_side_emit("connection", {}).ok());
  EXPECT_TRUE(main.server_side_emit("anything", {Value(1)}).ok()) << "there is no other node";
  node.start();
}

INSTANTIATE_TEST_SUITE_P(Shards, ApiTest, testing::Values(1u, 3u));

}  // namespace
}  // namespace wirehall
