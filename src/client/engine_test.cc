// Polling and its upgrade, step by step.
#include "client/engine.h"

#include <gmock/gmock.h>

#include <map>

#include "ws/handshake.h"

namespace wirehall::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class EngineTest : public testing::Test {
 protected:
  static ClientOptions make_options() {
    ClientOptions out;
    out.protocol = Protocol::kSocketIo;
    out.transports = {ClientTransport::kPolling, ClientTransport::kWebSocket};
    return out;
  }
  EngineTest()
      : endpoint(*parse_url("http://h", Protocol::kSocketIo, {})),
        engine(LinkContext{options, endpoint, random, wire, recovery}) {
    engine.start(now);
    pump();
  }

  // Opens what is to be opened and remembers what was sent.
  void pump() {
    for (;;) {
      std::vector<Wire::Command> commands = wire.take();
      if (commands.empty()) break;
      for (Wire::Command& command : commands) {
        if (command.kind == Wire::Command::Kind::kSend) sent[command.channel] += command.bytes;
        if (command.kind == Wire::Command::Kind::kClose) closed.push_back(command.channel);
        if (command.kind != Wire::Command::Kind::kOpen) continue;
        newest = command.channel;
        engine.opened(command.channel, now);
      }
    }
    for (EngineEvent& event : engine.take_events()) {
      if (event.kind == EngineEvent::Kind::kLost) lost = event.lost;
      if (event.kind == EngineEvent::Kind::kText || event.kind == EngineEvent::Kind::kBinary)
        messages.push_back(event.data);
    }
  }
  void give(ChannelId channel, std::string bytes) {
    engine.received(channel, bytes.data(), bytes.data() + bytes.size(), now);
    pump();
  }
  void respond(ChannelId channel, const std::string& body, int status = 200) {
    sent.erase(channel);
    give(channel, "HTTP/1.1 " + std::to_string(status) +
                      " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  // The open packet, then the probe's handshake.
  void open(const std::string& upgrades = R"("websocket")") {
    respond(kGet, R"(0{"sid":"S","upgrades":[)" + upgrades +
                      R"(],"pingInterval":1000,"pingTimeout":500,"maxPayload":20})");
  }
  void probe() {
    const std::string key = sent[kSocket].substr(sent[kSocket].find("Sec-WebSocket-Key: ") + 19, 24);
    sent.erase(kSocket);
    give(kSocket, "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
                      ws::accept_value(key) + "\r\n\r\n");
  }
  void frame(std::string_view text) {
    std::string bytes;
    ws::append_frame(bytes, ws::Opcode::kText, text);
    give(kSocket, bytes);
  }
  // What was sent over the WebSocket, unmasked.
  std::vector<std::string> frames() {
    std::vector<std::string> out;
    ws::ConnectionCore core(core_options, nullptr);
    Outbox answers;
    std::string bytes = std::exchange(sent[kSocket], {});
    char* cursor = bytes.data();
    std::string_view message;
    while (core.next(cursor, bytes.data() + bytes.size(), now, answers, message) ==
           ws::ConnectionCore::Event::kMessage)
      out.emplace_back(message);
    return out;
  }

  static constexpr ChannelId kGet = 1;
  static constexpr ChannelId kSocket = 2;
  ClientOptions options = make_options();
  Endpoint endpoint;
  SeededRandom random{3};
  Wire wire;
  Recovery recovery;
  ws::CoreOptions core_options;
  MonoTime now{std::chrono::hours(1)};
  Engine engine;
  std::map<ChannelId, std::string> sent;
  std::vector<ChannelId> closed;
  std::vector<std::string> messages;
  std::optional<Lost> lost;
  ChannelId newest = 0;
};

TEST_F(EngineTest, PollsAndPosts) {
  EXPECT_THAT(sent[kGet], StartsWith("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: h\r\n"));
  open("");
  EXPECT_THAT(sent[kGet], StartsWith("GET /socket.io/?EIO=4&transport=polling&sid=S HTTP/1.1\r\n"));
  engine.send_text("one", now);
  engine.send_binary("\x01\x02", now);
  engine.send_text("twelve bytes", now);
  engine.send_text("more", now);
  pump();
  const ChannelId post = newest;
  EXPECT_THAT(sent[post], testing::EndsWith("\r\n\r\n4one")) << "the first leaves at once";
  respond(post, "ok");
  EXPECT_THAT(sent[post], testing::EndsWith("\r\n\r\nbAQI=\x1e"
                                            "4twelve bytes"))
      << "the rest together, as far as the server takes it";
  respond(post, "ok");
  EXPECT_THAT(sent[post], testing::EndsWith("4more"));
  respond(kGet,
          "4a\x1e"
          "2\x1e"
          "bAQI=");
  EXPECT_THAT(messages, ElementsAre("a", "\x01\x02"));
  respond(post, "ok");
  EXPECT_THAT(sent[post], testing::EndsWith("\r\n\r\n3")) << "the pong";
}

TEST_F(EngineTest, UpgradesWithoutLosingOrOvertaking) {
  open();
  EXPECT_THAT(sent[kSocket], StartsWith("GET /socket.io/?EIO=4&transport=websocket&sid=S HTTP/1.1"));
  probe();
  EXPECT_THAT(frames(), ElementsAre("2probe"));
  engine.send_text("first", now);
  pump();
  const ChannelId post = newest;
  frame("3probe");
  engine.send_text("second", now);
  pump();
  EXPECT_THAT(frames(), IsEmpty()) << "a POST and a GET are under way";
  respond(post, "ok");
  EXPECT_THAT(frames(), IsEmpty());
  respond(kGet, "6");
  EXPECT_THAT(frames(), ElementsAre("5", "4second"));
  EXPECT_THAT(closed, ElementsAre(kGet, post));
  frame("4hello");
  EXPECT_THAT(messages, ElementsAre("hello"));
  engine.send_text("third", now);
  pump();
  EXPECT_THAT(frames(), ElementsAre("4third"));
}

TEST_F(EngineTest, AnUpgradeThatFailsLeavesPollingAsItWas) {
  open();
  probe();
  frame("3wrong");
  EXPECT_FALSE(lost.has_value());
  EXPECT_THAT(closed, ElementsAre(kSocket));
  engine.send_text("still here", now);
  pump();
  EXPECT_THAT(sent[newest], testing::EndsWith("4still here"));
}

TEST_F(EngineTest, AWebSocketThatBreaksWhilePollingPausesIsNoLoss) {
  open();
  probe();
  engine.send_text("under way", now);
  pump();
  const ChannelId post = newest;
  frame("3probe");
  engine.send_text("waits", now);
  pump();
  respond(kGet, "6");  // and no other GET is begun
  EXPECT_EQ(sent[kGet], "");
  engine.ended(kSocket, Error(ErrorCode::kDisconnected), now);
  pump();
  EXPECT_FALSE(lost.has_value());
  EXPECT_THAT(sent[kGet], HasSubstr("transport=polling&sid=S")) << "it polls again";
  respond(post, "ok");
  EXPECT_THAT(sent[post], testing::EndsWith("4waits"));
}

TEST_F(EngineTest, WhatTheServerRefusesIsALoss) {
  respond(kGet, R"({"code":0,"message":"Transport unknown"})", 400);
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(lost->reason, "connect error");
  EXPECT_THAT(lost->error.text(), HasSubstr("Transport unknown (HTTP 400"));
}

TEST_F(EngineTest, ASessionThatTheServerHasForgottenIsALossToComeBackFrom) {
  open("");
  respond(kGet, R"({"code":1,"message":"Session ID unknown"})", 400);
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(lost->reason, "transport error");
  EXPECT_EQ(lost->error.code(), ErrorCode::kEngineSessionUnknown);
  EXPECT_FALSE(lost->over);
}

TEST_F(EngineTest, AnIdleConnectionIsNotTrusted) {
  open("");
  engine.send_text("a", now);
  pump();
  const ChannelId post = newest;
  respond(post, "ok");
  now += Milliseconds(400);
  engine.send_text("b", now);
  pump();
  EXPECT_EQ(newest, post);
  respond(post, "ok");
  engine.ended(post, Error(ErrorCode::kDisconnected), now);
  EXPECT_FALSE(lost.has_value()) << "the server may close what is idle";
  engine.send_text("c", now);
  pump();
  const ChannelId second = newest;
  EXPECT_NE(second, post);
  respond(second, "ok");
  now += std::chrono::seconds(3);
  engine.send_text("d", now);
  pump();
  EXPECT_NE(newest, second) << "it may be closing while we write";
  EXPECT_THAT(closed, ElementsAre(second));
}

TEST_F(EngineTest, SilenceEndsIt) {
  open("");
  EXPECT_EQ(engine.next_deadline(), now + Milliseconds(1500));
  now += Milliseconds(1500);
  engine.on_deadline(now);
  pump();
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(lost->reason, "ping timeout");
}

}  // namespace
}  // namespace wirehall::client
