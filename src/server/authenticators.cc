#include "server/authenticators.h"

#include <algorithm>

#include "base/random.h"
#include "http1/url.h"
#include "hub/hub.h"

namespace wirehall {

std::optional<std::string> Handshake::query(std::string_view name) const {
  const std::size_t mark = url.find('?');
  if (mark == std::string::npos) return std::nullopt;
  const http1::QueryPairs pairs = http1::parse_query(std::string_view(url).substr(mark + 1));
  const auto value = http1::find_last(pairs, name);
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

std::string token_of(const Handshake& handshake, bool query_token, const std::string& cookie) {
  if (const std::string* token = handshake.auth.find_string("token")) return *token;
  if (const auto header = handshake.header("authorization")) {
    constexpr std::string_view kBearer = "Bearer ";
    if (header->size() > kBearer.size() && header->substr(0, kBearer.size()) == kBearer) return std::string(header->substr(kBearer.size()));
  }
  if (query_token) {
    if (auto token = handshake.query("token"); token && !token->empty()) return *token;
  }
  if (cookie.empty()) return {};
  std::string_view rest = handshake.header("cookie").value_or("");
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
    if (pair.size() > cookie.size() && pair.starts_with(cookie) && pair[cookie.size()] == '=') return std::string(pair.substr(cookie.size() + 1));
  }
  return {};
}

namespace server {
namespace {

constexpr std::size_t kUserIdBytesMax = 255;

bool is_plain_id(std::string_view id) {
  return !id.empty() && id.size() <= kUserIdBytesMax &&
         std::none_of(id.begin(), id.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// `auth.mode: "none"`: the client says who it is, or is a guest.
class OpenAuthenticator final : public Authenticator {
 public:
  Task<Result<User>> authenticate(const Handshake& handshake) override {
    Result<User> user = who(handshake);
    co_return user;
  }
  Task<Result<User>> refresh(const User& user, std::string) override {
    Result<User> same(user);
    co_return same;
  }

 private:
  static Result<User> who(const Handshake& handshake) {
    User user;
    const Value* given = handshake.auth.find("userId");
    std::optional<std::string> id;
    if (given != nullptr && given->is_string()) id = given->as_string();
    if (given != nullptr && !given->is_string()) return ErrorCode::kInvalidUser;
    if (!id) id = handshake.query("userId");
    if (id) {
      if (!is_plain_id(*id)) return ErrorCode::kInvalidUser;
      user.id = *id;
    } else {
      user.id = "guest-" + make_id(hub::Hub::current()->environment().random(), 0).substr(0, 12);
      user.anonymous = true;
    }
    if (const std::string* name = handshake.auth.find_string("name")) user.name = *name;
    if (user.name.empty()) user.name = handshake.query("name").value_or("");
    Object info;
    if (!user.name.empty() && user.name.size() <= kUserIdBytesMax) info.set("name", user.name);
    user.info = Value(std::move(info));
    return user;
  }
};

}  // namespace

std::unique_ptr<Authenticator> make_authenticator(const AuthConfig&) { return std::make_unique<OpenAuthenticator>(); }
Status check_authenticator(const Authenticator&) { return {}; }

}  // namespace server
}  // namespace wirehall
