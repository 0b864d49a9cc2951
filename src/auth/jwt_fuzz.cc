// Fuzz target F12: what verify() accepts was minted. The first byte of an input chooses what the rest is:
//
//   't'  a token as it is
//   'e'  edits of a minted token: which one, then pairs of a place and a byte
//   'p'  a payload, which is signed with a key that the server knows
//   'h'  a header, which is signed likewise; a payload that is good is added
//
// Oracles: 't' and 'e' are accepted only when they equal a minted token. 'p' and 'h' are accepted only when
// an independent reading of the text finds what RFC 7519 and jwt.h want.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <set>

#include "auth/jwt.h"
#include "auth/keys_for_test.h"
#include "support/fuzz.h"
#include "auth/user_from_claims.h"

namespace wirehall::auth {
namespace {

using test::KeyPair;

constexpr WallMs kNow = 1'700'000'000'000;
constexpr std::int64_t kNowSeconds = kNow / 1000;
const std::string kSecret = "a secret of this fuzzer, forty bytes long";

void check(bool holds) {
  if (!holds) std::abort();
}

/// Keys of all algorithms, and tokens that they signed.
///
/// Lifetime: the process.
struct World {
  KeySet secrets;
  KeySet pairs;
  VerifyOptions options;
  VerifyOptions short_lived;  // one algorithm, an hour at most, `exp` may be missing
  std::vector<std::string> minted;
  std::set<std::string, std::less<>> minted_set;

  World() {
    options.issuers = {"wirehall"};
    options.audiences = {"hall"};
    short_lived.algorithms = {Algorithm::kHs256};
    short_lived.lifetime_max = std::chrono::hours(1);
    short_lived.require_exp = false;
    for (const auto algorithm : {Algorithm::kHs256, Algorithm::kHs384, Algorithm::kHs512}) {
      check(secrets.add(*VerifyingKey::from_secret(algorithm, kSecret)).ok());
      mint(*SigningKey::from_secret(algorithm, kSecret));
    }
    const KeyPair rsa = KeyPair::rsa();
    for (const auto algorithm : {Algorithm::kRs256, Algorithm::kRs384, Algorithm::kRs512})
      add(algorithm, rsa);
    add(Algorithm::kEs256, KeyPair::ec("P-256"));
    add(Algorithm::kEs384, KeyPair::ec("P-384"));
    add(Algorithm::kEdDsa, KeyPair::ed25519());
    minted_set.insert(minted.begin(), minted.end());
  }
  void add(Algorithm algorithm, const KeyPair& pair) {
    const std::string kid = "k" + std::to_string(pairs.size());
    check(pairs.add(*VerifyingKey::from_pem(algorithm, pair.public_pem()), kid).ok());
    mint(*SigningKey::from_pem(algorithm, pair.private_pem()), kid);
  }
  void mint(const SigningKey& key, std::optional<std::string> kid = std::nullopt) {
    const Object claims = {{"sub", "ada"}, {"exp", 2'000'000'000}, {"iss", "wirehall"}, {"aud", "hall"}};
    minted.push_back(*sign(claims, key));
    if (kid) minted.push_back(*sign(claims, key, *kid));
  }
};

const World& world() {
  static const World made;
  return made;
}

/// Whether either set accepts; what is refused is refused in the documented way.
bool accepted(std::string_view token, Object* claims = nullptr) {
  bool any = false;
  for (const KeySet* keys : {&world().secrets, &world().pairs}) {
    VerifyFault fault = VerifyFault::kNone;
    Result<Object> result = verify(token, *keys, world().options, kNow, &fault);
    check(result.ok() == (fault == VerifyFault::kNone));
    if (result) {
      any = true;
      static_cast<void>(user_from_claims(*result).ok());
      if (claims != nullptr) *claims = *result;
    } else {
      check(result.error().code() == ErrorCode::kAuthenticationFailed && !result.error().detail().empty());
      check(!fault_name(fault).empty());
    }
  }
  return any;
}

void check_token(std::string_view token) {
  check(accepted(token) == (world().minted_set.find(token) != world().minted_set.end()));
}

void check_edits(std::string_view data) {
  if (data.empty()) return;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(data[i]); };
  std::string token = world().minted[at(0) % world().minted.size()];
  for (std::size_t i = 1; i + 2 < data.size(); i += 3) {
    const std::size_t place = (static_cast<std::size_t>(at(i)) << 8 | at(i + 1)) % (token.size() + 1);
    if (place == token.size()) {
      token.push_back(data[i + 2]);
    } else if (data[i + 2] == '\0') {
      token.erase(place, 1);
      if (token.empty()) break;
    } else {
      token[place] = data[i + 2];
    }
  }
  check_token(token);
}

bool is_date(const Value* value, std::int64_t from, std::int64_t to) {
  if (!value->is_number()) return false;
  const double seconds = value->as_double();
  return seconds >= static_cast<double>(from) && seconds <= static_cast<double>(to) &&
         seconds == static_cast<double>(static_cast<std::int64_t>(seconds));
}

constexpr std::int64_t kLeeway = 30;

void check_accepted(const Object& claims, std::int64_t exp_max) {
  const Value* exp = claims.find("exp");
  check(exp != nullptr && is_date(exp, kNowSeconds - kLeeway + 1, exp_max));
  for (const char* name : {"nbf", "iat"}) {
    const Value* date = claims.find(name);
    check(date == nullptr || is_date(date, 0, kNowSeconds + kLeeway));
  }
}

void check_payload(std::string_view payload) {
  const std::string token = test::hs256_token(R"({"alg":"HS256"})", payload, kSecret);
  const Result<Object> cut = verify(token, world().secrets, world().short_lived, kNow);
  if (cut) check_accepted(cut.value(), kNowSeconds + kLeeway + 3600);
  Object claims;
  if (!accepted(token, &claims)) return;
  const Result<Value> read = Value::from_json(payload);
  check(read.ok() && read.value().is_object() && read.value() == Value(claims));
  check_accepted(claims, std::int64_t{1} << 53);
  check(*claims.find("iss") == Value("wirehall"));
  const Value& audience = *claims.find("aud");
  check(audience == Value("hall") ||
        std::count(audience.as_array().begin(), audience.as_array().end(), Value("hall")) > 0);
}

void check_header(std::string_view header) {
  const std::string token =
      test::hs256_token(header, R"({"exp":2000000000,"iss":"wirehall","aud":["hall"]})", kSecret);
  if (!accepted(token)) return;
  const Result<Value> read = Value::from_json(header);
  check(read.ok() && read.value().is_object());
  check(*read.value().find("alg") == Value("HS256") && read.value().find("crit") == nullptr);
  const Value* kid = read.value().find("kid");
  check(kid == nullptr || (kid->is_string() && kid->as_string().size() <= kKeyIdBytesMax));
}

}  // namespace
}  // namespace wirehall::auth

FUZZ_TARGET(auth_jwt) {
  using namespace wirehall::auth;
  if (in.rest().empty()) return;
  const char kind = in.rest().front();
  const std::string_view rest = in.rest().substr(1);
  switch (kind) {
    case 't': check_token(rest); break;
    case 'e': check_edits(rest); break;
    case 'p': check_payload(rest); break;
    case 'h': check_header(rest); break;
    default: break;
  }
}
