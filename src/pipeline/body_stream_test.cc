// Bodies that are read in pieces while they are sent, over simulated connections.
#include "pipeline/body_stream.h"

#include <gtest/gtest.h>

#include "support/seed.h"
#include "support/sim.h"

namespace wirehall {
namespace {

using test::get;
using test::HttpAnswer;
using test::SimNode;
using test::SimPeer;
using test::take_response;

constexpr std::uint64_t kPiece = 64 * 1024;
constexpr std::uint64_t kPieces = 5;
constexpr std::uint64_t kSize = (kPieces - 1) * kPiece + 1234;

// Bytes that tell where they stand.
std::string bytes_at(std::uint64_t offset, std::uint64_t size) {
  std::string bytes(size, '\0');
  for (std::uint64_t i = 0; i < size; ++i) {
    const std::uint64_t at = offset + i;
    bytes[i] = static_cast<char>(at ^ (at >> 8) * 7 ^ (at >> 16) * 31);
  }
  return bytes;
}

class BodyStreamTest : public testing::Test {
 protected:
  BodyStreamTest() : node(2, test::seed()) {
    node.world().routes.add("GET", "/file",
                            [this](http1::ResponseSink& sink, const http1::HttpRequest&,
                                   const http1::Responder& to) { answer(sink, to); });
    node.world().routes.add(
        "GET", "/small",
        [](http1::ResponseSink& sink, const http1::HttpRequest&, const http1::Responder& to) {
          http1::Response response;
          response.body = "small";
          sink.respond(to, std::move(response));
        });
    EXPECT_EQ(node.world().limits.http_body_piece_bytes_max, kPiece);
    node.start();
  }
  void answer(http1::ResponseSink& sink, const http1::Responder& to) {
    if (from_other_shard) {
      node.post(0, 1, [this, to](pipeline::ShardCore& core) { core.respond(to, file()); });
      return;
    }
    for (int i = 0; i < answers; ++i) sink.respond(to, file());
  }
  http1::Response file() {
    http1::Response response;
    response.set("Content-Type", "application/octet-stream");
    const auto alive = std::make_shared<int>(0);
    held = alive;
    response.streamed_body = {
        [this, alive](std::uint64_t offset, std::size_t bytes_max) { return read(offset, bytes_max); }, first,
        size};
    return response;
  }
  Result<std::string> read(std::uint64_t offset, std::size_t bytes_max) {
    EXPECT_EQ(offset, first + asked_bytes) << "in order, without a gap";
    EXPECT_LE(bytes_max, kPiece);
    EXPECT_LE(offset + bytes_max, first + size);
    if (asks == holds_at) node.mail_flows = false;
    if (asks + 1 == refuses_after) node.pool_accepts = false;
    if (asks++ == fails_at) {
      if (ends_early) return std::string();
      return Error(ErrorCode::kUnavailable, "disk /dev/sda is on fire");
    }
    const std::size_t given = std::min(bytes_max, gives_max);
    asked_bytes += given;
    return bytes_at(offset, given);
  }
  void begin() {
    asks = 0;
    asked_bytes = 0;
  }
  /// A peer that has taken the head and so many whole pieces, and takes no more.
  SimPeer& stopped_after(std::uint64_t pieces, const std::string& request = get("/file")) {
    begin();
    SimPeer& peer = node.connect(0);
    peer.reads = false;
    peer.window = 0;
    peer.send(request);
    node.run();
    // One byte opens the window far enough to see how long the head is.
    peer.window = 300;
    node.run();
    const std::size_t head = peer.received().find("\r\n\r\n") + 4;
    EXPECT_LT(head, 300u);
    peer.window =
        head + pieces * kPiece - std::min<std::size_t>(peer.received().size(), head + pieces * kPiece);
    node.run();
    return peer;
  }
  /// A peer whose connection waits for the piece with that number, while no mail flows.
  SimPeer& held_at(std::uint64_t piece) {
    begin();
    holds_at = piece;
    SimPeer& peer = node.connect(0);
    peer.send(get("/file"));
    node.run();
    holds_at = UINT64_MAX;
    EXPECT_EQ(asks, piece + 1);
    EXPECT_FALSE(node.mail_flows);
    return peer;
  }
  void shut_down() {
    for (pipeline::Connection* connection : node.core(0).connections()) connection->shut_down();
  }
  void expect_gone() {
    EXPECT_EQ(node.core(0).connection_count(), 0u);
    EXPECT_TRUE(held.expired()) << "the source is let go";
  }

