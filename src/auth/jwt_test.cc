// Rows JW1 to JW6 of RELIABILITY 1.7, and vectors of RFC 7515 and of another implementation.
#include "auth/jwt.h"

#include <gtest/gtest.h>

#include "auth/jwks.h"
#include "auth/jwt_outcome_for_test.h"
#include "auth/keys_for_test.h"
#include "base/random.h"
#include "support/seed.h"

namespace wirehall::auth {
namespace {

using namespace std::string_view_literals;
using test::hs256_token;
using test::KeyPair;

constexpr WallMs kNow = 1'700'000'000'000;  // tokens below that are good end in 2033
const std::string kSecret = "a secret of this test, forty bytes long.";
const std::string kHs256 = R"({"alg":"HS256","typ":"JWT"})";
const std::string kPayload = R"({"sub":"ada","exp":2000000000})";

KeySet set_of(Result<VerifyingKey> key, std::optional<std::string> kid = std::nullopt) {
  EXPECT_TRUE(key);
  KeySet set;
  EXPECT_TRUE(set.add(std::move(*key), std::move(kid)));
  return set;
}
const KeySet& hs256_set() {
  static const KeySet set = set_of(VerifyingKey::from_secret(Algorithm::kHs256, kSecret));
  return set;
}
std::string hs256(std::string_view payload, std::string_view header = kHs256) {
  return hs256_token(header, payload, kSecret);
}

std::string outcome(std::string_view token, const KeySet& keys = hs256_set(),
                    const VerifyOptions& options = {}, WallMs now = kNow) {
  return test::outcome(token, keys, options, now);
}

struct Pair {
  Algorithm algorithm;
  KeySet keys;
  SigningKey signer;
};
Pair pair_of(Algorithm algorithm, const KeyPair& pair) {
  return {algorithm, set_of(VerifyingKey::from_pem(algorithm, pair.public_pem())),
          *SigningKey::from_pem(algorithm, pair.private_pem())};
}
Pair pair_of(Algorithm algorithm, const std::string& secret) {
  return {algorithm, set_of(VerifyingKey::from_secret(algorithm, secret)),
          *SigningKey::from_secret(algorithm, secret)};
}
const KeyPair& rsa() {
  static const KeyPair pair = KeyPair::rsa();
  return pair;
}
/// One key for each algorithm; the three RSA ones share theirs, the three secrets too.
const std::vector<Pair>& all_pairs() {
  static const std::vector<Pair> pairs = [] {
    std::vector<Pair> made;
    for (const auto algorithm : {Algorithm::kHs256, Algorithm::kHs384, Algorithm::kHs512})
      made.push_back(pair_of(algorithm, kSecret));
    for (const auto algorithm : {Algorithm::kRs256, Algorithm::kRs384, Algorithm::kRs512})
      made.push_back(pair_of(algorithm, rsa()));
    made.push_back(pair_of(Algorithm::kEs256, KeyPair::ec("P-256")));
    made.push_back(pair_of(Algorithm::kEs384, KeyPair::ec("P-384")));
    made.push_back(pair_of(Algorithm::kEdDsa, KeyPair::ed25519()));
    return made;
  }();
  return pairs;
}
const Object kClaims = {{"sub", "ada"}, {"exp", 2'000'000'000}};

// -- vectors ------------------------------------------------------------------------------------

const std::string kRfcPayload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr WallMs kRfcNow = 1'300'819'379'000;

TEST(Vector, Rfc7515AppendixA1Hs256) {
  const auto secret = from_base64url(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  const KeySet keys = set_of(VerifyingKey::from_secret(Algorithm::kHs256, *secret));
  const std::string token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + kRfcPayload +
                            ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const Result<Object> claims = verify(token, keys, {}, kRfcNow);
  ASSERT_TRUE(claims);
  EXPECT_EQ(Value(*claims).to_json(), R"({"iss":"joe","exp":1300819380,"http://example.com/is_root":true})");
}

TEST(Vector, Rfc7515AppendixA2Rs256) {
  const auto modulus = from_base64url(
      "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT"
      "-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-"
      "KXBdQOS"
      "-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_"
      "h9iaGNj8q2e"
      "thFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ");
  ASSERT_TRUE(modulus);
  const KeySet keys = set_of(VerifyingKey::from_rsa(Algorithm::kRs256, *modulus, "\x01\x00\x01"sv));
  EXPECT_EQ(
      outcome(
          "eyJhbGciOiJSUzI1NiJ9." + kRfcPayload +
              ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W"
              "2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQ"
              "BMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeY"
              "I2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
          keys, {}, kRfcNow),
      "ok");
}

TEST(Vector, Rfc7515AppendixA3Es256) {
  const auto x = from_base64url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
  const auto y = from_base64url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
  const KeySet keys = set_of(VerifyingKey::from_point(Algorithm::kEs256, *x, *y));
  EXPECT_EQ(
      outcome("eyJhbGciOiJFUzI1NiJ9." + kRfcPayload +
                  ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
              keys, {}, kRfcNow),
      "ok");
}

struct Vector {
  Algorithm algorithm;
  const char* key;
  const char* token;
};
constexpr const char* kHsKey = "an-hmac-secret-that-only-this-test-vector-uses-and-nobody-else-ever";
constexpr const char* kRsKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA5XYWnkhRJ4GeRu62ip1S\n"
    "+hbi6fS52DtfjTtqKGuGXb16672MfDUAxo+umKv8UkAIz9vVd36rieYVIB79eM6V\n"
    "59KGrl2aUu9hRhL9gg6qO2n/9B01s5nu7J22yi/AiYVKXmIR80vW9T/Ht92Qamuf\n"
    "wVk8fUd29ZuYpI5MCBIPq/CSp7oqznPXo+xTM6sbkArbohz08knzVC/hKH8DkRm1\n"
    "tF+lpdtJR3/RhE9Nhsp67Z6fCrry9U/aXCjEkO2Qds/690723s3lqSJsd9M75KFx\n"
    "RLiZQ4vPuT3Px/o2Z//0+RBtPRs3A36iWsZVNv131YGbGJHkHnYluIE9+3csXv0n\n"
    "+QIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
constexpr const char* kEsKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEgjpSz31RUW9fHStYQjHsR+MJuWrQfXwN\n"
    "NZ45Rf5R8CUL2dWmBNiT29xNPNNH/2D3cd5gcrXINyKT6NlwY/DG/CQtMWU/d5k/\n"
    "ZHXyGp2EAbqmkbM+OvjNu1pl/xHeGSu6\n"
    "-----END PUBLIC KEY-----\n";
constexpr const char* kEdKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAD5G3/zFRvHrGteWxw5LtDtTUFNU+D89QixXGNZZPYeg=\n"
    "-----END PUBLIC KEY-----\n";
const Vector kVectors[] = {
    {Algorithm::kHs384, kHsKey,
     "eyJhbGciOiJIUzM4NCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjIwMDAwMDAwMDB9.KPGI1B53U4fCBvFDWXHf22Yr47rYuJ4Z"
     "pjlC86znW0qxu1rI8DnFdoIR4Ktz2cFN"},
    {Algorithm::kHs512, kHsKey,
     "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJhZGEiLCJleHAiOjIwMDAwMDAwMDB9.cl5_WuBPoPPeTGtUxsOD8Os-zOWk6xnx"
     "4lT4nGN73AU-NNFvSt6iFMa1PTX1Kz4s3bhweskDSRRCKZHl_1gp4g"},
    {Algorithm::kRs384, kRsKey,
     "eyJhbGciOiJSUzM4NCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjIwMDAwMDAwMDB9.GjaxqA0muWvCZgV1gatiUKsTur1Pf42A"
     "-U4drDbDloCXvqKkXt_GFclOnno4mW9fIUNqQiEVKOSHBsNzJLjOfXI6DObHkn6v6FGZfTxAQfSjNzF-EoM51CgiURtXek"
     "HbUxRgBxO7Q621rUEjEJrj9RtVyucufJrv-R9G4meitwVhVoUi5aR4FMhpnjgn3Edm9u7Qxp1n0DCh9V03Mgq3cYYsVJJA"
     "tV6izt_EbwMDtswUtLeMD12dnD7FXMsw33H-pD-Rq5l2sKVlDQOyPNigmD30J1RhZdRYP5UznWyNym9GmZMGzA_EJOFYT7"
     "BUu9ZGHc2PD1BrTvuFGJcysffB3A"},
    {Algorithm::kRs512, kRsKey,
     "eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiJhZGEiLCJleHAiOjIwMDAwMDAwMDB9.XgcHpfQ05FW7QchEGZ-6QYpMHrGaEbBb"
     "OPy7XlRu7m-Q1c4owXkdY2TdPVgyeXxjGuwDXKs4Abn7Id_yGxAsi9LjYUJqvEtx43MstoAivzxjq9CwgQsvjuFlmGbwjS"
     "TGDIG6qzXxD44PSgoWtPgOHtlOlM6241jxfT69xTNLC3dVEK5M9KwbSNzjQN5M_837kAUm9cdyCHGXiPrhG0EUngGcqVlC"
     "SuRsaBrluteAyzqAlPvqiGuAyuoi3OvTBy1rd-70WwDQ1urYkUK27aCeHV6g-NNlBS6x34kWu_nNX9m_n1E_44IZARFLlz"
     "kiN7EPBzzLHZ42FIfstksGlbZhJQ"},
    {Algorithm::kEs384, kEsKey,
     "eyJhbGciOiJFUzM4NCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjIwMDAwMDAwMDB9.GzhyFY9cqM5FQ51L63HpCpkkCHPxEpLs"
     "GYpbKd2kFG7l-a7zJe5SbI52l6GWanAVlmA5c7l0AtN-a4Kh2TdRFUZ7Vem7wXjrJ0PCc2IBNEllSPEZ19VO6Kl3Et9u12"
     "nN"},
    {Algorithm::kEdDsa, kEdKey,
     "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZGEiLCJleHAiOjIwMDAwMDAwMDB9.bqvsse2Xr1XUhF8UYHg_UOMoqurbHCif"
     "f5vxNH8OUYXS1S-ReyWEqV5iMINUa0L8wrVGDJVqSR_p5uAKOwAQDQ"},
};

TEST(Vector, OfNodesCryptoModule) {
  for (const Vector& vector : kVectors) {
    const bool secret = family_of(vector.algorithm) == Family::kHmac;
    const KeySet keys = set_of(secret ? VerifyingKey::from_secret(vector.algorithm, vector.key)
                                      : VerifyingKey::from_pem(vector.algorithm, vector.key));
    EXPECT_EQ(outcome(vector.token, keys), "ok") << algorithm_name(vector.algorithm);
  }
}

TEST(Sign, GivesTheBytesOfAnotherImplementation) {
  const auto key = SigningKey::from_secret(Algorithm::kHs256, kSecret);
  ASSERT_TRUE(key);
  EXPECT_EQ(sign(kClaims, *key).value_or(""), hs256(kPayload));
  EXPECT_EQ(sign(kClaims, *key, "k\"1").value_or(""),
            hs256(kPayload, R"({"alg":"HS256","typ":"JWT","kid":"k\"1"})"));
  EXPECT_TRUE(sign(kClaims, *key, std::string(128, 'k')));
  EXPECT_EQ(sign(kClaims, *key, std::string(129, 'k')).error().code(), ErrorCode::kConfig);
}

TEST(Sign, WhatIsSignedVerifiesWithItsKeyAlone) {
  for (const Pair& signing : all_pairs()) {
    const std::string token = sign(kClaims, signing.signer).value_or("");
    for (const Pair& verifying : all_pairs()) {
      EXPECT_EQ(outcome(token, verifying.keys), &signing == &verifying ? "ok" : "algorithm")
          << algorithm_name(signing.algorithm) << " under " << algorithm_name(verifying.algorithm);
    }
  }
}

// -- JW1, JW2: the key decides the algorithm ----------------------------------------------------

TEST(Algorithm, NoneIsRefusedInEverySpelling) {
  for (const char* header :
       {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"nOnE"})", R"({"alg":"NONE"})", R"({"alg":""})",
        R"({"alg":" "})", R"({})", R"({"typ":"JWT"})", R"({"alg":null})", R"({"alg":["HS256"]})",
        R"({"alg":{"HS256":1}})", R"({"alg":0})", R"({"alg":"hs256"})", R"({"Alg":"HS256"})",
        R"({"alg":"HS256\u0000"})", R"({"alg":"dir","enc":"A128GCM"})"}) {
    const std::string input = test::signing_input(header, kPayload);
    for (const Pair& pair : all_pairs()) {
      EXPECT_EQ(outcome(input + ".", pair.keys), "algorithm") << header;
      EXPECT_EQ(outcome(input, pair.keys), "parts") << header;
    }
    EXPECT_EQ(outcome(hs256(kPayload, header)), "algorithm") << header << " with a signature that is good";
  }
}

TEST(Algorithm, HmacWithThePublicKeyAsSecretIsRefused) {
  const std::string pem = rsa().public_pem();
  const std::string secrets[] = {pem, pem.substr(0, pem.size() - 1), pem + "\n",
                                 from_base64url(rsa().number("n")).value_or(""), rsa().number("n")};
  const KeySet keys = set_of(VerifyingKey::from_pem(Algorithm::kRs256, pem));
  const KeySet named = set_of(VerifyingKey::from_pem(Algorithm::kRs256, pem), "k");
  for (const std::string& secret : secrets) {
    EXPECT_EQ(outcome(hs256_token(kHs256, kPayload, secret), keys), "algorithm");
    EXPECT_EQ(outcome(hs256_token(R"({"alg":"HS256","kid":"k"})", kPayload, secret), named), "algorithm");
    EXPECT_EQ(outcome(hs256_token(R"({"alg":"RS256"})", kPayload, secret), keys), "signature");
    EXPECT_FALSE(VerifyingKey::from_secret(Algorithm::kHs256, secret).ok() && secret.find("-----") == 0);
  }
}

TEST(Algorithm, HmacWithAnEmptyKeyIsRefused) {
  const std::string token = hs256_token(kHs256, kPayload, "");
  EXPECT_EQ(outcome(token), "signature");
  for (const Pair& pair : all_pairs()) EXPECT_NE(outcome(token, pair.keys), "ok");
  EXPECT_EQ(outcome(token, KeySet()), "key");
}

TEST(Algorithm, ATokenThatNamesAnotherOneThanItsKeysIsRefused) {
  const KeySet keys = set_of(VerifyingKey::from_pem(Algorithm::kRs256, rsa().public_pem()));
  const std::string input = test::signing_input(R"({"alg":"RS512"})", kPayload);
  EXPECT_EQ(outcome(input + "." + to_base64url(test::rsa_signature(rsa(), EVP_sha512(), input)), keys),
            "algorithm");
  EXPECT_EQ(outcome(input + "." + to_base64url(test::rsa_signature(rsa(), EVP_sha256(), input)), keys),
            "algorithm")
      << "although the key's own algorithm made the signature";
  EXPECT_EQ(outcome(hs256(kPayload, R"({"alg":"HS512"})")), "algorithm");
  const std::string good = test::signing_input(R"({"alg":"RS256"})", kPayload);
  EXPECT_EQ(outcome(good + "." + to_base64url(test::rsa_signature(rsa(), EVP_sha512(), good)), keys),
            "signature");
}

TEST(Algorithm, TheConfigurationMayAllowFewer) {
  VerifyOptions options;
  options.algorithms = {Algorithm::kHs384, Algorithm::kEdDsa};
  EXPECT_EQ(outcome(hs256(kPayload), hs256_set(), options), "algorithm");
  options.algorithms.push_back(Algorithm::kHs256);
  EXPECT_EQ(outcome(hs256(kPayload), hs256_set(), options), "ok");
}

TEST(Algorithm, AnEncryptedTokenIsRefused) {
  const std::string header = to_base64url(R"({"alg":"RSA-OAEP","enc":"A256GCM"})");
  EXPECT_EQ(outcome(header + ".a2V5.aXY." + to_base64url(hs256(kPayload)) + ".dGFn"), "parts");
  EXPECT_EQ(outcome(hs256(kPayload) + ".."), "parts");
}

// -- JW3: nothing in the header is believed -----------------------------------------------------

TEST(Header, AKidIsOnlyAName) {
  const KeySet named = set_of(VerifyingKey::from_secret(Algorithm::kHs256, kSecret), "k");
  const auto with_kid = [](const std::string& kid) {
    return hs256(kPayload, R"({"alg":"HS256","kid":)" + kid + "}");
  };
  EXPECT_EQ(outcome(with_kid("\"k\""), named), "ok");
  for (const char* kid : {R"("../../dev/null")", R"("/dev/null")", R"("' OR 1=1 --")", R"("k\u0000")",
                          R"("")", R"("K")", R"("k ")", "\"$(id)\"", R"("http://127.0.0.1/")"}) {
    EXPECT_EQ(outcome(with_kid(kid), named), "key") << kid;
    EXPECT_EQ(outcome(with_kid(kid)), "ok") << kid << ": without names in the set every key is tried";
  }
  for (const char* kid : {"5", "null", R"(["k"])", R"({"k":1})", "true"})
    EXPECT_EQ(outcome(with_kid(kid), named), "header") << kid;
  EXPECT_EQ(outcome(with_kid("\"" + std::string(128, 'k') + "\""), named), "key");
  EXPECT_EQ(outcome(with_kid("\"" + std::string(129, 'k') + "\""), named), "header");
  EXPECT_EQ(outcome(with_kid("\"" + std::string(65'536, 'k') + "\""), named), "too-large");
}

TEST(Header, KeysOfTheTokensOwnAreIgnored) {
  for (const char* more :
       {R"("jku":"http://127.0.0.1:1/")", R"("x5u":"file:///dev/zero")", R"("x5c":["AAAA"])",
        R"("jwk":{"kty":"oct","k":"AAAA"})", R"("b64":false)", R"("x5t":"AAAA")", R"("zip":"DEF")"}) {
    const std::string header = std::string(R"({"alg":"HS256",)") + more + "}";
    EXPECT_EQ(outcome(hs256(kPayload, header)), "ok") << more;
    EXPECT_EQ(outcome(hs256_token(header, kPayload, std::string(3, '\0'))), "signature") << more;
  }
}

TEST(Header, CritIsRefusedWhateverItNames) {
  for (const char* crit : {R"(["exp"])", R"(["b64"])", R"(["x"])", "[]", "null", "{}", R"("b64")"}) {
    EXPECT_EQ(outcome(hs256(kPayload, std::string(R"({"alg":"HS256","b64":false,"crit":)") + crit + "}")),
              "critical")
        << crit;
  }
}

TEST(Header, TypeSaysJwtOrNothing) {
  const auto of_type = [](const std::string& type) {
    return outcome(hs256(kPayload, R"({"alg":"HS256","typ":)" + type + "}"));
  };
  for (const char* type :
       {R"("JWT")", R"("jwt")", R"("at+jwt")", R"("application/at+jwt")", R"("application/JWT")"})
    EXPECT_EQ(of_type(type), "ok") << type;
  for (const char* type : {R"("")", R"("JOSE")", R"("dpop+jwt")", R"("logout+jwt")", R"("secevent+jwt")",
                           "null", R"(["JWT"])", R"("JWT ")", R"("text/jwt")"}) {
    EXPECT_EQ(of_type(type), "type") << type;
  }
}

TEST(Header, MustBeOneJsonObjectWithoutEqualNames) {
  for (const char* header : {"", "null", "[]", "\"HS256\"", R"({"alg":"HS256")", R"({"alg":"HS256"}x)",
                             R"({"alg":"none","alg":"HS256"})", R"({"alg":"HS256","alg":"HS256"})",
                             R"({"alg":"HS256","\u0061lg":"none"})", R"({"alg":"HS256","x":{"y":1,"y":2}})",
                             "{\"alg\":\"HS256\",\"x\":\"\xff\"}"}) {
    EXPECT_EQ(outcome(hs256(kPayload, header)), "header") << header;
  }
  const auto nested = [](std::size_t arrays) {
    return R"({"alg":"HS256","x":)" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
  };
  EXPECT_EQ(outcome(hs256(kPayload, nested(31))), "ok");
  EXPECT_EQ(outcome(hs256(kPayload, nested(32))), "header");
}

TEST(KeyChoice, ByKidOrByTrying) {
  KeySet keys;
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(keys.add(*VerifyingKey::from_secret(Algorithm::kHs256, kSecret + std::to_string(i)),
                         "k" + std::to_string(i)));
  }
  ASSERT_TRUE(keys.add(*VerifyingKey::from_secret(Algorithm::kHs384, kSecret), "k384"));
  const auto signed_by = [](int key, const std::string& header) {
    return hs256_token(header, kPayload, kSecret + std::to_string(key));
  };
  EXPECT_EQ(outcome(signed_by(3, R"({"alg":"HS256","kid":"k3"})"), keys), "ok");
  EXPECT_EQ(outcome(signed_by(3, R"({"alg":"HS256","kid":"k4"})"), keys), "signature")
      << "others are not tried";
  EXPECT_EQ(outcome(signed_by(3, R"({"alg":"HS256","kid":"new"})"), keys), "key");
  EXPECT_EQ(outcome(signed_by(3, R"({"alg":"HS256","kid":"k384"})"), keys), "algorithm");
  EXPECT_EQ(outcome(signed_by(7, kHs256), keys), "ok") << "without a kid all are tried";
  EXPECT_EQ(outcome(signed_by(8, kHs256), keys), "signature") << "but no more than eight";
  EXPECT_EQ(outcome(signed_by(8, R"({"alg":"HS256","kid":"k8"})"), keys), "ok");
}

// -- JW5: one text for each token ---------------------------------------------------------------

TEST(Signature, EcdsaOfZeroesIsRefused) {
  for (const auto& [curve, algorithm, bytes] :
       {std::tuple{"P-256", Algorithm::kEs256, 32u}, std::tuple{"P-384", Algorithm::kEs384, 48u}}) {
    const KeySet keys = set_of(VerifyingKey::from_pem(algorithm, KeyPair::ec(curve).public_pem()));
    const std::string input =
        test::signing_input(R"({"alg":")" + std::string(algorithm_name(algorithm)) + "\"}", kPayload);
    EXPECT_EQ(outcome(input + "." + to_base64url(std::string(2 * bytes, '\0')), keys), "signature");
    EXPECT_EQ(outcome(input + "." + to_base64url(std::string(2 * bytes, '\xFF')), keys), "signature");
    EXPECT_EQ(outcome(input + ".MAYCAQACAQA", keys), "signature") << "zeroes in DER";
    EXPECT_EQ(outcome(input + ".", keys), "signature");
  }
}

TEST(Text, Base64urlIsStrict) {
  const std::string good = hs256(kPayload);
  ASSERT_EQ(outcome(good), "ok");
  const std::size_t first = good.find('.');
  const std::size_t second = good.rfind('.');
  EXPECT_EQ(outcome(good + "="), "encoding");
  EXPECT_EQ(outcome(good + "A"), "signature") << "33 bytes";
  EXPECT_EQ(outcome(std::string(good).insert(second, "=")), "encoding");
  EXPECT_EQ(outcome(std::string(good).insert(first, "=")), "encoding");
  EXPECT_EQ(outcome(std::string(good).insert(second, "\n")), "encoding");
  for (const std::size_t at : {std::size_t{0}, first + 1, second + 1}) {
    for (const char c : {'+', '/', ' ', '\0', '\x80', '%'}) {
      std::string bad = good;
      bad[at] = c;
      EXPECT_EQ(outcome(bad), "encoding") << at << c;
    }
  }
}

TEST(Text, BitsThatMeanNothingMustBeZero) {
  // 32 bytes are 43 characters, the last of which has two bits to spare: four texts, one of them right.
  const std::string good = hs256(kPayload);
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const std::size_t last = alphabet.find(good.back());
  ASSERT_EQ(last % 4, 0u);
  for (std::size_t spare = 1; spare < 4; ++spare) {
    std::string other = good;
    other.back() = alphabet[last + spare];
    EXPECT_EQ(outcome(other), "encoding");
  }
}

TEST(Text, HasThreePartsAndAtMost8192Bytes) {
  for (const char* token : {"", ".", "..", "...", "a", "a.b", "a.b.c.d", "a.b.c.d.e"})
    EXPECT_NE(outcome(token), "ok");
  EXPECT_EQ(outcome(".."), "header");
  EXPECT_EQ(outcome("Bearer " + hs256(kPayload)), "encoding");
  EXPECT_EQ(outcome(std::string(8192, '.')), "parts");
  EXPECT_EQ(outcome(std::string(8193, '.')), "too-large");
  std::string token;
  for (std::size_t pad = 6000; token.size() < 8192; ++pad)
    token = hs256(R"({"exp":2000000000,"x":")" + std::string(pad, 'x') + "\"}");
  ASSERT_LE(token.size(), 8193u);
  VerifyOptions options;
  options.token_bytes_max = token.size();
  EXPECT_EQ(outcome(token, hs256_set(), options), "ok");
  options.token_bytes_max = token.size() - 1;
  EXPECT_EQ(outcome(token, hs256_set(), options), "too-large");
}

TEST(Property, EveryChangeOfOneByteIsRefused) {
  SeededRandom random(wirehall::test::seed());
  for (const Pair& pair : all_pairs()) {
    const std::string good = sign(kClaims, pair.signer).value_or("");
    ASSERT_EQ(outcome(good, pair.keys), "ok");
    const bool all = pair.algorithm == Algorithm::kHs256;
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (int n = 1; n < (all ? 256 : 4); ++n) {
        std::string bad = good;
        const auto change = all ? static_cast<unsigned>(n) : 1 + static_cast<unsigned>(random.below(255));
        bad[i] = static_cast<char>(static_cast<unsigned char>(bad[i]) ^ change);
        ASSERT_FALSE(verify(bad, pair.keys, {}, kNow)) << bad;
      }
    }
  }
}

TEST(Property, EveryStrictPrefixAndEveryExtensionIsRefused) {
  for (const Pair& pair : all_pairs()) {
    const std::string good = sign(kClaims, pair.signer).value_or("");
    for (std::size_t length = 0; length < good.size(); ++length)
      ASSERT_FALSE(verify(good.substr(0, length), pair.keys, {}, kNow)) << length;
    for (const char* more : {"A", "AA", "AAA", "AAAA", "=", ".", "\n", " "})
      ASSERT_FALSE(verify(good + more, pair.keys, {}, kNow)) << more;
  }
}

}  // namespace
}  // namespace wirehall::auth
