// The hall with real threads and sockets: what several shards do at once (run under ThreadSanitizer too).
#include <gtest/gtest.h>

#include <app.h>

#include <map>
#include <set>
#include <thread>

#include "support/net.h"
#include "support/temporary_directory.h"

namespace wirehall {
namespace {

using test::NetClient;
using test::text;

class HallTest : public testing::Test {
 protected:
  Config config() const {
    Config c;
    c.data_dir = directory.path();
    c.port = 0;
    c.threads = 3;
    c.auth.required = false;
    c.messages_per_minute = 1'000'000;
    c.connections_per_minute = 1'000'000;
    c.typing_timeout = Milliseconds(150);
    c.limits.drain_window = Milliseconds(0);
    return c;
  }
  HallTest() : io(config()), hall(io) {
    app::install(io, hall);
    const Status started = io.start();
    EXPECT_TRUE(started.ok());
  }
  ~HallTest() override { io.stop(); }
  std::unique_ptr<NetClient> open(const std::string& user) {
    auto client = std::make_unique<NetClient>(io.port());
    EXPECT_EQ(client->open_websocket("/ws?userId=" + user), 101);
    EXPECT_NE(client->await("\"connected\""), "");
    return client;
  }
  static Value parsed(const std::string& frame) {
    return frame.size() > 2 ? Value::from_json(frame.substr(2)).value() : Value();
  }
  test::TemporaryDirectory directory;
  Server io;
  Hall hall;
};

TEST_F(HallTest, EveryMemberSeesEveryMessageInOneOrder) {
  constexpr int kClients = 12;
  constexpr int kMessages = 60;
  std::vector<std::unique_ptr<NetClient>> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(open("user" + std::to_string(i)));
    clients.back()->send(text(R"({"type":"join","roomId":"r","id":"j"})"));
    EXPECT_NE(clients.back()->await("\"id\":\"j\""), "");
  }
  std::vector<std::jthread> threads;
  std::vector<std::string> orders(kClients);
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      NetClient& client = *clients[static_cast<std::size_t>(i)];
      for (int k = 0; k < kMessages; ++k) {
        client.send(text(R"({"type":"chat","roomId":"r","content":")" + std::to_string(i) + "-" +
                         std::to_string(k) + R"(","id":1,"clientMessageId":")" + std::to_string(i) + "-" +
                         std::to_string(k) + "\"}"));
      }
      std::uint64_t expected = 1;
      while (expected <= kClients * kMessages) {
        const Value frame = parsed(client.await("\"chat\""));
        if (!frame.is_object()) break;
        EXPECT_EQ(frame.find("seq")->as_int(), static_cast<std::int64_t>(expected++));
        orders[static_cast<std::size_t>(i)] += frame.find("content")->as_string() + " ";
      }
      EXPECT_EQ(expected, kClients * kMessages + 1u);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const std::string& order : orders) EXPECT_EQ(order, orders[0]);
}

TEST_F(HallTest, JoiningWhileOthersTalkMissesNothing) {
  const auto talker = open("talker");
  talker->send(text(R"({"type":"join","roomId":"r","id":"j"})"));
  talker->await("\"id\":\"j\"");
  std::jthread talking([&] {
    for (int i = 0; i < 400; ++i) {
      talker->send(text(R"({"type":"chat","roomId":"r","content":"x","id":)" + std::to_string(i) + "}"));
      talker->await("\"id\":" + std::to_string(i) + ",");
    }
  });
  for (int round = 0; round < 15; ++round) {
    const auto late = open("late" + std::to_string(round));
    late->send(text(R"({"type":"join","roomId":"r","id":"j"})"));
    const Value joined = parsed(late->await("\"id\":\"j\""));
    ASSERT_TRUE(joined.is_object());
    std::int64_t expected = joined.find("seq")->as_int();
    const Array& recent = joined.find("recentMessages")->as_array();
    if (!recent.empty()) {
      EXPECT_EQ(recent.back().find("seq")->as_int(), expected);
    }
    for (int k = 0; k < 5 && expected < 395; ++k) {
      const Value frame = parsed(late->await("\"chat\""));
      ASSERT_TRUE(frame.is_object());
      ASSERT_EQ(frame.find("seq")->as_int(), ++expected);
    }
  }
  talking.join();
}

