// Nobody comes in without a token that this server trusts.
#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(Authentication);

struct Token {
  std::string head;
  std::string claims;
  std::string signature;
};

static Token token_of(const TestServer& server, const std::string& user) {
  const std::string text = identity_of(server, user).find("token")->as_string();
  const std::size_t first = text.find('.');
  const std::size_t second = text.rfind('.');
  return {text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
}

TEST_P(Authentication, LetsAUserInWithAGoodToken) {
  const Token token = token_of(server(), "alice");
  Client& alice = client_as({{"token", token.head + "." + token.claims + "." + token.signature}});
  ClientInbox connected = alice.inbox("connected");
  succeed(alice.connect());
  EXPECT_EQ(at(told(connected), "userId"), "alice");
}

TEST_P(Authentication, LetsNobodyInWithoutAToken) {
  EXPECT_EQ(refusal(client_as({}).connect()), "authentication-required");
}

TEST_P(Authentication, RefusesATokenThatSomebodyElseSigned) {
  const Token token = token_of(server(), "alice");
  const std::string forged = token.head + "." + token.claims + "." + std::string(43, 'A');
  EXPECT_EQ(refusal(client_as({{"token", forged}}).connect()), "authentication-failed");
}

TEST_P(Authentication, RefusesATokenWhoseUserWasChanged) {
  const Token alice = token_of(server(), "alice");
  const Token bob = token_of(server(), "bob");
  const std::string forged = alice.head + "." + bob.claims + "." + alice.signature;
  EXPECT_EQ(refusal(client_as({{"token", forged}}).connect()), "authentication-failed");
}

}  // namespace app
