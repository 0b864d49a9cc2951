// What a token with a good signature must say: RFC 7519 section 4.1, and row JW6 of RELIABILITY 1.7.
#include <gtest/gtest.h>

#include "auth/jwt_outcome_for_test.h"
#include "auth/keys_for_test.h"

namespace wirehall::auth {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr WallMs kNow = 1'700'000'000'000;
const std::string kSecret = "a secret of this test, forty bytes long.";
const std::string kHs256 = R"({"alg":"HS256","typ":"JWT"})";

const KeySet& hs256_set() {
  static const KeySet keys = [] {
    KeySet set;
    EXPECT_TRUE(set.add(*VerifyingKey::from_secret(Algorithm::kHs256, kSecret)));
    return set;
  }();
  return keys;
}
std::string hs256(std::string_view payload) { return test::hs256_token(kHs256, payload, kSecret); }

std::string outcome(std::string_view payload, const VerifyOptions& options = {}, WallMs now = kNow) {
  return test::outcome(hs256(payload), hs256_set(), options, now);
}

VerifyOptions without_exp() {
  VerifyOptions options;
  options.require_exp = false;
  return options;
}

// -- payload ------------------------------------------------------------------------------------

TEST(Payload, MustBeOneJsonObjectWithoutEqualNames) {
  for (const char* payload :
       {"", "null", "[]", "5", "{", R"({"exp":2000000000}x)", R"({"exp":2000000000,"sub":"a","sub":"b"})",
        R"({"exp":1,"exp":2000000000})", R"({"exp":2000000000,"\u0065xp":2000000001})",
        R"({"exp":2000000000,"user":{"role":"a","role":"b"}})", "{\"exp\":2000000000,\"sub\":\"\xff\"}"}) {
    EXPECT_EQ(outcome(payload), "payload") << payload;
  }
  const auto nested = [](std::size_t arrays) {
    return R"({"exp":2000000000,"x":)" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
  };
  EXPECT_EQ(outcome(nested(31)), "ok");
  EXPECT_EQ(outcome(nested(32)), "payload");
}

TEST(Payload, IsNotReadBeforeTheSignatureIsGood) {
  const KeySet& keys = hs256_set();
  for (const char* payload : {"{", R"({"exp":1})", R"({"exp":2000000000,"iss":"other"})"}) {
    VerifyFault fault = VerifyFault::kNone;
    const std::string token = test::hs256_token(kHs256, payload, kSecret + "!");
    EXPECT_EQ(verify(token, keys, {}, kNow, &fault).error().detail(), "invalid token");
    EXPECT_EQ(fault, VerifyFault::kSignature);
  }
}

// -- JW6: dates ---------------------------------------------------------------------------------

TEST(Dates, MustBeWholeSecondsFrom0To2To53) {
  for (const char* name : {"exp", "nbf", "iat"}) {
    for (const char* date : {"\"2000000000\"", "\"\"", "null", "true", "[2000000000]", "{}", "-1", "-1e9",
                             "1e308", "1e400", "-1e400", "2000000000.5", "0.1", "9007199254740993",
                             "9007199254740994.0", "9223372036854775807", "9223372036854775808", "1e17"}) {
      EXPECT_EQ(outcome(R"({"exp2":2000000000,")" + std::string(name) + "\":" + date + "}", without_exp()),
                "claim")
          << name << " " << date;
    }
  }
  EXPECT_EQ(outcome(R"({"exp":9007199254740992})"), "ok");
  EXPECT_EQ(outcome(R"({"exp":9007199254740992,"iat":0,"nbf":-0})"), "ok");
  EXPECT_EQ(outcome(R"({"exp":2e9,"iat":1.5e9,"nbf":1500000000.0})"), "ok");
  EXPECT_EQ(outcome(R"({"exp":2000000000,"nbf":9007199254740992})"), "not-yet-valid");
  EXPECT_EQ(outcome(R"({"exp":2000000000,"iat":9007199254740992})"), "not-yet-valid");
}

TEST(Dates, ExpMustBeThereUnlessToldOtherwise) {
  EXPECT_EQ(outcome(R"({"sub":"ada"})"), "claim");
  EXPECT_EQ(outcome(R"({"sub":"ada"})", without_exp()), "ok");
  EXPECT_EQ(outcome(R"({"sub":"ada","exp":1})", without_exp()), "expired");
}

