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

TEST(KeptHandshake, ARequestIsUnpackedWithAllItsHeadersInLowerCase) {
  const std::vector<std::pair<std::string_view, std::string_view>> headers = {{"Host", "Example.org"}, {"ORIGIN", ""}};
  const KeptHandshake kept = KeptHandshake::of({"/ws?a=1", "::1", headers, 7, true, true});
  EXPECT_FALSE(kept.has_auth());
  const KeptHandshake packed = kept.packed(std::vector<std::string>{"origin", "user-agent"}, Value(1));
  EXPECT_TRUE(packed.has_auth());
  const Handshake& out = kept.get();
  EXPECT_EQ(out.url, "/ws?a=1");
  EXPECT_EQ(out.address, "::1");
  EXPECT_EQ(out.headers, (HeaderList{{"host", "Example.org"}, {"origin", ""}}));
  EXPECT_EQ(out.issued, 7);
  EXPECT_TRUE(out.secure && out.xdomain && out.auth.is_null());
  EXPECT_EQ(packed.get().headers, (HeaderList{{"origin", ""}}));
  EXPECT_EQ(packed.get().url, "/ws?a=1");
  EXPECT_EQ(packed.get().issued, 7);
  EXPECT_EQ(packed.address(), "::1");
  const std::string long_value(100'000, 'x');
  const std::vector<std::pair<std::string_view, std::string_view>> too_long = {{"X-Long", long_value}};
  EXPECT_EQ(KeptHandshake::of({"/", "::1", too_long}).get().headers, (HeaderList{{"x-long", long_value}}));
}

TEST(KeptHandshake, BytesWithinTheAuthAreKept) {
  const Value auth{{"deep", Array{Value{{"key", Bytes{"\x01\x02"}}}}}};
  EXPECT_EQ(KeptHandshake(sample()).packed({}, auth).get().auth, auth);
}

TEST(KeptHandshake, WhoSharesItSeesWhatAnotherHasUnpacked) {
  KeptHandshake first = KeptHandshake(sample()).packed(kNames, Value{{"token", std::string(300, 't')}});
  const KeptHandshake second = first;
  const Handshake* seen = &first.get();
  first = KeptHandshake();
  EXPECT_EQ(&second.get(), seen);
  EXPECT_EQ(second.address(), "2001:db8::7");
  EXPECT_EQ(second.get().auth.find("token")->as_string(), std::string(300, 't'));
}

TEST(KeptHandshake, MoreHeadersThanABlockCountsStayAsTheyAre) {
  for (const std::size_t count : {63, 64, 300}) {
    Handshake handshake = sample();
    handshake.headers.assign(count, {"origin", "https://example.org"});
    const KeptHandshake kept = KeptHandshake(handshake).packed(kNames, Value());
    EXPECT_EQ(kept.get().headers, handshake.headers) << count;
    EXPECT_EQ(kept.address(), handshake.address);
  }
}

TEST(KeptHandshake, TheShortestOneHasRoomForWhatIsUnpacked) {
  const KeptHandshake kept = KeptHandshake(Handshake()).packed({}, Value());
  EXPECT_EQ(kept.address(), "");
  EXPECT_EQ(kept.get().url, "");
}

TEST(KeptHandshake, ATextThatWasFoundStaysWhenSomebodyLooks) {
  const Value auth{{"token", "abc.def"}};
  const KeptHandshake kept = KeptHandshake(sample()).packed(kNames, auth);
  const auto place = kept.find("abc.def");
  ASSERT_TRUE(place);
  EXPECT_EQ(kept.what(*place), "abc.def");
  EXPECT_FALSE(kept.find("abc.deg"));
  EXPECT_FALSE(kept.find(""));
  EXPECT_EQ(kept.get().auth, auth);
  EXPECT_EQ(kept.what(*place), "abc.def");
  EXPECT_FALSE(kept.find("abc.def")) << "it is not packed any more";
}

TEST(KeptHandshake, KnowsWhetherItHasAnAuth) {
  for (const bool looks : {false, true}) {
    const KeptHandshake with = KeptHandshake(sample()).packed({}, Value{{"a", 1}});
    const KeptHandshake without = KeptHandshake(sample()).packed({}, Value());
    if (looks) (void)with.get(), (void)without.get();
    EXPECT_TRUE(with.has_auth());
    EXPECT_FALSE(without.has_auth());
  }
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
  for (const std::size_t more : {0, 1}) {
    Handshake longer = sample();
    longer.url.assign(32'767 + more, 'u');
    EXPECT_EQ(KeptHandshake(longer).packed(kNames, Value()).get().url, longer.url);
    longer.url = "/ws";
    longer.address.assign(63 + more, 'a');
    const KeptHandshake other = KeptHandshake(longer).packed(kNames, Value());
    EXPECT_EQ(other.address(), longer.address);
    EXPECT_EQ(other.get().url, "/ws");
  }
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
