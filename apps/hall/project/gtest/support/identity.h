// Who a client of a test is.
#pragma once

#include <wirehall/value.h>

#include <string>

#include "support/http.h"
#include "support/server.h"

namespace app {

/// What a client shows the server to be this user: `auth` of its options. User names are letters and digits.
wirehall::Object identity_of(const TestServer& server, const std::string& user);

/// Asks for a path of the server, e.g. a file, as this user.
HttpResponse get_as(const TestServer& server, const std::string& user, const std::string& path);

}  // namespace app
