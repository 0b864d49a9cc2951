// Against push services of this test's own on loopback, over plain HTTP.
#include "push/web_push_sender.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <set>

#include "auth/jwt.h"
#include "push/browser_for_test.h"
#include "support/http_receiver.h"
#include "wirehall/value.h"

namespace wirehall::push {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Browser;
using wirehall::test::HttpReceiver;
using wirehall::test::ReceivedRequest;

class SteadyClock final : public Clock {
 public:
  MonoTime now() const override { return MonoTime(std::chrono::steady_clock::now().time_since_epoch()); }
  WallMs wall_now() const override { return 1'700'000'000'000; }
};

class WebPushTest : public testing::Test {
 protected:
  WebPushTest() {
    options.allow_private = true;
    options.limits.backoff_first = milliseconds(5);
    options.transport.total = Milliseconds(3'000);
  }
  ~WebPushTest() override { sender_.reset(); }

  WebPushSender& sender() {
    if (sender_) return *sender_;
    auto vapid = Vapid::load(keys, "mailto:ops@example.com");
    auto made = WebPushSender::create(std::move(*vapid), options, clock,
                                      [this](std::string user, std::string endpoint) {
                                        const std::lock_guard lock(mutex);
                                        dead.push_back(user + " " + endpoint);
                                      });
    sender_ = std::move(*made);
    return *sender_;
  }
  static PushMessage message(const std::string& payload = R"({"text":"hello"})") {
    PushMessage made;
    made.user_id = "ada";
    made.payload_json = payload;
    made.ttl = seconds(600);
    return made;
  }
  bool send(const std::string& endpoint, const PushMessage& what = message()) {
    return sender().send(what, {browser.subscription(what.user_id, endpoint)});
  }
  PushCounts settled() {
    const auto end = std::chrono::steady_clock::now() + seconds(20);
    while (sender().counts().waiting > 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return sender().counts();
  }

  SteadyClock clock;
  VapidKeyTexts keys = *generate_vapid_keys();
  Browser browser;
  WebPushOptions options;
  std::mutex mutex;
  std::vector<std::string> dead;

 private:
  std::unique_ptr<WebPushSender> sender_;
};

TEST_F(WebPushTest, ABrowserReadsWhatWasSent) {
  HttpReceiver service({HttpReceiver::status(201)});
  ASSERT_TRUE(send(service.url()));
  const ReceivedRequest request = service.requests(1)[0];
  EXPECT_EQ(browser.read(request.body), R"({"text":"hello"})");
  EXPECT_EQ(request.head.substr(0, 31), "POST /push/secret-path HTTP/1.1");
  EXPECT_EQ(request.field("Content-Encoding"), "aes128gcm");
  EXPECT_EQ(request.field("Content-Type"), "application/octet-stream");
  EXPECT_EQ(request.field("Content-Length"), std::to_string(request.body.size()));
  EXPECT_EQ(request.field("TTL"), "600");
  EXPECT_EQ(request.field("Urgency"), "normal");
  EXPECT_EQ(request.field("Topic"), "(none)");
  EXPECT_EQ(settled().sent, 1u);
}

TEST_F(WebPushTest, ThePushServiceSeesWhoSendsIt) {
  HttpReceiver service({HttpReceiver::status(201)});
  ASSERT_TRUE(send(service.url()));
  const std::string header = service.requests(1)[0].field("Authorization");
  ASSERT_EQ(header.substr(0, 8), "vapid t=");
  const std::size_t comma = header.find(", k=");
  EXPECT_EQ(header.substr(comma + 4), keys.public_key);
  const std::string point = *from_base64url(header.substr(comma + 4));
  auth::KeySet set;
  ASSERT_TRUE(set.add(
      *auth::VerifyingKey::from_point(auth::Algorithm::kEs256, point.substr(1, 32), point.substr(33))));
  auth::VerifyOptions verify;
  verify.audiences = {service.url("")};
  EXPECT_TRUE(auth::verify(header.substr(8, comma - 8), set, verify, clock.wall_now()));
}

TEST_F(WebPushTest, UrgencyTtlAndTopicAreTold) {
  HttpReceiver service({HttpReceiver::status(201)});
  PushMessage urgent = message();
  urgent.urgency = PushUrgency::kHigh;
  urgent.ttl = seconds(0);
  urgent.topic = "room:general";
  ASSERT_TRUE(send(service.url(), urgent));
  ReceivedRequest request = service.requests(1)[0];
  EXPECT_EQ(request.field("Urgency"), "high");
  EXPECT_EQ(request.field("TTL"), "0");
  EXPECT_EQ(request.field("Topic"), push_topic("room:general", browser.auth_secret()));
  PushMessage lazy = message();
  lazy.urgency = PushUrgency::kVeryLow;
  lazy.ttl = seconds::max();
  ASSERT_TRUE(send(service.url(), lazy));
  request = service.requests(2)[1];
  EXPECT_EQ(request.field("Urgency"), "very-low");
  EXPECT_EQ(request.field("TTL"), "2419200") << "nobody keeps it longer than four weeks";
}

TEST_F(WebPushTest, ATopicIs32CharactersThatOnlyTheBrowserUnderstands) {
  const std::string topic = push_topic("room:general", std::string(16, 'a'));
  EXPECT_EQ(topic.size(), 32u);
  EXPECT_EQ(topic.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
  EXPECT_EQ(push_topic("room:general", std::string(16, 'a')), topic);
  EXPECT_NE(push_topic("room:other", std::string(16, 'a')), topic);
  EXPECT_NE(push_topic("room:general", std::string(16, 'b')), topic);
}

TEST_F(WebPushTest, EachSubscriptionGetsItsOwn) {
  HttpReceiver service({HttpReceiver::status(201)});
  const Browser other;
  ASSERT_TRUE(sender().send(message(), {browser.subscription("ada", service.url("/1")),
                                        other.subscription("ada", service.url("/2"))}));
  for (const ReceivedRequest& request : service.requests(2)) {
    const bool first = request.head.starts_with("POST /1 ");
    EXPECT_EQ((first ? browser : other).read(request.body), R"({"text":"hello"})");
    EXPECT_EQ((first ? other : browser).read(request.body), std::nullopt);
  }
  EXPECT_EQ(settled().sent, 2u);
  EXPECT_TRUE(sender().send(message(), {})) << "nobody to tell";
}

TEST_F(WebPushTest, AGoneSubscriptionIsReported) {
  HttpReceiver service({HttpReceiver::status(410), HttpReceiver::status(404)});
  ASSERT_TRUE(send(service.url("/gone")));
  ASSERT_TRUE(send(service.url("/gone")));
  EXPECT_EQ(settled().dead, 2u);
  sender().stop();
  EXPECT_EQ(dead, std::vector<std::string>(2, "ada " + service.url("/gone")));
  EXPECT_EQ(service.requests(2).size(), 2u);
}

TEST_F(WebPushTest, WaitsAsLongAsItIsAskedTo) {
  HttpReceiver service({HttpReceiver::status(429, "Retry-After: 1\r\n"), HttpReceiver::status(201)});
  ASSERT_TRUE(send(service.url()));
  service.requests(1);
  const auto asked = std::chrono::steady_clock::now();
  const auto requests = service.requests(2);
  EXPECT_GE(std::chrono::steady_clock::now() - asked, milliseconds(900));
  EXPECT_EQ(browser.read(requests[1].body), R"({"text":"hello"})");
  EXPECT_NE(requests[0].body, requests[1].body) << "each body has a key of its own";
  const PushCounts counts = settled();
  EXPECT_EQ(counts.sent, 1u);
  EXPECT_EQ(counts.retried, 1u);
}

TEST_F(WebPushTest, ABrokenServiceIsTriedFiveTimes) {
  HttpReceiver service({HttpReceiver::status(503)});
  ASSERT_TRUE(send(service.url()));
  service.requests(5);
  const PushCounts counts = settled();
  EXPECT_EQ(counts.failed, 1u);
  EXPECT_EQ(counts.retried, 4u);
  EXPECT_EQ(service.requests(5).size(), 5u);
}

TEST_F(WebPushTest, AServiceThatHangsHoldsUpNobodyElse) {
  options.transport.total = Milliseconds(800);
  HttpReceiver hanging([](std::size_t, HttpReceiver::Peer& peer) { peer.gone_within(10'000); });
  HttpReceiver service({HttpReceiver::status(201)});
  PushMessage of_eve = message();
  of_eve.user_id = "eve";
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(send(hanging.url(), of_eve));
  hanging.requests(1);
  ASSERT_TRUE(send(service.url()));
  EXPECT_EQ(browser.read(service.requests(1)[0].body), R"({"text":"hello"})");
  while (sender().counts().sent == 0) std::this_thread::yield();
  EXPECT_EQ(sender().counts().waiting, 20u);
  sender().stop();
}

TEST_F(WebPushTest, AnEndlessAnswerIsCutAndItsStatusCounts) {
  HttpReceiver service([](std::size_t, HttpReceiver::Peer& peer) {
    bool alive = peer.write("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; alive && i < 100'000; ++i)
      alive = peer.write("1000\r\n" + std::string(4096, 'x') + "\r\n");
  });
  ASSERT_TRUE(send(service.url()));
  service.requests(1);
  EXPECT_EQ(settled().sent, 1u);
  EXPECT_EQ(service.requests(1).size(), 1u) << "not sent twice";
}

TEST_F(WebPushTest, WhatDoesNotFitFailsAndIsNotTried) {
  HttpReceiver service({HttpReceiver::status(201)});
  ASSERT_TRUE(send(service.url(), message("\"" + std::string(3992, 'x') + "\"")));
  EXPECT_EQ(settled().failed, 1u);
  ASSERT_TRUE(send(service.url(), message("\"" + std::string(3991, 'x') + "\"")));
  EXPECT_EQ(service.requests(1)[0].body.size(), 4096u);
  EXPECT_EQ(settled().sent, 1u);
  EXPECT_EQ(service.connections(), 1);
}

TEST_F(WebPushTest, WithoutAllowPrivateNothingLocalIsAsked) {
  options.allow_private = false;
  options.transport.public_only = false;  // what counts is allow_private
  HttpReceiver service({HttpReceiver::status(201)});
  const std::string port = service.url("").substr(service.url("").rfind(':'));
  ASSERT_TRUE(send(service.url()));
  for (const char* host : {"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "0.0.0.0"})
    ASSERT_TRUE(send("https://" + std::string(host) + port + "/"));
  const PushCounts counts = settled();
  EXPECT_EQ(counts.failed, 7u);
  EXPECT_EQ(counts.retried, 0u);
  EXPECT_EQ(service.connections(), 0);
}

TEST_F(WebPushTest, StoredKeysThatAreNoneFail) {
  HttpReceiver service({HttpReceiver::status(201)});
  PushSubscription broken = browser.subscription("ada", service.url());
  broken.p256dh[64] = static_cast<char>(broken.p256dh[64] ^ 1);
  ASSERT_TRUE(sender().send(message(), {broken}));
  EXPECT_EQ(settled().failed, 1u);
  EXPECT_EQ(service.connections(), 0);
}

TEST_F(WebPushTest, StopEndsWhatIsUnderWayAtOnce) {
  options.transport.total = Milliseconds(60'000);
  HttpReceiver hanging([](std::size_t, HttpReceiver::Peer& peer) { EXPECT_TRUE(peer.gone_within(10'000)); });
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(send(hanging.url()));
  hanging.requests(1);
  const auto start = std::chrono::steady_clock::now();
  sender().stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(2));
  EXPECT_EQ(sender().counts().dropped, 3u);
  EXPECT_FALSE(send(hanging.url()));
}

}  // namespace
}  // namespace wirehall::push
