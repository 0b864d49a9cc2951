#include "ws/handshake.h"

#include <gtest/gtest.h>

#include "http1/request_parser.h"

namespace wirehall::ws {
namespace {

const Limits kLimits;

http1::RequestHead parsed(const std::string& text) {
  http1::RequestParser parser(kLimits);
  std::string_view input = text;
  EXPECT_EQ(parser.next(input), http1::RequestParser::Step::kHead) << text;
  return parser.take_head();
}

std::string request(const std::string& line, const std::string& more) {
  return line + "\r\nHost: a\r\n" + more + "\r\n";
}
const std::string kGet = "GET /ws HTTP/1.1";
const std::string kUpgrade = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n";
const std::string kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string kVersion = "Sec-WebSocket-Version: 13\r\n";

TEST(Handshake, AnswersTheVectorOfRfc6455) {
  EXPECT_EQ(accept_value("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  Outbox out;
  const auto head = parsed(request(kGet, kUpgrade + kKey + kVersion));
  ASSERT_EQ(check_handshake(head), ErrorCode::kOk);
  append_switching_protocols(out, head, DeflateAgreement{15}, "chat", {{"X-Good", "1"}, {"X-Bad", "a\r\nb"}});
  std::string text(out.bytes(), '\0');
  out.copy_front(text.data(), text.size());
  EXPECT_EQ(text,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
            "client_no_context_takeover\r\n"
            "Sec-WebSocket-Protocol: chat\r\nX-Good: 1\r\n\r\n");
}

TEST(Handshake, RefusesWhatSection4_2Refuses) {
  const std::pair<std::string, ErrorCode> cases[] = {
      {request("POST /ws HTTP/1.1", kUpgrade + kKey + kVersion), ErrorCode::kWsHandshake},
      {request("GET /ws HTTP/1.0", kUpgrade + kKey + kVersion), ErrorCode::kWsHandshake},
      {request(kGet, kUpgrade + kKey + kVersion + "Content-Length: 3\r\n"), ErrorCode::kWsHandshake},
      {request(kGet, "Upgrade: websocket\r\n" + kKey + kVersion), ErrorCode::kUpgradeRequired},
      {request(kGet, "Upgrade: websocket\r\nProxy-Connection: Upgrade\r\n" + kKey + kVersion),
       ErrorCode::kUpgradeRequired},
      {request(kGet, "Upgrade: websockets\r\nConnection: Upgrade\r\n" + kKey + kVersion),
       ErrorCode::kUpgradeRequired},
      {request(kGet, "Upgrade: foo, WebSocket\r\nUpgrade: h2c\r\nConnection: a\r\nconnection: b , uPgrade\r\n"
                     "Connection: c\r\n" + kKey + kVersion),
       ErrorCode::kOk},
      {request(kGet, "Connection: Upgrade\r\n" + kKey + kVersion), ErrorCode::kUpgradeRequired},
      {request(kGet, kUpgrade + kKey), ErrorCode::kUpgradeRequired},
      {request(kGet, kUpgrade + kKey + "Sec-WebSocket-Version: 8\r\n"), ErrorCode::kUpgradeRequired},
      {request(kGet, kUpgrade + kKey + "Sec-WebSocket-Version: 14\r\n"), ErrorCode::kUpgradeRequired},
      {request(kGet, kUpgrade + kKey + kVersion + kVersion), ErrorCode::kWsHandshake},
      {request(kGet, kUpgrade + kVersion), ErrorCode::kWsHandshake},
      {request(kGet, kUpgrade + kVersion + kKey + kKey), ErrorCode::kWsHandshake},
      {request(kGet, kUpgrade + kVersion + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n"),
       ErrorCode::kWsHandshake},
      {request(kGet, kUpgrade + kVersion + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n"),
       ErrorCode::kWsHandshake},
      {request(kGet, kUpgrade + kVersion + "Sec-WebSocket-Key: !!!!\r\n"), ErrorCode::kWsHandshake}};
  for (const auto& [text, code] : cases) EXPECT_EQ(check_handshake(parsed(text)), code) << text;
}

TEST(Handshake, A426NamesTheVersion) {
  const http1::Response response = refusal(ErrorCode::kUpgradeRequired);
  EXPECT_EQ(response.status, 426);
  bool named = false;
  for (const auto& header : response.headers)
    named = named || (header.name == "Sec-WebSocket-Version" && header.value == "13");
  EXPECT_TRUE(named);
}

TEST(Handshake, SubprotocolsAreTokensAndBounded) {
  std::string many;
  for (int i = 0; i < 40; ++i) many += "p" + std::to_string(i) + ",";
  EXPECT_EQ(offered_subprotocols(parsed(request(kGet, "Sec-WebSocket-Protocol: " + many + "\r\n"))).size(),
            16u);
  const auto head =
      parsed(request(kGet, "Sec-WebSocket-Protocol: a, ,\"b\", c\r\nSec-WebSocket-Protocol: d\r\n"));
  EXPECT_EQ(offered_subprotocols(head), (std::vector<std::string_view>{"a", "c", "d"}));
}

TEST(ClientHandshake, ItsRequestIsOneThatAServerTakes) {
  SeededRandom random(3);
  const std::string key = make_key(random);
  std::string bytes;
  append_upgrade_request(bytes, "/ws?a=1", "host:1", key, {{"X-A", "b"}, {"X-Bad", "a\r\nX-Injected: 1"}});
  const http1::RequestHead head = parsed(bytes);
  EXPECT_EQ(check_handshake(head), ErrorCode::kOk);
  EXPECT_EQ(head.target(), "/ws?a=1");
  EXPECT_EQ(*head.find("x-a"), "b");
  EXPECT_EQ(head.count("x-injected"), 0u);
  EXPECT_NE(make_key(random), key);
}

TEST(ClientHandshake, TakesTheRightAnswerAlone) {
  http1::ReceivedResponse right;
  right.status = 101;
  // The example of RFC 6455 section 1.3.
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  right.fields = {{"Upgrade", "WebSocket"}, {"Connection", "keep-alive, Upgrade"}, {"Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}};
  EXPECT_TRUE(accepts_upgrade(right, key));
  EXPECT_FALSE(accepts_upgrade(right, "AAAAAAAAAAAAAAAAAAAAAA=="));
  for (std::size_t missing = 0; missing < right.fields.size(); ++missing) {
    http1::ReceivedResponse wrong = right;
    wrong.fields.erase(wrong.fields.begin() + static_cast<std::ptrdiff_t>(missing));
    EXPECT_FALSE(accepts_upgrade(wrong, key)) << right.fields[missing].first;
  }
  for (const char* unasked : {"Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Sec-WebSocket-Accept"}) {
    http1::ReceivedResponse wrong = right;
    wrong.fields.emplace_back(unasked, "x");
    EXPECT_FALSE(accepts_upgrade(wrong, key)) << unasked;
  }
  right.status = 200;
  EXPECT_FALSE(accepts_upgrade(right, key));
}

}  // namespace
}  // namespace wirehall::ws
