#include "hub/kept_user.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace wirehall::hub {
namespace {

constexpr const char* kClaims = R"({"sub":"u1","user":{"name":"Ann"},"exp":2000000000})";

User sample() {
  User user;
  user.id = "u1";
  user.name = "Ann";
  user.info = Value{{"name", "Ann"}, {"age", 41}};
  user.expires_at = 2'000'000'000'000;
  user.claims = Value::from_validated_json(kClaims);
  return user;
}

Handshake with_token(const std::string& payload) {
  Handshake handshake;
  handshake.url = "/socket.io/";
  handshake.address = "192.0.2.1";
  handshake.auth = Value{{"token", "eyJhbGciOiJIUzI1NiJ9." + to_base64url(payload) + ".signature"}};
  return handshake;
}

void expect_sample(const User& user) {
  EXPECT_EQ(user.id, "u1");
  EXPECT_EQ(user.name, "Ann");
  EXPECT_EQ(user.info.to_json(), R"({"name":"Ann","age":41})");
  EXPECT_FALSE(user.rooms);
  EXPECT_EQ(user.expires_at, 2'000'000'000'000);
  EXPECT_FALSE(user.anonymous);
  EXPECT_EQ(user.claims.to_json(), kClaims);
}

TEST(KeptUser, IsNobodyUntilSomebodySaysWhoItIs) {
  KeptUser kept;
  EXPECT_FALSE(kept);
  EXPECT_EQ(kept.get().id, "");
  EXPECT_TRUE(kept.get().claims.is_null());
  kept.pack(KeptHandshake());
  EXPECT_FALSE(kept);
  EXPECT_EQ(kept.copy().id, "");
}

TEST(KeptUser, UnpacksToWhatWasPacked) {
  KeptUser kept;
  kept.set(sample());
  kept.pack(KeptHandshake());
  EXPECT_TRUE(kept.is_packed());
  expect_sample(kept.copy());
  EXPECT_TRUE(kept.is_packed()) << "a copy leaves it as it is";
  const User& user = kept.get();
  EXPECT_FALSE(kept.is_packed());
  expect_sample(user);
  EXPECT_EQ(&kept.get(), &user) << "looked at twice, it is the same";
}

TEST(KeptUser, EmptyTextsComeBackEmpty) {
  User user;
  user.id = "guest-1";
  user.anonymous = true;
  KeptUser kept;
  kept.set(std::move(user));
  kept.pack(KeptHandshake());
  ASSERT_TRUE(kept.is_packed());
  EXPECT_EQ(kept.get().id, "guest-1");
  EXPECT_TRUE(kept.get().anonymous);
  EXPECT_EQ(kept.get().name, "");
  EXPECT_TRUE(kept.get().info.is_null());
  EXPECT_TRUE(kept.get().claims.is_null());
}

// The claims are read out of the token, also when somebody looks at the handshake, or when it is given up, first.
TEST(KeptUser, ClaimsThatStandInTheTokenAreNotKeptAgain) {
  for (const bool look_first : {false, true}) {
    KeptUser kept;
    kept.set(sample());
    {
      const KeptHandshake handshake = KeptHandshake(with_token(kClaims)).packed({}, with_token(kClaims).auth);
      const Value auth = with_token(kClaims).auth;
      kept.pack(handshake);
      if (look_first) {
        EXPECT_EQ(handshake.get().auth, auth);
      }
    }
    ASSERT_TRUE(kept.is_packed());
    expect_sample(kept.copy());
    expect_sample(kept.get());
  }
}

TEST(KeptUser, ClaimsThatAreWrittenOtherwiseInTheTokenAreKept) {
  const std::string spaced = R"({"sub": "u1", "user": {"name":"Ann"}, "exp":2000000000})";
  KeptUser kept;
  kept.set(sample());
  kept.pack(KeptHandshake(with_token(spaced)).packed({}, with_token(spaced).auth));
  ASSERT_TRUE(kept.is_packed());
  expect_sample(kept.get());
}

TEST(KeptUser, WhatJsonWouldChangeStaysAsItIs) {
  const auto packs = [](auto change) {
    KeptUser kept;
    User user = sample();
    change(user);
    kept.set(std::move(user));
    kept.pack(KeptHandshake());
    return kept.is_packed();
  };
  EXPECT_TRUE(packs([](User&) {}));
  EXPECT_FALSE(packs([](User& user) { user.rooms = std::vector<std::string>{"a-*"}; }));
  EXPECT_FALSE(packs([](User& user) { user.info = Value{{"score", 1.0}}; }));
  EXPECT_FALSE(packs([](User& user) { user.info = Value{{"deep", Array{Value{{"key", Bytes{"\x01"}}}}}}; }));
  EXPECT_FALSE(packs([](User& user) { user.claims = Value{{"iat", 1.5}}; }));
  EXPECT_FALSE(packs([](User& user) { user.name = std::string(70'000, 'n'); }));
}

TEST(KeptUser, AnotherUserTakesThePlaceOfAPackedOne) {
  KeptUser kept;
  kept.set(sample());
  kept.pack(KeptHandshake());
  User other;
  other.id = "u2";
  kept.set(std::move(other));
  EXPECT_EQ(kept.get().id, "u2");
}

}  // namespace
}  // namespace wirehall::hub