  std::uint64_t first = 0, size = kSize;
  std::uint64_t asks = 0, asked_bytes = 0;
  std::uint64_t fails_at = UINT64_MAX;
  std::uint64_t holds_at = UINT64_MAX;       // mail is held from this piece on
  std::uint64_t refuses_after = UINT64_MAX;  // so many pieces the pool is full
  int answers = 1;
  bool from_other_shard = false;
  bool ends_early = false;
  std::size_t gives_max = SIZE_MAX;
  std::weak_ptr<int> held;
  SimNode node;
};

TEST_F(BodyStreamTest, TheBodyIsWholeAndTheConnectionGoesOn) {
  SimPeer& peer = node.connect(0);
  for (const std::uint64_t body :
       {std::uint64_t{1}, kPiece - 1, kPiece, kPiece + 1, kSize, std::uint64_t{10'485'763}}) {
    begin();
    size = body;
    peer.send(get("/file"));
    node.run();
    const HttpAnswer answer = take_response(peer.received());
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.head.find("Content-Length: " + std::to_string(body) + "\r\n"), std::string::npos);
    EXPECT_NE(answer.head.find("Connection: keep-alive"), std::string::npos);
    EXPECT_TRUE(answer.body == bytes_at(0, body)) << body;
    EXPECT_EQ(peer.received(), "");
    EXPECT_EQ(asks, (body + kPiece - 1) / kPiece);
    EXPECT_TRUE(held.expired());
  }
  EXPECT_FALSE(peer.closed());
}

TEST_F(BodyStreamTest, APartOfTheSourceIsSent) {
  first = 1'000'000;
  size = 100'000;
  SimPeer& peer = node.connect(0);
  peer.send(get("/file"));
  node.run();
  EXPECT_TRUE(take_response(peer.received()).body == bytes_at(first, size));
}

TEST_F(BodyStreamTest, ASourceMayGiveLessThanItIsAskedFor) {
  gives_max = 1000;
  SimPeer& peer = node.connect(0);
  peer.send(get("/file"));
  node.run();
  EXPECT_TRUE(take_response(peer.received()).body == bytes_at(0, kSize));
  EXPECT_EQ(asks, (kSize + 999) / 1000);
}

TEST_F(BodyStreamTest, NothingIsAskedWhileOutputWaits) {
  SimPeer& peer = stopped_after(0);
  EXPECT_EQ(asks, 1u) << "the first piece comes with the head";
  const std::size_t head = peer.received().find("\r\n\r\n") + 4;
  std::uint64_t most = 0;
  while (peer.received().size() < head + kSize) {
    peer.window = 10'007;
    const std::size_t before = peer.received().size();
    node.run();
    ASSERT_GT(peer.received().size(), before);
    const std::uint64_t taken = peer.received().size() - std::min(peer.received().size(), head);
    ASSERT_LE(asked_bytes - taken, kPiece);
    most = std::max(most, asked_bytes - taken);
    EXPECT_EQ(asks, taken / kPiece + 1) << taken;
  }
  EXPECT_GT(most, kPiece / 2);
  EXPECT_TRUE(take_response(peer.received()).body == bytes_at(0, kSize));
}

TEST_F(BodyStreamTest, APeerMayGoAtEveryPiece) {
  for (std::uint64_t pieces = 0; pieces < kPieces; ++pieces) {
    SimPeer& peer = stopped_after(pieces);
    const std::uint64_t before = asks;
    EXPECT_EQ(before, pieces + 1);
    peer.reset();
    node.run();
    EXPECT_EQ(asks, before);
    expect_gone();
  }
}

TEST_F(BodyStreamTest, APeerMayGoWhileAPieceIsRead) {
  for (std::uint64_t pieces = 0; pieces < kPieces; ++pieces) {
    SimPeer& peer = held_at(pieces);
    peer.reset();
    node.run();
    EXPECT_EQ(node.core(0).connection_count(), 0u);
    node.mail_flows = true;
    node.run();
    EXPECT_EQ(asks, pieces + 1);
    expect_gone();
  }
}

TEST_F(BodyStreamTest, WhatCannotBeReadAtAllIsAnsweredWithItsError) {
  node.world().cors.enabled = true;
  node.world().cors.any_origin = true;
  fails_at = 0;
  SimPeer& peer = node.connect(0);
  peer.send(get("/file") + get("/small"));
  node.run();
  const HttpAnswer refused = take_response(peer.received());
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body,
            R"({"type":"about:blank","title":"Temporarily unavailable","status":503,"code":"unavailable"})");
  EXPECT_NE(refused.head.find("Access-Control-Allow-Origin: *"), std::string::npos);
  EXPECT_EQ(refused.head.find("octet-stream"), std::string::npos);
  EXPECT_EQ(take_response(peer.received()).body, "small");
  ends_early = true;
  begin();
  peer.send(get("/file") + get("/small"));
  node.run();
  EXPECT_EQ(take_response(peer.received()).status, 500);
  EXPECT_EQ(take_response(peer.received()).body, "small");
  EXPECT_TRUE(held.expired());
}

