#include "hub/kept_user.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <string_view>

#include "base/base64.h"

namespace wirehall::hub {

// Behind it: the id, the name, `info` and the claims as JSON.
struct KeptUser::Block {
  KeptHandshake handshake;  // where the claims stand as base64url, the form of a token; none: behind this
  WallMs expires_at = 0;
  std::uint16_t id_bytes = 0;
  std::uint16_t name_bytes = 0;
  std::uint32_t info_bytes : 31 = 0;
  std::uint32_t anonymous : 1 = 0;
  KeptHandshake::Place claims;  // behind this: `at` is not used
  char* text() { return reinterpret_cast<char*>(this + 1); }
};

namespace {

// Whether a value is the same when it comes back from its JSON text.
bool survives_json(const Value& value) {
  if (value.unparsed_json() != nullptr) return true;
  switch (value.kind()) {
    case Value::Kind::kNull:
    case Value::Kind::kBool:
    case Value::Kind::kInt:
    case Value::Kind::kString: return true;
    case Value::Kind::kDouble:  // 1.0 would come back as an integer
    case Value::Kind::kBytes: return false;
    case Value::Kind::kArray:
      return std::all_of(value.as_array().begin(), value.as_array().end(), survives_json);
    case Value::Kind::kObject:
      return std::all_of(value.as_object().begin(), value.as_object().end(),
                         [](const Member& member) { return survives_json(member.value); });
  }
  return false;
}

std::string json_of(const Value& value) {
  if (const std::string* unparsed = value.unparsed_json()) return *unparsed;
  return value.is_null() ? std::string() : value.to_json();
}

Value value_of(std::string_view json) {
  return json.empty() ? Value() : Value::from_validated_json(std::string(json));
}

}  // namespace

void KeptUser::drop() {
  if ((word_ & kOpen) != 0) {
    delete open();
  } else if (word_ != 0) {
    Block* packed = block();
    packed->~Block();
    ::operator delete(packed);
  }
  word_ = 0;
}

void KeptUser::set(User user) {
  const auto* opened = new User(std::move(user));
  drop();
  word_ = reinterpret_cast<std::uintptr_t>(opened) | kOpen;
}

const User& KeptUser::get() const {
  static const User nobody;
  if (word_ == 0) return nobody;
  if (is_packed()) const_cast<KeptUser*>(this)->set(copy());
  return *open();
}

User KeptUser::copy() const {
  if (!is_packed()) return get();
  Block& packed = *block();
  const char* in = packed.text();
  const auto take = [&in](std::size_t bytes) {
    const std::string_view text(in, bytes);
    in += bytes;
    return text;
  };
  User user;
  user.id = take(packed.id_bytes);
  user.name = take(packed.name_bytes);
  user.info = value_of(take(packed.info_bytes));
  user.claims = packed.handshake ? value_of(from_base64url(packed.handshake.what(packed.claims)).value())
                                 : value_of(take(packed.claims.bytes));
  user.expires_at = packed.expires_at;
  user.anonymous = packed.anonymous != 0;
  return user;
}

void KeptUser::pack(const KeptHandshake& handshake) {
  if (word_ == 0 || is_packed()) return;
  const User& user = *open();
  constexpr std::size_t kShortMax = std::numeric_limits<std::uint16_t>::max();
  constexpr std::size_t kLongMax = std::numeric_limits<std::int32_t>::max();
  if (user.rooms || user.id.size() > kShortMax || user.name.size() > kShortMax) return;
  if (!survives_json(user.info) || !survives_json(user.claims)) return;
  const std::string info = json_of(user.info);
  std::string claims = json_of(user.claims);
  if (info.size() > kLongMax || claims.size() > kLongMax) return;
  const auto place = handshake ? handshake.find(to_base64url(claims)) : std::nullopt;
  if (place) claims.clear();

  const std::size_t texts = user.id.size() + user.name.size() + info.size() + claims.size();
  Block* packed = new (::operator new(sizeof(Block) + texts)) Block;
  if (place) packed->handshake = handshake;
  packed->claims = place.value_or(KeptHandshake::Place{0, static_cast<std::uint32_t>(claims.size())});
  packed->expires_at = user.expires_at;
  packed->anonymous = user.anonymous ? 1 : 0;
  packed->id_bytes = static_cast<std::uint16_t>(user.id.size());
  packed->name_bytes = static_cast<std::uint16_t>(user.name.size());
  packed->info_bytes = static_cast<std::uint32_t>(info.size()) & 0x7FFF'FFFFu;
  char* out = packed->text();
  for (const std::string* text : {&user.id, &user.name, &info, static_cast<const std::string*>(&claims)}) {
    if (!text->empty()) std::memcpy(out, text->data(), text->size());
    out += text->size();
  }
  drop();
  word_ = reinterpret_cast<std::uintptr_t>(packed);
}

}  // namespace wirehall::hub
