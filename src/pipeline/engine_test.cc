// Engine.IO and Socket.IO over simulated connections: the reference's answers, on one shard and on three.
#include <gtest/gtest.h>

#include <set>

#include "support/seed.h"
#include "support/sim.h"

namespace wirehall {
namespace {

using test::get;
using test::HttpAnswer;
using test::post;
using test::SimNode;
using test::SimPeer;
using test::take_frames;
using test::take_response;
using test::text;
using test::upgrade;

const std::string kBase = "/socket.io/?EIO=4&transport=polling";

class EngineTest : public testing::TestWithParam<unsigned> {
 protected:
  EngineTest() : node(GetParam(), test::seed()) {
    node.of("/").on_event("echo", [](Args args, Ack ack) { ack.answer(args); });
    node.of("/").on_event("back", [](Socket& socket, Args args) { socket.emit_args("back", args); });
    node.of("/").on_event("leave", [](Socket& socket) { socket.disconnect(true); });
    node.of("/").on_event("nsp-leave", [](Socket& socket) { socket.disconnect(); });
    node.of("/").on_event("wait", [this]() -> Task<> {
      gates.push_back(std::make_shared<hub::CompletionState<bool>>(*hub::Hub::current()));
      hub::Completion<bool> waiting(gates.back());
      co_await waiting;
    });
    node.of("/").on_disconnect([this](Socket&, std::string_view reason) { reasons.emplace_back(reason); });
    node.of("/custom");
    node.world().engine.ping_interval = Milliseconds(300);
    node.world().engine.ping_timeout = Milliseconds(200);
    node.world().engine.upgrade_timeout = Milliseconds(1000);
    node.world().client.connect_timeout = Milliseconds(1000);
    node.start();
  }
  // Requests of one session arrive on whichever shard: another one each time.
  SimPeer& peer() { return node.connect(next_shard++ % node.shard_count()); }
  HttpAnswer ask(const std::string& request) {
    SimPeer& p = peer();
    p.send(request);
    node.run();
    return take_response(p.received());
  }
  std::string handshake() {
    const HttpAnswer answer = ask(get(kBase));
    EXPECT_EQ(answer.status, 200);
    return answer.body.substr(9, 20);
  }
  std::string connected() {
    const std::string sid = handshake();
    EXPECT_EQ(ask(post(kBase + "&sid=" + sid, "40")).body, "ok");
    EXPECT_TRUE(ask(get(kBase + "&sid=" + sid)).body.starts_with("40{\"sid\":\""));
    return sid;
  }
  SimPeer& websocket() {
    SimPeer& p = peer();
    p.send(upgrade("/socket.io/?EIO=4&transport=websocket") + text("40"));
    node.run();
    EXPECT_EQ(take_response(p.received()).status, 101);
    const auto frames = take_frames(p.received());
    EXPECT_EQ(frames.size(), 2u);
    EXPECT_TRUE(frames.size() == 2 && frames[1].starts_with("t:40{\"sid\":\""))
        << testing::PrintToString(frames);
    return p;
  }
  std::vector<std::shared_ptr<hub::CompletionState<bool>>> gates;
  std::vector<std::string> reasons;  // outlives the node, whose end closes sockets
  SimNode node;
  unsigned next_shard = 0;
};

TEST_P(EngineTest, HandshakeSaysWhatTheReferenceSays) {
  const HttpAnswer answer = ask(get(kBase));
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.head.find("Content-Type: text/plain; charset=UTF-8") != std::string::npos)
      << answer.head;
  EXPECT_TRUE(answer.head.find("cache-control: no-store") != std::string::npos);
  EXPECT_EQ(answer.body.substr(29),
            R"(","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000})");
  EXPECT_EQ(answer.head.find("Set-Cookie"), std::string::npos);
}

TEST_P(EngineTest, RefusalsHaveTheReferencesCodes) {
  const std::pair<std::string, std::string> cases[] = {
      {get("/socket.io/?EIO=4"), R"({"code":0,"message":"Transport unknown"})"},
      {get("/socket.io/?EIO=4&transport=foo"), R"({"code":0,"message":"Transport unknown"})"},
      {get(kBase + "&sid=__proto__"), R"({"code":1,"message":"Session ID unknown"})"},
      {get(kBase + "&sid=AAAAAAAAAAAAAAAAAAAA"), R"({"code":1,"message":"Session ID unknown"})"},
      {get(kBase + "&sid=" + std::string(3000, 'a')), R"({"code":1,"message":"Session ID unknown"})"},
      {post(kBase, "40"), R"({"code":2,"message":"Bad handshake method"})"},
      {get("/socket.io/?EIO=4&transport=websocket"), R"({"code":3,"message":"Bad request"})"},
      {get("/socket.io/?transport=polling"), R"({"code":5,"message":"Unsupported protocol version"})"},
      {get("/socket.io/?EIO=3&transport=polling"), R"({"code":5,"message":"Unsupported protocol version"})"}};
  for (const auto& [request, body] : cases) {
    const HttpAnswer answer = ask(request);
    EXPECT_EQ(answer.status, 400) << request;
    EXPECT_EQ(answer.body, body);
    EXPECT_NE(answer.head.find("Content-Type: application/json"), std::string::npos);
  }
  EXPECT_EQ(node.sessions(), 0u);
  const HttpAnswer upgraded = ask(upgrade("/socket.io/?EIO=4&transport=websocket&sid=unknown"));
  EXPECT_EQ(upgraded.status, 400);
  EXPECT_EQ(upgraded.body, "Session ID unknown");
  EXPECT_NE(upgraded.head.find("Connection: close"), std::string::npos);
}

TEST_P(EngineTest, EventsAndAnswersOverPolling) {
  const std::string sid = connected();
  EXPECT_EQ(ask(post(kBase + "&sid=" + sid,
                     "421[\"echo\",{\"a\":1},\"x\"]\x1e"
                     "42[\"back\",7]"))
                .body,
            "ok");
  EXPECT_EQ(ask(get(kBase + "&sid=" + sid)).body,
            "431[{\"a\":1},\"x\"]\x1e"
            "42[\"back\",7]");
  EXPECT_EQ(ask(post(kBase + "&sid=" + sid,
                     "451-2[\"echo\",{\"_placeholder\":true,\"num\":0}]\x1e"
                     "bAQID"))
                .body,
            "ok");
  EXPECT_EQ(ask(get(kBase + "&sid=" + sid)).body,
            "461-2[{\"_placeholder\":true,\"num\":0}]\x1e"
            "bAQID");
}

TEST_P(EngineTest, AWaitingPollIsAnsweredWhenSomethingComes) {
  const std::string sid = connected();
  SimPeer& poll = peer();
  poll.send(get(kBase + "&sid=" + sid));
  node.run();
  EXPECT_EQ(poll.received(), "");
  ask(post(kBase + "&sid=" + sid, "42[\"back\"]"));
  EXPECT_EQ(take_response(poll.received()).body, "42[\"back\"]");
}

TEST_P(EngineTest, ASecondPollEndsTheSession) {
  const std::string sid = connected();
  SimPeer& first = peer();
  first.send(get(kBase + "&sid=" + sid));
  node.run();
  EXPECT_EQ(ask(get(kBase + "&sid=" + sid)).status, 400);
  EXPECT_EQ(take_response(first.received()).body, "1");
  EXPECT_EQ(reasons, std::vector<std::string>{"transport error"});
  EXPECT_EQ(ask(get(kBase + "&sid=" + sid)).body, R"({"code":1,"message":"Session ID unknown"})");
}

TEST_P(EngineTest, ASecondPostEndsTheSession) {
  const std::string sid = connected();
  SimPeer& first = peer();
  const std::string request = post(kBase + "&sid=" + sid, "42[\"back\"]");
  first.send(request.substr(0, request.size() - 4));
  node.run();
  EXPECT_EQ(ask(post(kBase + "&sid=" + sid, "42[\"back\"]")).status, 400);
  EXPECT_EQ(take_response(first.received()).status, 400);
  EXPECT_EQ(reasons, std::vector<std::string>{"transport error"});
}

TEST_P(EngineTest, ASecondPostWithoutABodyEndsTheSession) {
  const std::string sid = connected();
  SimPeer& first = peer();
  const std::string request = post(kBase + "&sid=" + sid, "42[\"back\"]");
  first.send(request.substr(0, request.size() - 4));
  node.run();
  EXPECT_EQ(ask(post(kBase + "&sid=" + sid, "")).status, 400);
  EXPECT_EQ(take_response(first.received()).status, 400);
  EXPECT_EQ(reasons, std::vector<std::string>{"transport error"});
}

TEST_P(EngineTest, APostThatIsRefusedForItsOwnSakeDoesNotTouchTheSession) {
  const std::string sid = connected();
  EXPECT_EQ(ask(post("/socket.io/?EIO=3&transport=polling&sid=" + sid, "40")).status, 400);
  EXPECT_EQ(ask(post("/socket.io/?EIO=4&transport=websocket&sid=" + sid, "40")).status, 400);
  EXPECT_EQ(ask(post(kBase + "&sid=" + sid, "42[\"back\",1]")).body, "ok");
  EXPECT_EQ(ask(get(kBase + "&sid=" + sid)).body, "42[\"back\",1]");
}

TEST_P(EngineTest, SuspendedHandlersPauseABody) {
  const std::string sid = connected();
  std::string body;
  for (int i = 0; i < 100; ++i) body += (i == 0 ? "42[\"wait\"]" : "\x1e" "42[\"wait\"]");
  SimPeer& p = peer();
  p.send(post(kBase + "&sid=" + sid, body));
  node.run();
  EXPECT_EQ(gates.size(), 32u);
  EXPECT_EQ(take_response(p.received()).status, 0) << "answered when all of it was taken";
  for (std::size_t done = 0; done < gates.size(); ++done) {
    gates[done]->complete(true);
    node.run();
  }
  EXPECT_EQ(gates.size(), 100u);
  EXPECT_EQ(take_response(p.received()).body, "ok");
}

TEST_P(EngineTest, ThereIsAnEndToRefusedConnects) {
  const std::string sid = handshake();
  std::string body = "40/nobody";
  for (int i = 0; i < 3000; ++i) body += "\x1e" "40/nobody";
  EXPECT_EQ(ask(post(kBase + "&sid=" + sid, body)).body, "ok");
  const std::string refusals = ask(get(kBase + "&sid=" + sid)).body;
  EXPECT_EQ(static_cast<std::uint32_t>(std::count(refusals.begin(), refusals.end(), '{')),
            node.world().limits.refused_connects_per_client_max);
  EXPECT_EQ(ask(get(kBase + "&sid=" + sid)).body, "6\x1e" "1") << "what stood behind the last was not taken";
  EXPECT_EQ(node.sessions(), 0u);
}

TEST_P(EngineTest, PostsToASessionThatIsClosingAreTakenAndIgnored) {
  const std::string sid = connected();
  EXPECT_EQ(ask(post(kBase + "&sid=" + sid, "42[\"leave\"]")).body, "ok");
  EXPECT_EQ(ask(post(kBase + "&sid=" + sid, "42[\"late\"]")).body, "ok");
  EXPECT_EQ(ask(get(kBase + "&sid=" + sid)).body, "41") << "nothing of what was on its way is lost";
  EXPECT_EQ(ask(get(kBase + "&sid=" + sid)).body, "6\x1e" "1");
  EXPECT_EQ(node.sessions(), 0u);
}

TEST_P(EngineTest, AnAbortedPollEndsTheSession) {
  const std::string sid = connected();
  SimPeer& poll = peer();
  poll.send(get(kBase + "&sid=" + sid));
  node.run();
  poll.reset();
  node.run();
  EXPECT_EQ(reasons, std::vector<std::string>{"transport error"});
  EXPECT_EQ(node.sessions(), 0u);
}

TEST_P(EngineTest, MalformedBodiesEndTheSession) {
  for (const std::string& body : {std::string("abc"), std::string("3\x1e"), std::string(""),
                                  std::string(100'000, '\x1e'), std::string("4\xff"), std::string("2")}) {
    reasons.clear();
    const std::string sid = connected();
    SimPeer& poll = peer();
    poll.send(get(kBase + "&sid=" + sid));
    node.run();
    const HttpAnswer answer = ask(post(kBase + "&sid=" + sid, body));
    EXPECT_TRUE(answer.status == 400 || body == "2") << answer.status;
    EXPECT_EQ(take_response(poll.received()).body, "1");
    EXPECT_EQ(reasons, std::vector<std::string>{body == "2" ? "transport error" : "parse error"});
    EXPECT_EQ(ask(get(kBase + "&sid=" + sid)).status, 400);
  }
  reasons.clear();
  const std::string sid = connected();
  EXPECT_EQ(
      ask(post(kBase + "&sid=" + sid, "42[\"back\"]", "Content-Type: application/octet-stream\r\n")).status,
      400);
  EXPECT_EQ(reasons.size(), 1u);
}

TEST_P(EngineTest, ABodyAboveTheLimitIsRefusedAndTheSessionStays) {
  const std::string sid = connected();
  const HttpAnswer answer = ask(post(kBase + "&sid=" + sid, "4" + std::string(1'000'000, 'x')));
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(node.sessions(), 1u);
  EXPECT_EQ(ask(post(kBase + "&sid=" + sid, "42[\"back\"]")).body, "ok");
}

TEST_P(EngineTest, OtherMethodsOnASessionAre500) {
  const std::string sid = connected();
  EXPECT_EQ(ask("PUT " + kBase + "&sid=" + sid + " HTTP/1.1\r\nHost: a\r\n\r\n").status, 500);
  EXPECT_EQ(node.sessions(), 1u);
}

TEST_P(EngineTest, ACloseByTheClientFreesItsPoll) {
  const std::string sid = connected();
  SimPeer& poll = peer();
  poll.send(get(kBase + "&sid=" + sid));
  node.run();
  EXPECT_EQ(ask(post(kBase + "&sid=" + sid, "1")).body, "ok");
  EXPECT_EQ(take_response(poll.received()).body, "6");
  EXPECT_EQ(reasons, std::vector<std::string>{"transport close"});
}

TEST_P(EngineTest, ADisconnectByTheServerIsToldAndCloses) {
  const std::string sid = connected();
  SimPeer& poll = peer();
  poll.send(get(kBase + "&sid=" + sid));
  node.run();
  ask(post(kBase + "&sid=" + sid, "42[\"leave\"]"));
  EXPECT_EQ(take_response(poll.received()).body, "41") << "a client would look at a close packet beside it first";
  EXPECT_EQ(reasons, std::vector<std::string>{"server namespace disconnect"});
  EXPECT_EQ(ask(get(kBase + "&sid=" + sid)).body, "6\x1e" "1");
  EXPECT_EQ(node.sessions(), 0u);
}

TEST_P(EngineTest, PingsTimeOut) {
  const std::string sid = connected();
  node.advance(Milliseconds(299));
  EXPECT_EQ(node.sessions(), 1u);
  SimPeer& poll = peer();
  poll.send(get(kBase + "&sid=" + sid));
  node.advance(Milliseconds(10));
  EXPECT_EQ(take_response(poll.received()).body, "2");
  node.advance(Milliseconds(210));
  EXPECT_EQ(reasons, std::vector<std::string>{"ping timeout"});
}

TEST_P(EngineTest, AbandonedHandshakesAreReclaimed) {
  for (int i = 0; i < 200; ++i) handshake();
  EXPECT_EQ(node.sessions(), 200u);
  node.advance(Milliseconds(600));
  EXPECT_EQ(node.sessions(), 0u);
}

TEST_P(EngineTest, WhoJoinsNoNamespaceIsClosed) {
  SimPeer& p = peer();
  p.send(upgrade("/socket.io/?EIO=4&transport=websocket"));
  node.run();
  for (int i = 0; i < 5; ++i) {
    node.advance(Milliseconds(190));
    p.send(text("3"));
  }
  node.advance(Milliseconds(60));
  take_response(p.received());
  EXPECT_EQ(take_frames(p.received()).back(), "close:");
  EXPECT_EQ(node.sessions(), 0u);
}

TEST_P(EngineTest, WebSocketEventsBinaryAndClose) {
  SimPeer& p = websocket();
  p.send(text("421[\"echo\",1]") + text("451-2[\"echo\",{\"_placeholder\":true,\"num\":0}]") +
         test::frame(2, "\x01\x02"));
  node.run();
  EXPECT_EQ(
      take_frames(p.received()),
      (std::vector<std::string>{"t:431[1]", "t:461-2[{\"_placeholder\":true,\"num\":0}]", "b:\x01\x02"}));
  p.send(text("1"));
  node.run();
  EXPECT_EQ(node.sessions(), 1u) << "a close packet over WebSocket is ignored";
  p.send(test::frame(8, "\x03\xe8"));
  node.run();
  EXPECT_EQ(reasons, std::vector<std::string>{"transport close"});
}

TEST_P(EngineTest, RulesOfTheProtocolEndTheSession) {
  const std::pair<std::string, std::string> cases[] = {{"42[\"disconnect\"]", "forced close"},
                                                       {"40", "forced close"},
                                                       {"44", "forced close"},
                                                       {"49", "forced close"},
                                                       {"42/custom,[\"x\"]", "forced close"},
                                                       {"2", "transport error"},
                                                       {"7", "parse error"},
                                                       {"", "parse error"},
                                                       {"452-[\"x\"]", ""}};
  for (const auto& [packet, reason] : cases) {
    reasons.clear();
    SimPeer& p = websocket();
    p.send(text(packet));
    node.run();
    if (reason.empty()) {
      p.send(text("42[\"y\"]"));
      node.run();
    }
    EXPECT_EQ(reasons, std::vector<std::string>{reason.empty() ? "forced close" : reason}) << packet;
    const auto frames = take_frames(p.received());
    ASSERT_FALSE(frames.empty()) << packet;
    EXPECT_EQ(frames.back(), "close:") << packet << ": no status, as the reference";
  }
  reasons.clear();
  SimPeer& p = websocket();
  p.send("\x81\x01x");
  node.run();
  EXPECT_EQ(take_frames(p.received()).back(), "close:1002");
  EXPECT_EQ(reasons, std::vector<std::string>{"transport error"});
}

TEST_P(EngineTest, NamespacesJoinAndLeave) {
  SimPeer& p = websocket();
  p.send(text("40/custom,") + text("40/nobody,") + text("41/custom,"));
  node.run();
  auto frames = take_frames(p.received());
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_TRUE(frames[0].starts_with("t:40/custom,{\"sid\":\""));
  EXPECT_EQ(frames[1], "t:44/nobody,{\"message\":\"Invalid namespace\"}");
  p.send(text("42[\"nsp-leave\"]"));
  node.run();
  EXPECT_EQ(take_frames(p.received()), std::vector<std::string>{"t:41"});
  EXPECT_EQ(reasons, std::vector<std::string>{"server namespace disconnect"});
  EXPECT_EQ(node.sessions(), 1u);
  p.send(text("40"));
  node.run();
  EXPECT_TRUE(take_frames(p.received())[0].starts_with("t:40{"));
}

TEST_P(EngineTest, UpgradeKeepsEveryPacketInOrderWhateverTheInterleaving) {
  for (int round = 0; round < 60; ++round) {
    const std::string sid = connected();
    SimPeer& poll = peer();
    poll.send(get(kBase + "&sid=" + sid));
    node.run();
    SimPeer& socket = peer();
    SimPeer& poster = peer();
    std::string seen;
    const auto collect = [&] {
      for (auto answer = take_response(poll.received()); answer.status == 200;
           answer = take_response(poll.received()))
        seen += answer.body + "\x1e";
    };
    std::string body;
    for (int i = 0; i < 5; ++i)
      body += (i == 0 ? "42[\"back\","
                      : "\x1e"
                        "42[\"back\",") +
              std::to_string(i) + "]";
    // The probe, the posts and the poll's answers run in whatever order the seed makes of them.
    socket.send(upgrade("/socket.io/?EIO=4&transport=websocket&sid=" + sid) + text("2probe"));
    poster.send(post(kBase + "&sid=" + sid, body));
    node.run();
    collect();
    ASSERT_EQ(take_response(socket.received()).status, 101);
    ASSERT_EQ(take_frames(socket.received()), std::vector<std::string>{"t:3probe"});
    poll.send(get(kBase + "&sid=" + sid));
    node.advance(Milliseconds(120));
    collect();
    poster.send(post(kBase + "&sid=" + sid,
                     "42[\"back\",5]\x1e"
                     "42[\"back\",6]"));
    node.run();  // a client sends `5` when its own requests have been answered
    socket.send(text("5") + text("42[\"back\",7]"));
    node.run();
    collect();
    for (const std::string& f : take_frames(socket.received())) seen += f.substr(2) + "\x1e";
    std::string expected;
    for (int i = 0; i < 8; ++i) expected += "42[\"back\"," + std::to_string(i) + "]\x1e";
    std::string messages;
    for (std::size_t at = 0; at < seen.size();) {
      const std::size_t end = seen.find('\x1e', at);
      const std::string packet = seen.substr(at, end - at + 1);
      if (packet.starts_with("42")) messages += packet;
      at = end + 1;
    }
    ASSERT_EQ(messages, expected) << "round " << round << " saw " << testing::PrintToString(seen);
    EXPECT_EQ(ask(get(kBase + "&sid=" + sid)).body, R"({"code":3,"message":"Bad request"})")
        << "the old transport is refused";
    socket.send(test::frame(8, ""));
    node.run();
  }
  EXPECT_EQ(node.sessions(), 0u);
}

TEST_P(EngineTest, AFailedProbeClosesOnlyTheNewTransport) {
  const std::string sid = connected();
  SimPeer& socket = peer();
  socket.send(upgrade("/socket.io/?EIO=4&transport=websocket&sid=" + sid) + text("42[\"x\"]"));
  node.run();
  take_response(socket.received());
  EXPECT_EQ(take_frames(socket.received()), std::vector<std::string>{"close:"});
  EXPECT_EQ(ask(post(kBase + "&sid=" + sid, "42[\"back\"]")).body, "ok");
  EXPECT_TRUE(reasons.empty());
}

TEST_P(EngineTest, AClientThatDoesNotReadIsCut) {
  SimPeer& p = websocket();
  p.reads = false;
  p.window = 1000;
  const std::string big(10'000, 'x');
  for (int i = 0; i < 300; ++i) {
    p.send(text("42[\"back\",\"" + big + "\"]"));
    node.run();
  }
  node.advance(Milliseconds(5));
  EXPECT_EQ(reasons, std::vector<std::string>{"transport error"});
  EXPECT_GE(node.sum(Counter::kSlowConsumers), 1u);
  EXPECT_GT(node.sum(Counter::kDroppedBackpressure), 0u);
  p.reads = true;
  node.run();
  EXPECT_EQ(take_frames(p.received()).back(), "close:1008");
}

TEST_P(EngineTest, DeflatedFramesAreAgreedAndShared) {
  SimNode fresh(GetParam(), 3);
  fresh.world().deflate_enabled = true;
  fresh.world().deflate_threshold_bytes = 10;
  fresh.of("/").on_event("all", [](Socket& socket, Value value) { socket.nsp().emit("all", value); });
  fresh.start();
  SimPeer& compressed = fresh.connect(0);
  SimPeer& plain = fresh.connect(GetParam() - 1);
  compressed.send(upgrade("/socket.io/?EIO=4&transport=websocket",
                          "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n") +
                  text("40"));
  plain.send(upgrade("/socket.io/?EIO=4&transport=websocket") + text("40"));
  fresh.run();
  EXPECT_NE(take_response(compressed.received())
                .head.find("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
            std::string::npos);
  take_response(plain.received());
  compressed.take();
  plain.take();
  compressed.send(text("42[\"all\",\"" + std::string(500, 'z') + "\"]"));
  fresh.run();
  EXPECT_LT(compressed.received().size(), 60u);
  EXPECT_EQ(static_cast<unsigned char>(compressed.received()[0]), 0xc1);
  EXPECT_EQ(take_frames(plain.received()),
            std::vector<std::string>{"t:42[\"all\",\"" + std::string(500, 'z') + "\"]"});
}

INSTANTIATE_TEST_SUITE_P(Shards, EngineTest, testing::Values(1u, 3u));

}  // namespace
}  // namespace wirehall
