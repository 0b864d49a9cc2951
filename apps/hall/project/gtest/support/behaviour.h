// What the server does, tested over each protocol:
//
//   OVER_EVERY_PROTOCOL(Greeting);
//
//   TEST_P(Greeting, IsAnswered) {
//     Client& alice = connect("alice");
//     EXPECT_EQ(at(ask(alice, "greet", {{"name", "bob"}}), "text"), "hello bob");
//   }
//
// Each test has a server of its own, and ends what it began. A failure shows what the server wrote.
#pragma once

#include <gtest/gtest.h>
#include <wirehall/client.h>

#include <memory>
#include <string>
#include <vector>

#include "support/cable.h"
#include "support/identity.h"
#include "support/protocols.h"
#include "support/server.h"
#include "support/values.h"

namespace app {

class Behaviour : public testing::TestWithParam<wirehall::Protocol> {
 protected:
  /// Starts the server with other settings than those of config/websocket.json. Without this call the first
  /// client starts it.
  void start(const Settings& settings);
  TestServer& server();

  /// A client of this user, connected. It lives as long as the test.
  wirehall::Client& connect(const std::string& user);
  /// The same at the other end of the cable.
  wirehall::Client& connect_by_cable(const std::string& user);
  Cable& cable();

  /// A client that is not connected yet, for what the server says at once. `path`: a namespace of Socket.IO.
  wirehall::Client& client_of(const std::string& user, const std::string& path = {});
  wirehall::Client& client_as(wirehall::Object auth, const std::string& path = {});

  void TearDown() override;

 private:
  wirehall::Client& add_client(const std::string& url, wirehall::Object auth);

  std::unique_ptr<TestServer> server_;
  std::unique_ptr<Cable> cable_;
  std::vector<std::unique_ptr<wirehall::Client>> clients_;
};

/// How a test's name says the protocol.
std::string protocol_name(const testing::TestParamInfo<wirehall::Protocol>& info);

}  // namespace app

/// A suite of tests over each protocol that this server speaks, or over those of a vector.
#define OVER_EVERY_PROTOCOL(Suite) OVER_PROTOCOLS(Suite, protocols())
#define OVER_PROTOCOLS(Suite, which) \
  class Suite : public Behaviour {}; \
  INSTANTIATE_TEST_SUITE_P(, Suite, testing::ValuesIn(which), protocol_name)