TEST_F(BodyStreamTest, AnErrorInTheMiddleEndsTheConnectionAtThatPlace) {
  for (const bool early : {false, true}) {
    ends_early = early;
    for (fails_at = 1; fails_at < kPieces; ++fails_at) {
      begin();
      SimPeer& peer = node.connect(0);
      peer.send(get("/file") + get("/small"));
      node.run();
      EXPECT_TRUE(peer.closed());
      const std::size_t head = peer.received().find("\r\n\r\n") + 4;
      EXPECT_TRUE(peer.received().substr(head) == bytes_at(0, fails_at * kPiece))
          << "nothing else is passed off as the rest";
      EXPECT_EQ(asks, fails_at + 1);
      expect_gone();
    }
  }
}

TEST_F(BodyStreamTest, PipelinedRequestsWaitForTheirTurn) {
  SimPeer& peer = node.connect(0);
  std::string requests;
  for (int i = 0; i < 40; ++i) requests += get("/small");
  for (int round = 0; round < 3; ++round) {
    begin();
    peer.send(requests + get("/file") + requests + get("/nothing"));
    node.run();
    for (int i = 0; i < 40; ++i) ASSERT_EQ(take_response(peer.received()).body, "small");
    EXPECT_TRUE(take_response(peer.received()).body == bytes_at(0, kSize));
    for (int i = 0; i < 40; ++i) ASSERT_EQ(take_response(peer.received()).body, "small");
    EXPECT_EQ(take_response(peer.received()).status, 404);
  }
}

TEST_F(BodyStreamTest, EarlierResponsesLeaveBeforeTheSourceIsAsked) {
  SimPeer& peer = node.connect(0);
  peer.reads = false;
  peer.send(get("/small") + get("/file"));
  node.run();
  EXPECT_EQ(asks, 0u);
  peer.reads = true;
  node.run();
  EXPECT_EQ(take_response(peer.received()).body, "small");
  EXPECT_TRUE(take_response(peer.received()).body == bytes_at(0, kSize));
}

TEST_F(BodyStreamTest, AHeadIsAnsweredWithTheLengthAlone) {
  SimPeer& peer = node.connect(0);
  peer.send("HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n");
  node.run();
  const std::string head = peer.take();
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  EXPECT_NE(head.find("Content-Length: " + std::to_string(kSize) + "\r\n"), std::string::npos);
  EXPECT_EQ(asks, 0u);
  EXPECT_TRUE(held.expired());
  peer.send(get("/small"));
  node.run();
  EXPECT_EQ(take_response(peer.received()).body, "small");
}

