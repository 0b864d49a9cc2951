// Identity on a live connection: a token that ends, and one that is refreshed in time.
#include <gtest/gtest.h>

#include <app.h>

#include <chrono>

#include "auth/jwt.h"
#include "support/net.h"
#include "support/temporary_directory.h"

namespace wirehall {
namespace {

using test::NetClient;
using test::text;

constexpr const char* kSecret = "a secret of thirty-two bytes and more";

class TokenTest : public testing::Test {
 protected:
  Config config() const {
    Config c;
    c.data_dir = directory.path();
    c.port = 0;
    c.threads = 2;
    c.auth.secret = kSecret;
    c.limits.drain_window = Milliseconds(0);
    return c;
  }
  TokenTest() : io(config()), hall(io) {
    app::install(io, hall);
    EXPECT_TRUE(io.start().ok());
  }
  ~TokenTest() override { io.stop(); }
  static std::int64_t seconds_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  static std::string token(const std::string& user, std::int64_t expires) {
    const auto key = auth::SigningKey::from_secret(auth::Algorithm::kHs256, kSecret);
    return auth::sign(Object{{"sub", user}, {"exp", expires}}, *key).value();
  }
  std::unique_ptr<NetClient> open(const std::string& token) {
    auto client = std::make_unique<NetClient>(io.port());
    EXPECT_EQ(client->open_websocket("/ws?token=" + token), 101);
    EXPECT_NE(client->await("\"connected\""), "");
    return client;
  }
  test::TemporaryDirectory directory;
  Server io;
  Hall hall;
};

TEST_F(TokenTest, ATokenThatEndsEndsTheConnectionUnlessItIsRefreshed) {
  const std::int64_t soon = seconds_now() + 2;
  const auto ann = open(token("ann", soon));
  const auto bob = open(token("bob", soon));
  bob->send(text(R"({"type":"refresh-token","id":"r","token":")" + token("bob", soon + 3600) + R"("})"));
  const std::string answer = bob->await("\"id\":\"r\"");
  EXPECT_NE(answer.find("\"expiresAt\":" + std::to_string((soon + 3600) * 1000)), std::string::npos) << answer;
  EXPECT_NE(ann->await("close:4002"), "") << "token-expired";
  EXPECT_GE(seconds_now(), soon);
  bob->send(text(R"({"type":"ping","id":"p"})"));
  EXPECT_NE(bob->await("pong"), "");
}

TEST_F(TokenTest, SocketIoClientsLoseTheTransportAndMayComeBack) {
  const std::int64_t soon = seconds_now() + 1;
  NetClient client(io.port());
  ASSERT_EQ(client.open_websocket("/socket.io/?EIO=4&transport=websocket"), 101);
  client.send(text(R"(40{"token":")" + token("ann", soon) + R"("})"));
  ASSERT_NE(client.await("\"sid\""), "");
  ASSERT_NE(client.await("40{"), "");
  ASSERT_NE(client.await("\"connected\""), "");
  const std::string last = client.await("");
  EXPECT_TRUE(last.starts_with("close:")) << "no packet, which would end its reconnecting: " << last;
}

TEST_F(TokenTest, AnotherUsersTokenRefreshesNothing) {
  const auto ann = open(token("ann", seconds_now() + 600));
  ann->send(text(R"({"type":"refresh-token","id":"r","token":")" + token("bob", seconds_now() + 3600) + R"("})"));
  EXPECT_NE(ann->await("\"id\":\"r\"").find("access-denied"), std::string::npos);
  ann->send(text(R"({"type":"refresh-token","id":"s","token":"x.y.z"})"));
  EXPECT_NE(ann->await("\"id\":\"s\"").find("authentication-failed"), std::string::npos);
}

}  // namespace
}  // namespace wirehall
