#include "auth/jwt_key.h"

#include <gtest/gtest.h>

#include "auth/keys_for_test.h"
#include "auth/openssl_ptr.h"
#include "base/base64.h"

namespace wirehall::auth {
namespace {

using namespace std::string_view_literals;
using test::KeyPair;

const std::string kSecret = "a secret of this test, forty bytes long.";

template <class T>
std::string refusal(const Result<T>& result) {
  if (result) return "accepted";
  EXPECT_EQ(result.error().code(), ErrorCode::kConfig);
  return result.error().detail();
}

std::string decoded(std::string_view text) { return from_base64url(text).value_or("malformed vector"); }

// -- algorithms ---------------------------------------------------------------------------------

TEST(AlgorithmName, OnlyTheExactNamesAreKnown) {
  for (const char* name : {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "EdDSA"}) {
    const auto algorithm = algorithm_from_name(name);
    ASSERT_TRUE(algorithm) << name;
    EXPECT_EQ(algorithm_name(*algorithm), name);
  }
  for (const char* name : {"", "none", "None", "nOnE", "NONE", "hs256", "HS256 ", "HS2566", "PS256", "ES512",
                           "ES256K", "EDDSA", "Ed25519", "RSA-OAEP", "dir"}) {
    EXPECT_FALSE(algorithm_from_name(name)) << name;
  }
}

// -- secrets ------------------------------------------------------------------------------------

TEST(Secret, NeedsThirtyTwoBytes) {
  EXPECT_NE(refusal(VerifyingKey::from_secret(Algorithm::kHs256, "")).find("at least 32 bytes"),
            std::string::npos);
  EXPECT_NE(refusal(VerifyingKey::from_secret(Algorithm::kHs256, std::string(31, 'x'))).find("at least 32"),
            std::string::npos);
  EXPECT_EQ(refusal(VerifyingKey::from_secret(Algorithm::kHs256, std::string(32, 'x'))), "accepted");
  EXPECT_EQ(refusal(VerifyingKey::from_secret(Algorithm::kHs512, std::string(32, 'x'))), "accepted");
  EXPECT_NE(refusal(SigningKey::from_secret(Algorithm::kHs256, std::string(31, 'x'))), "accepted");
}

TEST(Secret, PublishedSamplesAreRefused) {
  for (const char* sample :
       {"secret", "changeme", "Secret", " secret\n", "your-256-bit-secret",
        "a-string-secret-at-least-256-bits-long", "A-String-Secret-At-Least-256-Bits-Long\n",
        "your-super-secret-jwt-token-with-at-least-32-characters-long", "00000000000000000000000000000000"}) {
    EXPECT_NE(refusal(VerifyingKey::from_secret(Algorithm::kHs256, sample)).find("published sample"),
              std::string::npos)
        << sample;
    EXPECT_NE(refusal(SigningKey::from_secret(Algorithm::kHs256, sample)).find("published sample"),
              std::string::npos)
        << sample;
  }
}

TEST(Secret, APublicKeyIsNone) {
  const std::string pem = KeyPair::rsa().public_pem();
  EXPECT_NE(refusal(VerifyingKey::from_secret(Algorithm::kHs256, pem)).find("PEM"), std::string::npos);
  EXPECT_NE(refusal(VerifyingKey::from_secret(Algorithm::kHs256, "\n " + pem.substr(0, pem.size() - 1)))
                .find("PEM"),
            std::string::npos);
}

TEST(Secret, DoesNotAppearInARefusal) {
  const std::string secret = "hunter2-hunter2";
  const std::string text = refusal(VerifyingKey::from_secret(Algorithm::kHs256, secret));
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
  EXPECT_EQ(refusal(VerifyingKey::from_secret(Algorithm::kRs256, kSecret)).find("secret of"),
            std::string::npos);
}

TEST(Secret, ServesHmacAlone) {
  for (const auto algorithm : {Algorithm::kRs256, Algorithm::kEs256, Algorithm::kEs384, Algorithm::kEdDsa}) {
    EXPECT_NE(refusal(VerifyingKey::from_secret(algorithm, kSecret)), "accepted");
    EXPECT_NE(refusal(SigningKey::from_secret(algorithm, kSecret)), "accepted");
  }
}

// -- key pairs ----------------------------------------------------------------------------------

TEST(Pem, AKeyMustFitItsAlgorithm) {
  const std::pair<const char*, KeyPair> pairs[] = {
      {"RS256 RS384 RS512", KeyPair::rsa()}, {"ES256", KeyPair::ec("P-256")}, {"ES384", KeyPair::ec("P-384")},
      {"EdDSA", KeyPair::ed25519()},         {"", KeyPair::ec("P-521")},      {"", KeyPair::ec("secp256k1")},
      {"", KeyPair::ec("brainpoolP256r1")},  {"", KeyPair::rsa_pss()}};
  for (const auto& [fitting, pair] : pairs) {
    for (const char* name : {"HS256", "RS256", "RS384", "RS512", "ES256", "ES384", "EdDSA"}) {
      const Algorithm algorithm = *algorithm_from_name(name);
      const bool fits = std::string_view(fitting).find(name) != std::string_view::npos;
      EXPECT_EQ(VerifyingKey::from_pem(algorithm, pair.public_pem()).ok(), fits) << fitting << " as " << name;
      EXPECT_EQ(VerifyingKey::from_pem(algorithm, pair.certificate_pem()).ok(), fits)
          << fitting << " as " << name;
      EXPECT_EQ(SigningKey::from_pem(algorithm, pair.private_pem()).ok(), fits) << fitting << " as " << name;
    }
  }
}

TEST(Pem, ShortRsaKeysAreRefused) {
  const KeyPair weak = KeyPair::rsa(1024);
  EXPECT_EQ(refusal(VerifyingKey::from_pem(Algorithm::kRs256, weak.public_pem())),
            "an RSA key needs at least 2048 bits");
  EXPECT_EQ(refusal(SigningKey::from_pem(Algorithm::kRs256, weak.private_pem())),
            "an RSA key needs at least 2048 bits");
}

TEST(Pem, WhatIsNoPublicKeyIsRefused) {
  const KeyPair pair = KeyPair::ec("P-256");
  for (const std::string& text :
       {std::string(), std::string("-----BEGIN PUBLIC KEY-----"), std::string("{\"kty\":\"EC\"}"),
        pair.public_pem().substr(0, 80), std::string(100'000, '-')}) {
    EXPECT_EQ(refusal(VerifyingKey::from_pem(Algorithm::kEs256, text)), "no public key in PEM form") << text;
  }
  EXPECT_EQ(refusal(VerifyingKey::from_pem(Algorithm::kEs256, pair.private_pem())),
            "this is a private key; verifying needs the public one alone");
}

TEST(Pem, AnEncryptedPrivateKeyIsRefusedWithoutAsking) {
  EXPECT_NE(refusal(SigningKey::from_pem(Algorithm::kEs256, KeyPair::ec("P-256").encrypted_pem()))
                .find("without a passphrase"),
            std::string::npos);
}

TEST(Pem, ACurveThatIsSpelledOutIsRefused) {
  const KeyPair pair = KeyPair::ec("P-256");
  ASSERT_EQ(
      EVP_PKEY_set_utf8_string_param(pair.get(), OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_EXPLICIT),
      1);
  EXPECT_FALSE(VerifyingKey::from_pem(Algorithm::kEs256, pair.public_pem()));
}

// -- numbers of JSON Web Keys -------------------------------------------------------------------

TEST(Numbers, AnUnusableExponentIsRefused) {
  const std::string modulus = decoded(KeyPair::rsa().number("n"));
  EXPECT_TRUE(VerifyingKey::from_rsa(Algorithm::kRs256, modulus, "\x03"));
  EXPECT_TRUE(VerifyingKey::from_rsa(Algorithm::kRs256, std::string(1, '\0') + modulus, "\x03"));
  for (const std::string& exponent :
       {std::string(), std::string(1, '\0'), std::string("\x01"), std::string("\x02"),
        std::string("\x01\x01\x01\x01\x01\x01\x01\x01\x01"), std::string(2000, '\x01')}) {
    EXPECT_FALSE(VerifyingKey::from_rsa(Algorithm::kRs256, modulus, exponent)) << exponent.size();
  }
}

TEST(Numbers, AnUnusableModulusIsRefused) {
  std::string even = decoded(KeyPair::rsa().number("n"));
  even.back() = static_cast<char>(even.back() & ~1);
  for (const std::string& modulus : {std::string(), std::string(255, '\xFF'), even, std::string(1025, '\xFF'),
                                     std::string(4096, '\xFF')}) {
    EXPECT_FALSE(VerifyingKey::from_rsa(Algorithm::kRs256, modulus, "\x01\x00\x01"sv)) << modulus.size();
    EXPECT_FALSE(VerifyingKey::from_rsa(Algorithm::kRs256, modulus, "\x03")) << modulus.size();
  }
}

TEST(Numbers, APointMustBeOnItsCurveInFullLength) {
  const KeyPair pair = KeyPair::ec("P-256");
  const std::string x = decoded(pair.number("qx", 32));
  std::string y = decoded(pair.number("qy", 32));
  EXPECT_TRUE(VerifyingKey::from_point(Algorithm::kEs256, x, y));
  EXPECT_FALSE(VerifyingKey::from_point(Algorithm::kEs384, x, y));
  EXPECT_FALSE(VerifyingKey::from_point(Algorithm::kRs256, x, y));
  EXPECT_FALSE(VerifyingKey::from_point(Algorithm::kEs256, std::string(1, '\0') + x, y));
  EXPECT_FALSE(VerifyingKey::from_point(Algorithm::kEs256, x, y.substr(1)));
  EXPECT_FALSE(VerifyingKey::from_point(Algorithm::kEs256, "", ""));
  y.back() = static_cast<char>(y.back() ^ 1);
  EXPECT_FALSE(VerifyingKey::from_point(Algorithm::kEs256, x, y));
  EXPECT_FALSE(VerifyingKey::from_point(Algorithm::kEs256, std::string(32, '\0'), std::string(32, '\0')));
}

TEST(Numbers, AnEd25519KeyHas32Bytes) {
  EXPECT_TRUE(VerifyingKey::from_ed25519(decoded(KeyPair::ed25519().point())));
  EXPECT_FALSE(VerifyingKey::from_ed25519(std::string(31, '\x01')));
  EXPECT_FALSE(VerifyingKey::from_ed25519(std::string(33, '\x01')));
  EXPECT_FALSE(VerifyingKey::from_ed25519(""));
}

// -- signatures ---------------------------------------------------------------------------------

TEST(Signature, OfRfc8037AppendixA4) {
  const auto key = VerifyingKey::from_ed25519(decoded("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
  ASSERT_TRUE(key);
  const std::string message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  const std::string signature =
      decoded("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  EXPECT_TRUE(key->verifies(message, signature));
  EXPECT_FALSE(key->verifies(message + " ", signature));
  EXPECT_FALSE(key->verifies(message, signature.substr(1)));
  EXPECT_FALSE(key->verifies(message, ""));
}

TEST(Signature, EcdsaNumbersOutOfRangeAreRefused) {
  struct Curve {
    Algorithm algorithm;
    const char* name;
    std::string order;
  };
  const Curve curves[] = {
      {Algorithm::kEs256, "P-256", decoded("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE")},
      {Algorithm::kEs384, "P-384",
       decoded("________________________________x2NNgfQ3Ld9YGg2ySLCneuzsGWrMxSlz")}};
  for (const Curve& curve : curves) {
    const auto key = VerifyingKey::from_pem(curve.algorithm, KeyPair::ec(curve.name).public_pem());
    ASSERT_TRUE(key);
    const std::string zero(curve.order.size(), '\0');
    const std::string one = zero.substr(1) + '\x01';
    const std::string ones(curve.order.size(), '\xFF');
    for (const std::string& r : {zero, one, curve.order, ones}) {
      for (const std::string& s : {zero, one, curve.order, ones})
        EXPECT_FALSE(key->verifies("message", r + s)) << curve.name;
    }
  }
}

TEST(Signature, EcdsaHasOneLengthAndOneForm) {
  const KeyPair pair = KeyPair::ec("P-256");
  const auto key = VerifyingKey::from_pem(Algorithm::kEs256, pair.public_pem());
  const auto signer = SigningKey::from_pem(Algorithm::kEs256, pair.private_pem());
  ASSERT_TRUE(key && signer);
  const std::string raw = signer->sign("message").value_or("");
  ASSERT_EQ(raw.size(), 64u);
  EXPECT_TRUE(key->verifies("message", raw));
  EXPECT_FALSE(key->verifies("message", raw + '\0'));
  EXPECT_FALSE(key->verifies("message", raw.substr(0, 63)));
  EXPECT_FALSE(key->verifies("message", raw.substr(0, 32) + '\0' + raw.substr(32) + '\0'));
  const MdCtxPtr context(EVP_MD_CTX_new());
  std::string der(128, '\0');
  std::size_t length = der.size();
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, pair.get());
  ASSERT_EQ(EVP_DigestSign(context.get(), bytes_of(der), &length, bytes_of(std::string_view("message")), 7),
            1);
  EXPECT_FALSE(key->verifies("message", der.substr(0, length))) << "as X.509 writes it";
}

TEST(Signature, FaultsLeaveOpensslsErrorQueueEmpty) {
  ERR_clear_error();
  const auto rsa = VerifyingKey::from_pem(Algorithm::kRs256, KeyPair::rsa().public_pem());
  const auto point = VerifyingKey::from_pem(Algorithm::kEs256, KeyPair::ec("P-256").public_pem());
  ASSERT_TRUE(rsa && point);
  EXPECT_FALSE(rsa->verifies("message", std::string(256, '\x01')));
  EXPECT_FALSE(point->verifies("message", std::string(64, '\x01')));
  EXPECT_FALSE(VerifyingKey::from_pem(Algorithm::kRs256, "-----BEGIN PUBLIC KEY-----\nAAAA\n"));
  EXPECT_FALSE(SigningKey::from_pem(Algorithm::kRs256, "nothing"));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

// -- KeySet -------------------------------------------------------------------------------------

TEST(KeySet, KeepsSecretsAndPublicKeysApart) {
  const auto secret = VerifyingKey::from_secret(Algorithm::kHs256, kSecret);
  const auto pair = VerifyingKey::from_pem(Algorithm::kEs256, KeyPair::ec("P-256").public_pem());
  ASSERT_TRUE(secret && pair);
  KeySet secrets;
  EXPECT_TRUE(secrets.add(*secret));
  EXPECT_TRUE(secrets.add(*secret, "kid"));
  EXPECT_EQ(secrets.add(*pair).error().code(), ErrorCode::kConfig);
  EXPECT_EQ(secrets.size(), 2u);
  KeySet pairs;
  EXPECT_TRUE(pairs.add(*pair));
  EXPECT_EQ(pairs.add(*secret).error().code(), ErrorCode::kConfig);
  EXPECT_EQ(pairs.size(), 1u);
}

TEST(KeySet, LimitsAtTheirBorders) {
  const auto key = VerifyingKey::from_secret(Algorithm::kHs256, kSecret);
  ASSERT_TRUE(key);
  KeySet set;
  EXPECT_FALSE(set.has_kids());
  EXPECT_TRUE(set.add(*key, std::string(128, 'k')));
  EXPECT_TRUE(set.has_kids());
  EXPECT_FALSE(set.add(*key, std::string(129, 'k')));
  while (set.size() < KeySet::kKeysMax) ASSERT_TRUE(set.add(*key));
  EXPECT_FALSE(set.add(*key));
}

}  // namespace
}  // namespace wirehall::auth
