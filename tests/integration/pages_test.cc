// What a server of one's own serves besides the protocols: pages from a folder, tokens for development.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/net.h"
#include "support/temporary_directory.h"
#include "wirehall/server.h"

namespace wirehall {
namespace {
namespace fs = std::filesystem;
using test::NetClient;

test::HttpAnswer ask(std::uint16_t port, const std::string& path,
                     const std::string& fields = "Host: localhost") {
  NetClient client(port);
  client.send("GET " + path + " HTTP/1.1\r\n" + fields + "\r\n\r\n");
  return client.response();
}

class PagesTest : public testing::Test {
 protected:
  PagesTest() {
    write("index.html", "<h1>hello</h1>");
    write("app/page.mjs", "export {};");
    write(".env", "SECRET=1");
    write("node_modules/x/index.js", "x");
    write("page.js~", "old");
    write("caf\xC3\xA9 menu.txt", "tea");
  }
  void write(const std::string& name, const std::string& text) {
    const fs::path path = fs::path(folder_.path()) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  void start(bool dev) {
    Config config;
    config.port = 0;
    config.dev = dev;
    config.auth.required = dev;
    ASSERT_TRUE(config.finish().ok());
    config.port = 0;
    io_ = std::make_unique<Server>(config);
    io_->serve_directory(folder_.path()).serve_dev_tokens();
    ASSERT_TRUE(io_->start().ok());
  }
  test::HttpAnswer get(const std::string& path) { return ask(io_->port(), path); }
  test::TemporaryDirectory folder_;
  std::unique_ptr<Server> io_;
};

TEST_F(PagesTest, AFolderIsServedWithoutWhatIsHidden) {
  for (const bool dev : {false, true}) {
    start(dev);
    EXPECT_EQ(get("/").body, "<h1>hello</h1>");
    EXPECT_NE(get("/index.html").head.find("text/html; charset=utf-8"), std::string::npos);
    EXPECT_NE(get("/").head.find(Server::kPagePolicy), std::string::npos);
    EXPECT_NE(get("/app/page.mjs").head.find("application/javascript; charset=utf-8"), std::string::npos);
    EXPECT_EQ(get("/caf%C3%A9%20menu.txt").body, "tea");
    for (const char* path :
         {"/.env", "/page.js~", "/node_modules/x/index.js", "/app", "/app/../.env", "/none.html"})
      EXPECT_EQ(get(path).status, 404) << path << dev;
    io_->stop();
  }
}

TEST_F(PagesTest, InDevelopmentAPageIsReadAnew) {
  start(true);
  write("index.html", "<h1>changed</h1>");
  write("new.css", "a {}");
  EXPECT_EQ(get("/").body, "<h1>changed</h1>");
  EXPECT_EQ(get("/new.css").status, 200);
}

TEST_F(PagesTest, InDevelopmentAFolderThatWentAwayIsSaid) {
  start(true);
  fs::remove_all(folder_.path());
  const test::HttpAnswer answer = get("/");
  EXPECT_EQ(answer.status, 500);
  EXPECT_NE(answer.body.find("No such file"), std::string::npos) << answer.body;
}

TEST_F(PagesTest, TokensAreForDevelopmentAlone) {
  start(true);
  EXPECT_NE(get("/dev/token?user=ann").body.find("\"userId\":\"ann\""), std::string::npos);
  EXPECT_EQ(get("/dev/token").status, 401);
  const std::string port = ":" + std::to_string(io_->port());
  EXPECT_EQ(ask(io_->port(), "/dev/token?user=ann", "Host: 127.0.0.1" + port).status, 200);
  EXPECT_EQ(ask(io_->port(), "/dev/token?user=ann", "Host: evil.example" + port).status, 403);
  EXPECT_EQ(ask(io_->port(), "/dev/token?user=ann", "Host: localhost\r\nX-Forwarded-For: 127.0.0.1").status,
            403);
  io_->stop();
  start(false);
  EXPECT_EQ(get("/dev/token?user=ann").status, 404);
}

TEST_F(PagesTest, AFolderThatCannotBeReadRefusesTheStart) {
  Config config;
  config.port = 0;
  config.auth.required = false;
  Server io(config);
  io.serve_directory(folder_.path() + "/nowhere");
  const Status started = io.start();
  ASSERT_FALSE(started.ok());
  EXPECT_NE(started.error().detail().find("/nowhere"), std::string::npos);
}

TEST(SocketIoOff, ThePathIsNobodys) {
  Config config;
  config.port = 0;
  config.auth.required = false;
  config.socketio = false;
  Server io(config);
  ASSERT_TRUE(io.start().ok());
  EXPECT_EQ(ask(io.port(), "/socket.io/?EIO=4&transport=polling").status, 404);
}

TEST(NamespaceAuthentication, EachNamespaceDecidesForItself) {
  Config config;
  config.port = 0;
  config.auth.secret = std::string(48, 's');
  Server io(config);
  io.of("/closed").use(jwt_auth());
  io.of("/open");
  ASSERT_TRUE(io.start().ok());
  NetClient client(io.port());
  ASSERT_EQ(client.open_websocket("/socket.io/?EIO=4&transport=websocket"), 101);
  client.send(test::text("40/open,"));
  EXPECT_NE(client.await("40/open,"), "");
  client.send(test::text("40/closed,"));
  EXPECT_NE(client.await("44/closed,").find("Authentication required"), std::string::npos);
}

}  // namespace
}  // namespace wirehall
