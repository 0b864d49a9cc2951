#include "server/recovery_log.h"

#include <gtest/gtest.h>

#include <variant>

#include "hub/encoded_message.h"

namespace wirehall::server {
namespace {

MonoTime at(int seconds) { return MonoTime(std::chrono::seconds(seconds)); }

std::shared_ptr<const hub::FrozenMessage> message(std::size_t bytes = 1) {
  auto made = std::make_shared<hub::FrozenMessage>();
  made->nsp = "/";
  made->event = "e";
  made->args_json = std::string(bytes, ' ');
  return made;
}

hub::RecoverySession session(const std::string& pid) {
  hub::RecoverySession made;
  made.pid = pid;
  made.sid = "sid-" + pid;
  made.user_id = "ann";
  return made;
}

class RecoveryLogTest : public testing::Test {
 protected:
  RecoveryLogTest() {
    options.disconnection_max = std::chrono::seconds(100);
    options.entries_max = 5;
    options.unconsumed_max = 8;
    options.sessions_max = 3;
  }
  LockedRecoveryLog& log(unsigned shards = 1) {
    log_ = std::make_unique<LockedRecoveryLog>(options, shards, "abc");
    return *log_;
  }
  RecoveryOptions options;
  std::unique_ptr<LockedRecoveryLog> log_;
};

TEST_F(RecoveryLogTest, EveryShardConsumesInOrder) {
  LockedRecoveryLog& l = log(2);
  for (std::uint64_t i = 1; i <= 4; ++i) EXPECT_EQ(l.append(message(), {}, {}, at(0)), i);
  EXPECT_TRUE(l.must_tell(1));
  EXPECT_FALSE(l.must_tell(1)) << "it has been told";
  const auto first = l.consume(0, 0, 3);
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[0]->number, 1u);
  EXPECT_EQ(l.consume(0, 3, 10).size(), 1u);
  EXPECT_TRUE(l.consume(0, 4, 10).empty());
  EXPECT_EQ(l.consume(1, 0, 10).size(), 4u);
  EXPECT_FALSE(l.must_tell(1)) << "there is nothing new";
  ASSERT_TRUE(l.append(message(), {}, {}, at(0)));
  EXPECT_TRUE(l.must_tell(1));
}

TEST_F(RecoveryLogTest, WhatAShardHasNotConsumedIsKeptAndBounded) {
  LockedRecoveryLog& l = log(2);
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(l.append(message(), {}, {}, at(0))) << i;
    l.consume(0, static_cast<std::uint64_t>(i), 10);
  }
  EXPECT_FALSE(l.append(message(), {}, {}, at(1000))) << "the other shard has eight to go";
  EXPECT_EQ(l.consume(1, 0, 100).size(), 8u) << "more than entries_max, and old";
  EXPECT_TRUE(l.append(message(), {}, {}, at(1000)));
}

TEST_F(RecoveryLogTest, ReplaysAreExactOrRefused) {
  LockedRecoveryLog& l = log();
  EXPECT_TRUE(l.replay(0, 0)) << "nothing was sent, nothing is missing";
  for (std::uint64_t i = 1; i <= 7; ++i) {
    l.append(message(), {}, {}, at(0));
    l.consume(0, i - 1, 10);
  }
  l.append(message(), {}, {}, at(0));
  l.consume(0, 7, 10);
  EXPECT_FALSE(l.replay(0, 8)) << "the first are gone";
  EXPECT_FALSE(l.replay(1, 8));
  const auto kept = l.replay(3, 8);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->size(), 5u);
  EXPECT_EQ(kept->front()->number, 4u);
  EXPECT_EQ(l.replay(8, 8)->size(), 0u);
  EXPECT_FALSE(l.replay(9, 8)) << "from the future";
  EXPECT_FALSE(l.replay(3, 9));
}

TEST_F(RecoveryLogTest, BytesAndAgeAreBoundsToo) {
  options.entries_max = 1000;
  options.unconsumed_max = 1000;
  options.bytes_max = 20'000;
  LockedRecoveryLog& l = log();
  for (std::uint64_t i = 1; i <= 50; ++i) {
    l.append(message(1000), {}, {}, at(0));
    l.consume(0, i - 1, 10);
  }
  EXPECT_FALSE(l.replay(20, 50));
  EXPECT_TRUE(l.replay(45, 50));
  l.append(message(), {}, {}, at(101));
  EXPECT_FALSE(l.replay(45, 51)) << "older than anybody may be away";
}

TEST_F(RecoveryLogTest, ASessionIsClaimedByOneAndCanBePutBack) {
  LockedRecoveryLog& l = log();
  EXPECT_TRUE(std::holds_alternative<std::monostate>(l.claim("p", at(0))));
  l.connected("p", {3, "sid-p", "ann", false});
  const auto owner = l.claim("p", at(0));
  ASSERT_TRUE(std::holds_alternative<hub::RecoveryOwner>(owner));
  EXPECT_EQ(std::get<hub::RecoveryOwner>(owner).shard, 3u);
  l.save(session("p"), at(0));
  auto first = l.claim("p", at(1));
  ASSERT_TRUE(std::holds_alternative<hub::RecoverySession>(first));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(l.claim("p", at(1)))) << "claimed";
  l.put_back(std::get<hub::RecoverySession>(first));
  EXPECT_TRUE(std::holds_alternative<hub::RecoverySession>(l.claim("p", at(2))));
  l.connected("p", {0, "sid-p", "ann", false});
  l.forget("p");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(l.claim("p", at(2))));
}

TEST_F(RecoveryLogTest, SessionsExpireAndAreBounded) {
  LockedRecoveryLog& l = log();
  l.save(session("old"), at(0));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(l.claim("old", at(100))));
  for (int i = 0; i < 10; ++i) l.save(session("s" + std::to_string(i)), at(200));
  int kept = 0;
  for (int i = 0; i < 10; ++i) {
    if (std::holds_alternative<hub::RecoverySession>(l.claim("s" + std::to_string(i), at(201)))) ++kept;
  }
  EXPECT_EQ(kept, 3);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(l.claim("s0", at(201)))) << "the oldest went";
}

TEST(Positions, AreReadAsHostile) {
  const std::string good = hub::format_position("abc", 42);
  EXPECT_EQ(good, "eabc-42");
  EXPECT_EQ(hub::parse_position(good, "abc"), 42u);
  for (const char* bad : {"", "e", "eabc", "eabc-", "eabd-42", "abc-42", "eabc-42 ", "eabc--1", "eabc-+1", "eabc-0x1",
                          "eabc-18446744073709551616", "Eabc-42", "eabc42"})
    EXPECT_FALSE(hub::parse_position(bad, "abc")) << bad;
}

}  // namespace
}  // namespace wirehall::server
