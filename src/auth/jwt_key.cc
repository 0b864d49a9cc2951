#include "auth/jwt_key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

#include "auth/openssl_ptr.h"
#include "base/ascii.h"

namespace wirehall::auth {
namespace {

struct AlgorithmInfo {
  Algorithm algorithm;
  std::string_view name;
  Family family;
  const char* digest;            // nullptr: the algorithm has its own
  const char* curve;             // OpenSSL's name of it
  std::size_t coordinate_bytes;  // of ECDSA
  const char* curve_order;       // hexadecimal
};

constexpr std::array kAlgorithms = {
    AlgorithmInfo{Algorithm::kHs256, "HS256", Family::kHmac, "SHA256", nullptr, 0, nullptr},
    AlgorithmInfo{Algorithm::kHs384, "HS384", Family::kHmac, "SHA384", nullptr, 0, nullptr},
    AlgorithmInfo{Algorithm::kHs512, "HS512", Family::kHmac, "SHA512", nullptr, 0, nullptr},
    AlgorithmInfo{Algorithm::kRs256, "RS256", Family::kRsa, "SHA256", nullptr, 0, nullptr},
    AlgorithmInfo{Algorithm::kRs384, "RS384", Family::kRsa, "SHA384", nullptr, 0, nullptr},
    AlgorithmInfo{Algorithm::kRs512, "RS512", Family::kRsa, "SHA512", nullptr, 0, nullptr},
    AlgorithmInfo{Algorithm::kEs256, "ES256", Family::kEcdsa, "SHA256", "prime256v1", 32,
                  "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"},
    AlgorithmInfo{Algorithm::kEs384, "ES384", Family::kEcdsa, "SHA384", "secp384r1", 48,
                  "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF"
                  "581A0DB248B0A77AECEC196ACCC52973"},
    AlgorithmInfo{Algorithm::kEdDsa, "EdDSA", Family::kEdDsa, nullptr, nullptr, 0, nullptr},
};

const AlgorithmInfo& info_of(Algorithm algorithm) { return kAlgorithms[static_cast<std::size_t>(algorithm)]; }

Error config_error(std::string text) { return Error(ErrorCode::kConfig, std::move(text)); }

// -- secrets ------------------------------------------------------------------------------------

// Secrets that stand in documentation, templates and tutorials: whoever knows one can be anybody.
constexpr std::string_view kPublishedSecrets[] = {
    "secret",
    "changeme",
    "change-me",
    "change_me",
    "password",
    "your-secret",
    "your-secret-key",
    "your_secret_key",
    "your-jwt-secret",
    "your_jwt_secret",
    "jwt-secret",
    "jwt_secret",
    "supersecret",
    "super-secret",
    "shhhhh",
    "keyboard cat",
    "your-256-bit-secret",
    "your-384-bit-secret",
    "your-512-bit-secret",
    "qwertyuiopasdfghjklzxcvbnm123456",
    "a-string-secret-at-least-256-bits-long",
    "a-valid-string-secret-that-is-at-least-384-bits-long",
    "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "your-super-secret-jwt-token-with-at-least-32-characters-long",
    "your-super-secret-jwt-key-change-this-in-production",
    "your-super-secret-jwt-key-change-in-production",
    "your-secret-key-change-this-in-production",
    "your-secret-key-change-in-production",
    "change-this-to-a-long-random-string",
    "replace-with-at-least-32-random-bytes",
    "0123456789abcdef0123456789abcdef",
    "00000000000000000000000000000000",
};

bool is_published(std::string_view secret) {
  const std::size_t begin = std::min(secret.find_first_not_of(" \t\r\n"), secret.size());
  secret.remove_prefix(begin);
  secret = secret.substr(0, secret.find_last_not_of(" \t\r\n") + 1);
  return std::any_of(std::begin(kPublishedSecrets), std::end(kPublishedSecrets), [&](std::string_view known) {
    return secret.size() == known.size() && equal_folded(secret, known);
  });
}

Status check_secret(Algorithm algorithm, std::string_view secret) {
  if (family_of(algorithm) != Family::kHmac)
    return config_error(std::string(algorithm_name(algorithm)) + " needs a key pair, not a secret");
  if (is_published(secret))
    return config_error("this secret is a published sample; `openssl rand -base64 48` makes a good one");
  // A public key is known to everybody: as a secret it would let everybody sign.
  if (secret.find("-----BEGIN ") != std::string_view::npos)
    return config_error("a PEM key cannot be an HMAC secret");
  if (secret.size() < kSecretBytesMin)
    return config_error("an HMAC secret needs at least 32 bytes; `openssl rand -base64 48` makes a good one");
  return {};
}

const EVP_MD* digest_of(Algorithm algorithm) {
  const char* name = info_of(algorithm).digest;
  return name == nullptr ? nullptr : EVP_get_digestbyname(name);
}

std::string hmac(Algorithm algorithm, std::string_view secret, std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned int length = 0;
  if (HMAC(digest_of(algorithm), secret.data(), static_cast<int>(secret.size()), bytes_of(message),
           message.size(), mac.data(), &length) == nullptr) {
    return {};
  }
  return std::string(reinterpret_cast<const char*>(mac.data()), length);
}

// -- ECDSA: r || s, not DER (RFC 7518 section 3.4) ----------------------------------------------

// 0 < number < order. OpenSSL checks this too; that it was forgotten elsewhere (CVE-2022-21449) let anybody
// sign with zeros, so it is not left to one place.
bool is_scalar(std::string_view number, const char* order_hex) {
  BIGNUM* raw = nullptr;
  if (BN_hex2bn(&raw, order_hex) == 0) return false;
  const BignumPtr order(raw);
  const BignumPtr value(BN_bin2bn(bytes_of(number), static_cast<int>(number.size()), nullptr));
  return value && !BN_is_zero(value.get()) && BN_cmp(value.get(), order.get()) < 0;
}

// Returns: an empty text when the signature is out of range.
std::string der_from_raw(const AlgorithmInfo& info, std::string_view raw) {
  if (raw.size() != 2 * info.coordinate_bytes) return {};
  const std::string_view r = raw.substr(0, info.coordinate_bytes);
  const std::string_view s = raw.substr(info.coordinate_bytes);
  if (!is_scalar(r, info.curve_order) || !is_scalar(s, info.curve_order)) return {};
  const EcdsaSigPtr signature(ECDSA_SIG_new());
  BIGNUM* r_number = BN_bin2bn(bytes_of(r), static_cast<int>(r.size()), nullptr);
  BIGNUM* s_number = BN_bin2bn(bytes_of(s), static_cast<int>(s.size()), nullptr);
  if (!signature || ECDSA_SIG_set0(signature.get(), r_number, s_number) != 1) {
    BN_free(r_number);
    BN_free(s_number);
    return {};
  }
  std::string der(static_cast<std::size_t>(std::max(i2d_ECDSA_SIG(signature.get(), nullptr), 0)), '\0');
  unsigned char* out = bytes_of(der);
  if (i2d_ECDSA_SIG(signature.get(), &out) <= 0) return {};
  return der;
}

std::string raw_from_der(const AlgorithmInfo& info, std::string_view der) {
  const unsigned char* in = bytes_of(der);
  const EcdsaSigPtr signature(d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size())));
  if (!signature) return {};
  const int length = static_cast<int>(info.coordinate_bytes);
  std::string raw(2 * info.coordinate_bytes, '\0');
  if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes_of(raw), length) != length ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes_of(raw) + length, length) != length) {
    return {};
  }
  return raw;
}

