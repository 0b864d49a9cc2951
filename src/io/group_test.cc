// Many that are ready in one turn: read together, then processed, then written.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <thread>

#include "io/node_for_test.h"
#include "io/system.h"
#include "support/net.h"

namespace wirehall {
namespace {

class ManyTest : public io::NodeFixture {
 protected:
  ManyTest() {
    registry.of("/").api.on_event("echo", [](Value value, Ack ack) { ack(value); });
    registry.of("/").api.on_event("all", [](Socket& socket, Value value) { socket.nsp().emit("all", value); });
  }
};

// A shard that is held up in a handler, behind a broadcast to more than are worth asking for more.
class HeldUpTest : public ManyTest {
 protected:
  static constexpr std::size_t kClients = 80;
  void open_all() {
    registry.of("/").api.on_event("all-and-wait", [this](Socket& socket, Value value) {
      socket.nsp().emit("all", value);
      told.set_value();
      go_on.get_future().wait();
    });
    registry.of("/").api.on_event("look", [this](Socket&) { seen_by_the_same.set_value(writes()); });
    registry.of("/").api.on_event("look-too", [this](Socket&) { seen_by_another.set_value(writes()); });
    start();
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.push_back(std::make_unique<test::NetClient>(node->port()));
      ASSERT_EQ(clients.back()->open_websocket("/ws"), 101);
    }
    writes_before = node->sum(Counter::kWrites);
    clients[0]->send(test::text(R"({"type":"all-and-wait","data":1})"));
    told.get_future().wait();
  }
  void TearDown() override {
    clients.clear();
    ManyTest::TearDown();
  }
  std::uint64_t writes() const { return node->sum(Counter::kWrites) - writes_before; }
  std::promise<void> told, go_on;
  std::promise<std::uint64_t> seen_by_the_same, seen_by_another;
  std::uint64_t writes_before = 0;
  std::vector<std::unique_ptr<test::NetClient>> clients;
};

TEST_P(HeldUpTest, WhatOthersHaveSentMeanwhileIsWrittenTogetherWithTheRest) {
  open_all();
  clients[1]->send(test::text(R"({"type":"all","data":2})"));
  go_on.set_value();
  for (auto& client : clients) {
    EXPECT_EQ(client->await("\"data\":1"), R"(t:{"type":"all","data":1})");
    EXPECT_EQ(client->await("\"data\":2"), R"(t:{"type":"all","data":2})");
  }
  EXPECT_LT(writes(), kClients + 10);
}

TEST_P(HeldUpTest, WhoWasServedInThisTurnWaitsForTheNext) {
  open_all();
  clients[0]->send(test::text(R"({"type":"look"})"));
  clients[1]->send(test::text(R"({"type":"look-too"})"));
  go_on.set_value();
  auto same = seen_by_the_same.get_future(), another = seen_by_another.get_future();
  ASSERT_EQ(same.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  ASSERT_EQ(another.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_GE(same.get(), kClients) << "the others have got what they were told before";
  EXPECT_EQ(another.get(), 0u) << "who had not been served was, before anything was written";
}

// A shard that is held up while many send, so that it finds them all ready at once.
class GroupTest : public ManyTest {
 protected:
  static constexpr std::size_t kClients = 100;
  void open_all() {
    registry.of("/").api.on_event("wait", [this](Socket&) {
      told.set_value();
      go_on.get_future().wait();
    });
    registry.of("/").api.on_event("look", [this](Ack ack) { ack(Object{{"writes", writes()}}); });
    registry.of("/").api.on_event("end-all", [](Socket& socket) { socket.nsp().disconnect_sockets(true); });
    start();
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.push_back(std::make_unique<test::NetClient>(node->port()));
      ASSERT_EQ(clients.back()->open_websocket("/ws"), 101);
    }
    clients[0]->send(test::text(R"({"type":"wait"})"));
    told.get_future().wait();
    writes_before = node->sum(Counter::kWrites);
  }
  void TearDown() override {
    clients.clear();
    ManyTest::TearDown();
  }
  std::int64_t writes() const { return static_cast<std::int64_t>(node->sum(Counter::kWrites) - writes_before); }
  std::promise<void> told, go_on;
  std::uint64_t writes_before = 0;
  std::vector<std::unique_ptr<test::NetClient>> clients;
};

TEST_P(GroupTest, WhoIsReadyTogetherIsProcessedBeforeAnythingIsWritten) {
  open_all();
  for (std::size_t i = 1; i <= 3; ++i) clients[i]->send(test::text(R"({"type":"look","id":1})"));
  go_on.set_value();
  for (std::size_t i = 1; i <= 3; ++i)
    EXPECT_EQ(clients[i]->await("\"id\":1"), R"(t:{"type":"ack","id":1,"writes":0})");
  clients[1]->send(test::text(R"({"type":"look","id":2})"));
  EXPECT_EQ(clients[1]->await("\"id\":2"), R"(t:{"type":"ack","id":2,"writes":3})");
}

TEST_P(GroupTest, AnAnswerDoesNotWaitForAllHandlersOfTheOthers) {
  std::promise<void> has_answer;
  registry.of("/").api.on_event("take-long", [](Socket&) {
    io::SystemClock clock;
    for (const MonoTime end = clock.now() + Milliseconds(2); clock.now() < end;) std::this_thread::yield();
  });
  std::atomic<bool> came_before = false;
  registry.of("/").api.on_event("await-answer", [&](Socket&, Ack ack) {
    came_before = has_answer.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready;
    ack();
  });
  open_all();
  clients[1]->send(test::text(R"({"type":"echo","id":1})"));
  // Whether several have a little to do or one has much, sent at once.
  const bool is_one = GetParam().portable;
  std::string work;
  for (int k = 0; k < (is_one ? 20 : 1); ++k) work += test::text(R"({"type":"take-long"})");
  for (std::size_t i = 2; i <= (is_one ? 2u : 4u); ++i) clients[i]->send(work);
  clients[5]->send(test::text(R"({"type":"await-answer","id":2})"));
  go_on.set_value();
  EXPECT_NE(clients[1]->await("\"id\":1"), "");
  has_answer.set_value();
  EXPECT_NE(clients[5]->await("\"id\":2"), "");
  EXPECT_TRUE(came_before);
}

// Whatever the kernel gives at once: some have sent several messages, some more than a group has room for.
TEST_P(GroupTest, EachGetsItsOwnAnswersInOrder) {
  open_all();
  const auto size = [](std::size_t i, std::size_t k) { return i % 7 == 3 ? 9'000 * k : i % 2 * 40 + k; };
  for (std::size_t i = 1; i < kClients; ++i) {
    std::string bytes;
    for (std::size_t k = 1; k <= 1 + i % 3; ++k)
      bytes += test::text(R"({"type":"echo","id":)" + std::to_string(1000 * i + k) + R"(,"x":")" +
                          std::string(size(i, k), 'x') + "\"}");
    clients[i]->send(bytes);
  }
  go_on.set_value();
  for (std::size_t i = 1; i < kClients; ++i) {
    for (std::size_t k = 1; k <= 1 + i % 3; ++k) {
      const std::string id = std::to_string(1000 * i + k);
      EXPECT_EQ(clients[i]->await("\"id\":" + id), R"(t:{"type":"ack","id":)" + id + R"(,"x":")" +
                                                       std::string(size(i, k), 'x') + "\"}");
    }
  }
}

// Nobody reads until all is sent, so that the kernel takes parts: of some in the middle of what is written at once.
TEST_P(GroupTest, WhatTheKernelTakesInPartsComesWholeAndInOrder) {
  constexpr int kMessages = 4;
  const auto text_of = [](int k) {
    return R"({"type":"all","data":")" + std::to_string(k) + ":" + std::string(200'000, 'x') + "\"}";
  };
  open_all();
  go_on.set_value();
  for (int k = 1; k <= kMessages; ++k) clients[1]->send(test::text(text_of(k)));
  for (auto& client : clients) {
    for (int k = 1; k <= kMessages; ++k) {
      const std::string wanted = "t:" + text_of(k), got = client->await("\"all\"");
      EXPECT_TRUE(got == wanted) << k << ": " << got.substr(0, 40) << ", " << got.size() << " bytes";
    }
  }
}

