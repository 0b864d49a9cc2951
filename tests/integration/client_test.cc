// wirehall::Client against the hall, both in this process: real threads, sockets and TLS, over both
// protocols.
#include <gmock/gmock.h>
#include <wirehall/client.h>

#include <app.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "auth/jwt.h"
#include "auth/keys_for_test.h"
#include "support/net.h"
#include "support/temporary_directory.h"

namespace wirehall {
namespace {

using testing::HasSubstr;

constexpr const char* kSecret = "a secret of thirty-two bytes and more";
constexpr Milliseconds kSoon(5000);

class ClientTest : public testing::TestWithParam<Protocol> {
 protected:
  ClientTest() { start(0); }
  ~ClientTest() override {
    if (io) io->stop();
  }
  void start(std::uint16_t port) {
    Config config;
    config.data_dir = directory.path();
    config.port = port;
    config.threads = 2;
    config.auth.secret = kSecret;
    config.limits.drain_window = Milliseconds(0);
    config.connection_state_recovery = std::chrono::seconds(60);
    config.messages_per_minute = 100'000;
    config.connections_per_minute = 100'000;
    config.tls_certificate = certificate;
    config.tls_key = key;
    hall.reset();
    io = std::make_unique<Server>(config);
    hall = std::make_unique<Hall>(*io);
    app::install(*io, *hall);
    io->on_event("ask-me", [](Socket& socket) { socket.emit("question", {{"text", "ready?"}}); });
    ASSERT_TRUE(io->start().ok());
  }
  static std::string token(const std::string& user, std::int64_t seconds = 3600) {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    const auto key = auth::SigningKey::from_secret(auth::Algorithm::kHs256, kSecret);
    return auth::sign(Object{{"sub", user}, {"exp", now + seconds}}, *key).value();
  }
  ClientOptions options(const std::string& user) const {
    ClientOptions out;
    out.protocol = GetParam();
    out.auth = {{"token", token(user)}};
    out.expect_welcome = true;
    out.reconnection_delay = Milliseconds(20);
    out.reconnection_delay_max = Milliseconds(50);
    out.timeout = kSoon;
    return out;
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(io->port()); }
  std::unique_ptr<Client> open(const std::string& user) {
    auto client = std::make_unique<Client>(url(), options(user));
    const Status connected = client->connect();
    EXPECT_TRUE(connected.ok()) << connected.error().text();
    return client;
  }

  test::TemporaryDirectory directory;
  std::string certificate, key;
  std::unique_ptr<Server> io;
  std::unique_ptr<Hall> hall;
};

INSTANTIATE_TEST_SUITE_P(Both, ClientTest, testing::Values(Protocol::kNative, Protocol::kSocketIo),
                         [](const auto& protocol) {
                           return protocol.param == Protocol::kNative ? std::string("Native")
                                                                      : std::string("SocketIo");
                         });

TEST_P(ClientTest, TwoPeopleTalk) {
  const auto ann = open("ann");
  const auto bob = open("bob");
  EXPECT_EQ(ann->user_id(), "ann");
  EXPECT_EQ(ann->state(), ClientState::kConnected);
  EXPECT_NE(ann->session_id(), "");
  ClientInbox joined = ann->inbox("user-joined");
  ClientInbox messages = bob->inbox("new-message");
  ASSERT_TRUE(ann->join("lobby").ok());
  const Result<Value> room = bob->join("lobby");
  ASSERT_TRUE(room.ok()) << room.error().text();
  EXPECT_EQ(room->find("memberCount")->as_int(), 2);
  EXPECT_EQ(joined.next().value().find("userId")->as_string(), "bob");
  const Result<Value> sent = ann->send("lobby", "hello", Object{{"type", "greeting"}});
  ASSERT_TRUE(sent.ok()) << sent.error().text();
  EXPECT_EQ(sent->find("seq")->as_int(), 1);
  const Value message = messages.next().value();
  EXPECT_EQ(*message.find_string("content"), "hello");
  EXPECT_EQ(*message.find_string("type"), "greeting");
  EXPECT_EQ(*message.find_string("userId"), "ann");
  const Result<Value> history = bob->history("lobby", {{"limit", 1}});
  ASSERT_TRUE(history.ok());
  EXPECT_EQ(history->find("messages")->as_array().size(), 1u);
  const Result<Value> presence = bob->presence({{"roomId", "lobby"}});
  ASSERT_TRUE(presence.ok());
  EXPECT_EQ(presence->find("users")->as_array().size(), 2u);
  ClientInbox direct = bob->inbox("private-message");
  ASSERT_TRUE(ann->send_private("bob", "psst").ok());
  EXPECT_EQ(*direct.next().value().find_string("content"), "psst");
  ClientInbox typing = bob->inbox("user-typing");
  ann->typing("lobby");
  EXPECT_TRUE(typing.next().ok());
  ClientInbox left = bob->inbox("user-left");
  ASSERT_TRUE(ann->leave("lobby").ok());
  EXPECT_EQ(*left.next().value().find_string("userId"), "ann");
  EXPECT_TRUE(ann->leave("lobby").ok()) << "not being there is what was wanted";
  const Result<Value> refused = ann->send("lobby", "from outside");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kNotInRoom);
}

TEST_P(ClientTest, RefusalsAreClear) {
  ClientOptions none = options("ann");
  none.auth = {};
  Client nobody(url(), none);
  EXPECT_EQ(nobody.connect().error().text(), "Authentication required");
  none.auth = {{"token", "x.y.z"}};
  Client forger(url(), none);
  EXPECT_EQ(forger.connect().error().text(), "Authentication failed: invalid token");
  EXPECT_EQ(forger.state(), ClientState::kClosed);
  Client wrong("http:/nowhere", none);
  EXPECT_EQ(wrong.connect().error().code(), ErrorCode::kConfig);
  const auto ann = open("ann");
  const Result<Value> unknown = ann->emit_and_wait("no-such-event", Object{});
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code(), ErrorCode::kUnknownEvent);
}