// -- asymmetric keys ----------------------------------------------------------------------------

Status check_rsa(const EVP_PKEY* pkey) {
  if (EVP_PKEY_is_a(pkey, "RSA") != 1) return config_error("the key is no RSA key");
  const int bits = EVP_PKEY_get_bits(pkey);
  if (bits < kRsaBitsMin) return config_error("an RSA key needs at least 2048 bits");
  if (bits > kRsaBitsMax) return config_error("an RSA key may have at most 8192 bits");
  BIGNUM* n = nullptr;
  BIGNUM* e = nullptr;
  EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n);
  EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e);
  const BignumPtr modulus(n);
  const BignumPtr exponent(e);
  // With the exponent 1 every padded message is its own signature.
  if (!modulus || !exponent || !BN_is_odd(modulus.get()) || !BN_is_odd(exponent.get()) ||
      BN_is_one(exponent.get()) || BN_num_bits(exponent.get()) > 64) {
    return config_error("the RSA key's modulus or exponent is not usable");
  }
  return {};
}

Status check_point(EVP_PKEY* pkey, const AlgorithmInfo& info) {
  std::array<char, 32> curve{};
  std::size_t length = 0;
  // A curve that is spelled out instead of named may be another one with the same size (CVE-2020-0601).
  int spelled_out = 0;
  if (EVP_PKEY_is_a(pkey, "EC") != 1 ||
      EVP_PKEY_get_group_name(pkey, curve.data(), curve.size(), &length) != 1 ||
      std::string_view(curve.data(), length) != info.curve ||
      (EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &spelled_out) == 1 &&
       spelled_out != 0)) {
    return config_error("the key is no EC key on the curve of " + std::string(info.name));
  }
  const PkeyCtxPtr context(EVP_PKEY_CTX_new(pkey, nullptr));
  if (!context || EVP_PKEY_public_check(context.get()) != 1)
    return config_error("the EC key's point is not on its curve");
  return {};
}

