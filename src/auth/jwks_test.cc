#include "auth/jwks.h"

#include <gtest/gtest.h>

#include "auth/jwt.h"
#include "auth/keys_for_test.h"

namespace wirehall::auth {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::KeyPair;

/// Two public keys of RFC 7517 appendix A.1; the first is for encryption.
const std::string kRfc7517 = R"({"keys":[
  {"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
   "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"},
  {"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
   "e":"AQAB","alg":"RS256","kid":"2011-04-29"}]})";

struct Pairs {
  KeyPair rsa = KeyPair::rsa();
  KeyPair p256 = KeyPair::ec("P-256");
  KeyPair p384 = KeyPair::ec("P-384");
  KeyPair ed25519 = KeyPair::ed25519();
};
const Pairs& pairs() {
  static const Pairs made;
  return made;
}

// One JWK each; `more` is further members, each with a comma in front.
std::string rsa_jwk(const std::string& more = "") {
  return R"({"kty":"RSA","n":")" + pairs().rsa.number("n") + R"(","e":")" + pairs().rsa.number("e") + "\"" +
         more + "}";
}
std::string ec_jwk(const KeyPair& pair, const std::string& crv, int bytes, const std::string& more = "") {
  return R"({"kty":"EC","crv":")" + crv + R"(","x":")" + pair.number("qx", bytes) + R"(","y":")" +
         pair.number("qy", bytes) + "\"" + more + "}";
}
std::string p256_jwk(const std::string& more = "") { return ec_jwk(pairs().p256, "P-256", 32, more); }
std::string p384_jwk(const std::string& more = "") { return ec_jwk(pairs().p384, "P-384", 48, more); }
std::string ed25519_jwk(const std::string& more = "") {
  return R"({"kty":"OKP","crv":"Ed25519","x":")" + pairs().ed25519.point() + "\"" + more + "}";
}
std::string oct_jwk(const std::string& more = "") {
  return R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")" +
         more + "}";
}
std::string document(std::initializer_list<std::string> keys) {
  std::string text = R"({"keys":[)";
  for (const std::string& key : keys) text += (text.back() == '[' ? "" : ",") + key;
  return text + "]}";
}

/// The algorithms and kids of the keys that a document gives, e.g. "RS256 ES256:a"; or the error's code.
std::string read(const std::string& text) {
  const Result<KeySet> set = parse_jwks(text);
  if (!set) return std::string(set.error().kebab());
  std::string out;
  for (const KeySet::Entry& entry : (*set).entries()) {
    EXPECT_EQ(entry.key.family(), family_of(entry.key.algorithm()));
    if (!out.empty()) out += " ";
    out += algorithm_name(entry.key.algorithm());
    if (entry.kid) out += ":" + *entry.kid;
  }
  return out;
}
std::string read_one(const std::string& key) { return read(document({key})); }

// -- document -----------------------------------------------------------------------------------

TEST(Jwks, OfRfc7517AppendixA1) { EXPECT_EQ(read(kRfc7517), "RS256:2011-04-29"); }

TEST(Jwks, WithoutAlgAKeyServesTheCustomaryOneAlone) {
  EXPECT_EQ(read(document({rsa_jwk(), p256_jwk(), p384_jwk(), ed25519_jwk()})), "RS256 ES256 ES384 EdDSA");
  EXPECT_EQ(read_one(oct_jwk()), "");
}

TEST(Jwks, AlgIsTakenWhenItFitsTheKind) {
  EXPECT_EQ(read(document({rsa_jwk(R"(,"alg":"RS512","kid":"a")"), p256_jwk(R"(,"alg":"ES256")"),
                           ed25519_jwk(R"(,"alg":"EdDSA","use":"sig")")})),
            "RS512:a ES256 EdDSA");
  EXPECT_EQ(read_one(oct_jwk(R"(,"alg":"HS384","kid":"s")")), "HS384:s");
}

