#include "push/target_url.h"

#include <gtest/gtest.h>

namespace wirehall::push {
namespace {

TEST(TargetUrl, GivesTheOriginAsBrowsersWriteIt) {
  const struct {
    const char* url;
    const char* host;
    const char* origin;
  } cases[] = {
      {"https://fcm.googleapis.com/fcm/send/abc", "fcm.googleapis.com", "https://fcm.googleapis.com"},
      {"HTTPS://Push.Example.COM/A?b=C#d", "push.example.com", "https://push.example.com"},
      {"https://push.example.com:443/a", "push.example.com", "https://push.example.com"},
      {"https://push.example.com:8443/a", "push.example.com", "https://push.example.com:8443"},
      {"http://push.example.com:80/", "push.example.com", "http://push.example.com"},
      {"http://push.example.com:443/", "push.example.com", "http://push.example.com:443"},
      {"https://push.example.com", "push.example.com", "https://push.example.com"},
      {"https://[2606:4700::1]:444/x", "[2606:4700::1]", "https://[2606:4700::1]:444"},
      {"https://0x7f000001/", "127.0.0.1", "https://127.0.0.1"},
      {"https://2130706433/", "127.0.0.1", "https://127.0.0.1"},
      {"https://0177.0.0.1/", "127.0.0.1", "https://127.0.0.1"},
      {"https://127.1/", "127.0.0.1", "https://127.0.0.1"},
  };
  for (const auto& c : cases) {
    const auto target = parse_target_url(c.url);
    ASSERT_TRUE(target) << c.url;
    EXPECT_EQ(target->host, c.host);
    EXPECT_EQ(target->origin, c.origin);
    EXPECT_EQ(target->scheme, target->origin.substr(0, target->origin.find(':')));
  }
}

TEST(TargetUrl, WhatIsNoSuchUrlIsRefused) {
  for (const char* url : {"",
                          "push",
                          "/push",
                          "//push.example.com/",
                          "push.example.com/x",
                          "https://",
                          "https:///",
                          "https://:443/",
                          "ftp://push.example.com/",
                          "file:///etc/passwd",
                          "gopher://push.example.com/",
                          "javascript:alert(1)",
                          "wss://push.example.com/",
                          "https://push.example.com:99999/",
                          "https://push.example.com:x/",
                          "https://ada@push.example.com/",
                          "https://ada:secret@push.example.com/",
                          "https://:secret@push.example.com/",
                          "https://push.example.com@127.0.0.1/",
                          "https://push example.com/",
                          "https://push.example.com/a b",
                          "https://push.example.com/\r\nX: y",
                          "https://push.example.com/\t",
                          "https://push.example.com/\x7f",
                          "https://p\xc3\xbcsh.example.com/",
                          "https://[fe80::1%25eth0]/",
                          "https://[::1",
                          "https://[gg::1]/"}) {
    const auto target = parse_target_url(url);
    ASSERT_FALSE(target) << url;
    EXPECT_EQ(target.error().code(), ErrorCode::kInvalidFormat) << url;
    EXPECT_EQ(target.error().text().find("secret"), std::string::npos);
    EXPECT_EQ(target.error().text().find("example"), std::string::npos);
  }
}

TEST(TargetUrl, TheLengthLimitIsInclusive) {
  const std::string start = "https://push.example.com/";
  EXPECT_TRUE(parse_target_url(start + std::string(kTargetUrlBytesMax - start.size(), 'x')));
  EXPECT_FALSE(parse_target_url(start + std::string(kTargetUrlBytesMax - start.size() + 1, 'x')));
}

}  // namespace
}  // namespace wirehall::push
