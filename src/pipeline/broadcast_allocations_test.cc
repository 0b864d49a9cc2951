// A frame that is delivered to many takes nothing from the heap for any of them: what a broadcast allocates
// does not depend on how many receive it.
#include <gtest/gtest.h>

#include <ostream>

#include "pipeline/lone_shard_for_test.h"
#include "support/allocations.h"

namespace wirehall::pipeline {
namespace {

struct Protocol {
  const char* name;
  LoneShard::Options options;
};
void PrintTo(const Protocol& protocol, std::ostream* out) { *out << protocol.name; }

class BroadcastAllocations : public testing::TestWithParam<Protocol> {
 protected:
  // What one broadcast of that many bytes to so many receivers takes, from the publisher's frame in the
  // receive buffer to the last byte out of the last outbox.
  bench::Allocations of_one_broadcast(std::size_t receivers, std::size_t bytes) {
    LoneShard shard(receivers + 1, GetParam().options);
    const std::string text(bytes, 'x');
    const std::string frame =
        LoneShard::masked(GetParam().options.native ? R"({"type":"publish","text":")" + text + "\"}"
                                                    : R"(42["publish",{"text":")" + text + "\"}]");
    for (int i = 0; i < 3; ++i) {  // what is made at the first use is no broadcast's
      shard.receive(0, frame);
      shard.flush();
    }
    const bench::Allocations before = bench::allocations_so_far();
    shard.receive(0, frame);
    const LoneShard::Written written = shard.flush();
    const bench::Allocations taken = bench::allocations_so_far() - before;
    EXPECT_EQ(written.connections, receivers);
    EXPECT_GT(taken.count, 0u) << "nothing was counted";
    return taken;
  }
};

TEST_P(BroadcastAllocations, DoNotDependOnTheNumberOfReceivers) {
  for (const std::size_t bytes : {100u, 4000u, 20'000u}) {
    for (const std::size_t receivers : {200u, 1000u}) {
      const bench::Allocations once = of_one_broadcast(receivers, bytes);
      const bench::Allocations twice = of_one_broadcast(receivers * 2, bytes);
      EXPECT_EQ(twice.count, once.count)
          << bytes << " bytes to " << receivers << " receivers and twice as many";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Protocols, BroadcastAllocations,
                         testing::Values(Protocol{"Native", {.native = true}},
                                         Protocol{"NativeDeflated", {.native = true, .deflate = true}},
                                         Protocol{"SocketIo", {.native = false}},
                                         Protocol{"SocketIoDeflated", {.native = false, .deflate = true}}),
                         [](const auto& protocol) { return std::string(protocol.param.name); });

}  // namespace
}  // namespace wirehall::pipeline