// Few enough that nobody asks the poller again before they are written: so the reset is found by writing, in the middle of
// those that are written at once, whose pieces have left or not.
TEST_P(ManyTest, WhoIsToldOfAResetMayWriteToThoseThatAreWrittenWithIt) {
  std::promise<void> told, go_on;
  registry.of("/").api.on_event("all-and-wait", [&](Socket& socket) {
    socket.nsp().emit("all", "x");
    told.set_value();
    go_on.get_future().wait();
  });
  registry.of("/").api.on_connection([](Socket& socket) {
    socket.on_disconnect([](Socket& left, std::string_view) { left.nsp().emit("left"); });
  });
  start();
  std::vector<std::unique_ptr<test::NetClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<test::NetClient>(node->port()));
    ASSERT_EQ(clients.back()->open_websocket("/ws"), 101);
  }
  clients[0]->send(test::text(R"({"type":"all-and-wait"})"));
  told.get_future().wait();
  const linger at_once{1, 0};
  ASSERT_EQ(setsockopt(clients[10]->descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
  clients[10].reset();
  go_on.set_value();
  for (auto& client : clients) {
    if (!client) continue;
    std::vector<std::string> got;
    while (got.empty() || (!got.back().empty() && got.back() != R"(t:{"type":"left"})")) got.push_back(client->await("t:{"));
    EXPECT_EQ(got, (std::vector<std::string>{R"(t:{"type":"all","data":"x"})", R"(t:{"type":"left"})"}));
  }
  node->drain(Milliseconds(0));
  node->join();  // before what its handlers use
}

TEST_P(GroupTest, WhoFillsTheBufferWithAnErrorHarmsNobody) {
  open_all();
  const std::string not_masked = "\x81\x01!" + std::string(70'000, 'x');
  for (std::size_t i = 1; i <= 40; ++i) {
    const std::string echo = test::text(R"({"type":"echo","id":)" + std::to_string(i) + "}");
    clients[i]->send(i % 10 == 5 ? not_masked : echo);
  }
  go_on.set_value();
  for (std::size_t i = 1; i <= 40; ++i) {
    const std::string awaited = i % 10 == 5 ? "close:1002" : R"(t:{"type":"ack","id":)" + std::to_string(i) + "}";
    EXPECT_EQ(clients[i]->await(i % 10 == 5 ? "close" : "ack"), awaited);
  }
}

TEST_P(GroupTest, WhoEndsMeanwhileIsNotProcessedAnyMore) {
  std::atomic<int> handled = 0;
  registry.of("/").api.on_event("count", [&handled](Socket&) { ++handled; });
  open_all();
  clients[1]->send(test::text(R"({"type":"end-all"})"));
  for (std::size_t i = 2; i < kClients; ++i) clients[i]->send(test::text(R"({"type":"count"})"));
  go_on.set_value();
  for (std::size_t i = 0; i < kClients; ++i) EXPECT_EQ(clients[i]->await("close"), "close:1000");
  EXPECT_EQ(handled, 0);
}

// Hang-ups that the system tells of come first (io/poller.h I2), and elsewhere an end is read like anything else.
TEST_P(GroupTest, AnEndIsToldBehindWhatOthersHaveSentBefore) {
  std::vector<std::string> order;  // the shard's
  std::promise<void> both;
  const auto add = [&](const char* what) {
    order.push_back(what);
    if (order.size() == 2) both.set_value();
  };
  registry.of("/").api.on_event("note", [&] { add("note"); });
  registry.of("/").api.on_connection([&](Socket& socket) {
    socket.on_disconnect([&](Socket&, std::string_view) { add("end"); });
  });
  open_all();
  clients[1]->send(test::text(R"({"type":"note"})"));
  clients[2].reset();
  go_on.set_value();
  ASSERT_EQ(both.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  const std::vector<std::string> in_order{"note", "end"}, hangup_first{"end", "note"};
  EXPECT_EQ(order, GetParam().portable ? in_order : hangup_first);
  node.reset();  // whose end is the others'
}

INSTANTIATE_TEST_SUITE_P(Variants, ManyTest, testing::Values(io::NodeVariant{1, false}, io::NodeVariant{1, true}),
                         io::name_of);
INSTANTIATE_TEST_SUITE_P(Variants, HeldUpTest, testing::Values(io::NodeVariant{1, false}, io::NodeVariant{1, true}),
                         io::name_of);
INSTANTIATE_TEST_SUITE_P(Variants, GroupTest, testing::Values(io::NodeVariant{1, false}, io::NodeVariant{1, true}),
                         io::name_of);

}  // namespace
}  // namespace wirehall
