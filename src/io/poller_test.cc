// One suite for both pollers: what io/poller.h promises.
#include "io/poller.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>

namespace wirehall {
namespace {

class PollerContract : public testing::TestWithParam<bool> {
 protected:
  struct Watched final : io::Pollable {
    void on_hangup() override { ++hangups; }
    void on_ready(bool readable, bool writable) override {
      reads += readable ? 1 : 0;
      writes += writable ? 1 : 0;
      if (action) action();
    }
    int hangups = 0, reads = 0, writes = 0;
    std::function<void()> action;
  };
  PollerContract() : poller(GetParam() ? io::make_asio_poller() : io::make_epoll_poller()) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  }
  ~PollerContract() override {
    for (const int end : ends) {
      if (end >= 0) ::close(end);
    }
  }
  template <class F>
  bool run_until(F condition) {
    for (int i = 0; i < 2000 && !condition(); ++i) wait(std::chrono::milliseconds(5));
    return condition();
  }
  bool wait(Duration timeout) {
    if (!poller->wait(timeout)) return false;
    poller->deliver();
    return true;
  }
  // Whatever is still on its way.
  void settle() {
    while (wait(std::chrono::milliseconds(5))) {
    }
  }
  std::unique_ptr<io::Poller> poller;
  int ends[2] = {-1, -1};
};

TEST_P(PollerContract, ReportsReadabilityAfterAddAndAfterEachArm) {
  Watched watched;
  ASSERT_TRUE(poller->add(ends[0], watched));
  ASSERT_TRUE(run_until([&] { return watched.writes == 1; })) << "a fresh socket can be written";
  char buffer[16];
  for (int round = 1; round <= 3; ++round) {
    ASSERT_EQ(::write(ends[1], "x", 1), 1);
    ASSERT_TRUE(run_until([&] { return watched.reads >= round; })) << round;
    ASSERT_EQ(::read(ends[0], buffer, sizeof buffer), 1);
    watched.reads = round;
    poller->arm_read(watched);
  }
  poller->remove(ends[0], watched);
}

TEST_P(PollerContract, ReportsWritabilityWhenTheBufferHasRoomAgain) {
  Watched watched;
  ASSERT_TRUE(poller->add(ends[0], watched));
  ASSERT_TRUE(run_until([&] { return watched.writes == 1; }));
  const std::string block(65536, 'x');
  while (::write(ends[0], block.data(), block.size()) > 0) {
  }
  poller->arm_write(watched);
  settle();
  EXPECT_EQ(watched.writes, 1);
  std::string sink(1 << 20, '\0');
  while (::read(ends[1], sink.data(), sink.size()) > 0) {
  }
  EXPECT_TRUE(run_until([&] { return watched.writes == 2; }));
  poller->remove(ends[0], watched);
}

TEST_P(PollerContract, SaysNothingOfWritabilityWhereOnlyReadsAreWatched) {
  Watched watched;
  ASSERT_TRUE(poller->add(ends[0], watched, io::Poller::Watch::kReads));
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  ASSERT_TRUE(run_until([&] { return watched.reads >= 1; }));
  settle();
  EXPECT_EQ(watched.writes, 0);
  poller->remove(ends[0], watched);
}

TEST_P(PollerContract, WaitsNoLongerThanTheTimeout) {
  Watched watched;
  ASSERT_TRUE(poller->add(ends[0], watched, io::Poller::Watch::kReads));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(wait(std::chrono::milliseconds(20)));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(19));
  EXPECT_FALSE(wait(Duration::zero()));
  EXPECT_FALSE(wait(-std::chrono::hours(1))) << "what is past is not waited for";
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  EXPECT_TRUE(wait(Duration::max())) << "what is ready ends a wait without end";
  EXPECT_EQ(watched.reads, 1);
  char byte;
  ASSERT_EQ(::read(ends[0], &byte, 1), 1);
  poller->arm_read(watched);
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  EXPECT_TRUE(wait(Duration::zero())) << "and is found without any wait";
  EXPECT_EQ(watched.reads, 2);
  poller->remove(ends[0], watched);
}

TEST_P(PollerContract, ReportsTheEnd) {
  Watched watched;
  ASSERT_TRUE(poller->add(ends[0], watched));
  ASSERT_TRUE(run_until([&] { return watched.writes == 1; }));
  ::close(std::exchange(ends[1], -1));
  EXPECT_TRUE(run_until([&] { return watched.hangups + watched.reads >= 1; }));
  poller->remove(ends[0], watched);
}

TEST_P(PollerContract, SaysNothingMoreAfterRemove) {
  Watched first, second;
  int others[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, others), 0);
  ASSERT_TRUE(poller->add(ends[0], first));
  ASSERT_TRUE(poller->add(others[0], second));
  ASSERT_TRUE(run_until([&] { return first.writes == 1 && second.writes == 1; }));
  // Each removes the other: whoever comes first in the batch is the only one to be told.
  first.action = [&] { poller->remove(others[0], second); };
  second.action = [&] { poller->remove(ends[0], first); };
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  ASSERT_EQ(::write(others[1], "x", 1), 1);
  ASSERT_TRUE(run_until([&] { return first.reads + second.reads >= 1; }));
  settle();
  EXPECT_EQ(first.reads + second.reads, 1);
  poller->remove(ends[0], first);
  poller->remove(others[0], second);
  ::close(others[0]);
  ::close(others[1]);
}

INSTANTIATE_TEST_SUITE_P(Both, PollerContract, testing::Values(false, true),
                         [](const auto& kind) { return kind.param ? "asio" : "epoll"; });

}  // namespace
}  // namespace wirehall