TEST(Dates, ExpEndsATokenAfterTheLeeway) {
  const char* payload = R"({"exp":1700000000})";
  EXPECT_EQ(outcome(payload, {}, kNow - 1), "ok");
  EXPECT_EQ(outcome(payload, {}, kNow + 29'999), "ok");
  EXPECT_EQ(outcome(payload, {}, kNow + 30'000), "expired");
  VerifyOptions strict;
  strict.leeway = seconds(0);
  EXPECT_EQ(outcome(payload, strict, kNow - 1), "ok");
  EXPECT_EQ(outcome(payload, strict, kNow), "expired");
  EXPECT_EQ(outcome(R"({"exp":0})"), "expired");
}

TEST(Dates, NbfAndIatBeginATokenBeforeTheLeeway) {
  for (const char* name : {"nbf", "iat"}) {
    const std::string payload = R"({"exp":2000000000,")" + std::string(name) + "\":1700000000}";
    EXPECT_EQ(outcome(payload, {}, kNow), "ok");
    EXPECT_EQ(outcome(payload, {}, kNow - 30'000), "ok");
    EXPECT_EQ(outcome(payload, {}, kNow - 30'001), "not-yet-valid");
    VerifyOptions strict;
    strict.leeway = seconds(0);
    EXPECT_EQ(outcome(payload, strict, kNow), "ok");
    EXPECT_EQ(outcome(payload, strict, kNow - 1), "not-yet-valid");
  }
}

TEST(Dates, ALeewayOutsideItsRangeIsCut) {
  VerifyOptions options;
  options.leeway = seconds::max();
  EXPECT_EQ(outcome(R"({"exp":1700000000})", options, kNow + 24 * 3'600'000 - 1), "ok");
  EXPECT_EQ(outcome(R"({"exp":1700000000})", options, kNow + 24 * 3'600'000), "expired");
  EXPECT_EQ(outcome(R"({"exp":9007199254740992,"nbf":9007199254740992})", options), "not-yet-valid");
  options.leeway = seconds(-5);
  EXPECT_EQ(outcome(R"({"exp":1700000000})", options, kNow - 1), "ok");
}

TEST(Lifetime, EndsTokensThatWouldLastLonger) {
  VerifyOptions options;
  options.lifetime_max = hours(1);
  const auto end = [&](const char* payload) {
    const Result<Object> claims = verify(hs256(payload), hs256_set(), options, kNow);
    return claims ? claims->find("exp")->as_int() : -1;
  };
  EXPECT_EQ(end(R"({"exp":1700000100,"iat":1700000000})"), 1'700'000'100) << "shorter ones are left alone";
  EXPECT_EQ(end(R"({"exp":2000000000,"iat":1699999000})"), 1'700'002'600);
  EXPECT_EQ(end(R"({"exp":9007199254740992})"), 1'700'003'600) << "without iat, from now";
  EXPECT_EQ(outcome(R"({"exp":2000000000,"iat":1699996400})", options, kNow + 30'000), "expired");
  options.require_exp = false;
  EXPECT_EQ(end(R"({"iat":1699999000})"), 1'700'002'600);
  EXPECT_EQ(end(R"({})"), 1'700'003'600);
  options.lifetime_max = seconds::max();
  EXPECT_EQ(end(R"({"exp":2000000000,"iat":1699999000})"), 2'000'000'000);
}

// -- issuer and audience ------------------------------------------------------------------------

TEST(Issuer, MustBeOneOfTheConfigured) {
  VerifyOptions options;
  options.issuers = {"https://one.example", "https://two.example"};
  EXPECT_EQ(outcome(R"({"exp":2000000000,"iss":"https://two.example"})", options), "ok");
  for (const char* payload :
       {R"({"exp":2000000000})", R"({"exp":2000000000,"iss":""})",
        R"({"exp":2000000000,"iss":"https://two.example/"})", R"({"exp":2000000000,"iss":"https://two"})"}) {
    EXPECT_EQ(outcome(payload, options), "issuer") << payload;
    EXPECT_EQ(outcome(payload), "ok") << payload << ": none configured";
  }
  for (const char* issuer : {"5", "null", R"(["https://two.example"])"}) {
    const std::string payload = R"({"exp":2000000000,"iss":)" + std::string(issuer) + "}";
    EXPECT_EQ(outcome(payload, options), "claim") << issuer;
    EXPECT_EQ(outcome(payload), "claim") << issuer;
  }
}

TEST(Audience, MustHoldOneOfTheConfigured) {
  VerifyOptions options;
  options.audiences = {"hall", "lobby"};
  const auto with = [](const char* audience) {
    return R"({"exp":2000000000,"aud":)" + std::string(audience) + "}";
  };
  for (const char* audience : {R"("hall")", R"(["lobby"])", R"(["other","hall"])"})
    EXPECT_EQ(outcome(with(audience), options), "ok") << audience;
  for (const char* audience :
       {R"("other")", R"("")", "[]", R"(["other"])", R"("hall ")", R"("hall,lobby")"}) {
    EXPECT_EQ(outcome(with(audience), options), "audience") << audience;
    EXPECT_EQ(outcome(with(audience)), "ok") << audience << ": none configured";
  }
  EXPECT_EQ(outcome(R"({"exp":2000000000})", options), "audience");
  for (const char* audience : {"5", "null", "{}", R"(["hall",5])", R"([["hall"]])"})
    EXPECT_EQ(outcome(with(audience), options), "claim") << audience;
}

TEST(Order, AnExpiredTokenOfAnotherIssuerIsExpired) {
  VerifyOptions options;
  options.issuers = {"one"};
  options.audiences = {"hall"};
  EXPECT_EQ(outcome(R"({"exp":1,"iss":"two","aud":"other"})", options), "expired");
  EXPECT_EQ(outcome(R"({"exp":2000000000,"iss":"two","aud":"other"})", options), "issuer");
}

}  // namespace
}  // namespace wirehall::auth
