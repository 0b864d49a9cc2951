// The mailbox between threads, and a node on real sockets (tls_test.cc: over TLS).
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <thread>

#include "io/mailbox.h"
#include "io/node_for_test.h"
#include "support/net.h"

namespace wirehall {
namespace {

// -- mailbox ------------------------------------------------------------------------------------

TEST(Mailbox, LosesNothingAndKeepsEachProducersOrder) {
  io::Mailbox mailbox(1'000'000, 1 << 30);
  constexpr int kProducers = 4;
  constexpr int kTasks = 20'000;
  std::vector<int> next(kProducers, 0);
  int done = 0;
  std::vector<std::thread> producers;
  for (int p = 0; p < kProducers; ++p) {
    producers.emplace_back([&, p] {
      for (int i = 0; i < kTasks; ++i) {
        mailbox.push([&, p, i] {
          EXPECT_EQ(next[static_cast<std::size_t>(p)]++, i);
          ++done;
        });
      }
    });
  }
  while (done < kProducers * kTasks) {
    pollfd watched{mailbox.descriptor(), POLLIN, 0};
    ASSERT_GT(::poll(&watched, 1, 10'000), 0) << "woken for every batch";
    mailbox.drain(1000);
  }
  for (auto& producer : producers) producer.join();
  EXPECT_EQ(mailbox.drain(10), 0u);
}

TEST(Mailbox, ReservationsAreBoundedInTasksAndBytes) {
  io::Mailbox mailbox(3, 100);
  EXPECT_TRUE(mailbox.reserve(60));
  EXPECT_FALSE(mailbox.reserve(60)) << "too many bytes";
  EXPECT_TRUE(mailbox.reserve(40));
  EXPECT_TRUE(mailbox.reserve(0));
  EXPECT_FALSE(mailbox.reserve(0)) << "too many tasks";
  int runs = 0;
  mailbox.push([&] { ++runs; }, 60);
  mailbox.push([&] { ++runs; });  // a control task needs no place
  mailbox.cancel(40);
  EXPECT_EQ(mailbox.drain(100), 2u);
  EXPECT_EQ(runs, 2);
  EXPECT_TRUE(mailbox.reserve(100)) << "what was run or cancelled is free again";
}

// -- node ---------------------------------------------------------------------------------------

class NodeTest : public io::AnsweringNode {
 protected:
  NodeTest() {
    registry.of("/").api.on_event("all", [](Socket& socket, Value value, Ack ack) {
      socket.nsp().emit("all", value);
      ack.success();
    });
  }
};

TEST_P(NodeTest, AnswersManyClientsOnEveryShard) {
  start();
  std::vector<std::unique_ptr<test::NetClient>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<test::NetClient>(node->port()));
    ASSERT_EQ(clients.back()->open_websocket("/ws"), 101);
  }
  for (int i = 0; i < 40; ++i) {
    clients[static_cast<std::size_t>(i)]->send(
        test::text(R"({"type":"echo","id":)" + std::to_string(i) + R"(,"x":")" +
                   std::string(static_cast<std::size_t>(i) * 3000, 'x') + "\"}"));
  }
  for (int i = 0; i < 40; ++i)
    EXPECT_NE(clients[static_cast<std::size_t>(i)]->await("\"id\":" + std::to_string(i)), "");
  clients[0]->send(test::text(R"({"type":"all","data":"hello"})"));
  for (auto& client : clients) EXPECT_EQ(client->await("all"), R"(t:{"type":"all","data":"hello"})");
}

TEST_P(NodeTest, AMegabyteGoesBothWaysThroughFullBuffers) {
  world.native_websocket.message_bytes_max = 4 << 20;
  start();
  test::NetClient client(node->port());
  ASSERT_EQ(client.open_websocket("/ws"), 101);
  const std::string big(900'000, 'y');
  std::thread sender([&] { client.send(test::text(R"({"type":"echo","id":1,"x":")" + big + "\"}")); });
  const std::string answer = client.await("\"id\":1");
  sender.join();
  EXPECT_EQ(answer.size(), big.size() + std::string(R"(t:{"type":"ack","id":1,"x":""})").size());
}

TEST_P(NodeTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  test::NetClient client(node->port());
  std::string requests;
  for (int i = 0; i < 300; ++i) requests += test::get("/nothing/" + std::to_string(i));
  client.send(requests);
  for (int i = 0; i < 300; ++i) ASSERT_EQ(client.response().status, 404) << i;
}

TEST_P(NodeTest, AGracefulEndSaysGoodbye) {
  start();
  test::NetClient native(node->port());
  ASSERT_EQ(native.open_websocket("/ws"), 101);
  test::NetClient socketio(node->port());
  ASSERT_EQ(socketio.open_websocket("/socket.io/?EIO=4&transport=websocket"), 101);
  test::NetClient poll(node->port());
  poll.send(test::get("/socket.io/?EIO=4&transport=polling"));
  const std::string sid = poll.response().body.substr(9, 20);
  poll.send(test::get("/socket.io/?EIO=4&transport=polling&sid=" + sid));
  test::NetClient idle(node->port());
  idle.send(test::get("/"));
  idle.response();
  node->drain(Milliseconds(50));
  EXPECT_EQ(native.await("close"), "close:1001");
  EXPECT_EQ(socketio.await("close"), "close:1001");
  EXPECT_EQ(poll.response().body, "1");
  EXPECT_TRUE(idle.closes());
}

TEST_P(NodeTest, GoodbyesAreSpreadOverTheWindow) {
  start();
  std::vector<std::unique_ptr<test::NetClient>> clients;
  std::vector<pollfd> watched;
  for (int i = 0; i < 24; ++i) {
    clients.push_back(std::make_unique<test::NetClient>(node->port()));
    ASSERT_EQ(clients.back()->open_websocket(i % 2 == 0 ? "/ws" : "/socket.io/?EIO=4&transport=websocket"), 101);
    if (i % 2 == 1) clients.back()->frames();
    watched.push_back({clients.back()->descriptor(), POLLIN, 0});
  }
  node->drain(std::chrono::seconds(3));
  const auto told = [&](int wait) {
    ::poll(watched.data(), watched.size(), wait);
    return std::count_if(watched.begin(), watched.end(), [](const pollfd& one) { return one.revents != 0; });
  };
  const auto first = told(5000);
  EXPECT_GE(first, 1);
  EXPECT_LE(first, 12) << "clients come back within a second: they must not all come at once";
}

TEST_P(NodeTest, ATakenPortIsAClearError) {
  start();
  io::NodeOptions same_port;
  same_port.port = node->port();
  same_port.shards = 2;
  hub::Registry other_registry;
  other_registry.of("/");
  const pipeline::World other_world(other_registry);
  io::Node other(other_world, same_port);
  const Status status = other.start();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().detail().find("is in use"), std::string::npos) << status.error().detail();
}