TEST_F(HallTest, JoinedAndLeftAlternateForAUserWithSeveralConnections) {
  const auto watcher = open("watcher");
  watcher->send(text(R"({"type":"join","roomId":"r","id":"j"})"));
  watcher->await("\"id\":\"j\"");
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 15; ++i) {
        const auto client = open("ann");
        client->send(text(R"({"type":"join","roomId":"r","id":"j"})"));
        client->await("\"id\":\"j\"");
        if (i % 2 == 0) {
          client->send(text(R"({"type":"leave","roomId":"r","id":"l"})"));
          client->await("\"id\":\"l\"");
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  watcher->send(text(R"({"type":"chat","roomId":"r","content":"end","id":1})"));
  bool inside = false, said = false;
  int joins = 0;
  while (!said || inside || joins == 0) {
    const std::string frame = watcher->await("\"type\"");
    ASSERT_NE(frame, "");
    if (frame.find("user-joined") != std::string::npos) {
      EXPECT_FALSE(inside);
      inside = true;
      ++joins;
    } else if (frame.find("user-left") != std::string::npos) {
      EXPECT_TRUE(inside);
      inside = false;
    } else if (frame.find("\"chat\"") != std::string::npos) {
      said = true;
    }
  }
}

TEST_F(HallTest, WhoJoinAtOnceLearnOfEachOther) {
  constexpr int kClients = 16;
  std::vector<std::unique_ptr<NetClient>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(open("u" + std::to_string(i)));
  for (const auto& client : clients) client->send(text(R"({"type":"join","roomId":"r","id":"j"})"));
  for (const auto& client : clients) {
    std::set<std::string> seen;
    std::string frame = client->await("\"type\"");
    for (; frame.find("\"id\":\"j\"") == std::string::npos; frame = client->await("\"type\"")) {
      ASSERT_NE(frame, "");
      if (frame.find("user-joined") != std::string::npos)
        seen.insert(parsed(frame).find("userId")->as_string());
    }
    const Value answer = parsed(frame);
    for (const Value& member : answer.find("members")->as_array())
      seen.insert(member.find("userId")->as_string());
    while (seen.size() < kClients) {
      const Value joined = parsed(client->await("user-joined"));
      ASSERT_TRUE(joined.is_object()) << "only " << seen.size() << " are known";
      seen.insert(joined.find("userId")->as_string());
    }
  }
}

TEST_F(HallTest, WhatIsSentBehindAJoinFindsTheRoom) {
  const auto client = open("ann");
  client->send(text(R"({"type":"join","roomId":"r","id":"j"})") +
               text(R"({"type":"chat","roomId":"r","content":"x","id":"c"})") +
               text(R"({"type":"typing","roomId":"r","id":"t"})") +
               text(R"({"type":"leave","roomId":"r","id":"l"})") +
               text(R"({"type":"chat","roomId":"r","content":"y","id":"d"})"));
  std::map<std::string, Value> answers;
  while (answers.size() < 5) {
    const Value answer = parsed(client->await("\"ack\""));
    ASSERT_TRUE(answer.is_object());
    answers[answer.find("id")->as_string()] = answer;
  }
  for (const char* id : {"j", "c", "t", "l"}) EXPECT_NE(answers[id].find("success"), nullptr) << id;
  EXPECT_EQ(*answers["d"].find_string("code"), "not-in-room");
  client->send(text(R"({"type":"join","roomId":"r","id":"again"})"));
  EXPECT_EQ(parsed(client->await("\"again\"")).find("memberCount")->as_int(), 1);
}

TEST_F(HallTest, WhoComesBackIsGivenWhatItMissed) {
  const auto client = open("ann");
  client->send(text(R"({"type":"join","roomId":"r","id":"j"})"));
  const Value joined = parsed(client->await("\"j\""));
  for (int i = 1; i <= 5; ++i) {
    client->send(text(R"({"type":"chat","roomId":"r","content":"x","id":)" + std::to_string(i) + "}"));
    client->await("\"id\":" + std::to_string(i) + ",");
  }
  const auto join = [&](const std::string& since) {
    const auto late = open("bob");
    late->send(text(R"({"type":"join","roomId":"r","id":"j","since":)" + since + "}"));
    return parsed(late->await("\"j\""));
  };
  const std::string epoch = joined.find("epoch")->to_json();
  const Value good = join(R"({"seq":2,"epoch":)" + epoch + "}");
  EXPECT_TRUE(good.find("recovered")->as_bool());
  ASSERT_EQ(good.find("missed")->as_array().size(), 3u);
  EXPECT_EQ(good.find("missed")->as_array()[0].find("seq")->as_int(), 3);
  EXPECT_TRUE(join(R"({"seq":5,"epoch":)" + epoch + "}").find("recovered")->as_bool());
  for (const std::string& wrong : {R"({"seq":6,"epoch":)" + epoch + "}", std::string(R"({"seq":2,"epoch":"x"})")}) {
    const Value refused = join(wrong);
    EXPECT_FALSE(refused.find("recovered")->as_bool()) << wrong;
    EXPECT_TRUE(refused.find("missed")->as_array().empty());
  }
  EXPECT_EQ(*join(R"({"seq":-1,"epoch":"x"})").find_string("code"), "invalid-format");
}

TEST_F(HallTest, TypingEndsOnce) {
  const auto ann = open("ann");
  const auto bob = open("bob");
  for (NetClient* client : {ann.get(), bob.get()}) {
    client->send(text(R"({"type":"join","roomId":"r","id":"j"})"));
    client->await("\"id\":\"j\"");
  }
  for (int i = 0; i < 3; ++i) ann->send(text(R"({"type":"typing","roomId":"r"})"));
  EXPECT_NE(bob->await("user-typing"), "");
  const std::string ended = bob->await("user-stopped-typing");
  EXPECT_NE(ended, "");
  ann->send(text(R"({"type":"stop-typing","roomId":"r","id":"s"})"));
  ann->await("\"id\":\"s\"");
  ann->send(text(R"({"type":"chat","roomId":"r","content":"marker"})"));
  for (;;) {
    const std::string frame = bob->await("\"type\"");
    ASSERT_NE(frame, "");
    EXPECT_EQ(frame.find("typing"), std::string::npos) << frame;
    if (frame.find("marker") != std::string::npos) break;
  }
}

TEST_F(HallTest, SendingFromOutsideOfEveryShardReachesEverybody) {
  const auto ann = open("ann");
  const auto bob = open("bob");
  std::jthread outside([&] {
    for (int i = 0; i < 100; ++i) io.emit_args("news", std::vector<Value>{Value(i)});
  });
  for (NetClient* client : {ann.get(), bob.get()}) {
    for (int i = 0; i < 100; ++i) EXPECT_EQ(parsed(client->await("\"news\"")).find("data")->as_int(), i);
  }
  outside.join();
}

TEST_F(HallTest, LimitsPerUserHoldOverAllShards) {
  std::vector<std::unique_ptr<NetClient>> clients;
  for (unsigned i = 0; i < io.config().limits.connections_per_user_max; ++i) clients.push_back(open("ann"));
  NetClient one_more(io.port());
  EXPECT_EQ(one_more.open_websocket("/ws?userId=ann"), 429);
  clients.pop_back();
  for (int tries = 0; tries < 100; ++tries) {
    NetClient again(io.port());
    if (again.open_websocket("/ws?userId=ann") == 101) return;
  }
  FAIL() << "a place that was given back can be taken";
}

}  // namespace
}  // namespace wirehall