Status check_pkey(Algorithm algorithm, EVP_PKEY* pkey) {
  switch (family_of(algorithm)) {
    case Family::kRsa: return check_rsa(pkey);
    case Family::kEcdsa: return check_point(pkey, info_of(algorithm));
    case Family::kEdDsa:
      if (EVP_PKEY_is_a(pkey, "ED25519") == 1) return {};
      return config_error("the key is no Ed25519 key");
    default: return config_error(std::string(algorithm_name(algorithm)) + " needs a secret, not a key pair");
  }
}

Family family_of_pkey(const EVP_PKEY* pkey) {
  if (EVP_PKEY_is_a(pkey, "RSA") == 1) return Family::kRsa;
  return EVP_PKEY_is_a(pkey, "EC") == 1 ? Family::kEcdsa : Family::kEdDsa;
}

AsymmetricKey shared(EVP_PKEY* owned) { return {std::shared_ptr<EVP_PKEY>(owned, EVP_PKEY_free)}; }

PkeyPtr pkey_from_params(const char* type, OSSL_PARAM_BLD* build) {
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(build));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* pkey = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return PkeyPtr(pkey);
}

// OpenSSL would ask on the terminal for the passphrase of an encrypted key.
int no_passphrase(char*, int, int, void*) { return -1; }

constexpr std::size_t kPemBytesMax = 65'536;

BioPtr bio_of(std::string_view pem) {
  if (pem.size() > kPemBytesMax) return nullptr;
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

bool verify_asymmetric(const AlgorithmInfo& info, EVP_PKEY* pkey, std::string_view message,
                       std::string_view signature) {
  std::string der;
  if (info.family == Family::kEcdsa) {
    der = der_from_raw(info, signature);
    signature = der;
  } else if (signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(pkey))) {
    return false;
  }
  if (signature.empty()) return false;
  const MdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* details = nullptr;  // belongs to the context
  if (!context ||
      EVP_DigestVerifyInit(context.get(), &details, digest_of(info.algorithm), nullptr, pkey) != 1) {
    return false;
  }
  if (info.family == Family::kRsa && EVP_PKEY_CTX_set_rsa_padding(details, RSA_PKCS1_PADDING) != 1)
    return false;
  return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                          message.size()) == 1;
}

