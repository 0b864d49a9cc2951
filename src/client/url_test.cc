#include "client/url.h"

#include <gtest/gtest.h>

namespace wirehall::client {
namespace {

Endpoint parsed(std::string_view url, Protocol protocol = Protocol::kNative, std::string_view path = {}) {
  const Result<Endpoint> endpoint = parse_url(url, protocol, path);
  EXPECT_TRUE(endpoint.ok()) << url << ": " << (endpoint.ok() ? "" : endpoint.error().text());
  return endpoint.ok() ? *endpoint : Endpoint();
}

TEST(Url, OfTheNativeProtocol) {
  const Endpoint plain = parsed("http://127.0.0.1:3000");
  EXPECT_EQ(plain.host, "127.0.0.1");
  EXPECT_EQ(plain.port, 3000);
  EXPECT_EQ(plain.path, "/ws");
  EXPECT_EQ(plain.authority, "127.0.0.1:3000");
  EXPECT_FALSE(plain.tls);
  const Endpoint secure = parsed("wss://hall.example/live?room=a%20b#part", Protocol::kSocketIo);
  EXPECT_EQ(secure.protocol, Protocol::kNative) << "what a ws URL means";
  EXPECT_TRUE(secure.tls);
  EXPECT_EQ(secure.port, 443);
  EXPECT_EQ(secure.authority, "hall.example");
  EXPECT_EQ(secure.authority_with_port, "hall.example:443");
  EXPECT_EQ(secure.path, "/live");
  EXPECT_EQ(secure.query, "room=a%20b");
  EXPECT_EQ(parsed("ws://[::1]:8/").host, "::1");
  EXPECT_EQ(parsed("ws://[::1]:8/").authority, "[::1]:8");
}

TEST(Url, OfSocketIoHasTheNamespaceAsItsPath) {
  EXPECT_EQ(parsed("https://h", Protocol::kSocketIo).nsp, "/");
  EXPECT_EQ(parsed("https://h/", Protocol::kSocketIo).nsp, "/");
  const Endpoint admin = parsed("https://h/admin?x=1", Protocol::kSocketIo, "/chat");
  EXPECT_EQ(admin.nsp, "/admin");
  EXPECT_EQ(admin.path, "/chat/");
  EXPECT_EQ(admin.query, "x=1");
  EXPECT_EQ(parsed("http://h/%C3%A4", Protocol::kSocketIo).nsp, "/ä");
}

TEST(Url, WhatIsNoneIsRefusedWithTheReason) {
  for (const std::string_view url :
       {"", "localhost:3000", "ftp://h", "http://", "http://:3", "http://h:0", "http://h:65536",
        "http://h:", "http://h:1x", "http://[::1", "http://u:p@h/", "http://h/a b", "http://h/\r\nX: y",
        "http://h o", "ws://h/?a=\x7f"}) {
    const Result<Endpoint> endpoint = parse_url(url, Protocol::kNative, {});
    ASSERT_FALSE(endpoint.ok()) << url;
    EXPECT_EQ(endpoint.error().code(), ErrorCode::kConfig);
    EXPECT_NE(endpoint.error().detail(), "");
  }
  EXPECT_FALSE(parse_url("http://h/a,b", Protocol::kSocketIo, {}).ok())
      << "a comma ends a namespace on the wire";
  EXPECT_FALSE(parse_url("http://h", Protocol::kSocketIo, "chat").ok());
}

TEST(Url, ComponentsAreEncoded) { EXPECT_EQ(encode_component("a b&c=ä~"), "a%20b%26c%3D%C3%A4~"); }

}  // namespace
}  // namespace wirehall::client
