// A single shard's sockets in a table of descriptors of its own (NodeOptions::separate_descriptors); with several
// shards, and with the portable poller, everything is as without.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <future>
#include <set>
#include <string>

#include "io/node_for_test.h"
#include "support/net.h"

namespace wirehall {
namespace {

class SeparateDescriptorsTest : public io::NodeFixture {
 protected:
  SeparateDescriptorsTest() {
    registry.of("/").api.on_event("all", [](Socket& socket, Value value) { socket.nsp().emit("all", value); });
    options.separate_descriptors = true;
  }
  template <class F>
  auto on_shard(F ask, unsigned shard = 0) {
    auto answer = std::make_shared<std::promise<decltype(ask())>>();
    node->post_to(shard, [answer, ask](pipeline::ShardCore&) { answer->set_value(ask()); });
    return answer->get_future().get();
  }
  bool separates() const {
#ifdef __SANITIZE_THREAD__
    return false;
#else
    return GetParam().shards == 1 && !GetParam().portable;
#endif
  }
};

TEST_P(SeparateDescriptorsTest, WhatOthersHaveOpenIsNotThere) {
  int pipe[2] = {-1, -1};
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  start();
  const int copy = on_shard([&] { return ::fcntl(pipe[1], F_GETFD); });
  EXPECT_EQ(copy == -1, separates());
  ::close(pipe[1]);
  if (separates()) {
    pollfd watched{pipe[0], POLLIN, 0};
    EXPECT_EQ(::poll(&watched, 1, 0), 1) << "its end: nobody else holds it";
  }
  ::close(pipe[0]);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    const bool here = ::fcntl(standard, F_GETFD) != -1;
    EXPECT_EQ(on_shard([&] { return ::fcntl(standard, F_GETFD) != -1; }), here);
  }
}

// A handler of a signal may write to a pipe, as Asio's does, under a number that is something else on the shard.
TEST_P(SeparateDescriptorsTest, SignalsAreLeftToOtherThreads) {
  start();
  const auto blocked = [](int signal) {
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, nullptr, &now);
    return sigismember(&now, signal) == 1;
  };
  EXPECT_EQ(on_shard([&] { return blocked(SIGTERM); }), separates());
  EXPECT_FALSE(on_shard([&] { return blocked(SIGSEGV); })) << "it would be for the shard itself";
}

TEST_P(SeparateDescriptorsTest, WhatTheShardNeedsIsThere) {
  start();
  const auto kinds = [] {
    std::multiset<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/thread-self/fd")) {
      std::error_code gone;  // the directory's own, when it is read
      const std::string what = std::filesystem::read_symlink(entry, gone).string();
      found.insert(what.substr(0, what.find(":[")));
    }
    return found;
  };
  const auto there = on_shard(kinds);
  EXPECT_GE(there.count("anon_inode"), 2u) << "the poller and the mailbox";
  EXPECT_GE(there.count("socket"), 2u) << "the listener, and what it spares";
}

TEST_P(SeparateDescriptorsTest, ServesAndIsWokenByOtherThreads) {
  start();
  test::NetClient client(node->port());
  ASSERT_EQ(client.open_websocket("/ws"), 101);
  const auto open = [] { return std::distance(std::filesystem::directory_iterator("/proc/thread-self/fd"), {}); };
  const auto before = open();
  test::NetClient another(node->port());
  ASSERT_EQ(another.open_websocket("/ws"), 101);
  EXPECT_EQ(open() - before, separates() ? 1 : 2) << "the server's end";
  another.send(test::text(R"({"type":"all","data":"hello"})"));
  EXPECT_EQ(client.await("all"), R"(t:{"type":"all","data":"hello"})");
}

TEST_P(SeparateDescriptorsTest, APortThatIsClosedIsClosed) {
  start();
  test::NetClient held(node->port());  // whose end is awaited, so that the shards go on for a while
  ASSERT_EQ(held.open_websocket("/ws"), 101);
  node->drain(std::chrono::seconds(3));
  for (unsigned shard = 0; shard < GetParam().shards; ++shard) on_shard([] { return 0; }, shard);  // it has begun
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(node->port());
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&target), sizeof target), -1);
  EXPECT_EQ(errno, ECONNREFUSED);
  ::close(socket);
}

INSTANTIATE_TEST_SUITE_P(Variants, SeparateDescriptorsTest, io::kNodeVariants, io::name_of);
INSTANTIATE_TEST_SUITE_P(Portable, SeparateDescriptorsTest, testing::Values(io::NodeVariant{1, true}), io::name_of);

}  // namespace
}  // namespace wirehall
