#include "auth/jwks.h"

#include <algorithm>
#include <string>
#include <utility>

#include "auth/strict_json.h"
#include "base/assert.h"
#include "base/base64.h"

namespace wirehall::auth {
namespace {

// A member's text; empty when it is missing or something else, which no member read here may be.
std::string_view text_of(const Object& jwk, std::string_view name) {
  const Value* value = jwk.find(name);
  return value != nullptr && value->is_string() ? std::string_view(value->as_string()) : std::string_view();
}

// A number or coordinate; empty when it is missing or malformed, which no key accepts.
std::string bytes_in(const Object& jwk, std::string_view name) {
  return from_base64url(text_of(jwk, name)).value_or(std::string());
}

bool may_verify(const Object& jwk) {
  if (jwk.contains("use") && text_of(jwk, "use") != "sig") return false;
  const Value* operations = jwk.find("key_ops");
  if (operations == nullptr) return true;
  if (!operations->is_array()) return false;
  const Array& list = operations->as_array();
  return std::any_of(list.begin(), list.end(),
                     [](const Value& operation) { return operation == Value("verify"); });
}

// The one algorithm of a key of this kind (I1).
std::optional<Algorithm> algorithm_of(const Object& jwk, std::string_view kty) {
  const std::string_view crv = text_of(jwk, "crv");
  std::optional<Algorithm> customary;
  Family family = Family::kHmac;
  if (kty == "RSA") {
    customary = Algorithm::kRs256;
    family = Family::kRsa;
  } else if (kty == "EC" && (crv == "P-256" || crv == "P-384")) {
    customary = crv == "P-256" ? Algorithm::kEs256 : Algorithm::kEs384;
    family = Family::kEcdsa;
  } else if (kty == "OKP" && crv == "Ed25519") {
    customary = Algorithm::kEdDsa;
    family = Family::kEdDsa;
  } else if (kty != "oct") {
    return std::nullopt;
  }
  if (!jwk.contains("alg")) return customary;
  const std::optional<Algorithm> named = algorithm_from_name(text_of(jwk, "alg"));
  if (!named || family_of(*named) != family) return std::nullopt;
  if (family == Family::kEcdsa && named != customary) return std::nullopt;
  return named;
}

std::optional<VerifyingKey> key_of(const Object& jwk) {
  const std::optional<Algorithm> algorithm = algorithm_of(jwk, text_of(jwk, "kty"));
  if (!algorithm || !may_verify(jwk)) return std::nullopt;
  Result<VerifyingKey> key = ErrorCode::kConfig;
  switch (family_of(*algorithm)) {
    case Family::kHmac: key = VerifyingKey::from_secret(*algorithm, bytes_in(jwk, "k")); break;
    case Family::kRsa:
      key = VerifyingKey::from_rsa(*algorithm, bytes_in(jwk, "n"), bytes_in(jwk, "e"));
      break;
    case Family::kEcdsa:
      key = VerifyingKey::from_point(*algorithm, bytes_in(jwk, "x"), bytes_in(jwk, "y"));
      break;
    case Family::kEdDsa: key = VerifyingKey::from_ed25519(bytes_in(jwk, "x")); break;
  }
  if (!key) return std::nullopt;
  return std::move(*key);
}

void add_entry(KeySet& set, const Object& jwk, bool secrets) {
  if ((text_of(jwk, "kty") == "oct") != secrets) return;
  std::optional<std::string> kid;
  if (const Value* name = jwk.find("kid")) {
    if (!name->is_string()) return;
    kid = name->as_string();
  }
  std::optional<VerifyingKey> key = key_of(jwk);
  // What the set refuses (a secret beside public keys, a long kid) is passed over like the rest.
  if (key) static_cast<void>(set.add(std::move(*key), std::move(kid)).ok());
}

}  // namespace

Result<KeySet> parse_jwks(std::string_view document) {
  if (document.size() > kJwksBytesMax) return ErrorCode::kTooLarge;
  const Result<Object> parsed = parse_strict_object(document);
  if (!parsed) return parsed.error();
  const Value* list = (*parsed).find("keys");
  if (list == nullptr || !list->is_array()) return Error(ErrorCode::kInvalidFormat, "no list of keys");
  const Array& entries = list->as_array();
  if (entries.size() > KeySet::kKeysMax) return ErrorCode::kTooLarge;
  for (const Value& entry : entries) {
    if (!entry.is_object()) return Error(ErrorCode::kInvalidFormat, "a key that is no object");
  }
  KeySet set;
  for (const bool secrets : {false, true}) {
    for (const Value& entry : entries) add_entry(set, entry.as_object(), secrets);
  }
  return set;
}

// -- JwksCache ----------------------------------------------------------------------------------

std::shared_ptr<const KeySet> JwksCache::keys(MonoTime now) const {
  return now < good_until_ ? keys_ : nullptr;
}

void JwksCache::report_unknown_key(MonoTime now) {
  if (in_flight_) return;
  due_ = std::min(due_, begun_ ? std::max(now, *begun_ + times_.interval_min) : now);
}

bool JwksCache::begin_fetch(MonoTime now) {
  if (in_flight_ || now < due_) return false;
  in_flight_ = true;
  begun_ = now;
  return true;
}

Status JwksCache::complete(std::string_view document, MonoTime now) {
  WIREHALL_ASSERT(in_flight_);
  Result<KeySet> set = parse_jwks(document);
  if (!set) {
    fail(now);
    return set.error();
  }
  in_flight_ = false;
  keys_ = std::make_shared<const KeySet>(std::move(*set));
  good_until_ = now + times_.keep;
  due_ = std::max(now + times_.refresh, *begun_ + times_.interval_min);
  return {};
}

void JwksCache::fail(MonoTime now) {
  WIREHALL_ASSERT(in_flight_);
  in_flight_ = false;
  due_ = std::max(now, *begun_ + times_.interval_min);
}

}  // namespace wirehall::auth
