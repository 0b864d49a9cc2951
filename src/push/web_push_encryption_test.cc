#include "push/web_push_encryption.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/random.h"
#include "push/browser_for_test.h"
#include "support/seed.h"

namespace wirehall::push {
namespace {

using namespace std::string_literals;
using test::Browser;

std::string bytes(std::string_view base64url) {
  const auto decoded = from_base64url(base64url);
  EXPECT_TRUE(decoded) << base64url;
  return decoded.value_or("");
}

std::string random_text(RandomSource& random, std::size_t size) {
  std::string text(size, '\0');
  random.fill(text);
  return text;
}

// RFC 8291 appendix A.
const std::string kReceiverPoint =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const std::string kReceiverScalar = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
const std::string kSenderPoint =
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
const std::string kSenderScalar = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
const std::string kCommon = "kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs";

TEST(P256, APrivateNumberGivesItsPoint) {
  EXPECT_EQ(point_of(*p256_from_scalar(bytes(kSenderScalar))), bytes(kSenderPoint));
  EXPECT_EQ(point_of(*p256_from_scalar(bytes(kReceiverScalar))), bytes(kReceiverPoint));
  EXPECT_EQ(scalar_of(*p256_from_scalar(bytes(kSenderScalar))), bytes(kSenderScalar));
}

TEST(P256, BothSidesHaveTheSameInCommon) {
  const PkeyPtr sender = p256_from_scalar(bytes(kSenderScalar));
  const PkeyPtr receiver = p256_from_scalar(bytes(kReceiverScalar));
  EXPECT_EQ(shared_secret(*sender, *p256_from_point(bytes(kReceiverPoint))), bytes(kCommon));
  EXPECT_EQ(shared_secret(*receiver, *p256_from_point(bytes(kSenderPoint))), bytes(kCommon));
}

TEST(P256, ANumberLiesBetweenZeroAndTheOrder) {
  const std::string order =
      "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3"
      "\xb9"
      "\xca\xc2\xfc\x63\x25\x51"s;
  std::string largest = order;
  largest.back() = '\x50';
  EXPECT_TRUE(p256_from_scalar(largest));
  EXPECT_FALSE(p256_from_scalar(order));
  EXPECT_FALSE(p256_from_scalar(std::string(32, '\xff')));
  EXPECT_FALSE(p256_from_scalar(std::string(32, '\0')));
  std::string one(32, '\0');
  one.back() = '\x01';
  EXPECT_TRUE(p256_from_scalar(one));
  EXPECT_EQ(scalar_of(*p256_from_scalar(one)), one) << "leading zeros stay";
  EXPECT_FALSE(p256_from_scalar(one.substr(1)));
  EXPECT_FALSE(p256_from_scalar(one + '\0'));
  EXPECT_FALSE(p256_from_scalar(""));
}

TEST(WebPushEncryption, TheVectorOfAppendixA) {
  const PkeyPtr sender = p256_from_scalar(bytes(kSenderScalar));
  const auto body =
      encrypt_web_push("When I grow up, I want to be a watermelon", bytes(kReceiverPoint),
                       bytes("BTBZMqHH6r4Tts7J_aSIgg"), bytes("DGv6ra1nlYgDCS1FRnbzlw"), *sender);
  ASSERT_TRUE(body);
  EXPECT_EQ(
      to_base64url(*body),
      "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w"
      "EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN");
}

TEST(WebPushEncryption, ABrowserReadsEverySize) {
  SeededRandom random(wirehall::test::seed());
  std::vector<std::size_t> sizes = {0, 1, 15, 16, 17, kPushPayloadBytesMax - 1, kPushPayloadBytesMax};
  for (int i = 0; i < 60; ++i) sizes.push_back(random.below(kPushPayloadBytesMax + 1));
  for (const std::size_t size : sizes) {
    const Browser browser;
    const std::string payload = random_text(random, size);
    const auto body = encrypt_web_push(payload, browser.p256dh(), browser.auth_secret());
    ASSERT_TRUE(body) << size;
    EXPECT_EQ(body->size(), size + 103);
    EXPECT_LE(body->size(), kPushBodyBytesMax);
    EXPECT_EQ(browser.read(*body), payload) << size;
    EXPECT_EQ(Browser().read(*body), std::nullopt) << "somebody else";
  }
}

TEST(WebPushEncryption, ThePayloadLimitIsInclusive) {
  const Browser browser;
  const auto body =
      encrypt_web_push(std::string(kPushPayloadBytesMax + 1, 'x'), browser.p256dh(), browser.auth_secret());
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code(), ErrorCode::kTooLarge);
}

TEST(WebPushEncryption, EachBodyHasItsOwnSaltAndKey) {
  const Browser browser;
  const auto first = encrypt_web_push("same", browser.p256dh(), browser.auth_secret());
  const auto second = encrypt_web_push("same", browser.p256dh(), browser.auth_secret());
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->substr(0, 16), second->substr(0, 16));
  EXPECT_NE(first->substr(21, 65), second->substr(21, 65));
  EXPECT_NE(first->substr(86), second->substr(86));
}

TEST(WebPushEncryption, AChangedBitAnywhereIsNoticed) {
  const Browser browser;
  const auto body = encrypt_web_push("pay 10 to ada", browser.p256dh(), browser.auth_secret());
  ASSERT_TRUE(body);
  for (std::size_t at = 0; at < body->size(); ++at) {
    std::string changed = *body;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_EQ(browser.read(changed), std::nullopt) << at;
  }
  EXPECT_EQ(browser.read(body->substr(0, body->size() - 1)), std::nullopt);
}

TEST(WebPushEncryption, WhatIsNoPointOfTheCurveIsRefused) {
  const Browser browser;
  const std::string point = browser.p256dh();
  std::string compressed = point.substr(0, 33);
  compressed[0] = static_cast<char>(2 + (point.back() & 1));
  std::string hybrid = point;
  hybrid[0] = static_cast<char>(6 + (point.back() & 1));
  std::string off_curve = point;
  off_curve[64] = static_cast<char>(off_curve[64] ^ 1);
  std::string swapped = std::string(1, '\x04') + point.substr(33) + point.substr(1, 32);
  std::string too_large = std::string(1, '\x04') + std::string(64, '\xff');
  const std::string cases[] = {"",
                               std::string(1, '\0'),
                               std::string(65, '\0'),
                               compressed,
                               hybrid,
                               off_curve,
                               swapped,
                               too_large,
                               std::string(1, '\x04') + std::string(64, '\0'),
                               point + 'x',
                               point.substr(0, 64),
                               std::string(97, '\x04')};
  for (const std::string& wrong : cases) {
    const auto body = encrypt_web_push("hello", wrong, browser.auth_secret());
    ASSERT_FALSE(body) << to_base64url(wrong);
    EXPECT_EQ(body.error().code(), ErrorCode::kInvalidFormat);
  }
}

TEST(WebPushEncryption, TheAuthSecretHas16Bytes) {
  const Browser browser;
  for (const std::size_t size : {0u, 15u, 17u, 32u}) {
    const auto body = encrypt_web_push("hello", browser.p256dh(), std::string(size, 'a'));
    ASSERT_FALSE(body) << size;
    EXPECT_EQ(body.error().code(), ErrorCode::kInvalidFormat);
  }
}

}  // namespace
}  // namespace wirehall::push