TEST(Jwks, AlgOfAnotherKindMakesAKeyUseless) {
  for (const char* alg : {"\"HS256\"", "\"ES256\"", "\"EdDSA\"", "\"none\"", "\"PS256\"", "\"RSA-OAEP\"",
                          "\"\"", "null", "256", "[\"RS256\"]"}) {
    EXPECT_EQ(read_one(rsa_jwk(std::string(R"(,"alg":)") + alg)), "") << alg;
  }
  for (const char* alg : {"HS256", "RS256", "ES384", "EdDSA", "ES512"})
    EXPECT_EQ(read_one(p256_jwk(std::string(R"(,"alg":")") + alg + "\"")), "") << alg;
  for (const char* alg : {"HS256", "ES256", "RS256"})
    EXPECT_EQ(read_one(ed25519_jwk(std::string(R"(,"alg":")") + alg + "\"")), "") << alg;
  for (const char* alg : {"RS256", "ES256", "EdDSA", "none", "A128KW"})
    EXPECT_EQ(read_one(oct_jwk(std::string(R"(,"alg":")") + alg + "\"")), "") << alg;
}

TEST(Jwks, AKeyOfTwoKindsServesNeitherByItsAlg) {
  const std::string k =
      R"(,"k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjA")";
  EXPECT_EQ(read_one(rsa_jwk(k + R"(,"alg":"HS256")")), "");
  EXPECT_EQ(read_one(rsa_jwk(k)), "RS256");
  const std::string numbers = R"(,"n":")" + pairs().rsa.number("n") + R"(","e":"AQAB")";
  EXPECT_EQ(read_one(oct_jwk(numbers + R"(,"alg":"RS256")")), "");
  EXPECT_EQ(read_one(p256_jwk(numbers + R"(,"alg":"RS256")")), "");
  EXPECT_EQ(read_one(ec_jwk(pairs().p384, "P-256", 48, R"(,"alg":"ES384")")), "");
}

TEST(Jwks, KeysForOtherPurposesArePassedOver) {
  EXPECT_EQ(read_one(rsa_jwk(R"(,"use":"sig")")), "RS256");
  for (const char* use : {"\"enc\"", "\"\"", "null", "[\"sig\"]"})
    EXPECT_EQ(read_one(rsa_jwk(std::string(R"(,"use":)") + use)), "") << use;
  EXPECT_EQ(read_one(rsa_jwk(R"(,"key_ops":["sign","verify"])")), "RS256");
  for (const char* operations : {"[]", "[\"sign\"]", "\"verify\"", "null", "[1]"})
    EXPECT_EQ(read_one(rsa_jwk(std::string(R"(,"key_ops":)") + operations)), "") << operations;
}

TEST(Jwks, UnknownAndImpossibleKeysArePassedOver) {
  const std::string short_n = R"({"kty":"RSA","e":"AQAB","n":")" + KeyPair::rsa(1024).number("n") + "\"}";
  EXPECT_EQ(
      read(document({R"({})", R"({"kty":"EC"})", R"({"kty":"rsa"})", R"({"kty":5})", R"({"kty":"RSA"})",
                     R"({"kty":"RSA","n":"","e":""})", R"({"kty":"oct","alg":"HS256"})",
                     R"({"kty":"oct","alg":"HS256","k":""})", R"({"kty":"oct","alg":"HS256","k":"c2VjcmV0"})",
                     R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
                     R"({"kty":"OKP","crv":"Ed25519","x":"11qY"})",
                     R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})",
                     R"({"kty":"EC","crv":"P-521","x":"AA","y":"AA"})", short_n,
                     ec_jwk(pairs().p384, "P-256", 48), ec_jwk(pairs().p256, "P-384", 48), p256_jwk()})),
      "ES256");
  EXPECT_EQ(read(document({rsa_jwk(R"(,"kid":5)"), rsa_jwk(R"(,"kid":null)"),
                           rsa_jwk(",\"kid\":\"" + std::string(129, 'k') + "\""), rsa_jwk(R"(,"kid":"")")})),
            "RS256:");
}