std::string sign_asymmetric(const AlgorithmInfo& info, EVP_PKEY* pkey, std::string_view message) {
  const MdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* details = nullptr;  // belongs to the context
  if (!context ||
      EVP_DigestSignInit(context.get(), &details, digest_of(info.algorithm), nullptr, pkey) != 1) {
    return {};
  }
  if (info.family == Family::kRsa && EVP_PKEY_CTX_set_rsa_padding(details, RSA_PKCS1_PADDING) != 1) return {};
  std::size_t length = static_cast<std::size_t>(EVP_PKEY_get_size(pkey));
  std::string signature(length, '\0');
  if (EVP_DigestSign(context.get(), bytes_of(signature), &length, bytes_of(message), message.size()) != 1)
    return {};
  signature.resize(length);
  return info.family == Family::kEcdsa ? raw_from_der(info, signature) : signature;
}

}  // namespace

// -- Algorithm ----------------------------------------------------------------------------------

std::string_view algorithm_name(Algorithm algorithm) { return info_of(algorithm).name; }

std::optional<Algorithm> algorithm_from_name(std::string_view name) {
  for (const AlgorithmInfo& info : kAlgorithms) {
    if (info.name == name) return info.algorithm;
  }
  return std::nullopt;
}

Family family_of(Algorithm algorithm) { return info_of(algorithm).family; }

SecretBytes::~SecretBytes() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

// -- VerifyingKey -------------------------------------------------------------------------------

Result<VerifyingKey> VerifyingKey::from_secret(Algorithm algorithm, std::string_view secret) {
  if (const Status status = check_secret(algorithm, secret); !status) return status.error();
  return VerifyingKey(algorithm, SecretBytes(secret));
}

Result<VerifyingKey> VerifyingKey::from_pkey(Algorithm algorithm, evp_pkey_st* owned) {
  AsymmetricKey key = shared(owned);
  if (const Status status = check_pkey(algorithm, owned); !status) return status.error();
  return VerifyingKey(algorithm, std::move(key));
}

Result<VerifyingKey> VerifyingKey::from_pem(Algorithm algorithm, std::string_view pem) {
  const OpensslErrorScope errors;
  const BioPtr bio = bio_of(pem);
  PkeyPtr pkey;
  if (bio && pem.find("-----BEGIN CERTIFICATE-----") != std::string_view::npos) {
    const X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
    if (certificate) pkey.reset(X509_get_pubkey(certificate.get()));
  } else if (bio) {
    pkey.reset(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
  }
  if (!pkey) {
    const bool is_private = pem.find("PRIVATE KEY-----") != std::string_view::npos;
    return config_error(is_private ? "this is a private key; verifying needs the public one alone"
                                   : "no public key in PEM form");
  }
  return from_pkey(algorithm, pkey.release());
}

Result<VerifyingKey> VerifyingKey::from_rsa(Algorithm algorithm, std::string_view modulus,
                                            std::string_view exponent) {
  const OpensslErrorScope errors;
  constexpr std::size_t kNumberBytesMax = kRsaBitsMax / 8 + 1;  // some writers put a zero byte in front
  if (modulus.size() > kNumberBytesMax || exponent.size() > kNumberBytesMax)
    return config_error("an RSA key may have at most 8192 bits");
  const BignumPtr n(BN_bin2bn(bytes_of(modulus), static_cast<int>(modulus.size()), nullptr));
  const BignumPtr e(BN_bin2bn(bytes_of(exponent), static_cast<int>(exponent.size()), nullptr));
  const ParamBldPtr build(OSSL_PARAM_BLD_new());
  PkeyPtr pkey;
  if (n && e && build && OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1) {
    pkey = pkey_from_params("RSA", build.get());
  }
  if (!pkey) return config_error("the RSA key's modulus or exponent is not usable");
  return from_pkey(algorithm, pkey.release());
}

Result<VerifyingKey> VerifyingKey::from_point(Algorithm algorithm, std::string_view x, std::string_view y) {
  const OpensslErrorScope errors;
  const AlgorithmInfo& info = info_of(algorithm);
  if (info.family != Family::kEcdsa || x.size() != info.coordinate_bytes || y.size() != x.size())
    return config_error("the coordinates do not fit the curve of " + std::string(info.name));
  const std::string point = std::string("\x04").append(x).append(y);  // SEC 1 section 2.3.3, uncompressed
  const ParamBldPtr build(OSSL_PARAM_BLD_new());
  PkeyPtr pkey;
  if (build && OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, info.curve, 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) ==
          1) {
    pkey = pkey_from_params("EC", build.get());
  }
  if (!pkey) return config_error("the EC key's point is not on its curve");
  return from_pkey(algorithm, pkey.release());
}

