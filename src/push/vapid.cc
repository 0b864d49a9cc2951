#include "push/vapid.h"

#include <openssl/pem.h>

#include <algorithm>

#include "auth/jwt.h"
#include "base/base64.h"
#include "push/p256.h"
#include "push/target_url.h"

namespace wirehall::push {
namespace {

using namespace auth;

constexpr WallMs kHourMs = 3'600'000;
constexpr std::size_t kSubjectBytesMax = 255;

Error config_error(std::string text) { return Error(ErrorCode::kConfig, std::move(text)); }

// Push services refuse tokens with a subject that nobody can write to.
bool is_contact(const std::string& subject) {
  const bool clean = std::all_of(subject.begin(), subject.end(), [](char c) {
    return c > 0x20 && c < 0x7f && c != '<' && c != '>' && c != '"' && c != '\\';
  });
  if (!clean || subject.size() > kSubjectBytesMax) return false;
  if (subject.starts_with("mailto:")) {
    const std::size_t at = subject.find('@');
    return at != std::string::npos && at > 7 && at + 1 < subject.size();
  }
  const auto url = parse_target_url(subject);
  return url.ok() && url->scheme == "https";
}

// The way from a number to a signing key leads through PEM, in memory that is overwritten.
Result<SigningKey> signing_key(EVP_PKEY& pair) {
  const BioPtr pem(BIO_new(BIO_s_secmem()));
  char* text = nullptr;
  if (!pem || PEM_write_bio_PKCS8PrivateKey(pem.get(), &pair, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return Error(ErrorCode::kInternal, "OpenSSL cannot write the VAPID key");
  const long length = BIO_get_mem_data(pem.get(), &text);
  return SigningKey::from_pem(Algorithm::kEs256, std::string_view(text, static_cast<std::size_t>(length)));
}

}  // namespace

Result<VapidKeyTexts> generate_vapid_keys() {
  const PkeyPtr pair = generate_p256();
  const std::string point = pair ? point_of(*pair) : std::string();
  if (point.empty()) return Error(ErrorCode::kInternal, "OpenSSL cannot make a key");
  const SecretBytes scalar(scalar_of(*pair));
  return VapidKeyTexts{to_base64url(point), to_base64url(scalar.view())};
}

Vapid::Vapid(SigningKey key, std::string public_key, std::string subject)
    : key_(std::move(key)), public_key_(std::move(public_key)), subject_(std::move(subject)) {}

Result<Vapid> Vapid::load(const VapidKeyTexts& keys, const std::string& subject) {
  const OpensslErrorScope errors;
  const auto point = from_base64url(keys.public_key);
  if (!point || !p256_from_point(*point))
    return config_error("the VAPID public key is no uncompressed P-256 point in base64url (87 characters)");
  const SecretBytes scalar(from_base64url(keys.private_key).value_or(std::string()));
  if (scalar.view().size() != kScalarBytes)
    return config_error("the VAPID private key is not 32 bytes in base64url (43 characters)");
  const PkeyPtr pair = p256_from_scalar(scalar.view());
  if (!pair) return config_error("the VAPID private key is no number that P-256 has a point for");
  if (point_of(*pair) != *point)
    return config_error("the VAPID private key does not belong to the public key");
  if (!is_contact(subject))
    return config_error("the VAPID subject must be mailto:somebody@example.com or an https URL");
  Result<SigningKey> key = signing_key(*pair);
  if (!key) return key.error();
  return Vapid(std::move(*key), keys.public_key, subject);
}

void Vapid::make_room() {
  if (headers_.size() < kOriginsMax) return;
  headers_.erase(std::min_element(headers_.begin(), headers_.end(), [](const auto& a, const auto& b) {
    return a.second.made_at < b.second.made_at;
  }));
}

Result<std::string> Vapid::authorization(const std::string& origin, WallMs now) {
  const auto kept = headers_.find(origin);
  if (kept != headers_.end()) {
    // A clock that was set back would make the end lie further ahead than is allowed.
    const WallMs age = now - kept->second.made_at;
    if (age >= 0 && age < (kTokenHours - 1) * kHourMs) return kept->second.value;
    headers_.erase(kept);
  }
  const Object claims{{"aud", origin}, {"exp", (now + kTokenHours * kHourMs) / 1000}, {"sub", subject_}};
  const Result<std::string> token = auth::sign(claims, key_);
  if (!token) return token.error();
  make_room();
  Header& header = headers_[origin];
  header.value = "vapid t=" + *token + ", k=" + public_key_;
  header.made_at = now;
  return header.value;
}

}  // namespace wirehall::push
