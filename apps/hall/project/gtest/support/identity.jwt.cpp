// Somebody with a token, which the server makes in development mode.
#include "support/identity.h"
#include "support/values.h"

using namespace wirehall;

namespace app {

Object identity_of(const TestServer& server, const std::string& user) {
  const HttpResponse response = http_get(server.url() + "/dev/token?user=" + user);
  return {{"token", at(value_of(Value::from_json(response.body)), "token")}};
}

HttpResponse get_as(const TestServer& server, const std::string& user, const std::string& path) {
  return http_get(server.url() + path, identity_of(server, user).find("token")->as_string());
}

}  // namespace app