Result<VerifyingKey> VerifyingKey::from_ed25519(std::string_view point) {
  const OpensslErrorScope errors;
  PkeyPtr pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(point), point.size()));
  if (!pkey) return config_error("an Ed25519 key has 32 bytes");
  return from_pkey(Algorithm::kEdDsa, pkey.release());
}

Family VerifyingKey::family() const {
  const AsymmetricKey* key = std::get_if<AsymmetricKey>(&material_);
  return key == nullptr ? Family::kHmac : family_of_pkey(key->pkey.get());
}

bool VerifyingKey::verifies(std::string_view message, std::string_view signature) const {
  const OpensslErrorScope errors;
  if (const AsymmetricKey* key = std::get_if<AsymmetricKey>(&material_))
    return verify_asymmetric(info_of(algorithm_), key->pkey.get(), message, signature);
  const std::string mac = hmac(algorithm_, std::get<SecretBytes>(material_).view(), message);
  return !mac.empty() && mac.size() == signature.size() &&
         CRYPTO_memcmp(mac.data(), signature.data(), mac.size()) == 0;
}

// -- SigningKey ---------------------------------------------------------------------------------

Result<SigningKey> SigningKey::from_secret(Algorithm algorithm, std::string_view secret) {
  if (const Status status = check_secret(algorithm, secret); !status) return status.error();
  return SigningKey(algorithm, SecretBytes(secret));
}

Result<SigningKey> SigningKey::from_pem(Algorithm algorithm, std::string_view pem) {
  const OpensslErrorScope errors;
  const BioPtr bio = bio_of(pem);
  EVP_PKEY* pkey = bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr) : nullptr;
  if (pkey == nullptr)
    return config_error("no private key in PEM form that can be read without a passphrase");
  AsymmetricKey key = shared(pkey);
  if (const Status status = check_pkey(algorithm, pkey); !status) return status.error();
  return SigningKey(algorithm, std::move(key));
}

Result<std::string> SigningKey::sign(std::string_view message) const {
  const OpensslErrorScope errors;
  const AsymmetricKey* key = std::get_if<AsymmetricKey>(&material_);
  std::string signature = key != nullptr ? sign_asymmetric(info_of(algorithm_), key->pkey.get(), message)
                                         : hmac(algorithm_, std::get<SecretBytes>(material_).view(), message);
  if (signature.empty()) return Error(ErrorCode::kInternal, "signing failed");
  return signature;
}

// -- KeySet -------------------------------------------------------------------------------------

Status KeySet::add(VerifyingKey key, std::optional<std::string> kid) {
  if (kid && kid->size() > kKeyIdBytesMax) return config_error("a key id may have at most 128 bytes");
  if (entries_.size() == kKeysMax) return config_error("a key set may have at most 64 keys");
  const bool secret = key.family() == Family::kHmac;
  if (!entries_.empty() && (entries_.front().key.family() == Family::kHmac) != secret)
    return config_error("secrets and public keys cannot be in one key set");
  has_kids_ = has_kids_ || kid.has_value();
  entries_.push_back({std::move(key), std::move(kid)});
  return {};
}

}  // namespace wirehall::auth
