// A browser that has subscribed: it reads what was encrypted for it. It uses nothing of the code under test,
// and derives its keys step by step with HMAC where that uses OpenSSL's HKDF.
#pragma once

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <optional>
#include <string>
#include <string_view>

#include "auth/openssl_ptr.h"
#include "base/base64.h"
#include "wirehall/hall_store.h"

namespace wirehall::push::test {

using namespace std::string_view_literals;

inline std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::string mac(32, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), auth::bytes_of(message), message.size(),
       auth::bytes_of(mac), nullptr);
  return mac;
}

class Browser {
 public:
  Browser() : key_(EVP_EC_gen("P-256")), auth_(16, '\0') {
    RAND_bytes(auth::bytes_of(auth_), 16);
    std::size_t length = 0;
    EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY, auth::bytes_of(point_), 65, &length);
  }

  const std::string& p256dh() const { return point_; }
  const std::string& auth_secret() const { return auth_; }
  PushSubscription subscription(const std::string& user, const std::string& endpoint) const {
    PushSubscription made;
    made.user_id = user;
    made.endpoint = endpoint;
    made.p256dh = point_;
    made.auth = auth_;
    return made;
  }

  /// The payload; nullopt when somebody has changed the body, or it is for somebody else.
  std::optional<std::string> read(std::string_view body) const {
    if (body.size() < 86 + 17 || body.size() > 4096) return std::nullopt;
    if (body.substr(16, 5) != "\x00\x00\x10\x00\x41"sv) return std::nullopt;
    const std::string_view salt = body.substr(0, 16);
    const std::string_view sender = body.substr(21, 65);
    const std::string common = common_with(sender);
    if (common.empty()) return std::nullopt;
    // RFC 8291 section 3.3 and 3.4, RFC 8188 section 2.2 and 2.3.
    const std::string prk_key = hmac_sha256(auth_, common);
    const std::string info = std::string("WebPush: info\0"sv).append(point_).append(sender).append("\x01");
    const std::string prk = hmac_sha256(salt, hmac_sha256(prk_key, info));
    const std::string key = hmac_sha256(prk, "Content-Encoding: aes128gcm\0\x01"sv).substr(0, 16);
    const std::string nonce = hmac_sha256(prk, "Content-Encoding: nonce\0\x01"sv).substr(0, 12);
    std::optional<std::string> plain = open(key, nonce, body.substr(86));
    if (!plain || plain->find_last_not_of('\0') == std::string::npos) return std::nullopt;
    plain->resize(plain->find_last_not_of('\0') + 1);  // padding
    if (plain->back() != '\x02') return std::nullopt;
    plain->pop_back();
    return plain;
  }

 private:
  std::string common_with(std::string_view point) const {
    const auth::PkeyPtr peer(EVP_PKEY_new());
    if (!peer || EVP_PKEY_copy_parameters(peer.get(), key_.get()) != 1 ||
        EVP_PKEY_set1_encoded_public_key(peer.get(), auth::bytes_of(point), point.size()) != 1)
      return {};
    const auth::PkeyCtxPtr context(EVP_PKEY_CTX_new(key_.get(), nullptr));
    std::string secret(32, '\0');
    std::size_t length = 32;
    if (EVP_PKEY_derive_init(context.get()) != 1 ||
        EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
        EVP_PKEY_derive(context.get(), auth::bytes_of(secret), &length) != 1)
      return {};
    return secret;
  }

  static std::optional<std::string> open(const std::string& key, const std::string& nonce,
                                         std::string_view sealed) {
    const std::string_view text = sealed.substr(0, sealed.size() - 16);
    std::string tag(sealed.substr(sealed.size() - 16));
    std::string plain(text.size(), '\0');
    const std::unique_ptr<EVP_CIPHER_CTX, auth::OpensslFree<EVP_CIPHER_CTX_free>> context(
        EVP_CIPHER_CTX_new());
    int length = 0;
    EVP_DecryptInit_ex2(context.get(), EVP_aes_128_gcm(), auth::bytes_of(std::string_view(key)),
                        auth::bytes_of(std::string_view(nonce)), nullptr);
    EVP_DecryptUpdate(context.get(), auth::bytes_of(plain), &length, auth::bytes_of(text),
                      static_cast<int>(text.size()));
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data());
    if (EVP_DecryptFinal_ex(context.get(), auth::bytes_of(plain) + length, &length) != 1) return std::nullopt;
    return plain;
  }

  auth::PkeyPtr key_;
  std::string point_ = std::string(65, '\0');
  std::string auth_;
};

}  // namespace wirehall::push::test
