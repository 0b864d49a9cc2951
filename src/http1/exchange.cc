#include "http1/exchange.h"

#include <algorithm>

#include "base/assert.h"

namespace wirehall::http1 {
namespace {

constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

std::string key_of(std::string_view method, std::string_view path) {
  return std::string(method).append(" ").append(path);
}

}  // namespace

void Routes::add(std::string_view method, std::string_view path, HttpHandler handler) {
  handlers[key_of(method, path)] = std::move(handler);
}

void Routes::add_prefix(std::string_view method, std::string_view prefix, HttpHandler handler) {
  WIREHALL_ASSERT(prefix.starts_with('/') && prefix.ends_with('/'));
  auto place = std::find_if(prefixes.begin(), prefixes.end(),
                            [&](const Prefix& other) { return other.path.size() <= prefix.size(); });
  while (place != prefixes.end() && place->path.size() == prefix.size() && place->path != prefix) ++place;
  if (place == prefixes.end() || place->path != prefix)
    place = prefixes.insert(place, Prefix{std::string(prefix), {}});
  place->handlers[std::string(method)] = std::move(handler);
}

bool Routes::has_exact(std::string_view path) const {
  return files.contains(path) || std::any_of(std::begin(kMethods), std::end(kMethods), [&](auto method) {
           return handlers.contains(key_of(method, path));
         });
}

const Routes::Prefix* Routes::longest_prefix(std::string_view path) const {
  const auto found = std::find_if(prefixes.begin(), prefixes.end(),
                                  [&](const Prefix& prefix) { return path.starts_with(prefix.path); });
  return found == prefixes.end() ? nullptr : &*found;
}

const HttpHandler* Routes::find(std::string_view method, std::string_view path) const {
  if (const auto exact = handlers.find(key_of(method, path)); exact != handlers.end()) return &exact->second;
  const Prefix* prefix = longest_prefix(path);
  if (prefix == nullptr || has_exact(path)) return nullptr;
  const auto handler = prefix->handlers.find(method);
  return handler == prefix->handlers.end() ? nullptr : &handler->second;
}

std::string Routes::allowed_methods(std::string_view path) const {
  const Prefix* prefix = has_exact(path) ? nullptr : longest_prefix(path);
  std::string allowed;
  for (const std::string_view method : kMethods) {
    const bool has =
        prefix != nullptr ? prefix->handlers.contains(method) : handlers.contains(key_of(method, path));
    if (!has) continue;
    allowed.append(allowed.empty() ? "" : ", ").append(method);
    if (method == "GET") allowed.append(", HEAD");
  }
  return allowed;
}

}  // namespace wirehall::http1
