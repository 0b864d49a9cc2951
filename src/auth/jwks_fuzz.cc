// Fuzz target F13: a JWK Set gives typed keys or a documented error.
//
// Oracles: each key is made of what its algorithm needs, and a set holds one kind only, so that no key serves
// two families; a token signed by HMAC with a text that is no secret of the document is never accepted; the
// cache takes exactly the documents that parse.
#include <cstdlib>

#include "auth/jwks.h"
#include "auth/jwt.h"
#include "auth/keys_for_test.h"
#include "support/fuzz.h"

namespace wirehall::auth {
namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

bool is_documented(ErrorCode code) {
  return code == ErrorCode::kTooLarge || code == ErrorCode::kJsonSyntax || code == ErrorCode::kJsonDepth ||
         code == ErrorCode::kInvalidFormat;
}

void check_types(const KeySet& set) {
  check(set.size() <= KeySet::kKeysMax);
  bool secrets = false;
  bool pairs = false;
  for (const KeySet::Entry& entry : set.entries()) {
    check(entry.key.family() == family_of(entry.key.algorithm()));
    check(!entry.kid || entry.kid->size() <= kKeyIdBytesMax);
    (entry.key.family() == Family::kHmac ? secrets : pairs) = true;
  }
  check(!(secrets && pairs));
}

// Secrets that a confusion of types would use: nothing, zeroes, and what the document says about its keys.
void check_confusion(const KeySet& set, const Object& document) {
  std::vector<std::string> secrets = {"", std::string(32, '\0')};
  for (const Value& jwk : document.find("keys")->as_array()) {
    for (const char* name : {"n", "e", "x", "y", "d", "kid"}) {
      const std::string* text = jwk.find_string(name);
      if (text == nullptr) continue;
      secrets.push_back(*text);
      secrets.push_back(from_base64url(*text).value_or(""));
    }
  }
  for (const KeySet::Entry& entry : set.entries()) {
    if (entry.key.family() == Family::kHmac) return;  // then a text may be a secret by chance
  }
  if (secrets.size() > 32) secrets.resize(32);
  for (const std::string& secret : secrets) {
    for (const char* header :
         {R"({"alg":"HS256"})", R"({"alg":"RS256"})", R"({"alg":"ES256"})", R"({"alg":"EdDSA"})"}) {
      check(!verify(test::hs256_token(header, R"({"exp":2000000000})", secret), set, {}, 1'700'000'000'000)
                 .ok());
    }
  }
}

}  // namespace
}  // namespace wirehall::auth

FUZZ_TARGET(auth_jwks) {
  using namespace wirehall;
  using namespace wirehall::auth;
  const std::string_view text = in.rest();
  const Result<KeySet> set = parse_jwks(text);
  JwksCache cache;
  check(cache.begin_fetch(MonoTime()));
  check(cache.complete(text, MonoTime()).ok() == set.ok());
  check((cache.keys(MonoTime()) != nullptr) == set.ok());
  if (!set) {
    check(is_documented(set.error().code()));
    return;
  }
  check_types(set.value());
  check_confusion(set.value(), Value::from_json(text).value().as_object());
}