TEST(Jwks, NumbersMustBeStrictBase64url) {
  std::string padded = p256_jwk();
  padded.insert(padded.find("\",\"y\""), "=");
  EXPECT_EQ(read_one(padded), "");
  EXPECT_EQ(read_one(R"({"kty":"RSA","n":")" + pairs().rsa.number("n") + R"(","e":"AQAB=="})"), "");
  EXPECT_EQ(read_one(R"({"kty":"RSA","n":")" + pairs().rsa.number("n") + R"(","e":"AQAC"})"), "") << "even";
}

TEST(Jwks, SecretsBesidePublicKeysArePassedOverInAnyOrder) {
  const std::string secret = oct_jwk(R"(,"alg":"HS256")");
  EXPECT_EQ(read(document({secret, rsa_jwk()})), "RS256");
  EXPECT_EQ(read(document({rsa_jwk(), secret})), "RS256");
  EXPECT_EQ(read(document({secret, secret})), "HS256 HS256");
}

TEST(Jwks, AMalformedDocumentIsAnError) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "json-syntax"},
      {"<html>", "json-syntax"},
      {"{\"keys\":[}", "json-syntax"},
      {"{\"keys\":[\"\xff\"]}", "json-syntax"},
      {"[]", "invalid-format"},
      {"{}", "invalid-format"},
      {R"({"keys":{}})", "invalid-format"},
      {R"({"keys":null})", "invalid-format"},
      {R"({"Keys":[]})", "invalid-format"},
      {R"({"keys":[1]})", "invalid-format"},
      {R"({"keys":[{},[]]})", "invalid-format"},
      {R"({"keys":[],"keys":[]})", "invalid-format"},
      {R"({"keys":[{"kty":"RSA","kty":"oct"}]})", "invalid-format"}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(read(text), expected) << text;
  EXPECT_EQ(read(R"({"keys":)" + std::string(40, '[') + std::string(40, ']') + "}"), "json-depth");
  EXPECT_EQ(read(R"({"keys":[]})"), "") << "an issuer may have withdrawn all";
}

