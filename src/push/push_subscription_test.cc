#include "push/push_subscription.h"

#include <gtest/gtest.h>

#include "push/browser_for_test.h"

namespace wirehall::push {
namespace {

using test::Browser;

const std::string kEndpoint = "https://push.example.com/send/abc";

Value json_of(const Browser& browser, const std::string& endpoint = kEndpoint) {
  return {
      {"endpoint", endpoint},
      {"expirationTime", nullptr},
      {"keys", {{"p256dh", to_base64url(browser.p256dh())}, {"auth", to_base64url(browser.auth_secret())}}}};
}

TEST(ParsePushSubscription, ReadsWhatABrowserGives) {
  const Browser browser;
  const auto parsed = parse_push_subscription(json_of(browser));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->endpoint, kEndpoint);
  EXPECT_EQ(parsed->p256dh, browser.p256dh());
  EXPECT_EQ(parsed->auth, browser.auth_secret());
  EXPECT_EQ(parsed->user_id, "");
  EXPECT_TRUE(check_push_subscription(*parsed, false));
}

TEST(ParsePushSubscription, ReadsStandardBase64Too) {
  const Browser browser;
  const Value value = {
      {"endpoint", kEndpoint},
      {"keys", {{"p256dh", to_base64(browser.p256dh())}, {"auth", to_base64(browser.auth_secret())}}}};
  const auto parsed = parse_push_subscription(value);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->p256dh, browser.p256dh());
  EXPECT_EQ(parsed->auth, browser.auth_secret());
}

TEST(ParsePushSubscription, OtherShapesAreRefused) {
  const std::string key = to_base64url(Browser().p256dh());
  for (const std::string& text : {
           std::string("null"),
           std::string("1"),
           std::string("[]"),
           std::string("{}"),
           std::string("\"x\""),
           std::string(R"({"endpoint":"https://a.b/"})"),
           std::string(R"({"endpoint":7,"keys":{"p256dh":"AA","auth":"AA"}})"),
           std::string(R"({"endpoint":"https://a.b/","keys":null})"),
           std::string(R"({"endpoint":"https://a.b/","keys":["AA","AA"]})"),
           std::string(R"({"endpoint":"https://a.b/","keys":{"p256dh":"AA"}})"),
           std::string(R"({"endpoint":"https://a.b/","keys":{"auth":"AA"}})"),
           std::string(R"({"endpoint":"https://a.b/","keys":{"p256dh":1,"auth":"AA"}})"),
           std::string(R"({"endpoint":"https://a.b/","keys":{"p256dh":"?","auth":"AA"}})"),
           std::string(R"({"endpoint":"https://a.b/","keys":{"p256dh":"AA","auth":" AA"}})"),
           R"({"endpoint":"https://a.b/","keys":{"p256dh":")" + key + key + R"(","auth":"AA"}})",
           R"({"endpoint":"https://a.b/)" + std::string(2048, 'x') +
               R"(","keys":{"p256dh":"AA","auth":"AA"}})",
       }) {
    const auto value = Value::from_json(text);
    ASSERT_TRUE(value) << text;
    const auto parsed = parse_push_subscription(*value);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kInvalidFormat);
  }
}

TEST(CheckPushSubscription, TheKeysAreJudged) {
  const Browser browser;
  PushSubscription subscription = browser.subscription("ada", kEndpoint);
  EXPECT_TRUE(check_push_subscription(subscription, false));
  subscription.p256dh.back() = static_cast<char>(subscription.p256dh.back() ^ 1);
  EXPECT_FALSE(check_push_subscription(subscription, false)) << "off the curve";
  subscription.p256dh = browser.p256dh().substr(0, 33);
  EXPECT_FALSE(check_push_subscription(subscription, true)) << "short";
  subscription.p256dh = browser.p256dh();
  for (const std::size_t size : {0u, 15u, 17u}) {
    subscription.auth = std::string(size, 'x');
    EXPECT_FALSE(check_push_subscription(subscription, true)) << size;
  }
}

TEST(CheckPushSubscription, EndpointsAreHttpsAndPublic) {
  const Browser browser;
  for (const char* endpoint : {"http://push.example.com/",
                               "https://127.0.0.1/",
                               "https://127.1/",
                               "https://0x7f000001/",
                               "https://2130706433/",
                               "https://017700000001/",
                               "https://[::1]/",
                               "https://[::]/",
                               "https://0.0.0.0/",
                               "https://[::ffff:127.0.0.1]/",
                               "https://[::ffff:7f00:1]/",
                               "https://[64:ff9b::7f00:1]/",
                               "https://10.1.2.3/",
                               "https://172.16.0.1/",
                               "https://192.168.0.1:8443/x",
                               "https://169.254.169.254/latest",
                               "https://100.64.0.1/",
                               "https://[fd00::1]/",
                               "https://[fe80::1]/",
                               "https://[ff02::1]/",
                               "https://224.0.0.1/",
                               "https://[2002:7f00:1::]/",
                               "http://127.0.0.1:8080/"}) {
    EXPECT_FALSE(check_push_subscription(browser.subscription("ada", endpoint), false)) << endpoint;
    EXPECT_TRUE(check_push_subscription(browser.subscription("ada", endpoint), true)) << endpoint;
  }
  for (const char* endpoint : {"https://push.example.com/", "https://8.8.8.8/",
                               "https://[2606:4700::1]:444/x", "https://xn--bcher-kva.example/"}) {
    EXPECT_TRUE(check_push_subscription(browser.subscription("ada", endpoint), false)) << endpoint;
  }
  for (const char* endpoint :
       {"", "ftp://push.example.com/", "https://ada:secret@push.example.com/", "push"}) {
    const Status status = check_push_subscription(browser.subscription("ada", endpoint), true);
    ASSERT_FALSE(status) << endpoint;
    EXPECT_EQ(status.error().text().find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace wirehall::push
