#include "auth/jwt.h"

#include <algorithm>
#include <array>
#include <utility>

#include "auth/strict_json.h"
#include "base/ascii.h"
#include "base/base64.h"
#include "base/json.h"

namespace wirehall::auth {
namespace {

constexpr std::int64_t kDateMax = std::int64_t{1} << 53;  // seconds; as milliseconds it still fits 64 bits
constexpr std::int64_t kLeewayMaxMs = 24 * 3600 * 1000;

struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // header, dot, payload
};

bool split(std::string_view token, Parts& out) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return false;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return false;
  out.header = token.substr(0, first);
  out.payload = token.substr(first + 1, second - first - 1);
  out.signature = token.substr(second + 1);
  out.signed_text = token.substr(0, second);
  return true;
}

// -- header -------------------------------------------------------------------------------------

// Media types are compared without regard to case, and may leave out "application/" (RFC 7515 4.1.9).
bool is_token_type(std::string_view type) {
  std::string name = ascii_lower(std::string(type));
  if (name.starts_with("application/")) name.erase(0, 12);
  return name == "jwt" || name == "at+jwt";
}

struct Header {
  Algorithm algorithm = Algorithm::kHs256;
  std::optional<std::string> kid;
};

VerifyFault read_header(std::string_view text, const VerifyOptions& options, Header& out) {
  const Result<Object> parsed = parse_strict_object(text);
  if (!parsed) return VerifyFault::kHeader;
  const Object& header = *parsed;
  const Value* alg = header.find("alg");
  if (alg == nullptr || !alg->is_string()) return VerifyFault::kAlgorithm;
  const std::optional<Algorithm> algorithm = algorithm_from_name(alg->as_string());
  if (!algorithm) return VerifyFault::kAlgorithm;
  if (!options.algorithms.empty() && std::find(options.algorithms.begin(), options.algorithms.end(),
                                               *algorithm) == options.algorithms.end()) {
    return VerifyFault::kAlgorithm;
  }
  out.algorithm = *algorithm;
  if (header.contains("crit")) return VerifyFault::kCritical;
  if (const Value* type = header.find("typ")) {
    if (!type->is_string() || !is_token_type(type->as_string())) return VerifyFault::kType;
  }
  if (const Value* kid = header.find("kid")) {
    if (!kid->is_string() || kid->as_string().size() > kKeyIdBytesMax) return VerifyFault::kHeader;
    out.kid = kid->as_string();
  }
  return VerifyFault::kNone;
}

// The keys that may have made the signature: those of exactly the token's algorithm (I1).
VerifyFault choose_keys(const KeySet& keys, const Header& header, std::vector<const VerifyingKey*>& out) {
  const bool by_kid = header.kid && keys.has_kids();
  bool named = false;
  for (const KeySet::Entry& entry : keys.entries()) {
    if (by_kid && entry.kid != header.kid) continue;
    named = true;
    if (entry.key.algorithm() == header.algorithm && out.size() < kKeysTriedMax) out.push_back(&entry.key);
  }
  if (!out.empty()) return VerifyFault::kNone;
  return named ? VerifyFault::kAlgorithm : VerifyFault::kUnknownKey;
}

// -- claims -------------------------------------------------------------------------------------

// A claim that must be a whole number of seconds; false when it is there and is anything else.
bool read_date(const Object& claims, std::string_view name, std::optional<std::int64_t>& out) {
  const Value* value = claims.find(name);
  if (value == nullptr) return true;
  if (!value->is_number()) return false;
  out = exact_integer(*value);
  return out && *out >= 0 && *out <= kDateMax;
}