TEST_P(ClientTest, SurvivesARestartOfTheServer) {
  const auto ann = open("ann");
  const auto bob = open("bob");
  ClientInbox messages = ann->inbox("new-message");
  ASSERT_TRUE(ann->join("lobby").ok());
  ASSERT_TRUE(bob->join("lobby").ok());
  ASSERT_TRUE(bob->send("lobby", "1").ok());
  const std::uint16_t port = io->port();
  io->stop();
  // Offline: it waits, in order.
  std::atomic<int> answered = 0;
  for (int i = 2; i <= 20; ++i) {
    bob->send("lobby", std::to_string(i), [&](const Result<Value>& answer) {
      EXPECT_TRUE(answer.ok()) << answer.error().text();
      ++answered;
    });
  }
  start(port);
  for (int i = 1; i <= 20; ++i) {
    const Result<Value> message = messages.next();
    ASSERT_TRUE(message.ok()) << i;
    EXPECT_EQ(*message->find_string("content"), std::to_string(i));
    EXPECT_EQ(message->find("seq")->as_int(), i);
  }
  EXPECT_FALSE(messages.next(Milliseconds(100)).ok()) << "nothing comes twice";
  EXPECT_EQ(answered, 19);
}

TEST_P(ClientTest, FilesGoInPieces) {
  const auto ann = open("ann");
  ASSERT_TRUE(ann->join("lobby").ok());
  ClientInbox messages = ann->inbox("new-message");
  std::string bytes;
  for (int i = 0; i < 700'000; ++i) bytes.push_back(static_cast<char>(i * 31 >> 3));
  const std::string path = directory.path() + "/picture.bin";
  std::ofstream(path, std::ios::binary) << bytes;
  FileOptions file;
  file.room_id = "lobby";
  std::vector<std::uint64_t> progress;
  std::string upload_id;
  file.on_start = [&](const std::string& id) { upload_id = id; };
  file.on_progress = [&](std::uint64_t sent, std::uint64_t size) {
    EXPECT_EQ(size, bytes.size());
    progress.push_back(sent);
  };
  const Result<Value> sent = ann->send_file(path, file);
  ASSERT_TRUE(sent.ok()) << sent.error().text();
  EXPECT_EQ(sent->find("file")->find("size")->as_int(), 700'000);
  EXPECT_GE(progress.size(), 4u);
  EXPECT_EQ(progress.back(), bytes.size());
  const Value message = messages.next().value();
  EXPECT_EQ(*message.find_string("type"), "file");
  EXPECT_EQ(*message.find_string("content"), "picture.bin");
  EXPECT_EQ(ann->send_file(path + ".none", file).error().code(), ErrorCode::kIo);

  // Ended between two pieces, then a new one from memory.
  std::stop_source stop;
  file.on_progress = [&](std::uint64_t at, std::uint64_t) {
    if (at > 0) stop.request_stop();
  };
  file.stop = stop.get_token();
  EXPECT_EQ(ann->send_file(path, file).error().code(), ErrorCode::kDisconnected);
  FileOptions small;
  small.target_user_id = "bob";
  small.name = "note.txt";
  EXPECT_TRUE(ann->send_bytes("tiny", small).ok());
}

TEST_P(ClientTest, AnUploadGoesOnAfterARestart) {
  const auto ann = open("ann");
  ASSERT_TRUE(ann->join("lobby").ok());
  const std::string bytes(900'000, 'x');
  const std::uint16_t port = io->port();
  FileOptions file;
  file.room_id = "lobby";
  std::atomic<bool> half = false;
  file.on_progress = [&](std::uint64_t sent, std::uint64_t) {
    if (sent > 0 && !half.exchange(true)) half.notify_all();
  };
  std::promise<Result<Value>> outcome;
  ann->send_bytes(bytes, file, [&](Result<Value> answer) { outcome.set_value(std::move(answer)); });
  half.wait(false);
  io->stop();
  start(port);
  const Result<Value> answer = outcome.get_future().get();
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_EQ(answer->find("file")->find("size")->as_int(), 900'000);
}

TEST_P(ClientTest, ATokenIsRefreshed) {
  ClientOptions short_lived = options("ann");
  short_lived.auth = {{"token", token("ann", 2)}};
  Client ann(url(), short_lived);
  ASSERT_TRUE(ann.connect().ok());
  std::atomic<int> losses = 0;
  ann.on_disconnect([&](const ClientDisconnected&) { ++losses; });
  const Result<Value> refreshed = ann.refresh_token(token("ann", 3600));
  ASSERT_TRUE(refreshed.ok()) << refreshed.error().text();
  EXPECT_GT(refreshed->find("expiresAt")->as_int(), 0);

  ClientOptions renewing = options("bob");
  std::atomic<int> asked = 0;
  renewing.auth_function = [&]() -> Result<Object> {
    const int time = ++asked;
    return Object{{"token", token("bob", time == 1 ? 1 : 3600)}};
  };
  Client bob(url(), renewing);
  std::promise<void> again;
  bob.on_connect([&](const ClientConnected& connected) {
    if (connected.reconnected) again.set_value();
  });
  ASSERT_TRUE(bob.connect().ok());
  ASSERT_EQ(again.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_GE(asked, 2);
  EXPECT_EQ(losses, 0) << "the refreshed one has outlived its first token";
}

TEST_P(ClientTest, IsUsedByManyThreadsAndDestroyedAtAnyTime) {
  const auto ann = open("ann");
  ASSERT_TRUE(ann->join("lobby").ok());
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([&, i] {
        for (int k = 0; k < 20; ++k) {
          const HandlerId handler = ann->on("new-message", [](const Value&) {});
          EXPECT_TRUE(ann->send("lobby", std::to_string(i) + "-" + std::to_string(k)).ok());
          ann->off(handler);
        }
      });
    }
  }
  for (int i = 0; i < 10; ++i) {
    auto brief = std::make_unique<Client>(url(), options("user" + std::to_string(i)));
    std::atomic<int> told = 0;
    if (i % 2 == 0) brief->connect([&](const Status&) { ++told; });
    brief->emit_args("history", {Value(Object{{"roomId", "lobby"}})}, [&](const Result<Value>&) { ++told; });
    brief.reset();
    EXPECT_EQ(told, i % 2 == 0 ? 2 : 1) << "everything is settled when it is gone";
  }
}

TEST_P(ClientTest, MayBeDestroyedInsideAHandler) {
  std::promise<void> gone;
  auto client = std::make_unique<Client>(url(), options("ann"));
  client->on_connect([&](const ClientConnected&) {
    client.reset();
    gone.set_value();
  });
  Client* const raw = client.get();
  raw->connect([](const Status&) { ADD_FAILURE() << "no handler runs behind its client's end"; });
  ASSERT_EQ(gone.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST_P(ClientTest, HandlersMayAskAndChangeHandlers) {
  const auto ann = open("ann");
  std::promise<std::string> content;
  ann->once("question", [&](const ClientEvent& event) {
    EXPECT_EQ(event.name, "question");
    ann->join("lobby", [&](const Result<Value>& joined) {
      EXPECT_TRUE(joined.ok());
      ann->on("new-message",
              [&](const Value& message) { content.set_value(*message.find_string("content")); });
      ann->send("lobby", "nested", [](const Result<Value>&) {});
    });
  });
  ASSERT_TRUE(ann->emit("ask-me").ok());
  auto future = content.get_future();
  ASSERT_EQ(future.wait_for(kSoon), std::future_status::ready);
  EXPECT_EQ(future.get(), "nested");
}

TEST_P(ClientTest, WaitingInAHandlerEndsTheProcessWithTheReason) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        const auto ann = open("ann");
        std::promise<void> waited;
        ann->on("question", [&](const Value&) {
          (void)ann->join("lobby");
          waited.set_value();
        });
        (void)ann->emit("ask-me");
        waited.get_future().wait_for(kSoon);
      },
      "a handler must not wait for an answer");
}

TEST_P(ClientTest, APrivateMessageThatAHandlerSawIsNotPendingAnyMore) {
  const auto ann = open("ann");
  {
    const auto bob = open("bob");
    ClientInbox direct = bob->inbox("private-message");
    ASSERT_TRUE(ann->send_private("bob", "one").ok());
    ASSERT_TRUE(direct.next().ok());
    // Its answer went out before this question.
    ASSERT_TRUE(bob->presence({{"userIds", Value(Array{Value("ann")})}}).ok());
  }
  ASSERT_TRUE(ann->send_private("bob", "two").ok());
  Client bob(url(), options("bob"));
  std::promise<std::string> pending;
  const auto tell = [&](const ClientEvent& event) { pending.set_value(event.value().to_json()); };
  bob.on("pending-messages", tell);
  ASSERT_TRUE(bob.connect().ok());
  auto future = pending.get_future();
  ASSERT_EQ(future.wait_for(kSoon), std::future_status::ready);
  const std::string text = future.get();
  EXPECT_THAT(text, HasSubstr("two"));
  EXPECT_THAT(text, testing::Not(HasSubstr("one")));
}

TEST_P(ClientTest, AnInboxIsBounded) {
  const auto ann = open("ann");
  ClientInbox inbox = ann->inbox("new-message", 3);
  ClientInbox all = ann->inbox("new-message");
  ASSERT_TRUE(ann->join("lobby").ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(ann->send("lobby", std::to_string(i)).ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(all.next().ok());
  EXPECT_EQ(inbox.size(), 3u);
  EXPECT_EQ(inbox.dropped(), 2u);
  EXPECT_EQ(*inbox.next_with("\"2\"").value().find_string("content"), "2");
  EXPECT_EQ(inbox.next(Milliseconds(1)).error().code(), ErrorCode::kTimeout);
}

TEST_P(ClientTest, TheQueueIsBounded) {
  ClientOptions small = options("ann");
  small.requests_max = 3;
  small.connect_attempts = 0;
  Client ann("http://127.0.0.1:1", small);
  ann.connect([](const Status&) {});
  while (ann.state() == ClientState::kClosed) std::this_thread::yield();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ann.emit("x").ok());
  EXPECT_EQ(ann.emit("x").error().code(), ErrorCode::kQueueFull);
  EXPECT_EQ(ann.emit_and_wait("x", Object{}).error().code(), ErrorCode::kQueueFull);
}

TEST_P(ClientTest, TlsIsVerified) {
  io->stop();
  const auth::test::KeyPair pair = auth::test::KeyPair::ec("P-256");
  certificate = directory.path() + "/cert.pem";
  key = directory.path() + "/key.pem";
  std::ofstream(certificate) << pair.certificate_pem("localhost");
  std::ofstream(key) << pair.private_pem();
  std::filesystem::permissions(key, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  start(0);
  const std::string port = std::to_string(io->port());
  ClientOptions trusting = options("ann");
  const auto outcome = [&](const std::string& host) {
    Client client("https://" + host + ":" + port, trusting);
    const Status status = client.connect();
    if (!status.ok()) return status.error().text();
    const Result<Value> joined = client.join("lobby");
    return joined.ok() ? client.user_id() : joined.error().text();
  };
  EXPECT_THAT(outcome("localhost"),
              HasSubstr("TLS failed: the certificate of localhost:" + port + " is not trusted"));
  trusting.tls.ca_file = certificate;
  EXPECT_EQ(outcome("localhost"), "ann");
  EXPECT_THAT(outcome("127.0.0.1"), HasSubstr("is not trusted: IP address mismatch"));
  trusting.tls.server_name = "localhost";
  EXPECT_EQ(outcome("127.0.0.1"), "ann");
  trusting.tls = {};
  trusting.tls.verify = false;
  EXPECT_EQ(outcome("127.0.0.1"), "ann");
  trusting.tls.verify = true;
  trusting.tls.ca_file = directory.path() + "/none.pem";
  EXPECT_THAT(outcome("localhost"), HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace wirehall
