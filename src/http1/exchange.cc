#include "http1/exchange.h"

namespace wirehall::http1 {

void Routes::add(std::string_view method, std::string_view path, HttpHandler handler) {
  handlers[std::string(method) + " " + std::string(path)] = std::move(handler);
}

std::string Routes::allowed_methods(std::string_view path) const {
  std::string allowed;
  for (const std::string_view method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    if (!handlers.contains(std::string(method) + " " + std::string(path))) continue;
    allowed.append(allowed.empty() ? "" : ", ").append(method);
    if (method == "GET") allowed.append(", HEAD");
  }
  return allowed;
}

}  // namespace wirehall::http1