TEST(Jwks, LimitsAtTheirBorders) {
  const auto many = [](int count) {
    std::string text = R"({"keys":[)";
    for (int i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + ed25519_jwk();
    return text + "]}";
  };
  EXPECT_EQ(parse_jwks(many(64)).value_or(KeySet()).size(), 64u);
  EXPECT_EQ(read(many(65)), "too-large");
  std::string text = document({ed25519_jwk()});
  text.append(kJwksBytesMax - text.size(), ' ');
  EXPECT_EQ(read(text), "EdDSA");
  EXPECT_EQ(read(text + " "), "too-large");
}

// -- the hole of libjwt GHSA-q843-6q5f-w55g ------------------------------------------------------

TEST(Jwks, AnRsaKeyWithoutAlgVerifiesNoHmac) {
  const KeySet set = parse_jwks(document({rsa_jwk(R"(,"kid":"k")")})).value_or(KeySet());
  ASSERT_EQ(set.size(), 1u);
  const std::string secrets[] = {"",
                                 std::string(1, '\0'),
                                 std::string(32, '\0'),
                                 pairs().rsa.public_pem(),
                                 from_base64url(pairs().rsa.number("n")).value_or(""),
                                 pairs().rsa.number("n")};
  for (const std::string& secret : secrets) {
    for (const char* header : {R"({"alg":"HS256","kid":"k"})", R"({"alg":"HS256"})", R"({"alg":"RS256"})"}) {
      const std::string token = test::hs256_token(header, R"({"sub":"eve","exp":2000000000})", secret);
      EXPECT_FALSE(verify(token, set, {}, 1'700'000'000'000)) << header;
    }
  }
}

// -- JwksCache ----------------------------------------------------------------------------------

MonoTime at(Duration time) { return MonoTime(hours(1)) + time; }

std::string held(const JwksCache& cache, Duration time) {
  const auto keys = cache.keys(at(time));
  if (keys == nullptr) return "none";
  std::string kids;
  for (const KeySet::Entry& entry : keys->entries()) kids += entry.kid.value_or("-");
  return kids;
}

std::string keys_named(std::initializer_list<const char*> kids) {
  std::string text = R"({"keys":[)";
  for (const char* kid : kids)
    text += (text.back() == '[' ? "" : ",") + ed25519_jwk(std::string(R"(,"kid":")") + kid + "\"");
  return text + "]}";
}

/// A cache that fetched key "a" at time 0.
JwksCache filled() {
  JwksCache cache;
  EXPECT_TRUE(cache.begin_fetch(at(seconds(0))));
  EXPECT_TRUE(cache.complete(keys_named({"a"}), at(seconds(0))));
  return cache;
}

TEST(JwksCache, FetchesAtOnceAndHoldsNothingBefore) {
  JwksCache cache;
  EXPECT_EQ(held(cache, seconds(0)), "none");
  EXPECT_LE(cache.next_deadline(), at(seconds(0)));
  EXPECT_TRUE(cache.begin_fetch(at(seconds(0))));
  EXPECT_EQ(held(cache, seconds(0)), "none");
  EXPECT_TRUE(cache.complete(keys_named({"a", "b"}), at(seconds(1))));
  EXPECT_EQ(held(cache, seconds(1)), "ab");
}

TEST(JwksCache, OneFetchAtATime) {
  JwksCache cache;
  EXPECT_TRUE(cache.begin_fetch(at(seconds(0))));
  EXPECT_EQ(cache.next_deadline(), kNever);
  for (int i = 0; i < 100; ++i) {
    cache.report_unknown_key(at(hours(i)));
    EXPECT_FALSE(cache.begin_fetch(at(hours(i))));
  }
}

TEST(JwksCache, RefreshesTenMinutesAfterASuccess) {
  JwksCache cache = filled();
  EXPECT_EQ(cache.next_deadline(), at(minutes(10)));
  EXPECT_FALSE(cache.begin_fetch(at(minutes(10) - Duration(1))));
  EXPECT_TRUE(cache.begin_fetch(at(minutes(10))));
}

TEST(JwksCache, ASuccessReplacesEverything) {
  JwksCache cache = filled();
  const auto before = cache.keys(at(seconds(0)));
  ASSERT_TRUE(cache.begin_fetch(at(minutes(10))));
  ASSERT_TRUE(cache.complete(keys_named({"b"}), at(minutes(10))));
  EXPECT_EQ(held(cache, minutes(10)), "b") << "the key that was withdrawn is gone";
  EXPECT_EQ(before->size(), 1u) << "who verifies just now keeps what it has";
  ASSERT_TRUE(cache.begin_fetch(at(minutes(20))));
  ASSERT_TRUE(cache.complete(R"({"keys":[]})", at(minutes(20))));
  EXPECT_EQ(held(cache, minutes(20)), "");
}

TEST(JwksCache, UnknownKeysCauseOneFetchInThirtySeconds) {
  JwksCache cache = filled();
  int fetches = 0;
  for (int i = 0; i < 10'000; ++i) {  // ten seconds, a token each millisecond
    const MonoTime now = at(minutes(1) + Milliseconds(i));
    cache.report_unknown_key(now);
    if (cache.begin_fetch(now)) {
      ++fetches;
      ASSERT_TRUE(cache.complete(keys_named({"a"}), now));
    }
  }
  EXPECT_EQ(fetches, 1);
  EXPECT_EQ(cache.next_deadline(), at(minutes(1) + seconds(30))) << "a report inside the pause is not lost";
}

TEST(JwksCache, UnknownKeysCauseNoMoreFetchesWhileTheyFail) {
  JwksCache cache = filled();
  int fetches = 0;
  for (int i = 0; i < 3'600'000; i += 100) {
    const MonoTime now = at(minutes(1) + Milliseconds(i));
    cache.report_unknown_key(now);
    if (cache.begin_fetch(now)) {
      ++fetches;
      cache.fail(now + Milliseconds(50));
    }
  }
  EXPECT_EQ(fetches, 120) << "in an hour";
}

TEST(JwksCache, AnUnknownKeyIsFetchedAtOnceAfterAQuietTime) {
  JwksCache cache = filled();
  cache.report_unknown_key(at(minutes(5)));
  EXPECT_TRUE(cache.begin_fetch(at(minutes(5))));
  ASSERT_TRUE(cache.complete(keys_named({"a", "new"}), at(minutes(5))));
  EXPECT_EQ(held(cache, minutes(5)), "anew");
}

TEST(JwksCache, AFailureKeepsTheLastGoodForADay) {
  JwksCache cache = filled();
  MonoTime now = at(seconds(0));
  bool answered = false;
  while (now < at(hours(24))) {
    EXPECT_EQ(held(cache, now - at(seconds(0))), "a");
    now = cache.next_deadline();
    ASSERT_TRUE(cache.begin_fetch(now));
    answered = !answered;
    if (!answered) {
      cache.fail(now);
    } else {
      EXPECT_FALSE(cache.complete("<html>", now));
    }
    ASSERT_EQ(cache.next_deadline(), now + seconds(30));
  }
  EXPECT_EQ(held(cache, hours(24) - Duration(1)), "a");
  EXPECT_EQ(held(cache, hours(24)), "none");
  ASSERT_TRUE(cache.begin_fetch(at(hours(25))));
  ASSERT_TRUE(cache.complete(keys_named({"b"}), at(hours(25))));
  EXPECT_EQ(held(cache, hours(25)), "b") << "and it recovers";
}

TEST(JwksCache, AMalformedDocumentIsAFailure) {
  JwksCache cache = filled();
  ASSERT_TRUE(cache.begin_fetch(at(minutes(10))));
  EXPECT_EQ(cache.complete("{}", at(minutes(10))).error().code(), ErrorCode::kInvalidFormat);
  EXPECT_EQ(held(cache, minutes(10)), "a");
  EXPECT_EQ(cache.next_deadline(), at(minutes(10) + seconds(30)));
}

TEST(JwksCache, AFetchThatTookLongIsFollowedByAPauseFromItsBeginning) {
  JwksCache cache;
  ASSERT_TRUE(cache.begin_fetch(at(seconds(0))));
  cache.fail(at(seconds(10)));
  EXPECT_EQ(cache.next_deadline(), at(seconds(30)));
  ASSERT_TRUE(cache.begin_fetch(at(seconds(30))));
  cache.fail(at(seconds(90)));
  EXPECT_EQ(cache.next_deadline(), at(seconds(90)));
}

TEST(JwksCache, TwoIssuersWithOneKidAreTwoKeys) {
  JwksCache first = filled();
  JwksCache second;
  ASSERT_TRUE(second.begin_fetch(at(seconds(0))));
  ASSERT_TRUE(second.complete(document({p256_jwk(R"(,"kid":"a")")}), at(seconds(0))));
  const auto key = SigningKey::from_pem(Algorithm::kEdDsa, pairs().ed25519.private_pem());
  ASSERT_TRUE(key);
  const std::string token = sign({{"sub", "ada"}, {"exp", 2'000'000'000}}, *key, "a").value_or("");
  EXPECT_TRUE(verify(token, *first.keys(at(seconds(0))), {}, 1'700'000'000'000));
  VerifyFault fault = VerifyFault::kNone;
  EXPECT_FALSE(verify(token, *second.keys(at(seconds(0))), {}, 1'700'000'000'000, &fault));
  EXPECT_EQ(fault_name(fault), "algorithm");
}

}  // namespace
}  // namespace wirehall::auth
