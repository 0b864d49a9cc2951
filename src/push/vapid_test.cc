#include "push/vapid.h"

#include <gtest/gtest.h>

#include "auth/jwt.h"
#include "base/base64.h"
#include "push/p256.h"
#include "wirehall/value.h"

namespace wirehall::push {
namespace {

constexpr WallMs kNow = 1'700'000'000'000;
constexpr WallMs kHour = 3'600'000;
const std::string kSubject = "mailto:ops@example.com";
const std::string kOrigin = "https://push.example.com";

VapidKeyTexts new_keys() {
  const auto keys = generate_vapid_keys();
  EXPECT_TRUE(keys);
  return *keys;
}

Vapid vapid_of(const VapidKeyTexts& keys) {
  auto vapid = Vapid::load(keys, kSubject);
  EXPECT_TRUE(vapid) << vapid.error().text();
  return std::move(*vapid);
}

std::string token_in(const std::string& header) {
  EXPECT_TRUE(header.starts_with("vapid t="));
  return header.substr(8, header.find(", k=") - 8);
}

auth::KeySet key_set(const VapidKeyTexts& keys) {
  const std::string point = from_base64url(keys.public_key).value_or("");
  auto key = auth::VerifyingKey::from_point(auth::Algorithm::kEs256, point.substr(1, 32), point.substr(33));
  EXPECT_TRUE(key);
  auth::KeySet set;
  EXPECT_TRUE(set.add(std::move(*key)));
  return set;
}

TEST(VapidKeys, AreAPointAndANumberInBase64url) {
  const VapidKeyTexts keys = new_keys();
  EXPECT_EQ(keys.public_key.size(), 87u);
  EXPECT_EQ(keys.private_key.size(), 43u);
  EXPECT_EQ(from_base64url(keys.public_key).value_or("").front(), '\x04');
  EXPECT_EQ(vapid_of(keys).public_key(), keys.public_key);
  EXPECT_NE(new_keys().private_key, keys.private_key);
}

TEST(VapidKeys, OfAnotherProgramAreRead) {
  // RFC 8292 section 2.4 shows this public key; the pair of RFC 8291 appendix A stands for one with both
  // texts.
  const VapidKeyTexts keys = {
      "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
      "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"};
  EXPECT_TRUE(Vapid::load(keys, kSubject));
}

TEST(VapidKeys, WrongOnesAreRefusedWithAReason) {
  const VapidKeyTexts good = new_keys();
  const VapidKeyTexts other = new_keys();
  const std::string point = from_base64url(good.public_key).value_or("");
  std::string off_curve = point;
  off_curve.back() = static_cast<char>(off_curve.back() ^ 1);
  const struct {
    VapidKeyTexts keys;
    const char* reason;
  } cases[] = {
      {{"", good.private_key}, "public key is no"},
      {{good.public_key + "=", good.private_key}, "public key is no"},
      {{"not base64!", good.private_key}, "public key is no"},
      {{to_base64url(off_curve), good.private_key}, "public key is no"},
      {{to_base64url(point.substr(0, 33)), good.private_key}, "public key is no"},
      {{good.private_key, good.public_key}, "public key is no"},
      {{good.public_key, ""}, "private key is not 32 bytes"},
      {{good.public_key, good.private_key + "="}, "private key is not 32 bytes"},
      {{good.public_key, good.private_key.substr(1)}, "private key is not 32 bytes"},
      {{good.public_key, to_base64url(std::string(31, 'x'))}, "private key is not 32 bytes"},
      {{good.public_key, to_base64url(std::string(32, '\0'))}, "no number"},
      {{good.public_key, to_base64url(std::string(32, '\xff'))}, "no number"},
      {{good.public_key, other.private_key}, "does not belong"},
      {{other.public_key, good.private_key}, "does not belong"},
  };
  for (const auto& c : cases) {
    const auto vapid = Vapid::load(c.keys, kSubject);
    ASSERT_FALSE(vapid) << c.reason;
    EXPECT_EQ(vapid.error().code(), ErrorCode::kConfig);
    const std::string text = vapid.error().text();
    EXPECT_NE(text.find(c.reason), std::string::npos) << text;
    EXPECT_EQ(text.find(good.private_key), std::string::npos);
    EXPECT_EQ(text.find(other.private_key), std::string::npos);
  }
}

TEST(VapidSubject, IsSomewhereToWriteTo) {
  const VapidKeyTexts keys = new_keys();
  for (const char* good :
       {"mailto:ops@example.com", "mailto:a@b", "https://example.com/contact", "https://a.b:8443"})
    EXPECT_TRUE(Vapid::load(keys, good)) << good;
  for (const std::string& bad :
       {std::string(), std::string("ops@example.com"), std::string("mailto:"), std::string("mailto:ops"),
        std::string("mailto:@example.com"), std::string("mailto:ops@"),
        std::string("mailto: ops@example.com"), std::string("mailto:<ops@example.com>"),
        std::string("http://example.com"), std::string("tel:123"), std::string("https://"),
        std::string("mailto:a@b\r\nX: y"), "mailto:a@" + std::string(250, 'b')}) {
    const auto vapid = Vapid::load(keys, bad);
    ASSERT_FALSE(vapid) << bad;
    EXPECT_NE(vapid.error().text().find("subject"), std::string::npos);
  }
}

TEST(VapidHeader, IsATokenThatTheKeyVerifies) {
  const VapidKeyTexts keys = new_keys();
  Vapid vapid = vapid_of(keys);
  const auto header = vapid.authorization(kOrigin, kNow);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->substr(header->find(", k=")), ", k=" + keys.public_key);
  auth::VerifyOptions options;
  options.audiences = {kOrigin};
  const auto claims = auth::verify(token_in(*header), key_set(keys), options, kNow);
  ASSERT_TRUE(claims) << claims.error().text();
  EXPECT_EQ(*claims->find("aud"), Value(kOrigin));
  EXPECT_EQ(*claims->find("sub"), Value(kSubject));
  EXPECT_EQ(claims->find("exp")->as_int(), kNow / 1000 + 12 * 3600);
  EXPECT_EQ(claims->size(), 3u);
  EXPECT_FALSE(auth::verify(token_in(*header), key_set(new_keys()), options, kNow)) << "another server's key";
}

// The same by OpenSSL alone.
TEST(VapidHeader, IsSignedAsRAndS) {
  const VapidKeyTexts keys = new_keys();
  Vapid vapid = vapid_of(keys);
  const std::string token = token_in(*vapid.authorization(kOrigin, kNow));
  const std::size_t dot = token.rfind('.');
  const std::string input = token.substr(0, dot);
  EXPECT_EQ(from_base64url(input.substr(0, input.find('.'))), R"({"alg":"ES256","typ":"JWT"})");
  const std::string raw = from_base64url(token.substr(dot + 1)).value_or("");
  ASSERT_EQ(raw.size(), 64u);
  const auth::EcdsaSigPtr signature(ECDSA_SIG_new());
  const std::string_view bytes(raw);
  ECDSA_SIG_set0(signature.get(), BN_bin2bn(auth::bytes_of(bytes), 32, nullptr),
                 BN_bin2bn(auth::bytes_of(bytes.substr(32)), 32, nullptr));
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(signature.get(), &der);
  const PkeyPtr key = p256_from_point(*from_base64url(keys.public_key));
  const auth::MdCtxPtr context(EVP_MD_CTX_new());
  EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
  EXPECT_EQ(EVP_DigestVerify(context.get(), der, static_cast<std::size_t>(length),
                             auth::bytes_of(std::string_view(input)), input.size()),
            1);
  OPENSSL_free(der);
}

// Signatures are made with random numbers: an equal header was kept, another one was made anew.
TEST(VapidHeader, IsKeptPerOriginUntilItIsCloseToItsEnd) {
  Vapid vapid = vapid_of(new_keys());
  const std::string first = *vapid.authorization(kOrigin, kNow);
  EXPECT_NE(*vapid.authorization("https://other.example.com", kNow), first);
  EXPECT_EQ(*vapid.authorization(kOrigin, kNow), first);
  EXPECT_EQ(*vapid.authorization(kOrigin, kNow + 11 * kHour - 1), first);
  const std::string second = *vapid.authorization(kOrigin, kNow + 11 * kHour);
  EXPECT_NE(second, first);
  EXPECT_EQ(*vapid.authorization(kOrigin, kNow + 12 * kHour), second);
}

TEST(VapidHeader, IsMadeAnewWhenTheClockWasSetBack) {
  const VapidKeyTexts keys = new_keys();
  Vapid vapid = vapid_of(keys);
  const std::string ahead = *vapid.authorization(kOrigin, kNow + 1000 * kHour);
  const std::string header = *vapid.authorization(kOrigin, kNow);
  EXPECT_NE(header, ahead);
  const auto claims = auth::verify(token_in(header), key_set(keys), {}, kNow);
  ASSERT_TRUE(claims);
  EXPECT_LE(claims->find("exp")->as_int(), (kNow + 24 * kHour) / 1000);
}

TEST(VapidHeader, TheOldestIsForgottenWhenThereAreMany) {
  Vapid vapid = vapid_of(new_keys());
  const auto origin = [](std::size_t i) { return "https://" + std::to_string(i) + ".example.com"; };
  std::vector<std::string> headers;
  for (std::size_t i = 0; i <= Vapid::kOriginsMax; ++i)
    headers.push_back(*vapid.authorization(origin(i), kNow + static_cast<WallMs>(i)));
  const WallMs later = kNow + 1000;
  EXPECT_EQ(*vapid.authorization(origin(Vapid::kOriginsMax), later), headers.back());
  EXPECT_EQ(*vapid.authorization(origin(1), later), headers[1]);
  EXPECT_NE(*vapid.authorization(origin(0), later), headers[0]);
}

}  // namespace
}  // namespace wirehall::push
