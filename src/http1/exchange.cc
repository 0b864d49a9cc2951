#include "http1/exchange.h"

namespace wirehall::http1 {

void Routes::add(std::string_view method, std::string_view path, HttpHandler handler) {
  handlers[std::string(method) + " " + std::string(path)] = std::move(handler);
  paths.insert(std::string(path));
}

}  // namespace wirehall::http1
