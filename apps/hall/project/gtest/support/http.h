// A request to the server that needs no connection.
#pragma once

#include <string>

namespace app {

struct HttpResponse {
  long status = 0;
  std::string body;
};

/// `token`: for Authorization; empty: none. Throws: why there is no response.
HttpResponse http_get(const std::string& url, const std::string& token = {});

}  // namespace app
