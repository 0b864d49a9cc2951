#include "hub/kept_handshake.h"

#include <gtest/gtest.h>

namespace wirehall::hub {
namespace {

Handshake sample() {
  Handshake handshake;
  handshake.url = "/ws?tag=one";
  handshake.headers = {{"host", "example.org"}, {"origin", "https://example.org"}, {"user-agent", "a client"}};
  handshake.address = "2001:db8::7";
  handshake.issued = 1'700'000'000'123;
  handshake.secure = true;
  handshake.xdomain = true;
  return handshake;
}

const std::vector<std::string> kNames = {"origin", "user-agent", "x-absent"};

TEST(KeptHandshake, UnpacksToWhatWasPackedWithTheNamedHeaders) {
  const KeptHandshake kept = KeptHandshake(sample()).packed(kNames, Value{{"token", "t"}, {"n", 1.5}});
  EXPECT_EQ(kept.address(), "2001:db8::7");
  const Handshake& out = kept.get();
  EXPECT_EQ(out.url, "/ws?tag=one");
  EXPECT_EQ(out.headers, (std::vector<std::pair<std::string, std::string>>{{"origin", "https://example.org"},
                                                                          {"user-agent", "a client"}}));
  EXPECT_EQ(out.address, "2001:db8::7");
  EXPECT_EQ(out.issued, 1'700'000'000'123);
  EXPECT_TRUE(out.secure);
  EXPECT_TRUE(out.xdomain);
  EXPECT_EQ(out.auth.to_json(), R"({"token":"t","n":1.5})");
  EXPECT_EQ(&kept.get(), &out) << "looked at twice, it is the same";
}

TEST(KeptHandshake, AnAuthNobodyLookedIntoComesBackByteForByte) {
  const KeptHandshake kept =
      KeptHandshake(sample()).packed({}, Value::from_validated_json(R"({"big":12345678901234567890 })"));
  ASSERT_NE(kept.get().auth.unparsed_json(), nullptr);
  EXPECT_EQ(*kept.get().auth.unparsed_json(), R"({"big":12345678901234567890 })");
}

TEST(KeptHandshake, BytesWithinTheAuthAreKept) {
  const Value auth{{"deep", Array{Value{{"key", Bytes{"\x01\x02"}}}}}};
  EXPECT_EQ(KeptHandshake(sample()).packed({}, auth).get().auth, auth);
}

TEST(KeptHandshake, NoAuthIsNull) {
  EXPECT_TRUE(KeptHandshake(sample()).packed(kNames, Value()).get().auth.is_null());
}

TEST(KeptHandshake, TextsThatAreTooLongForABlockStayAsTheyAre) {
  Handshake handshake = sample();
  handshake.headers[1].second = std::string(100'000, 'x');
  const KeptHandshake kept = KeptHandshake(handshake).packed(kNames, Value());
  EXPECT_EQ(kept.get().headers.front().second.size(), 100'000u);
  EXPECT_EQ(kept.get().headers.size(), 2u);
}

TEST(KeptHandshake, AnotherAuthMakesAnotherHandshake) {
  const KeptHandshake plain = KeptHandshake(sample()).packed(kNames, Value());
  EXPECT_EQ(&plain.with_auth(Value()).get(), &plain.get()) << "shared where there is none";
  const KeptHandshake other = plain.with_auth(Value{{"a", 1}});
  EXPECT_EQ(other.get().auth.to_json(), R"({"a":1})");
  EXPECT_EQ(other.address(), plain.address());
  EXPECT_TRUE(plain.get().auth.is_null());
}

}  // namespace
}  // namespace wirehall::hub
