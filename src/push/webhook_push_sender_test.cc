#include "push/webhook_push_sender.h"

#include <gtest/gtest.h>

#include <set>

#include "push/browser_for_test.h"
#include "support/http_receiver.h"
#include "wirehall/value.h"

namespace wirehall::push {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using wirehall::test::HttpReceiver;
using wirehall::test::ReceivedRequest;

const std::string kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

// -- the signature ------------------------------------------------------------------------------

TEST(WebhookSignature, TheVectorOfTheSpecification) {
  const auto secret = WebhookSecret::parse(kSecret);
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, IdTimeAndBodyAreSigned) {
  const auto secret = WebhookSecret::parse(kSecret);
  const std::string signature = secret->sign("id", "1", "body");
  EXPECT_NE(secret->sign("ie", "1", "body"), signature);
  EXPECT_NE(secret->sign("id", "2", "body"), signature);
  EXPECT_NE(secret->sign("id", "1", "bodz"), signature);
  EXPECT_NE(WebhookSecret::parse(kSecret.substr(6))->sign("id", "1", "body"), signature) << "plain text";
}

TEST(WebhookSignature, AUselessSecretIsRefusedWithAReason) {
  for (const char* text :
       {"", "short", "fifteen bytes..", "whsec_", "whsec_MfKQ9r8GKY==", "whsec_AAAAAAAAAAAAAAAAAAAA"}) {
    const auto secret = WebhookSecret::parse(text);
    ASSERT_FALSE(secret) << text;
    EXPECT_EQ(secret.error().code(), ErrorCode::kConfig);
  }
  for (const char* text : {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw?", "whsec_not base64 at all, surely"}) {
    const auto secret = WebhookSecret::parse(text);
    ASSERT_FALSE(secret) << text;
    EXPECT_NE(secret.error().text().find("no base64"), std::string::npos);
    EXPECT_EQ(secret.error().text().find("MfKQ"), std::string::npos);
  }
  EXPECT_TRUE(WebhookSecret::parse("sixteen bytes..."));
}

// -- the sender ---------------------------------------------------------------------------------

class TestClock final : public Clock {
 public:
  MonoTime now() const override { return MonoTime(std::chrono::steady_clock::now().time_since_epoch()); }
  WallMs wall_now() const override { return wall; }
  std::atomic<WallMs> wall = 1'754'049'600'007;  // 2025-08-01T12:00:00.007Z
};

class WebhookPushTest : public testing::Test {
 protected:
  WebhookPushSender& sender_for(const HttpReceiver& receiver) {
    WebhookPushOptions options;
    options.url = receiver.url("/hook?key=1");
    options.secret = kSecret;
    options.limits.backoff_first = milliseconds(5);
    auto made = WebhookPushSender::create(options, clock);
    EXPECT_TRUE(made);
    sender = std::move(*made);
    return *sender;
  }
  static PushMessage message() {
    PushMessage made;
    made.user_id = "ada \"lovelace\"";
    made.payload_json = R"({"from":"bob","n":1.50})";
    return made;
  }
  PushCounts settled() {
    const auto end = std::chrono::steady_clock::now() + seconds(20);
    while (sender->counts().waiting > 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return sender->counts();
  }
  /// As a receiver does it.
  static std::string expected_signature(const ReceivedRequest& request) {
    return "v1," + to_base64(test::hmac_sha256(*from_base64("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                                               request.field("webhook-id") + "." +
                                                   request.field("webhook-timestamp") + "." + request.body));
  }

  TestClock clock;
  std::unique_ptr<WebhookPushSender> sender;
};

TEST_F(WebhookPushTest, TellsWhoIsAwayAndWhatWaits) {
  HttpReceiver receiver({HttpReceiver::status(204)});
  ASSERT_TRUE(sender_for(receiver).send(message(), {}));
  const ReceivedRequest request = receiver.requests(1)[0];
  EXPECT_EQ(request.head.substr(0, 31), "POST /hook?key=1 HTTP/1.1\r\nHost");
  EXPECT_EQ(request.field("Content-Type"), "application/json");
  EXPECT_EQ(request.body, R"({"type":"offline-delivery","timestamp":"2025-08-01T12:00:00.007Z",)"
                          R"("data":{"userId":"ada \"lovelace\"","payload":{"from":"bob","n":1.50}}})");
  EXPECT_EQ(request.field("webhook-timestamp"), "1754049600");
  EXPECT_EQ(request.field("webhook-id").substr(0, 4), "msg_");
  EXPECT_EQ(request.field("webhook-signature"), expected_signature(request));
  EXPECT_EQ(settled().sent, 1u);
}

TEST_F(WebhookPushTest, AnotherTryHasTheSameIdAndBodyAndASignatureOfItsOwnTime) {
  HttpReceiver receiver([&](std::size_t number, HttpReceiver::Peer& peer) {
    clock.wall += 10'000;
    peer.write(HttpReceiver::status(number == 0 ? 500 : 200));
  });
  ASSERT_TRUE(sender_for(receiver).send(message(), {}));
  const auto requests = receiver.requests(2);
  EXPECT_EQ(requests[0].field("webhook-id"), requests[1].field("webhook-id"));
  EXPECT_EQ(requests[0].body, requests[1].body);
  EXPECT_EQ(requests[0].field("webhook-timestamp"), "1754049600");
  EXPECT_EQ(requests[1].field("webhook-timestamp"), "1754049610");
  EXPECT_EQ(requests[1].field("webhook-signature"), expected_signature(requests[1]));
  EXPECT_EQ(settled().sent, 1u);
}

TEST_F(WebhookPushTest, EachMessageHasAnIdOfItsOwn) {
  HttpReceiver receiver({HttpReceiver::status(200)});
  sender_for(receiver);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(sender->send(message(), {}));
  std::set<std::string> ids;
  for (const ReceivedRequest& request : receiver.requests(10)) ids.insert(request.field("webhook-id"));
  EXPECT_EQ(ids.size(), 10u);
}

TEST_F(WebhookPushTest, GoneIsAFailureLikeOthers) {
  HttpReceiver receiver({HttpReceiver::status(410), HttpReceiver::status(404), HttpReceiver::status(302)});
  sender_for(receiver);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(sender->send(message(), {}));
  const PushCounts counts = settled();
  EXPECT_EQ(counts.failed, 3u);
  EXPECT_EQ(counts.dead, 0u);
}

TEST_F(WebhookPushTest, SubscriptionsDoNotMatter) {
  HttpReceiver receiver({HttpReceiver::status(200)});
  const test::Browser browser;
  ASSERT_TRUE(
      sender_for(receiver).send(message(), {browser.subscription("ada", "https://push.example.com/1"),
                                            browser.subscription("ada", "https://push.example.com/2")}));
  EXPECT_EQ(settled().sent, 1u);
  EXPECT_EQ(receiver.requests(1).size(), 1u);
}

TEST_F(WebhookPushTest, WhatCannotBeUsedIsRefusedAtTheStart) {
  for (const char* url :
       {"", "hooks.example.com", "ftp://hooks.example.com/", "https://ada:secret@hooks.example.com/"}) {
    WebhookPushOptions options;
    options.url = url;
    options.secret = kSecret;
    const auto made = WebhookPushSender::create(options, clock);
    ASSERT_FALSE(made) << url;
    EXPECT_EQ(made.error().code(), ErrorCode::kConfig);
    EXPECT_EQ(made.error().text().find("secret"), std::string::npos);
  }
  WebhookPushOptions options;
  options.url = "https://hooks.example.com/";
  options.secret = "short";
  EXPECT_FALSE(WebhookPushSender::create(options, clock));
}

}  // namespace
}  // namespace wirehall::push
