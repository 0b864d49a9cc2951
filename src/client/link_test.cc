// What is particular to one protocol: refusals, closes, heartbeats, recovery.
#include "client/link.h"

#include <gmock/gmock.h>

#include "client/fake_hall_for_test.h"

namespace wirehall::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

ClientOptions over(Protocol protocol) {
  ClientOptions options;
  options.protocol = protocol;
  options.randomization_factor = 0;
  return options;
}

std::string http(int status, const std::string& body, const std::string& fields = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Connects against a refusal. Returns: the error's text, and whether the client gave up.
std::string refused(const std::string& answer, Protocol protocol = Protocol::kNative,
                    std::uint32_t attempts = 0) {
  ClientOptions options = over(protocol);
  options.connect_attempts = attempts;
  FakeHall hall(options);
  hall.refusal = answer;
  hall.connect();
  return hall.last_loss().error.text() + (hall.last_loss().retry_in ? " (again)" : "");
}

TEST(NativeLink, ShowsWhoWeAre) {
  ClientOptions options = over(Protocol::kNative);
  options.auth = {{"token", "a.b.c"}, {"userId", "ann b"}};
  options.query = {{"x", "1&2"}};
  options.extra_headers = {{"X-Trace", "7"}, {"Bad", "a\r\nb"}};
  FakeHall hall(options, "http://hall:3000/live?q=2");
  hall.connect();
  ASSERT_EQ(hall.upgrades.size(), 1u);
  EXPECT_THAT(hall.upgrades[0],
              StartsWith("GET /live?q=2&userId=ann%20b&x=1%262 HTTP/1.1\r\nHost: hall:3000\r\n"));
  EXPECT_THAT(hall.upgrades[0], HasSubstr("\r\nAuthorization: Bearer a.b.c"));
  EXPECT_THAT(hall.upgrades[0], HasSubstr("\r\nX-Trace: 7"));
  EXPECT_THAT(hall.upgrades[0], testing::Not(HasSubstr("Bad")));
  EXPECT_EQ(hall.session.user_id(), "ann");
}

TEST(NativeLink, RefusalsSayWhy) {
  EXPECT_EQ(refused(http(
                401, R"({"title":"Authentication required","status":401,"code":"authentication-required"})")),
            "Authentication required");
  EXPECT_EQ(
      refused(http(
          401,
          R"({"title":"Authentication failed: token expired","status":401,"code":"authentication-failed"})")),
      "Authentication failed: token expired");
  EXPECT_EQ(refused(http(404, "nothing")),
            "Wrong protocol: nobody speaks Wirehall's native protocol at hall:3000/ws (HTTP 404)");
  EXPECT_EQ(refused(http(200, "<html>")),
            "Wrong protocol: nobody speaks Wirehall's native protocol at hall:3000/ws (HTTP 200)");
  EXPECT_EQ(refused(http(503, "")), "Unexpected HTTP response: HTTP 503 from hall:3000/ws (again)");
  EXPECT_EQ(refused("SSH-2.0-OpenSSH\r\n"),
            "Wrong protocol: what answers at hall:3000/ws speaks no HTTP/1.1");
  EXPECT_THAT(
      refused(
          "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n"),
      HasSubstr("against RFC 6455"));
  EXPECT_THAT(refused("HTTP/1.1 200 X\r\nContent-Length: 99999999\r\n\r\n"), HasSubstr("too long"));
}

TEST(NativeLink, ARefusalThatIsALimitSaysWhenToComeBack) {
  ClientOptions options = over(Protocol::kNative);
  options.connect_attempts = 0;
  FakeHall hall(options);
  hall.refusal = http(429, R"({"title":"Rate limit exceeded","status":429,"code":"rate-limited"})",
                      "Retry-After: 30\r\n");
  hall.connect();
  EXPECT_EQ(hall.last_loss().error.code(), ErrorCode::kRateLimited);
  EXPECT_EQ(hall.last_loss().retry_in->count(), 30'000);
}

TEST(NativeLink, CloseCodesMeanWhatTheProtocolSays) {
  const auto closed = [](std::uint16_t code, const std::string& reason) {
    FakeHall hall(over(Protocol::kNative));
    hall.connect();
    hall.close_frame(code, reason);
    hall.pump();
    return hall.last_loss().reason + " / " + std::string(hall.last_loss().error.kebab()) +
           (hall.last_loss().retry_in ? " again" : "");
  };
  EXPECT_EQ(closed(1000, "server disconnect"), "io server disconnect / disconnected");
  EXPECT_EQ(closed(1001, "server shutting down"), "transport close / disconnected again");
  EXPECT_EQ(closed(4002, "Token expired"), "transport close / token-expired");
  EXPECT_EQ(closed(1008, "Rate limit exceeded"), "transport close / rate-limited again");
}

TEST(NativeLink, AnExpiredTokenIsRenewedWhereAFunctionGivesOne) {
  ClientOptions options = over(Protocol::kNative);
  options.auth_function = []() -> Result<Object> { return Object{{"token", "new"}}; };
  FakeHall hall(options);
  hall.connect();
  hall.close_frame(4002, "Token expired");
  hall.pump();
  hall.advance();
  EXPECT_EQ(hall.session.state(), ClientState::kConnected);
}

TEST(NativeLink, WhatBrokeTheConnectionIsNotSentAgain) {
  FakeHall hall(over(Protocol::kNative));
  hall.connect();
  hall.silent = true;
  hall.send("big", "lobby", "x");
  hall.close_frame(1009, "Message too big");
  hall.pump();
  EXPECT_EQ(hall.outcome("big"), "disconnected");
}

TEST(NativeLink, ASilentConnectionIsTestedThenGivenUp) {
  FakeHall hall(over(Protocol::kNative));
  hall.connect();
  hall.wait(std::chrono::seconds(24));
  EXPECT_EQ(hall.last_loss().reason, "");
  hall.wait(std::chrono::seconds(2));  // the ping is out
  hall.frame_out(R"({"type":"note"})");
  hall.pump();
  hall.wait(std::chrono::seconds(24));
  EXPECT_EQ(hall.last_loss().reason, "") << "any frame is a sign of life";
  hall.wait(std::chrono::seconds(21));
  EXPECT_EQ(hall.last_loss().reason, "ping timeout");
}

TEST(NativeLink, ItsOwnNamesAreTranslated) {
  FakeHall hall(over(Protocol::kNative));
  hall.connect();
  hall.frame_out(R"({"type":"chat","roomId":"r","seq":1,"messageType":"text","id":"m"})");
  hall.frame_out(R"({"type":"chat","text":"another application's"})");
  hall.frame_out(R"({"type":"picture","data":{"$binary":"AAE="}})");
  hall.frame_out(R"({"type":"pair","args":[1,"two"]})");
  hall.pump();
  EXPECT_THAT(hall.heard("new-message", "type"), ElementsAre("text"));
  EXPECT_THAT(hall.heard("new-message", "id"), ElementsAre("m"));
  EXPECT_EQ(hall.heard("chat", "text").size(), 1u);
  ASSERT_EQ(hall.told.back().args.size(), 2u);
  EXPECT_EQ(hall.told[hall.told.size() - 2].args[0].as_bytes().data, std::string("\0\1", 2));
}

TEST(NativeLink, WhatIsNoFrameIsAnotherProtocol) {
  FakeHall hall(over(Protocol::kNative));
  hall.connect();
  hall.frame_out("0{}");
  hall.pump();
  EXPECT_EQ(hall.last_loss().reason, "parse error");
  EXPECT_EQ(hall.last_loss().error.code(), ErrorCode::kWrongProtocol);
}

TEST(NativeLink, AMaskedFrameOfTheServerBreaksTheRules) {
  FakeHall hall(over(Protocol::kNative));
  hall.connect();
  hall.bytes_out(std::string("\x81\x82\0\0\0\0{}", 8));
  hall.pump();
  EXPECT_EQ(hall.last_loss().reason, "parse error");
  EXPECT_EQ(hall.goodbyes.empty() ? 0 : hall.goodbyes[0], 1002);
}

TEST(NativeLink, AMessageBeyondTheLimitEndsTheConnection) {
  ClientOptions options = over(Protocol::kNative);
  options.message_bytes_max = 200;
  FakeHall hall(options);
  hall.connect();
  hall.frame_out(R"({"type":"x","t":")" + std::string(300, 'x') + "\"}");
  hall.pump();
  EXPECT_EQ(hall.last_loss().error.code(), ErrorCode::kWsTooBig);
}

// -- Socket.IO ------------------------------------------------------------------------------------

TEST(SocketioLink, AsksForItsNamespaceWithItsAuth) {
  ClientOptions options = over(Protocol::kSocketIo);
  options.auth = {{"token", "t"}};
  FakeHall hall(options, "http://hall:3000/admin");
  hall.connect();
  EXPECT_THAT(hall.upgrades[0], StartsWith("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1"));
  EXPECT_THAT(hall.auths, ElementsAre(R"({"token":"t"})"));
  EXPECT_EQ(hall.session.state(), ClientState::kConnected);
  EXPECT_EQ(hall.session.session_id(), "sid");
  hall.ask("a", "hello", {});
  EXPECT_THAT(hall.outcome("a"), StartsWith("ok"));
}

TEST(SocketioLink, RefusalsSayWhy) {
  constexpr Protocol kSocketIo = Protocol::kSocketIo;
  EXPECT_EQ(refused(http(404, "Cannot GET"), kSocketIo),
            "Wrong protocol: there is no Socket.IO server at hall:3000/socket.io/ (HTTP 404)");
  EXPECT_EQ(
      refused(http(400, R"({"code":5,"message":"Unsupported protocol version"})"), kSocketIo),
      "Unexpected HTTP response: Unsupported protocol version (HTTP 400 from hall:3000/socket.io/) (again)");
  FakeHall hall(over(kSocketIo));
  hall.connect();
  const auto error = [&](const std::string& packet) {
    FakeHall refusing(over(Protocol::kSocketIo));
    refusing.options.expect_welcome = true;  // so that it is still connecting
    refusing.connect();
    refusing.frame_out(packet);
    refusing.pump();
    return refusing.last_loss().error.text();
  };
  EXPECT_EQ(error(R"(44{"message":"Authentication failed: bad","data":{"code":"authentication-failed"}})"),
            "Authentication failed: bad");
  EXPECT_EQ(error(R"(44{"message":"not authorized"})"), "Refused: not authorized");
  EXPECT_EQ(error(R"(44{"message":"Invalid namespace"})"), "Invalid namespace: /");
  EXPECT_EQ(error("9nonsense"), "Malformed Engine.IO payload: sent by the server");
}

TEST(SocketioLink, WhatSpeaksWebSocketAloneIsNoSocketIoServer) {
  FakeHall hall(over(Protocol::kSocketIo), "http://hall:3000");
  hall.silent = true;
  hall.session.connect({}, hall.now);
  std::vector<Wire::Command> open = hall.session.wire().take();
  const ChannelId channel = open[0].channel;
  hall.session.opened(channel, hall.now);
  const std::string request = hall.session.wire().take()[0].bytes;
  const std::size_t at = request.find("Sec-WebSocket-Key: ") + 19;
  std::string bytes =
      "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
      ws::accept_value(request.substr(at, 24)) + "\r\n\r\n";
  ws::append_frame(bytes, ws::Opcode::kText, R"({"type":"connected"})");
  hall.session.received(channel, bytes.data(), bytes.data() + bytes.size(), hall.now);
  hall.pump();
  EXPECT_EQ(hall.last_loss().error.text(),
            "Wrong protocol: what answers at hall:3000/socket.io/ is no Socket.IO server");
}

TEST(SocketioLink, TheServersHeartbeatIsAnsweredAndMissed) {
  FakeHall hall(over(Protocol::kSocketIo));
  hall.connect();
  hall.wait(std::chrono::seconds(40));
  hall.frame_out("2");
  hall.pump();
  hall.wait(std::chrono::seconds(44));
  EXPECT_EQ(hall.last_loss().reason, "");
  hall.wait(std::chrono::seconds(2));
  EXPECT_EQ(hall.last_loss().reason, "ping timeout");
}

TEST(SocketioLink, ADisconnectByTheServerIsFinal) {
  FakeHall hall(over(Protocol::kSocketIo));
  hall.connect();
  hall.frame_out("41");
  hall.pump();
  EXPECT_EQ(hall.last_loss().reason, "io server disconnect");
  EXPECT_FALSE(hall.last_loss().retry_in.has_value());
}

TEST(SocketioLink, RecoversItsSession) {
  FakeHall hall(over(Protocol::kSocketIo));
  hall.recovers = true;
  hall.connect();
  hall.join("lobby");
  hall.publish("lobby", "one");
  hall.pump();
  hall.cut();
  hall.publish("lobby", "two");
  hall.log.clear();
  hall.advance();
  EXPECT_THAT(hall.auths.back(), HasSubstr(R"("pid":"the-pid","offset":"offset-1")"));
  EXPECT_THAT(hall.heard("new-message", "content"), ElementsAre("one", "two"));
  EXPECT_EQ(hall.log.size(), 0u) << "the server kept us in the room";
  EXPECT_EQ(hall.session.session_id(), "old-sid");
  hall.publish("lobby", "three");
  hall.pump();
  EXPECT_THAT(hall.heard("new-message", "content"), ElementsAre("one", "two", "three"));
}

TEST(SocketioLink, BinaryTravelsAsAttachments) {
  FakeHall hall(over(Protocol::kSocketIo));
  hall.connect();
  hall.frame_out(R"(451-["picture",{"data":{"_placeholder":true,"num":0}}])");
  std::string bytes;
  ws::append_frame(bytes, ws::Opcode::kBinary, std::string("\0\1", 2));
  hall.bytes_out(bytes);
  hall.pump();
  ASSERT_EQ(hall.told.back().name, "picture");
  EXPECT_EQ(hall.told.back().args[0].find("data")->as_bytes().data, std::string("\0\1", 2));
  hall.frame_out(R"(451-["picture",{"_placeholder":true,"num":0}])");
  hall.pump();
  hall.wait(std::chrono::seconds(31));
  EXPECT_EQ(hall.last_loss().reason, "parse error") << "an attachment that does not come";
}

}  // namespace
}  // namespace wirehall::client