VerifyFault check_dates(Object& claims, const VerifyOptions& options, WallMs now) {
  std::optional<std::int64_t> exp, nbf, iat;
  if (!read_date(claims, "exp", exp) || !read_date(claims, "nbf", nbf) || !read_date(claims, "iat", iat))
    return VerifyFault::kClaim;
  if (!exp && options.require_exp) return VerifyFault::kClaim;
  if (options.lifetime_max) {
    const std::int64_t begin = iat.value_or(std::clamp<std::int64_t>(now / 1000, 0, kDateMax));
    const std::int64_t length = std::clamp<std::int64_t>(options.lifetime_max->count(), 0, kDateMax);
    const std::int64_t end = std::min(begin + length, kDateMax);
    if (!exp || *exp > end) {
      exp = end;
      claims.set("exp", end);
    }
  }
  const std::int64_t leeway_s = std::clamp<std::int64_t>(options.leeway.count(), 0, kLeewayMaxMs / 1000);
  const std::int64_t leeway = leeway_s * 1000;
  if (exp && now >= *exp * 1000 + leeway) return VerifyFault::kExpired;
  if (nbf && now < *nbf * 1000 - leeway) return VerifyFault::kNotYetValid;
  if (iat && now < *iat * 1000 - leeway) return VerifyFault::kNotYetValid;
  return VerifyFault::kNone;
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

VerifyFault check_issuer(const Object& claims, const VerifyOptions& options) {
  const Value* issuer = claims.find("iss");
  if (issuer != nullptr && !issuer->is_string()) return VerifyFault::kClaim;
  if (options.issuers.empty()) return VerifyFault::kNone;
  return issuer != nullptr && contains(options.issuers, issuer->as_string()) ? VerifyFault::kNone
                                                                             : VerifyFault::kIssuer;
}

VerifyFault check_audience(const Object& claims, const VerifyOptions& options) {
  const Value* audience = claims.find("aud");
  bool found = false;
  if (audience != nullptr && audience->is_array()) {
    for (const Value& element : audience->as_array()) {
      if (!element.is_string()) return VerifyFault::kClaim;
      found = found || contains(options.audiences, element.as_string());
    }
  } else if (audience != nullptr) {
    if (!audience->is_string()) return VerifyFault::kClaim;
    found = contains(options.audiences, audience->as_string());
  }
  return found || options.audiences.empty() ? VerifyFault::kNone : VerifyFault::kAudience;
}

VerifyFault check_claims(Object& claims, const VerifyOptions& options, WallMs now) {
  if (const VerifyFault fault = check_dates(claims, options, now); fault != VerifyFault::kNone) return fault;
  if (const VerifyFault fault = check_issuer(claims, options); fault != VerifyFault::kNone) return fault;
  return check_audience(claims, options);
}

// Cheap checks come first, so that refusing a flood of bad tokens costs little; claims come last (I3).
VerifyFault check(std::string_view token, const KeySet& keys, const VerifyOptions& options, WallMs now,
                  Object& claims) {
  if (token.size() > options.token_bytes_max) return VerifyFault::kTooLarge;
  Parts parts;
  if (!split(token, parts)) return VerifyFault::kParts;
  const std::optional<std::string> header_text = from_base64url(parts.header);
  if (!header_text) return VerifyFault::kEncoding;
  Header header;
  if (const VerifyFault fault = read_header(*header_text, options, header); fault != VerifyFault::kNone)
    return fault;
  const std::optional<std::string> payload = from_base64url(parts.payload);
  const std::optional<std::string> signature = from_base64url(parts.signature);
  if (!payload || !signature) return VerifyFault::kEncoding;
  std::vector<const VerifyingKey*> chosen;
  if (const VerifyFault fault = choose_keys(keys, header, chosen); fault != VerifyFault::kNone) return fault;
  const bool good = std::any_of(chosen.begin(), chosen.end(), [&](const VerifyingKey* key) {
    return key->verifies(parts.signed_text, *signature);
  });
  if (!good) return VerifyFault::kSignature;
  Result<Object> parsed = parse_strict_object(*payload);
  if (!parsed) return VerifyFault::kPayload;
  claims = std::move(*parsed);
  return check_claims(claims, options, now);
}

const char* client_text(VerifyFault fault) {
  switch (fault) {
    case VerifyFault::kExpired: return "token expired";
    case VerifyFault::kNotYetValid: return "token not yet valid";
    case VerifyFault::kIssuer: return "wrong issuer";
    case VerifyFault::kAudience: return "wrong audience";
    default: return "invalid token";
  }
}

}  // namespace

std::string_view fault_name(VerifyFault fault) {
  constexpr std::array<std::string_view, 16> kNames = {
      "none", "too-large", "parts",   "encoding", "header",  "algorithm",     "critical", "type",
      "key",  "signature", "payload", "claim",    "expired", "not-yet-valid", "issuer",   "audience"};
  return kNames[static_cast<std::size_t>(fault)];
}

Result<Object> verify(std::string_view token, const KeySet& keys, const VerifyOptions& options, WallMs now,
                      VerifyFault* fault) {
  Object claims;
  const VerifyFault found = check(token, keys, options, now, claims);
  if (fault != nullptr) *fault = found;
  if (found == VerifyFault::kNone) return claims;
  return Error(ErrorCode::kAuthenticationFailed, client_text(found));
}

Result<std::string> sign(const Object& claims, const SigningKey& key, std::optional<std::string_view> kid) {
  if (kid && kid->size() > kKeyIdBytesMax)
    return Error(ErrorCode::kConfig, "a key id may have at most 128 bytes");
  Object header{{"alg", algorithm_name(key.algorithm())}, {"typ", "JWT"}};
  if (kid) header.set("kid", *kid);
  std::string token = to_base64url(Value(std::move(header)).to_json());
  token.append(".").append(to_base64url(Value(claims).to_json()));
  const Result<std::string> signature = key.sign(token);
  if (!signature) return signature.error();
  return token.append(".").append(to_base64url(*signature));
}

}  // namespace wirehall::auth
