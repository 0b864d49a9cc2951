#include "auth/user_from_claims.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/utf8.h"

namespace wirehall::auth {
namespace {

constexpr double kAmbiguousFrom = 9007199254740992.0;  // 2^53: from here on two ids may be one double

Error invalid_token() { return Error(ErrorCode::kAuthenticationFailed, "invalid token"); }

std::string id_of(const Object& claims) {
  const Value* id = claims.find("sub");
  if (id == nullptr) id = claims.find("userId");
  if (id == nullptr) return {};
  if (id->is_string()) return id->as_string();
  if (!id->is_number()) return {};
  if (!id->is_int() && std::fabs(id->as_double()) >= kAmbiguousFrom) return {};
  const std::optional<std::int64_t> number = exact_integer(*id);
  return number ? std::to_string(*number) : std::string();
}

bool read_rooms(const Object& claims, User& user) {
  const Value* rooms = claims.find("rooms");
  if (rooms == nullptr) return true;
  if (!rooms->is_array()) return false;
  std::vector<std::string>& patterns = user.rooms.emplace();
  for (const Value& pattern : rooms->as_array()) {
    if (!pattern.is_string()) return false;
    patterns.push_back(pattern.as_string());
  }
  return true;
}

bool read_end(const Object& claims, User& user) {
  const Value* exp = claims.find("exp");
  if (exp == nullptr) return true;
  const std::optional<std::int64_t> seconds = exact_integer(*exp);
  if (!seconds || *seconds <= 0) return false;  // 0 would mean never
  user.expires_at = *seconds > kExpiresAtMax / 1000 ? kExpiresAtMax : *seconds * 1000;
  return true;
}

void read_profile(const Object& claims, User& user) {
  Object info;
  if (const Value* given = claims.find("user"); given != nullptr && given->is_object())
    info = given->as_object();
  if (const Value* name = claims.find("name"); name != nullptr && name->is_string()) {
    user.name = replace_invalid_utf8(name->as_string());
    if (!user.name.empty() && !info.contains("name")) info.set("name", user.name);
  }
  if (!info.empty()) user.info = Value(std::move(info));
}

}  // namespace

bool is_user_id(std::string_view text) {
  if (text.empty() || text.size() > kUserIdBytesMax || !is_valid_utf8(text)) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return false;
    if (byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) return false;  // U+0080 to U+009F
  }
  return true;
}

Result<User> user_from_claims(Object claims) {
  User user;
  user.id = id_of(claims);
  if (!is_user_id(user.id)) return ErrorCode::kInvalidUser;
  if (!read_rooms(claims, user) || !read_end(claims, user)) return invalid_token();
  read_profile(claims, user);
  // As text: few look into it, and parsed it is several times as large.
  user.claims = Value::from_validated_json(Value(std::move(claims)).to_json());
  return user;
}

}  // namespace wirehall::auth
