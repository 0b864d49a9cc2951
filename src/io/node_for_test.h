// A node on real sockets, in the variants that every test of it runs in.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "io/node.h"

namespace wirehall::io {

struct NodeVariant {
  unsigned shards;
  bool portable;  ///< the poller
  bool kernel_tls = false;
};
inline const auto kNodeVariants =
    testing::Values(NodeVariant{1, false}, NodeVariant{3, false}, NodeVariant{2, true});
inline const auto kTlsVariants =
    testing::Values(NodeVariant{1, false}, NodeVariant{3, false}, NodeVariant{2, true}, NodeVariant{1, false, true},
                    NodeVariant{3, false, true}, NodeVariant{2, true, true});
inline std::string name_of(const testing::TestParamInfo<NodeVariant>& variant) {
  return std::to_string(variant.param.shards) + (variant.param.portable ? "asio" : "epoll") +
         (variant.param.kernel_tls ? "_kernel" : "");
}

/// Lifetime: what a test registers at the node, and has itself, must outlive it: such a test resets it first.
class NodeFixture : public testing::TestWithParam<NodeVariant> {
 protected:
  NodeFixture() : world(registry) {
    options.shards = GetParam().shards;
    options.portable_poller = GetParam().portable;
  }
  void start() {
    registry.running = true;
    node = std::make_unique<Node>(world, options);
    ASSERT_TRUE(node->start().ok());
  }
  void TearDown() override {
    if (!node) return;
    node->drain(Milliseconds(0));
    node->join();
    EXPECT_EQ(node->connections(), 0u);
    EXPECT_EQ(node->sum(Counter::kConnectionsOpened), node->sum(Counter::kConnectionsClosed));
  }
  hub::Registry registry;
  pipeline::World world;
  NodeOptions options;
  std::unique_ptr<Node> node;
};

/// A node that answers: `echo` with what was sent, `address` with the peer's, `flood` with so many pieces.
class AnsweringNode : public NodeFixture {
 protected:
  AnsweringNode() {
    registry.of("/").api.on_event("echo", [](Value value, Ack ack) { ack(value); });
    registry.of("/").api.on_event("address",
                                  [](Socket& socket, Ack ack) { ack(socket.handshake().address); });
    registry.of("/").api.on_event("flood", [](Socket& socket, int count) {
      for (int i = 0; i < count; ++i) socket.emit("piece", std::string(10'000, 'x'));
    });
    registry.of("/").api.native_shape(
        "flood", {.aliases = {}, .arguments = {"data"}, .sent_type = {}, .sent_copies = {}});
  }
};

}  // namespace wirehall::io
