// Keys made at run time, and tokens put together by hand, for the tests and fuzz targets of this folder.
// Nothing here uses the code under test except base64url.
#pragma once

#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "auth/openssl_ptr.h"
#include "base/base64.h"

namespace wirehall::auth::test {

inline std::string text_in(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(length));
}

/// A key pair, in all the forms in which a configuration may hold it.
///
/// Lifetime: owns OpenSSL's key.
class KeyPair {
 public:
  static KeyPair rsa(unsigned bits = 2048) { return KeyPair(EVP_RSA_gen(bits)); }
  static KeyPair ec(const char* curve) { return KeyPair(EVP_EC_gen(curve)); }
  static KeyPair ed25519() { return KeyPair(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }
  static KeyPair rsa_pss() {
    const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr));
    EVP_PKEY* pkey = nullptr;
    EVP_PKEY_keygen_init(context.get());
    EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048);
    EVP_PKEY_keygen(context.get(), &pkey);
    return KeyPair(pkey);
  }

  std::string public_pem() const {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PUBKEY(bio.get(), pkey_.get());
    return text_in(bio.get());
  }
  std::string private_pem() const {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(bio.get(), pkey_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return text_in(bio.get());
  }
  std::string encrypted_pem() const {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(bio.get(), pkey_.get(), EVP_aes_128_cbc(), "phrase", 6, nullptr, nullptr);
    return text_in(bio.get());
  }
  /// A certificate for `name`, signed by the key itself.
  std::string certificate_pem(const char* name = "localhost") const {
    const X509Ptr certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), pkey_.get());
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, bytes_of(std::string_view(name)), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    const bool own_digest = EVP_PKEY_is_a(pkey_.get(), "ED25519") == 1;
    X509_sign(certificate.get(), pkey_.get(), own_digest ? nullptr : EVP_sha256());
    const BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate.get());
    return text_in(bio.get());
  }

  /// One number of the public key ("n", "e", or "qx", "qy"), base64url, of `bytes` bytes; 0: without zeros.
  std::string number(const char* name, int bytes = 0) const {
    BIGNUM* raw = nullptr;
    EVP_PKEY_get_bn_param(pkey_.get(), name, &raw);
    const BignumPtr number(raw);
    if (bytes == 0) bytes = BN_num_bytes(number.get());
    std::string out(static_cast<std::size_t>(bytes), '\0');
    BN_bn2binpad(number.get(), bytes_of(out), bytes);
    return to_base64url(out);
  }
  /// The public point of an Ed25519 key, base64url.
  std::string point() const {
    std::string out(32, '\0');
    std::size_t length = out.size();
    EVP_PKEY_get_raw_public_key(pkey_.get(), bytes_of(out), &length);
    return to_base64url(out);
  }

  EVP_PKEY* get() const { return pkey_.get(); }

 private:
  explicit KeyPair(EVP_PKEY* pkey) : pkey_(pkey) {
    if (pkey == nullptr) std::abort();
  }
  PkeyPtr pkey_;
};

/// RSASSA-PKCS1-v1_5 by OpenSSL alone.
inline std::string rsa_signature(const KeyPair& pair, const EVP_MD* digest, std::string_view message) {
  const MdCtxPtr context(EVP_MD_CTX_new());
  std::string out(static_cast<std::size_t>(EVP_PKEY_get_size(pair.get())), '\0');
  std::size_t length = out.size();
  EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, pair.get());
  EVP_DigestSign(context.get(), bytes_of(out), &length, bytes_of(message), message.size());
  return out;
}

inline std::string hmac_signature(const EVP_MD* digest, std::string_view secret, std::string_view message) {
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(digest)), '\0');
  HMAC(digest, secret.empty() ? "" : secret.data(), static_cast<int>(secret.size()), bytes_of(message),
       message.size(), bytes_of(out), nullptr);
  return out;
}

/// What is signed.
inline std::string signing_input(std::string_view header, std::string_view payload) {
  return to_base64url(header) + "." + to_base64url(payload);
}

/// A token signed with HS256, whatever its header says.
inline std::string hs256_token(std::string_view header, std::string_view payload, std::string_view secret) {
  const std::string input = signing_input(header, payload);
  return input + "." + to_base64url(hmac_signature(EVP_sha256(), secret, input));
}

}  // namespace wirehall::auth::test
