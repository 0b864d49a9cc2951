// Bodies that are read in pieces, from the blocking pool to real sockets.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "io/node_for_test.h"
#include "support/net.h"

namespace wirehall {
namespace {

// A source of bytes that tell where they stand, which counts and may be let go of on any thread.
class Downloads {
 public:
  void serve(pipeline::World& world, std::uint64_t size) {
    size_ = size;
    world.routes.add(
        "GET", "/file",
        [this](http1::ResponseSink& sink, const http1::HttpRequest&, const http1::Responder& to) {
          http1::Response response;
          response.streamed_body = {
              [this, alive = std::shared_ptr<void>(nullptr, [this](void*) { ++released; })](
                  std::uint64_t offset, std::size_t bytes_max) -> Result<std::string> {
                EXPECT_EQ(hub::Hub::current(), nullptr) << "read on the pool";
                if (offset >= fails_from) return ErrorCode::kIo;
                asked_bytes += bytes_max;
                return bytes(offset, bytes_max);
              },
              0, size_};
          ++made;
          sink.respond(to, std::move(response));
        });
  }
  static std::string bytes(std::uint64_t offset, std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((offset + i) * 2654435761u >> 13);
    return text;
  }
  bool is_whole(const std::string& body) const { return body == bytes(0, size_); }
  std::atomic<std::uint64_t> asked_bytes{0}, fails_from{UINT64_MAX};
  std::atomic<int> made{0}, released{0};

 private:
  std::uint64_t size_ = 0;
};

class DownloadTest : public io::NodeFixture {
 protected:
  DownloadTest() { registry.of("/"); }
  ~DownloadTest() override { node.reset(); }  // which may still have reads under way
  Downloads downloads;
};

// A response is copied on its way; what it held is let go of with the last copy.
void expect_released(const Downloads& downloads) {
  while (downloads.released != downloads.made) std::this_thread::yield();
}

TEST_P(DownloadTest, LargeBodiesArriveWholeOnEveryShard) {
  downloads.serve(world, 5'000'001);
  start();
  std::vector<std::unique_ptr<test::NetClient>> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(std::make_unique<test::NetClient>(node->port()));
  for (int round = 0; round < 2; ++round) {
    for (auto& client : clients) client->send(test::get("/file") + test::get("/nothing"));
    for (auto& client : clients) {
      EXPECT_TRUE(downloads.is_whole(client->response().body));
      EXPECT_EQ(client->response().status, 404) << "the connection goes on";
    }
  }
}

TEST_P(DownloadTest, ABodyIsReadNoFasterThanItsPeerReads) {
  downloads.serve(world, 30'000'000);
  start();
  test::NetClient client(node->port());
  client.send(test::get("/file"));
  // At rest: what the two kernels hold, and one piece.
  std::uint64_t before = 0;
  for (int same = 0; same < 20; ++same) {
    pollfd watched{client.descriptor(), POLLRDHUP, 0};
    ::poll(&watched, 1, 10);
    if (downloads.asked_bytes != before || before == 0) same = 0;
    before = downloads.asked_bytes;
  }
  EXPECT_LT(before, 15'000'000u);
  EXPECT_TRUE(downloads.is_whole(client.response().body));
}

TEST_P(DownloadTest, APeerThatGoesLetsGoOfTheSource) {
  downloads.serve(world, 100'000'000);
  start();
  for (int i = 0; i < 20; ++i) {
    test::NetClient client(node->port());
    client.send(test::get("/file"));
    char some[100'000];
    std::size_t got = 0;
    while (got < sizeof some * static_cast<std::size_t>(i) / 20) {
      const ssize_t now = ::recv(client.descriptor(), some, sizeof some, 0);
      ASSERT_GT(now, 0);
      got += static_cast<std::size_t>(now);
    }
  }
  while (node->connections() != 0) std::this_thread::yield();
  expect_released(downloads);
}

TEST_P(DownloadTest, ABodyThatFailsEndsBeforeItsLength) {
  downloads.serve(world, 5'000'000);
  downloads.fails_from = 1'000'000;
  start();
  test::NetClient client(node->port());
  client.send(test::get("/file"));
  EXPECT_EQ(client.response().status, 0);
  EXPECT_TRUE(client.closes());
  expect_released(downloads);
}

TEST_P(DownloadTest, AServerThatDrainsFinishesBodies) {
  downloads.serve(world, 5'000'000);
  start();
  test::NetClient client(node->port());
  client.send(test::get("/file"));
  while (downloads.asked_bytes == 0) std::this_thread::yield();
  node->drain(Milliseconds(0));
  EXPECT_TRUE(downloads.is_whole(client.response().body));
  EXPECT_TRUE(client.closes());
}

TEST_P(DownloadTest, AServerThatStopsCutsBodies) {
  downloads.serve(world, 100'000'000);
  start();
  std::vector<std::unique_ptr<test::NetClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<test::NetClient>(node->port()));
    clients.back()->send(test::get("/file"));
  }
  while (downloads.made != 4 || downloads.asked_bytes < 400'000) std::this_thread::yield();
  node->stop();
  node->join();
  EXPECT_EQ(node->connections(), 0u);
  for (auto& client : clients) EXPECT_EQ(client->response().status, 0);
  node.reset();
  expect_released(downloads);
}

INSTANTIATE_TEST_SUITE_P(Variants, DownloadTest, io::kNodeVariants, io::name_of);

}  // namespace
}  // namespace wirehall
