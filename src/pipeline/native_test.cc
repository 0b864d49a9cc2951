// The native protocol over simulated connections.
#include <gtest/gtest.h>

#include "base/msgpack.h"
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

class NativeTest : public testing::TestWithParam<unsigned> {
 protected:
  NativeTest() : node(GetParam(), test::seed()) {
    Namespace& main = node.of("/");
    main.use([](Socket& socket) -> Verdict {
      if (socket.handshake().query("token") == "bad") return Error(ErrorCode::kAuthenticationFailed, "because");
      if (socket.handshake().query("token") == "busy") return Error(ErrorCode::kRateLimited).retry_after_ms(1500);
      return {};
    });
    main.on_event("echo", [](Value value, Ack ack) { ack(value); });
    main.on_event("twice", [this](Value value) { answers.push_back(value.to_json()); });
    main.on_event("twice", [this](Value value, Value none, Ack ack) {
      answers.push_back(value.to_json() + none.to_json());
      ack(std::move(value));
    });
    main.on_event("join", [](Socket& socket, std::string room, Ack ack) {
      if (const Status joined = socket.join(room); !joined.ok()) return ack.fail(joined.error());
      ack.success();
    });
    main.native_shape("join", {.aliases = {"enter"}, .arguments = {"roomId|room"}, .sent_type = {}, .sent_copies = {}});
    main.on_event("say", [](Socket& socket, Object message, Ack ack) {
      socket.to(message.find("room")->as_string()).emit("said", message);
      ack.success();
    });
    main.native_shape("said", {.aliases = {}, .arguments = {}, .sent_type = "chat", .sent_copies = {{"user", "from"}}});
    main.on_event("typed", [](int number, std::optional<std::string> word, Ack ack) { ack({{"number", number}, {"word", word}}); });
    main.native_shape("typed", {.aliases = {}, .arguments = {"number", "word"}, .sent_type = {}, .sent_copies = {}});
    main.on_event("ask", [this](Socket& socket, Ack ack) -> Task<> {
      Task<Result<Args>> asking = socket.emit_with_ack("question", {Value("?")}, Milliseconds(500));
      Result<Args> answer = co_await asking;
      answers.push_back(answer.ok() ? answer->at(0).to_json() : std::string(answer.error().kebab()));
      ack.success();
    });
    main.on_event("look-later", [this](Socket& socket) -> Task<> {
      Task<Result<Args>> asking = socket.emit_with_ack("question", {}, Milliseconds(500));
      Result<Args> answer = co_await asking;
      const char* protocol = socket.protocol() == Protocol::kNative ? "native" : "socket.io";
      answers.push_back(protocol + (" " + std::string(socket.transport())) + " " + socket.conn().id);
    });
    main.on_event("wait", [this](Ack ack) -> Task<> {
      gates.push_back(std::make_shared<hub::CompletionState<bool>>(*hub::Hub::current()));
      hub::Completion<bool> waiting(gates.back());
      co_await waiting;
      ack.success();
    });
    main.native_shape("flood", {.aliases = {}, .arguments = {"data"}, .sent_type = {}, .sent_copies = {}});
    main.on_event("flood", [](Socket& socket, int count) {
      for (int i = 0; i < count; ++i) socket.emit("piece", std::string(100'000, 'x'));
    });
    main.on_event("address", [](Socket& socket, Ack ack) { ack(socket.handshake().address); });
    main.on_event("throw-five", []() { throw 5; });
    main.on_event("close-all", [](Socket& socket) { socket.nsp().disconnect_sockets(); });
    main.on_disconnecting([](Socket& socket, std::string_view) {
      if (socket.in_room("host")) socket.nsp().to("host").disconnect_sockets();
    });
    main.on_event("throw", []() { throw std::runtime_error("secret detail"); });
    main.on_event("throw-later", [](Socket& socket) -> Task<> {
      Task<Result<Args>> asking = socket.emit_with_ack("question", {}, Milliseconds(10));
      Result<Args> answer = co_await asking;
      throw std::runtime_error("secret detail");
    });
    main.on_disconnect([this](Socket&, std::string_view reason) { reasons.emplace_back(reason); });
    node.world().heartbeat_interval = Milliseconds(100);
    node.world().trusted_proxies.add("10.9.0.0/16");
    node.start();
  }
  SimPeer& open(unsigned shard = 0, const std::string& query = "", const std::string& headers = "") {
    SimPeer& peer = node.connect(shard % node.shard_count());
    peer.send(upgrade("/ws" + query, headers));
    node.run();
    EXPECT_EQ(take_response(peer.received()).status, 101);
    return peer;
  }
  std::vector<std::string> say(SimPeer& peer, const std::string& message) {
    peer.send(text(message));
    node.run();
    return take_frames(peer.received());
  }
  using Frames = std::vector<std::string>;
  std::vector<std::string> reasons, answers;
  std::vector<std::shared_ptr<hub::CompletionState<bool>>> gates;
  SimNode node;
};

TEST_P(NativeTest, ARequestWithAnIdGetsOneAnswer) {
  SimPeer& peer = open();
  EXPECT_EQ(say(peer, R"({"type":"echo","id":1,"a":[1.50,{"b":null}]})"), Frames{R"(t:{"type":"ack","id":1,"a":[1.50,{"b":null}]})"});
  EXPECT_EQ(say(peer, R"({"id":"x-1","type":"echo"})"), Frames{R"(t:{"type":"ack","id":"x-1"})"});
  EXPECT_EQ(say(peer, R"({"type":"echo","a":1})"), Frames{}) << "nobody asked";
  EXPECT_EQ(say(peer, R"({"type":"echo","id":2,"messageType":"note"})"), Frames{R"(t:{"type":"ack","id":2,"messageType":"note"})"}) << "a field named type travels as messageType";
}

TEST_P(NativeTest, EveryHandlerOfAnEventHasTheValueWhole) {
  SimPeer& peer = open();
  EXPECT_EQ(say(peer, R"({"type":"twice","id":1,"a":[1]})"), Frames{R"(t:{"type":"ack","id":1,"a":[1]})"});
  EXPECT_EQ(answers, (std::vector<std::string>{R"({"a":[1]})", R"({"a":[1]}null)"}));
}

TEST_P(NativeTest, AHandlerThatOutlivesItsConnectionMayAskAboutIt) {
  SimPeer& peer = open();
  say(peer, R"({"type":"look-later"})");
  peer.reset();
  node.run();
  EXPECT_EQ(answers, std::vector<std::string>{"native  "});
}

TEST_P(NativeTest, NamedArgumentsAndAlternatives) {
  SimPeer& peer = open();
  for (const char* request : {R"({"type":"join","id":1,"roomId":"r"})", R"({"type":"enter","id":1,"room":"r"})"}) {
    EXPECT_EQ(say(peer, request), Frames{R"(t:{"type":"ack","id":1,"success":true})"});
  }
  EXPECT_EQ(say(peer, R"({"type":"typed","id":1,"number":5})"), Frames{R"(t:{"type":"ack","id":1,"number":5,"word":null})"});
  EXPECT_EQ(say(peer, R"({"type":"typed","id":1,"number":5.0,"word":"w"})"), Frames{R"(t:{"type":"ack","id":1,"number":5,"word":"w"})"});
  for (const char* request : {R"({"type":"typed","id":1,"number":"5"})", R"({"type":"typed","id":1,"number":5.5})", R"({"type":"typed","id":1,"number":1e300})", R"({"type":"typed","id":1})"}) {
    EXPECT_EQ(say(peer, request), Frames{R"(t:{"type":"ack","id":1,"error":"Invalid format: argument 1","code":"invalid-format"})"}) << request;
  }
  EXPECT_EQ(say(peer, R"({"type":"typed","number":[]})"), Frames{R"(t:{"type":"error","error":"Invalid format: argument 1","code":"invalid-format"})"});
}

TEST_P(NativeTest, EventsReachTheOthersInTheirShape) {
  SimPeer& a = open(0);
  SimPeer& b = open(1);
  SimPeer& c = open(2);
  for (SimPeer* peer : {&a, &b}) say(*peer, R"({"type":"join","room":"r"})");
  EXPECT_EQ(say(a, R"({"type":"say","id":1,"room":"r","user":"ann","messageType":"x"})"), Frames{R"(t:{"type":"ack","id":1,"success":true})"});
  EXPECT_EQ(take_frames(b.received()), Frames{R"(t:{"type":"chat","room":"r","user":"ann","messageType":"x","from":"ann"})"});
  EXPECT_EQ(take_frames(c.received()), Frames{});
}

TEST_P(NativeTest, BytesAndMessagePack) {
  SimPeer& a = open(0);
  SimPeer& b = open(1);
  for (SimPeer* peer : {&a, &b}) say(*peer, R"({"type":"join","room":"r"})");
  std::string packed;
  msgpack::encode(packed, {{"type", "say"}, {"id", 7}, {"room", "r"}, {"data", Bytes{"\x01\x02"}}});
  a.send(test::frame(2, packed));
  node.run();
  const auto answer = take_frames(a.received());
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(msgpack::decode(answer[0].substr(2))->to_json(), R"({"type":"ack","id":7,"success":true})");
  EXPECT_EQ(take_frames(b.received()), Frames{R"(t:{"type":"chat","room":"r","data":{"$binary":"AQI="}})"});
  say(b, R"({"type":"say","room":"r","data":{"$binary":"AwQ="}})");
  const auto received = take_frames(a.received());
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(*msgpack::decode(received[0].substr(2))->find("data"), Value(Bytes{"\x03\x04"}));
}

TEST_P(NativeTest, PingsArePonged) {
  SimPeer& peer = open();
  EXPECT_EQ(say(peer, R"({"type":"ping","id":"p"})"), Frames{R"(t:{"type":"pong","id":"p","timestamp":1700000000000})"});
  EXPECT_EQ(say(peer, R"({"type":"ping"})"), Frames{R"(t:{"type":"pong","timestamp":1700000000000})"});
}

TEST_P(NativeTest, WhatIsNoRequestIsAnsweredAndTheConnectionGoesOn) {
  SimPeer& peer = open();
  for (const char* request : {"[1]", "{}", "5", R"({"type":5})", R"({"type":""})", R"({"type":"x","id":{}})", R"({"type":"x","id":null})"}) {
    EXPECT_EQ(say(peer, request), Frames{R"(t:{"type":"error","error":"Invalid format","code":"invalid-format"})"}) << request;
  }
  EXPECT_EQ(say(peer, R"({"id":3})"), Frames{R"(t:{"type":"ack","id":3,"error":"Invalid format","code":"invalid-format"})"});
  EXPECT_EQ(say(peer, R"({"type":")" + std::string(129, 'x') + R"(","id":1})"), Frames{R"(t:{"type":"ack","id":1,"error":"Invalid format","code":"invalid-format"})"});
  EXPECT_TRUE(say(peer, R"({"type":"echo","id":1})").size() == 1);
}

TEST_P(NativeTest, WhatIsNoJsonEndsTheConnection) {
  for (const std::string& request : {std::string("{"), std::string("nope"), std::string("{\"type\":\"x\"}x"), R"({"type":"x","a":)" + std::string(32, '[') + std::string(32, ']') + "}", std::string(500'000, '[')}) {
    SimPeer& peer = open();
    EXPECT_EQ(say(peer, request), Frames{"close:1007"}) << request.substr(0, 40);
    EXPECT_TRUE(peer.closed());
  }
  SimPeer& peer = open();
  peer.send(test::frame(2, "\xc1"));
  node.run();
  EXPECT_EQ(take_frames(peer.received()), Frames{"close:1007"});
}

TEST_P(NativeTest, RefusalsBeforeTheUpgradeOrBehindIt) {
  SimPeer& bad = node.connect(0);
  bad.send(upgrade("/ws?token=bad"));
  SimPeer& busy = node.connect(0);
  busy.send(upgrade("/ws?token=busy"));
  SimPeer& closing = node.connect(0);
  closing.send(upgrade("/ws?token=bad&authError=close"));
  SimPeer& limited = node.connect(0);
  limited.send(upgrade("/ws?token=busy&authError=close"));
  node.run();
  auto answer = take_response(bad.received());
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.body, R"({"type":"about:blank","title":"Authentication failed: because","status":401,"code":"authentication-failed","data":{"code":"authentication-failed"}})");
  answer = take_response(busy.received());
  EXPECT_EQ(answer.status, 429);
  EXPECT_NE(answer.head.find("Retry-After: 2\r\n"), std::string::npos);
  EXPECT_EQ(take_response(closing.received()).status, 101);
  EXPECT_EQ(closing.received(), std::string("\x88\x0e\x03\xf0Unauthorized"));
  EXPECT_EQ(take_response(limited.received()).status, 101);
  EXPECT_EQ(limited.received(), std::string("\x88\x15\x03\xf0Rate limit exceeded"));
  EXPECT_TRUE(reasons.empty()) << "nobody was connected";
}

TEST_P(NativeTest, RequestsThatAreNoUpgrade) {
  for (const auto& [request, status] : {std::pair{test::get("/ws"), 426}, std::pair{upgrade("/other"), 404}, std::pair{upgrade("/ws", "Origin: null\r\n"), 403}, std::pair{upgrade("/ws", "Origin: http://sim\r\nOrigin: http://sim\r\n"), 403},
                                        std::pair{upgrade("/ws", "Origin: https://sim\r\n"), 403}, std::pair{upgrade("/ws", "Origin: http://sim.evil\r\n"), 403}, std::pair{upgrade("/ws", "Origin: http://sim:81\r\n"), 403},
                                        std::pair{upgrade("/ws", "Origin: http://sim\r\n"), 101}}) {
    SimPeer& peer = node.connect(0);
    peer.send(request);
    node.run();
    EXPECT_EQ(take_response(peer.received()).status, status) << request;
    EXPECT_EQ(peer.closed(), status != 101);
  }
}

TEST_P(NativeTest, FramesRightBehindTheUpgradeAreProcessed) {
  SimPeer& peer = node.connect(0);
  node.whole_input = true;
  peer.send(upgrade("/ws") + text(R"({"type":"echo","id":1})") + test::frame(9, "hi"));
  node.run();
  take_response(peer.received());
  EXPECT_EQ(take_frames(peer.received()), (Frames{R"(t:{"type":"ack","id":1})", "pong:hi"}));
}

TEST_P(NativeTest, ASilentPeerIsCutAfterTwoIntervals) {
  SimPeer& silent = open();
  SimPeer& alive = open();
  for (int i = 0; i < 5; ++i) {
    node.advance(Milliseconds(60));
    alive.send(test::frame(10, ""));
    node.run();
  }
  EXPECT_TRUE(silent.closed());
  EXPECT_FALSE(alive.closed());
  EXPECT_EQ(reasons, std::vector<std::string>{"ping timeout"});
  EXPECT_EQ(take_frames(silent.received()), Frames{"ping:"});
}

TEST_P(NativeTest, TheServerMayAsk) {
  SimPeer& peer = open();
  EXPECT_EQ(say(peer, R"({"type":"ask","id":1})"), Frames{R"(t:{"type":"question","ackId":0,"data":"?"})"});
  EXPECT_EQ(say(peer, R"({"type":"ack","ackId":99})"), Frames{}) << "an unknown number is ignored";
  EXPECT_EQ(say(peer, R"({"type":"ack","ackId":0,"x":1})"), Frames{R"(t:{"type":"ack","id":1,"success":true})"});
  EXPECT_EQ(say(peer, R"({"type":"ack","ackId":0,"x":2})"), Frames{}) << "a second answer is ignored";
  say(peer, R"({"type":"ask"})");
  node.advance(Milliseconds(50));
  peer.send(test::frame(10, ""));
  node.advance(Milliseconds(90));
  peer.send(test::frame(10, ""));
  node.advance(Milliseconds(90));
  peer.send(test::frame(10, ""));
  node.advance(Milliseconds(90));
  peer.send(test::frame(10, ""));
  node.advance(Milliseconds(90));
  peer.send(test::frame(10, ""));
  node.advance(Milliseconds(95));
  say(peer, R"({"type":"ask"})");
  peer.reset();
  node.run();
  EXPECT_EQ(answers, (std::vector<std::string>{R"({"x":1})", "timeout", "disconnected"}));
}

TEST_P(NativeTest, WhatAHandlerThrowsStaysInside) {
  SimPeer& peer = open();
  EXPECT_EQ(say(peer, R"({"type":"throw","id":1})"), Frames{R"(t:{"type":"ack","id":1,"error":"Internal error","code":"internal"})"});
  say(peer, R"({"type":"throw-later","id":2})");
  node.advance(Milliseconds(20));
  EXPECT_EQ(take_frames(peer.received()), Frames{R"(t:{"type":"ack","id":2,"error":"Internal error","code":"internal"})"});
  EXPECT_EQ(node.sum(Counter::kHandlerErrors), 2u);
}

TEST_P(NativeTest, TooManySuspendedHandlersPauseReading) {
  SimPeer& peer = open();
  std::string many;
  for (int i = 0; i < 40; ++i) many += text(R"({"type":"wait"})");
  peer.send(many);
  node.run();
  EXPECT_EQ(gates.size(), 32u);
  for (int i = 0; i < 8; ++i) gates[static_cast<std::size_t>(i)]->complete(true);
  node.run();
  EXPECT_EQ(gates.size(), 40u) << "it goes on when some have finished";
  peer.reset();
  node.run();
}

TEST_P(NativeTest, HandlersThatWaitForTheClientDoNotKeepItsAnswersOut) {
  SimPeer& peer = open();
  std::string many;
  for (int i = 0; i < 40; ++i) many += text(R"({"type":"ask"})");
  peer.send(many);
  node.run();
  const Frames questions = take_frames(peer.received());
  ASSERT_EQ(questions.size(), 40u);
  for (const std::string& question : questions) {
    const Value frame = *Value::from_json(question.substr(2));
    peer.send(text(R"({"type":"ack","data":1,"ackId":)" + frame.find("ackId")->to_json() + "}"));
  }
  node.run();
  EXPECT_EQ(answers, std::vector<std::string>(40, "1"));
}

TEST_P(NativeTest, AnAnswerIsInItsRequestsCodec) {
  SimPeer& peer = open();
  std::string ping;
  msgpack::encode(ping, Value(Object{{"type", "ping"}}));
  peer.send(text(R"({"type":"wait","id":"abc"})") + test::frame(2, ping));
  node.run();
  take_frames(peer.received());
  gates[0]->complete(true);
  node.run();
  const Frames frames = take_frames(peer.received());
  EXPECT_NE(std::find(frames.begin(), frames.end(), R"(t:{"type":"ack","id":"abc","success":true})"),
            frames.end())
      << testing::PrintToString(frames);
}

TEST_P(NativeTest, ABurstIsNoSignOfASlowPeer) {
  SimPeer& reader = open();
  EXPECT_EQ(say(reader, R"({"type":"flood","data":30})").size(), 30u) << "three times what may wait";
  SimPeer& sleeper = open();
  sleeper.reads = false;
  sleeper.window = 250'000;
  sleeper.send(text(R"({"type":"flood","data":30})"));
  node.run();
  EXPECT_EQ(node.sum(Counter::kSlowConsumers), 1u);
  node.advance(Milliseconds(1));
  EXPECT_EQ(reasons, std::vector<std::string>{"transport error"});
}

TEST_P(NativeTest, PongsLeaveAlsoWhenATurnsMessagesAreUsedUp) {
  SimPeer& peer = open();
  node.whole_input = true;
  std::string burst = test::frame(9, "p");
  for (unsigned i = 0; i < node.world().limits.read_turn_messages_max; ++i) burst += text(R"({"type":"nothing"})");
  peer.send(burst);
  node.run();
  EXPECT_EQ(take_frames(peer.received()), Frames{"pong:p"});
}

TEST_P(NativeTest, WhateverAHandlerThrowsIsCaught) {
  SimPeer& peer = open();
  EXPECT_EQ(say(peer, R"({"type":"throw-five","id":1})"),
            Frames{R"(t:{"type":"ack","id":1,"error":"Internal error","code":"internal"})"});
}

TEST_P(NativeTest, ADisconnectingHandlerMayDisconnectEverybody) {
  SimPeer& host = open(0);
  SimPeer& guest = open(1);
  for (SimPeer* peer : {&host, &guest}) say(*peer, R"({"type":"join","roomId":"host","id":1})");
  host.reset();
  node.run();
  EXPECT_EQ(reasons.size(), 2u) << "each once";
}

TEST_P(NativeTest, AProxyMaySayWhomItSpeaksForInPieces) {
  std::string header("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16);
  header += std::string("\xcb\0\x71\x07\x7f\0\0\x01\x1f\x90\x0b\xb8", 12);  // 203.0.113.7 to 127.0.0.1
  for (std::size_t cut = 0; cut <= header.size(); ++cut) {
    SimPeer& peer = node.connect(0, "10.9.9.9");
    peer.send(header.substr(0, cut));
    node.run();
    peer.send(header.substr(cut) + upgrade("/ws"));
    node.run();
    ASSERT_EQ(take_response(peer.received()).status, 101) << "cut at " << cut;
    EXPECT_EQ(say(peer, R"({"type":"address","id":1})"),
              Frames{R"(t:{"type":"ack","id":1,"data":"203.0.113.7"})"});
  }
  SimPeer& plain = node.connect(0, "10.9.9.9");
  plain.send("\r");
  node.run();
  plain.send("\n" + upgrade("/ws"));
  node.run();
  EXPECT_EQ(take_response(plain.received()).status, 101) << "a proxy need not send it";
  SimPeer& stranger = node.connect(0, "10.8.8.8");
  stranger.send(header + upgrade("/ws"));
  node.run();
  EXPECT_EQ(take_response(stranger.received()).status, 400) << "whom nobody trusts may not";
}

TEST_P(NativeTest, TooManyBinaryValuesAreRefused) {
  SimPeer& peer = open();
  std::string ten, eleven;
  for (int i = 0; i < 10; ++i) ten += R"({"$binary":"AQID"},)";
  eleven = ten + R"({"$binary":"AQID"})";
  ten.pop_back();
  EXPECT_TRUE(say(peer, R"({"type":"echo","id":1,"a":[)" + ten + "]}")[0].starts_with(
      R"(t:{"type":"ack","id":1,"a":[{"$binary")"));
  EXPECT_EQ(say(peer, R"({"type":"echo","id":2,"a":[)" + eleven + "]}"),
            Frames{R"(t:{"type":"ack","id":2,"error":"Invalid format: more than 10 binary values","code":"invalid-format"})"});
  std::string packed;
  msgpack::encode(packed, Value(Object{{"type", "echo"}, {"id", 3}, {"a", Array(11, Value(Bytes{"x"}))}}));
  peer.send(test::frame(2, packed));
  node.run();
  const std::string answer = take_frames(peer.received()).at(0);
  EXPECT_NE(answer.find("invalid-format"), std::string::npos);
}

TEST_P(NativeTest, GoodbyesAndLossesHaveTheirReasons) {
  const auto ended = [&](const std::function<void(SimPeer&)>& end) {
    reasons.clear();
    SimPeer& peer = open();
    end(peer);
    node.run();
    return reasons.empty() ? "" : reasons[0];
  };
  EXPECT_EQ(ended([](SimPeer& p) { p.send(test::frame(8, "\x03\xe8")); }), "client namespace disconnect");
  EXPECT_EQ(ended([](SimPeer& p) { p.send(test::frame(8, "\x03\xe9")); }), "client namespace disconnect");
  EXPECT_EQ(ended([](SimPeer& p) { p.send(test::frame(8, "\x0f\xa0")); }), "transport close");
  EXPECT_EQ(ended([](SimPeer& p) { p.send(test::frame(8, "")); }), "transport close");
  EXPECT_EQ(ended([](SimPeer& p) { p.half_close(); }), "transport close");
  EXPECT_EQ(ended([](SimPeer& p) { p.reset(); }), "transport error");
  EXPECT_EQ(ended([](SimPeer& p) { p.send("\x81\x01x"); }), "transport error");
}

INSTANTIATE_TEST_SUITE_P(Shards, NativeTest, testing::Values(1u, 3u));

}  // namespace
}  // namespace wirehall
