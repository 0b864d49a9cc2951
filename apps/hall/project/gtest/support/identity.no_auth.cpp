// Whoever it says.
#include "support/identity.h"

using namespace wirehall;

namespace app {

Object identity_of(const TestServer&, const std::string& user) { return {{"userId", user}}; }

HttpResponse get_as(const TestServer& server, const std::string& user, const std::string& path) {
  return http_get(server.url() + path + "?userId=" + user);
}

}  // namespace app