TEST_F(BodyStreamTest, AnEmptyBodyIsNotRead) {
  size = 0;
  SimPeer& peer = node.connect(0);
  peer.send(get("/file") + get("/small"));
  node.run();
  const HttpAnswer answer = take_response(peer.received());
  EXPECT_NE(answer.head.find("Content-Length: 0\r\n"), std::string::npos);
  EXPECT_EQ(take_response(peer.received()).body, "small");
  EXPECT_EQ(asks, 0u);
}

TEST_F(BodyStreamTest, AStoppingServerSendsTheBodyToItsEndAndNoMore) {
  // When all but the last piece has left, the last one lies in the outbox and the next request is answered.
  for (std::uint64_t pieces = 0; pieces + 1 < kPieces; ++pieces) {
    SimPeer& peer = stopped_after(pieces, get("/file") + get("/small"));
    shut_down();
    peer.reads = true;
    node.run();
    EXPECT_TRUE(take_response(peer.received()).body == bytes_at(0, kSize));
    EXPECT_EQ(peer.received(), "");
    EXPECT_TRUE(peer.closed());
    expect_gone();
  }
}

TEST_F(BodyStreamTest, AServerThatStopsDuringTheFirstReadSaysThatItCloses) {
  SimPeer& peer = held_at(0);
  shut_down();
  node.mail_flows = true;
  node.run();
  const HttpAnswer answer = take_response(peer.received());
  EXPECT_TRUE(answer.body == bytes_at(0, kSize));
  EXPECT_NE(answer.head.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(peer.closed());
  expect_gone();
}

TEST_F(BodyStreamTest, ClosesWhereTheClientAskedForIt) {
  SimPeer& peer = node.connect(0);
  peer.send(get("/file", "Connection: close\r\n"));
  node.run();
  const HttpAnswer answer = take_response(peer.received());
  EXPECT_NE(answer.head.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(answer.body == bytes_at(0, kSize));
  EXPECT_TRUE(peer.closed());
}

TEST_F(BodyStreamTest, AHalfClosedPeerStillGetsTheBody) {
  for (std::uint64_t pieces = 0; pieces < kPieces; ++pieces) {
    SimPeer& peer = stopped_after(pieces);
    peer.half_close();
    node.run();
    EXPECT_FALSE(peer.closed());
    peer.reads = true;
    node.run();
    EXPECT_TRUE(take_response(peer.received()).body == bytes_at(0, kSize));
    EXPECT_TRUE(peer.closed());
    expect_gone();
  }
}

TEST_F(BodyStreamTest, APeerThatDoesNotReadIsCut) {
  const auto stall = node.world().limits.write_stall_timeout;
  for (std::uint64_t pieces = 0; pieces < kPieces; ++pieces) {
    SimPeer& peer = stopped_after(pieces);
    node.advance(stall - Milliseconds(1));
    EXPECT_FALSE(peer.closed());
    node.advance(Milliseconds(2));
    EXPECT_TRUE(peer.closed());
    EXPECT_EQ(asks, pieces + 1);
    expect_gone();
  }
  EXPECT_EQ(node.sum(Counter::kSlowConsumers), kPieces);
}

TEST_F(BodyStreamTest, APeerThatReadsSlowlyIsNotCut) {
  SimPeer& peer = stopped_after(0);
  for (int i = 0; i < 10; ++i) {
    node.advance(node.world().limits.write_stall_timeout - Milliseconds(1000));
    peer.window = 1000;
    node.run();
  }
  EXPECT_FALSE(peer.closed());
  peer.reads = true;
  node.run();
  EXPECT_TRUE(take_response(peer.received()).body == bytes_at(0, kSize));
}

TEST_F(BodyStreamTest, AFullPoolIsAskedAgain) {
  for (std::uint64_t pieces = 0; pieces < kPieces; ++pieces) {
    begin();
    refuses_after = pieces;
    node.pool_accepts = pieces != 0;
    SimPeer& peer = node.connect(0);
    peer.send(get("/file"));
    node.run();
    EXPECT_EQ(asks, pieces);
    node.advance(node.world().limits.http_body_read_timeout - Milliseconds(100));
    EXPECT_EQ(asks, pieces);
    refuses_after = UINT64_MAX;
    node.pool_accepts = true;
    node.advance(Milliseconds(60));
    EXPECT_TRUE(take_response(peer.received()).body == bytes_at(0, kSize));
    EXPECT_FALSE(peer.closed());
  }
}

TEST_F(BodyStreamTest, APoolThatStaysFullEndsTheResponse) {
  for (std::uint64_t pieces = 0; pieces < kPieces; ++pieces) {
    begin();
    refuses_after = pieces;
    node.pool_accepts = pieces != 0;
    SimPeer& peer = node.connect(0);
    peer.send(get("/file"));
    node.advance(node.world().limits.http_body_read_timeout + Milliseconds(1));
    EXPECT_EQ(asks, pieces);
    EXPECT_TRUE(held.expired());
    EXPECT_EQ(peer.closed(), pieces != 0);
    if (pieces == 0) {
      EXPECT_EQ(take_response(peer.received()).status, 503);
      peer.send(get("/small"));
      node.run();
      EXPECT_EQ(take_response(peer.received()).body, "small");
    }
    node.pool_accepts = true;
  }
}

TEST_F(BodyStreamTest, AReadThatHangsEndsTheResponseAndComesTooLate) {
  for (std::uint64_t pieces = 0; pieces < kPieces; ++pieces) {
    SimPeer& peer = held_at(pieces);
    node.advance(node.world().limits.http_body_read_timeout - Milliseconds(1));
    EXPECT_FALSE(peer.closed());
    EXPECT_EQ(pieces == 0 ? peer.received().size() : 0, 0u);
    node.advance(Milliseconds(2));
    EXPECT_EQ(peer.closed(), pieces != 0);
    EXPECT_EQ(take_response(peer.received()).status, pieces == 0 ? 503 : 0);
    const std::size_t before = peer.received().size();
    node.mail_flows = true;
    node.run();
    EXPECT_EQ(peer.received().size(), before);
    EXPECT_EQ(asks, pieces + 1);
    EXPECT_TRUE(held.expired());
  }
}

TEST_F(BodyStreamTest, ASecondAnswerIsTooLate) {
  answers = 2;
  SimPeer& peer = stopped_after(2, get("/file") + get("/small"));
  peer.reads = true;
  node.run();
  EXPECT_TRUE(take_response(peer.received()).body == bytes_at(0, kSize));
  EXPECT_EQ(take_response(peer.received()).body, "small");
  EXPECT_EQ(peer.received(), "");
}

TEST_F(BodyStreamTest, AnAnswerMayComeFromAnotherShard) {
  from_other_shard = true;
  SimPeer& peer = node.connect(0);
  peer.send(get("/file") + get("/small"));
  node.run();
  EXPECT_TRUE(take_response(peer.received()).body == bytes_at(0, kSize));
  EXPECT_EQ(take_response(peer.received()).body, "small");
  EXPECT_TRUE(held.expired());
}

TEST_F(BodyStreamTest, AnUpgradeMayFollow) {
  SimPeer& peer = node.connect(0);
  peer.send(get("/file") + test::upgrade("/ws") + test::text(R"({"type":"ping","id":1})"));
  node.run();
  EXPECT_TRUE(take_response(peer.received()).body == bytes_at(0, kSize));
  EXPECT_EQ(take_response(peer.received()).status, 101);
  EXPECT_EQ(test::take_frames(peer.received()).size(), 1u);
}

}  // namespace
}  // namespace wirehall
