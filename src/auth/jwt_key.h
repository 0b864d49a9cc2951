// The algorithms of JSON Web Signatures, and the keys that sign and verify.
//
//   I1  A key has one algorithm for life. Nothing that a token says changes how a key is used.
//   I2  Secrets and public keys are alternatives of a variant: no bytes are ever read as the other kind.
//   I3  A key that exists is fit to be used: a secret of 32 bytes at least, RSA of 2048 to 8192 bits, a
//       point on the algorithm's own curve.
//   I4  No error text contains key material.
//
// Spec: RFC 7518 section 3 (algorithms), RFC 8037 section 3.1 (EdDSA).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "wirehall/result.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace wirehall::auth {

enum class Algorithm : std::uint8_t {
  kHs256,
  kHs384,
  kHs512,
  kRs256,
  kRs384,
  kRs512,
  kEs256,
  kEs384,
  kEdDsa,
};

/// What a key must be made of to serve an algorithm.
enum class Family : std::uint8_t { kHmac, kRsa, kEcdsa, kEdDsa };

/// The name of RFC 7518 section 3.1, e.g. "ES256".
std::string_view algorithm_name(Algorithm algorithm);
/// Returns: the algorithm of exactly that name; nullopt for every other text, "none" in particular.
std::optional<Algorithm> algorithm_from_name(std::string_view name);
Family family_of(Algorithm algorithm);

inline constexpr std::size_t kSecretBytesMin = 32;
inline constexpr int kRsaBitsMin = 2048;
inline constexpr int kRsaBitsMax = 8192;
inline constexpr std::size_t kKeyIdBytesMax = 128;

/// Bytes that are overwritten when they are no longer needed.
///
/// Thread:   a plain value.
/// Lifetime: owns its bytes.
class SecretBytes {
 public:
  explicit SecretBytes(std::string_view bytes) : bytes_(bytes) {}
  SecretBytes(const SecretBytes&) = default;
  SecretBytes(SecretBytes&&) noexcept = default;
  SecretBytes& operator=(SecretBytes other) noexcept {
    bytes_.swap(other.bytes_);
    return *this;
  }
  ~SecretBytes();
  std::string_view view() const { return bytes_; }

 private:
  std::string bytes_;
};

/// A public or private key of OpenSSL's.
///
/// Thread:   immutable.
/// Lifetime: shared by its copies.
struct AsymmetricKey {
  std::shared_ptr<evp_pkey_st> pkey;
};

using KeyMaterial = std::variant<SecretBytes, AsymmetricKey>;

/// A key that verifies signatures of one algorithm.
///
/// Thread:   immutable; may be used by several threads at once.
/// Lifetime: owns its material; copies of a public key share it.
class VerifyingKey {
 public:
  /// Errors:   kConfig: the algorithm is no HMAC, or the secret is short, published, or a key in PEM.
  static Result<VerifyingKey> from_secret(Algorithm algorithm, std::string_view secret);

  /// Reads the first PEM block: a public key (SubjectPublicKeyInfo), or a certificate, whose key alone is
  /// used: neither its dates nor its issuer are looked at.
  ///
  /// Errors:   kConfig: no such key, or one that does not fit the algorithm (I3).
  static Result<VerifyingKey> from_pem(Algorithm algorithm, std::string_view pem);

  /// From the numbers of a JSON Web Key, big-endian.
  ///
  /// Errors:   kConfig, as above; the coordinates of a point must have their curve's full length.
  static Result<VerifyingKey> from_rsa(Algorithm algorithm, std::string_view modulus,
                                       std::string_view exponent);
  static Result<VerifyingKey> from_point(Algorithm algorithm, std::string_view x, std::string_view y);
  static Result<VerifyingKey> from_ed25519(std::string_view point);

  Algorithm algorithm() const { return algorithm_; }

  /// What the material is. Invariant: equals family_of(algorithm()).
  Family family() const;

  /// Whether the signature, in the form of RFC 7518, is this key's for the message.
  ///
  /// Cost:     HMAC 3 µs, in constant time; RSA 2048 20 µs; ES256 60 µs; Ed25519 100 µs; ES384 700 µs, since
  ///           OpenSSL has no fast code for its curve.
  bool verifies(std::string_view message, std::string_view signature) const;

 private:
  VerifyingKey(Algorithm algorithm, KeyMaterial material)
      : algorithm_(algorithm), material_(std::move(material)) {}
  static Result<VerifyingKey> from_pkey(Algorithm algorithm, evp_pkey_st* owned);

  Algorithm algorithm_;
  KeyMaterial material_;
};

/// A key that makes signatures of one algorithm.
///
/// Thread:   immutable; may be used by several threads at once.
/// Lifetime: owns its material.
class SigningKey {
 public:
  /// Errors:   as VerifyingKey::from_secret().
  static Result<SigningKey> from_secret(Algorithm algorithm, std::string_view secret);
  /// Reads a private key (PKCS #8, or the traditional forms) that is not encrypted.
  ///
  /// Errors:   kConfig: no such key, or one that does not fit the algorithm (I3).
  static Result<SigningKey> from_pem(Algorithm algorithm, std::string_view pem);

  Algorithm algorithm() const { return algorithm_; }

  /// The signature in the form of RFC 7518.
  ///
  /// Errors:   kInternal: OpenSSL refused.
  Result<std::string> sign(std::string_view message) const;

 private:
  SigningKey(Algorithm algorithm, KeyMaterial material)
      : algorithm_(algorithm), material_(std::move(material)) {}

  Algorithm algorithm_;
  KeyMaterial material_;
};

/// The keys of one issuer: either secrets or public keys, never both, so that a public key that leaked into
/// the wrong setting can verify nothing. Who accepts both kinds keeps two sets.
///
/// Thread:   immutable once it is filled; then it may be used by several threads at once.
/// Lifetime: owns its keys.
class KeySet {
 public:
  static constexpr std::size_t kKeysMax = 64;

  struct Entry {
    VerifyingKey key;
    std::optional<std::string> kid;
  };

  /// Errors:   kConfig, the set unchanged: a secret beside public keys, a kid of more than kKeyIdBytesMax
  ///           bytes, more than kKeysMax keys.
  Status add(VerifyingKey key, std::optional<std::string> kid = std::nullopt);

  const std::vector<Entry>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  bool has_kids() const { return has_kids_; }

 private:
  std::vector<Entry> entries_;
  bool has_kids_ = false;
};

}  // namespace wirehall::auth
