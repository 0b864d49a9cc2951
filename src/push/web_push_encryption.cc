#include "push/web_push_encryption.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <array>

#include "base/assert.h"

namespace wirehall::push {
namespace {

using namespace auth;
using namespace std::string_view_literals;

constexpr std::size_t kTagBytes = 16;
constexpr char kLastRecord = '\x02';  // RFC 8188 section 2

using KdfPtr = std::unique_ptr<EVP_KDF, OpensslFree<EVP_KDF_free>>;
using KdfCtxPtr = std::unique_ptr<EVP_KDF_CTX, OpensslFree<EVP_KDF_CTX_free>>;
using CipherCtxPtr = std::unique_ptr<EVP_CIPHER_CTX, OpensslFree<EVP_CIPHER_CTX_free>>;

OSSL_PARAM octets(const char* name, std::string_view bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(bytes.data()), bytes.size());
}

/// Key material that is overwritten at the end.
class Secret {
 public:
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  ~Secret() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  std::string_view view() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string bytes_;
};

// HKDF with SHA-256 (RFC 5869), both steps. Returns: an empty text when OpenSSL refuses.
std::string hkdf(std::string_view salt, std::string_view key, std::string_view info, std::size_t length) {
  const KdfPtr kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const KdfCtxPtr context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  char digest[] = "SHA256";
  const std::array params = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                             octets(OSSL_KDF_PARAM_SALT, salt), octets(OSSL_KDF_PARAM_KEY, key),
                             octets(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  std::string out(length, '\0');
  if (!context || EVP_KDF_derive(context.get(), bytes_of(out), out.size(), params.data()) != 1) return {};
  return out;
}

bool append_sealed(std::string& body, std::string_view plain, std::string_view key, std::string_view nonce) {
  const std::size_t at = body.size();
  body.resize(at + plain.size() + kTagBytes);
  unsigned char* out = bytes_of(body) + at;
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  int written = 0;
  int last = 0;
  return context &&
         EVP_EncryptInit_ex2(context.get(), EVP_aes_128_gcm(), bytes_of(key), bytes_of(nonce), nullptr) ==
             1 &&
         EVP_EncryptUpdate(context.get(), out, &written, bytes_of(plain), static_cast<int>(plain.size())) ==
             1 &&
         static_cast<std::size_t>(written) == plain.size() &&
         EVP_EncryptFinal_ex(context.get(), out + written, &last) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kTagBytes),
                             out + plain.size()) == 1;
}

std::string header_of(std::string_view salt, std::string_view point) {
  std::string header(salt);
  for (const unsigned shift : {24u, 16u, 8u, 0u})
    header.push_back(static_cast<char>((kPushBodyBytesMax >> shift) & 0xff));
  header.push_back(static_cast<char>(point.size()));
  return header.append(point);
}

Error refused() { return Error(ErrorCode::kInternal, "OpenSSL refused to encrypt"); }

}  // namespace

Result<std::string> encrypt_web_push(std::string_view payload, std::string_view p256dh, std::string_view auth,
                                     std::string_view salt, EVP_PKEY& sender) {
  const OpensslErrorScope errors;
  WIREHALL_ASSERT(salt.size() == kPushSaltBytes);
  if (payload.size() > kPushPayloadBytesMax)
    return Error(ErrorCode::kTooLarge, "a push payload may have at most 3993 bytes");
  if (auth.size() != kPushAuthBytes)
    return Error(ErrorCode::kInvalidFormat, "the subscription's auth secret has not 16 bytes");
  const PkeyPtr receiver = p256_from_point(p256dh);
  if (!receiver)
    return Error(ErrorCode::kInvalidFormat, "the subscription's p256dh is no uncompressed point of P-256");
  const std::string sender_point = point_of(sender);
  const Secret common(shared_secret(sender, *receiver));
  if (sender_point.empty() || common.empty()) return refused();
  // RFC 8291 section 3.4: what both know is bound to both keys; RFC 8188 section 2.2: key and nonce.
  const std::string info = std::string("WebPush: info\0"sv).append(p256dh).append(sender_point);
  const Secret material(hkdf(auth, common.view(), info, 32));
  const Secret key(hkdf(salt, material.view(), "Content-Encoding: aes128gcm\0"sv, 16));
  const Secret nonce(hkdf(salt, material.view(), "Content-Encoding: nonce\0"sv, 12));
  if (material.empty() || key.empty() || nonce.empty()) return refused();
  std::string plain(payload);
  plain.push_back(kLastRecord);
  std::string body = header_of(salt, sender_point);
  if (!append_sealed(body, plain, key.view(), nonce.view())) return refused();
  return body;
}

Result<std::string> encrypt_web_push(std::string_view payload, std::string_view p256dh,
                                     std::string_view auth) {
  const OpensslErrorScope errors;
  std::string salt(kPushSaltBytes, '\0');
  const PkeyPtr sender = generate_p256();
  if (!sender || RAND_bytes(bytes_of(salt), static_cast<int>(salt.size())) != 1) return refused();
  return encrypt_web_push(payload, p256dh, auth, salt, *sender);
}

}  // namespace wirehall::push
