#include "auth/user_from_claims.h"

#include <gtest/gtest.h>

namespace wirehall::auth {
namespace {

Result<User> user_of(std::string_view json) {
  Result<Value> claims = Value::from_json(json);
  EXPECT_TRUE(claims) << json;
  return user_from_claims(claims->as_object());
}

/// The id, or the text of the refusal.
std::string id_or_refusal(std::string_view json) {
  const Result<User> user = user_of(json);
  return user ? user->id : user.error().text();
}

User good(std::string_view json) {
  Result<User> user = user_of(json);
  EXPECT_TRUE(user) << json;
  return user.value_or(User());
}

TEST(UserId, IsSubOrUserId) {
  EXPECT_EQ(id_or_refusal(R"({"sub":"ada"})"), "ada");
  EXPECT_EQ(id_or_refusal(R"({"userId":"ada"})"), "ada");
  EXPECT_EQ(id_or_refusal(R"({"userId":"eve","sub":"ada"})"), "ada");
  EXPECT_EQ(id_or_refusal("{\"sub\":\"J\xC3\xBCrgen \xE2\x9C\x93\"}"), "J\xC3\xBCrgen \xE2\x9C\x93");
}

TEST(UserId, AnIntegerBecomesItsDigits) {
  EXPECT_EQ(id_or_refusal(R"({"sub":42})"), "42");
  EXPECT_EQ(id_or_refusal(R"({"sub":0})"), "0");
  EXPECT_EQ(id_or_refusal(R"({"sub":-7})"), "-7");
  EXPECT_EQ(id_or_refusal(R"({"sub":4.2e1})"), "42");
  EXPECT_EQ(id_or_refusal(R"({"sub":9007199254740993})"), "9007199254740993");
  EXPECT_EQ(id_or_refusal(R"({"sub":9223372036854775807})"), "9223372036854775807");
}

TEST(UserId, ANumberThatTwoIdsCouldShareIsRefused) {
  for (const char* json : {R"({"sub":9007199254740993.0})", R"({"sub":9223372036854775808})",
                           R"({"sub":1e300})", R"({"sub":1e400})", R"({"sub":1.5})"}) {
    EXPECT_EQ(id_or_refusal(json), "Invalid user") << json;
  }
}

TEST(UserId, OtherTypesAndNoneAreRefused) {
  for (const char* json : {"{}", R"({"name":"Ada"})", R"({"sub":""})", R"({"sub":null})", R"({"sub":true})",
                           R"({"sub":[]})", R"({"sub":{"id":"ada"}})", R"({"sub":null,"userId":"ada"})",
                           R"({"sub":"","userId":"ada"})", R"({"userid":"ada"})"}) {
    EXPECT_EQ(id_or_refusal(json), "Invalid user") << json;
  }
}

TEST(UserId, ControlCharactersAndIllFormedTextAreRefused) {
  for (const char* json :
       {R"({"sub":"a\u0000b"})", R"({"sub":"a\nb"})", R"({"sub":"\u001f"})", R"({"sub":"\u007f"})",
        R"({"sub":"\u0080"})", R"({"sub":"a\u009f"})", R"({"sub":"\ud800"})", R"({"sub":"a\udc00b"})"}) {
    EXPECT_EQ(id_or_refusal(json), "Invalid user") << json;
  }
  EXPECT_EQ(id_or_refusal(R"({"sub":"\u00a0"})"), "\xC2\xA0") << "the first character after C1";
  EXPECT_FALSE(is_user_id("\xC2")) << "cut short";
}

TEST(UserId, HasAtMost255Bytes) {
  EXPECT_EQ(id_or_refusal("{\"sub\":\"" + std::string(255, 'x') + "\"}"), std::string(255, 'x'));
  EXPECT_EQ(id_or_refusal("{\"sub\":\"" + std::string(256, 'x') + "\"}"), "Invalid user");
}

TEST(Profile, NameAndUserAreWhatOthersSee) {
  const User both = good(R"({"sub":"1","name":"Ada","user":{"avatar":"a.png"}})");
  EXPECT_EQ(both.name, "Ada");
  EXPECT_EQ(both.info.to_json(), R"({"avatar":"a.png","name":"Ada"})");
  EXPECT_EQ(good(R"({"sub":"1","name":"Ada"})").info.to_json(), R"({"name":"Ada"})");
  EXPECT_EQ(good(R"({"sub":"1","name":"Ada","user":{"name":"Countess"}})").info.to_json(),
            R"({"name":"Countess"})");
  EXPECT_TRUE(good(R"({"sub":"1"})").info.is_null());
}

TEST(Profile, OtherTypesArePassedOver) {
  const User user = good(R"({"sub":"1","name":5,"user":"ada"})");
  EXPECT_EQ(user.name, "");
  EXPECT_TRUE(user.info.is_null());
  EXPECT_EQ(good(R"({"sub":"1","name":"a\ud800b"})").name,
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Rooms, LimitWhatMayBeJoined) {
  const User limited = good(R"({"sub":"1","rooms":["lobby","team-*"]})");
  ASSERT_TRUE(limited.rooms);
  EXPECT_EQ(*limited.rooms, (std::vector<std::string>{"lobby", "team-*"}));
  const User none = good(R"({"sub":"1","rooms":[]})");
  ASSERT_TRUE(none.rooms);
  EXPECT_TRUE(none.rooms->empty());
  EXPECT_FALSE(good(R"({"sub":"1"})").rooms) << "without the claim any room may be joined";
}

TEST(Rooms, AnythingButAListOfTextsIsAnInvalidToken) {
  for (const char* json :
       {R"({"sub":"1","rooms":"*"})", R"({"sub":"1","rooms":null})", R"({"sub":"1","rooms":{}})",
        R"({"sub":"1","rooms":true})", R"({"sub":"1","rooms":["a",1]})", R"({"sub":"1","rooms":[["a"]]})"}) {
    EXPECT_EQ(id_or_refusal(json), "Authentication failed: invalid token") << json;
  }
}

TEST(Expiry, IsInMilliseconds) {
  EXPECT_EQ(good(R"({"sub":"1","exp":1700000000})").expires_at, 1'700'000'000'000);
  EXPECT_EQ(good(R"({"sub":"1","exp":1.7e9})").expires_at, 1'700'000'000'000);
  EXPECT_EQ(good(R"({"sub":"1"})").expires_at, 0);
}

TEST(Expiry, IsCutToWhatADeadlineHolds) {
  EXPECT_EQ(good(R"({"sub":"1","exp":4102444800})").expires_at, kExpiresAtMax);
  EXPECT_EQ(good(R"({"sub":"1","exp":4102444801})").expires_at, kExpiresAtMax);
  EXPECT_EQ(good(R"({"sub":"1","exp":9007199254740992})").expires_at, kExpiresAtMax);
  EXPECT_EQ(good(R"({"sub":"1","exp":9223372036854775807})").expires_at, kExpiresAtMax);
}

TEST(Expiry, OtherValuesAreAnInvalidToken) {
  for (const char* json :
       {R"({"sub":"1","exp":"1700000000"})", R"({"sub":"1","exp":0})", R"({"sub":"1","exp":-1})",
        R"({"sub":"1","exp":1.5})", R"({"sub":"1","exp":1e308})", R"({"sub":"1","exp":null})"}) {
    EXPECT_EQ(id_or_refusal(json), "Authentication failed: invalid token") << json;
  }
}

TEST(Claims, AreKept) {
  const User user = good(R"({"sub":"1","role":"admin","exp":1700000000})");
  EXPECT_EQ(user.claims.to_json(), R"({"sub":"1","role":"admin","exp":1700000000})");
  EXPECT_FALSE(user.anonymous);
}

}  // namespace
}  // namespace wirehall::auth