// Connects without a pause, from an address of its own (from its target's it could reach itself), until it is let in.
std::string first_answer_of(std::uint16_t port, std::atomic<int>& knocking) {
  sockaddr_in own{}, target{};
  own.sin_family = target.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  target.sin_port = htons(port);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (bool first = true; std::chrono::steady_clock::now() < until; first = false) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::bind(socket, reinterpret_cast<sockaddr*>(&own), sizeof own);
    std::string answer;
    const bool connected = ::connect(socket, reinterpret_cast<sockaddr*>(&target), sizeof target) == 0;
    if (connected) {
      const std::string_view request = "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n";
      ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
      answer.resize(9);
      const ssize_t got = ::recv(socket, answer.data(), answer.size(), 0);
      answer = got < 0 ? std::strerror(errno) : answer.substr(0, static_cast<std::size_t>(got));
    }
    ::close(socket);
    if (connected) return answer;
    if (first) ++knocking;
  }
  return "never let in";
}

TEST_P(NodeTest, WhoIsLetInWhileItStartsIsAnswered) {
  constexpr int kClients = 4;
  start();
  const std::uint16_t port = node->port();
  for (int i = 0; i < 20; ++i) {
    node->drain(Milliseconds(0));
    node->join();
    options.port = port;
    node = std::make_unique<io::Node>(world, options);
    std::atomic<int> knocking = 0;
    std::vector<std::string> answers(kClients);
    std::vector<std::thread> clients;
    for (std::string& answer : answers)
      clients.emplace_back([&] { answer = first_answer_of(port, knocking); });
    while (knocking != kClients) std::this_thread::yield();
    const Status status = node->start();
    for (std::thread& client : clients) client.join();
    ASSERT_TRUE(status.ok()) << status.error().detail();
    EXPECT_EQ(answers, std::vector<std::string>(kClients, "HTTP/1.1 "));
  }
}

TEST_P(NodeTest, BlockingWorkComesBackToItsShard) {
  start();
  std::atomic<int> done{0};
  for (unsigned i = 0; i < GetParam().shards; ++i) {
    node->post_to(i, [&, i](pipeline::ShardCore& core) {
      core.run_blocking([] {},
                        [&, i, &owner = core] {
                          EXPECT_EQ(hub::Hub::current(), &owner.hub());
                          EXPECT_EQ(owner.shard(), i);
                          ++done;
                        });
    });
  }
  for (int k = 0; k < 10'000 && done != static_cast<int>(GetParam().shards); ++k) std::this_thread::yield();
  while (done != static_cast<int>(GetParam().shards)) std::this_thread::yield();
}

INSTANTIATE_TEST_SUITE_P(Variants, NodeTest, io::kNodeVariants, io::name_of);

}  // namespace
}  // namespace wirehall
