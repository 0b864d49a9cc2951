#include "io/kernel_tls.h"

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>

namespace wirehall::io::kernel_tls {
namespace {

constexpr int kSolTls = 282;  // SOL_TLS, which not every libc names
constexpr int kTryOutSeconds = 2;  // for a connection over loopback, which a firewall may keep waiting
constexpr std::size_t kIvBytes = 12;
constexpr std::size_t kKeyBytesMax = 32;

constexpr unsigned char kRecordAlert = 21;
constexpr unsigned char kAlertWarning = 1, kAlertFatal = 2;
constexpr unsigned char kCloseNotify = 0, kBadRecordMac = 20, kRecordOverflow = 22, kInternalError = 80,
                        kUserCanceled = 90;

/// The secrets of both directions (RFC 8446 7.1), and how many records were sent under the server's.
struct Secrets {
  std::array<unsigned char, EVP_MAX_MD_SIZE> client{}, server{};
  std::size_t client_bytes = 0, server_bytes = 0;
  std::uint64_t records_sent = 0;
  Secrets() = default;
  Secrets(const Secrets&) = delete;
  ~Secrets() {
    OPENSSL_cleanse(client.data(), client.size());
    OPENSSL_cleanse(server.data(), server.size());
  }
};

int secrets_index() {
  static const int index = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* secrets, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Secrets*>(secrets); });
  return index;
}

Secrets* secrets_of(const SSL* ssl) { return static_cast<Secrets*>(SSL_get_ex_data(ssl, secrets_index())); }

// A line of the format that SSLKEYLOGFILE has: label, the client's random value, secret.
void note_secret(const SSL* ssl, const char* line) {
  const std::string_view text(line);
  const bool client = text.starts_with("CLIENT_TRAFFIC_SECRET_0 ");
  if (!client && !text.starts_with("SERVER_TRAFFIC_SECRET_0 ")) return;
  Secrets* secrets = secrets_of(ssl);
  if (secrets == nullptr) {
    std::unique_ptr<Secrets> fresh(new (std::nothrow) Secrets);
    if (!fresh || SSL_set_ex_data(const_cast<SSL*>(ssl), secrets_index(), fresh.get()) != 1) return;
    secrets = fresh.release();
  }
  auto& to = client ? secrets->client : secrets->server;
  std::size_t bytes = 0;
  if (OPENSSL_hexstr2buf_ex(to.data(), to.size(), &bytes, line + text.rfind(' ') + 1, '\0') != 1) return;
  (client ? secrets->client_bytes : secrets->server_bytes) = bytes;
}

// The server's secret is told when its first records under it, the session tickets, are still to come.
void count_record(int sent, int, int type, const void*, std::size_t, SSL* ssl, void*) {
  if (sent == 0 || type != SSL3_RT_HEADER) return;
  if (Secrets* secrets = secrets_of(ssl); secrets != nullptr && secrets->server_bytes != 0) ++secrets->records_sent;
}

/// What encrypts one direction.
struct Keys {
  std::array<unsigned char, kKeyBytesMax> key{};
  std::array<unsigned char, kIvBytes> iv{};
  ~Keys() {
    OPENSSL_cleanse(key.data(), key.size());
    OPENSSL_cleanse(iv.data(), iv.size());
  }
};

// HKDF-Expand-Label with an empty context (RFC 8446 7.1).
bool expand(const EVP_MD* digest, std::span<const unsigned char> secret, const char* label,
            std::span<unsigned char> out) {
  static EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_TLS1_3_KDF, nullptr);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(EVP_KDF_CTX_new(kdf), EVP_KDF_CTX_free);
  if (!context) return false;
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  std::string prefix = "tls13 ", name = label;
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>(EVP_MD_get0_name(digest)), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<unsigned char*>(secret.data()), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, prefix.data(), prefix.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, name.data(), name.size()),
      OSSL_PARAM_construct_end()};
  return EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) == 1;
}

bool derive(const EVP_MD* digest, std::span<const unsigned char> secret, std::size_t key_bytes, Keys& keys) {
  return !secret.empty() && expand(digest, secret, "key", std::span(keys.key).first(key_bytes)) &&
         expand(digest, secret, "iv", keys.iv);
}

template <class Info>
bool set_keys_as(int socket, int direction, std::uint16_t kernel_cipher, const Keys& keys, std::uint64_t record) {
  Info info{};
  static_assert(sizeof info.salt + sizeof info.iv == kIvBytes && sizeof info.key <= kKeyBytesMax);
  info.info = {TLS_1_3_VERSION, kernel_cipher};
  std::memcpy(info.key, keys.key.data(), sizeof info.key);
  std::memcpy(info.salt, keys.iv.data(), sizeof info.salt);
  std::memcpy(info.iv, keys.iv.data() + sizeof info.salt, sizeof info.iv);
  for (std::size_t i = sizeof info.rec_seq; i-- > 0; record >>= 8) info.rec_seq[i] = static_cast<unsigned char>(record);
  const bool done = ::setsockopt(socket, kSolTls, direction, &info, sizeof info) == 0;
  OPENSSL_cleanse(&info, sizeof info);
  return done;
}

struct Cipher {
  std::uint16_t suite;  // of TLS
  std::uint16_t kernel;
  std::size_t key_bytes;
  bool (*set_keys)(int socket, int direction, std::uint16_t kernel_cipher, const Keys& keys, std::uint64_t record);
};

constexpr std::array<Cipher, 3> kCiphers{{
    {0x1301, TLS_CIPHER_AES_GCM_128, 16, set_keys_as<tls12_crypto_info_aes_gcm_128>},
    {0x1302, TLS_CIPHER_AES_GCM_256, 32, set_keys_as<tls12_crypto_info_aes_gcm_256>},
    {0x1303, TLS_CIPHER_CHACHA20_POLY1305, 32, set_keys_as<tls12_crypto_info_chacha20_poly1305>},
}};

const Cipher* cipher_of(const SSL* ssl) {
  const SSL_CIPHER* used = SSL_get_current_cipher(ssl);
  if (used == nullptr) return nullptr;
  for (const Cipher& cipher : kCiphers) {
    if (cipher.suite == SSL_CIPHER_get_protocol_id(used)) return &cipher;
  }
  return nullptr;
}

// A socket with this and no keys passes on what it is given.
bool attach(int socket) { return ::setsockopt(socket, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls") == 0; }

/// A record of two bytes, as alerts have, with room for its type beside it.
struct Record {
  explicit Record(std::array<unsigned char, 2> content = {}) : bytes(content) {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
  Record(const Record&) = delete;

  std::array<unsigned char, 2> bytes;
  msghdr message{};

 private:
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(unsigned char))> control{};
};

void send_alert(int socket, unsigned char level, unsigned char description) {
  Record alert({level, description});
  cmsghdr* header = CMSG_FIRSTHDR(&alert.message);
  header->cmsg_level = kSolTls;
  header->cmsg_type = TLS_SET_RECORD_TYPE;
  header->cmsg_len = CMSG_LEN(sizeof kRecordAlert);
  std::memcpy(CMSG_DATA(header), &kRecordAlert, sizeof kRecordAlert);
  // A fault of what was received is the socket's until somebody asks for it, and keeps it from sending.
  int fault = 0;
  socklen_t size = sizeof fault;
  (void)::getsockopt(socket, SOL_SOCKET, SO_ERROR, &fault, &size);
  // It ends anyway: a peer that takes nothing any more is not told.
  (void)::sendmsg(socket, &alert.message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

struct Socket {
  explicit Socket(int opened) : descriptor(opened) {}
  Socket(const Socket&) = delete;
  ~Socket() {
    if (descriptor >= 0) ::close(descriptor);
  }
  int descriptor;
};

Error refused(const char* what, const char* remedy) {
  return Error(ErrorCode::kConfig, std::string("tls.kernel: ") + what + " (" + std::strerror(errno) + "): " + remedy);
}

}  // namespace

Status available() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const auto at = reinterpret_cast<sockaddr*>(&address);
  const timeval patience{kTryOutSeconds, 0};
  const Socket listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Socket tried(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::setsockopt(tried.descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
      ::bind(listener.descriptor, at, size) != 0 || ::listen(listener.descriptor, 1) != 0 ||
      ::getsockname(listener.descriptor, at, &size) != 0 || ::connect(tried.descriptor, at, size) != 0)
    return refused("it cannot be tried out", "no connection over loopback");
  if (!attach(tried.descriptor))
    return refused("this kernel does TLS only with its module `tls`",
                   "as root: modprobe tls, and for the next start: echo tls > /etc/modules-load.d/tls.conf");
  for (const int direction : {TLS_TX, TLS_RX}) {
    const Cipher& cipher = kCiphers[1];
    if (!cipher.set_keys(tried.descriptor, direction, cipher.kernel, Keys(), 0))
      return refused("the kernel does not take the keys of TLS 1.3", "a newer kernel, or tls.kernel: false");
  }
  return {};
}

void prepare(ssl_ctx_st* context) {
  SSL_CTX_set_keylog_callback(context, note_secret);
  SSL_CTX_set_msg_callback(context, count_record);
}

HandOver hand_over(ssl_st* ssl, int socket) {
  const std::unique_ptr<Secrets> secrets(secrets_of(ssl));
  if (!secrets) return HandOver::kKept;
  SSL_set_ex_data(ssl, secrets_index(), nullptr);
  const Cipher* cipher = cipher_of(ssl);
  if (cipher == nullptr || SSL_version(ssl) != TLS1_3_VERSION || SSL_has_pending(ssl) != 0) return HandOver::kKept;
  const EVP_MD* digest = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
  Keys received, sent;
  const bool derived =
      derive(digest, std::span(secrets->client).first(secrets->client_bytes), cipher->key_bytes, received) &&
      derive(digest, std::span(secrets->server).first(secrets->server_bytes), cipher->key_bytes, sent);
  ERR_clear_error();
  if (!derived || !attach(socket) || !cipher->set_keys(socket, TLS_TX, cipher->kernel, sent, secrets->records_sent))
    return HandOver::kKept;
  if (!cipher->set_keys(socket, TLS_RX, cipher->kernel, received, 0)) return HandOver::kBroken;
  return HandOver::kDone;
}

bool answer_failed_read(int socket, int error) {
  if (error == EBADMSG) {
    send_alert(socket, kAlertFatal, kBadRecordMac);
    return false;
  }
  if (error == EMSGSIZE) {
    send_alert(socket, kAlertFatal, kRecordOverflow);
    return false;
  }
  if (error != EIO) return false;
  // A record that is no data waits for who asks for its type.
  Record record;
  const ssize_t got = ::recvmsg(socket, &record.message, MSG_DONTWAIT);
  const cmsghdr* header = CMSG_FIRSTHDR(&record.message);
  if (got < 0 || header == nullptr || header->cmsg_level != kSolTls || header->cmsg_type != TLS_GET_RECORD_TYPE)
    return false;
  if (*CMSG_DATA(header) != kRecordAlert) {
    send_alert(socket, kAlertFatal, kInternalError);  // RFC 8446 6.2: it is not the peer that did wrong
    return false;
  }
  return got == 2 && (record.bytes[1] == kCloseNotify || record.bytes[1] == kUserCanceled);
}

void send_close_notify(int socket) { send_alert(socket, kAlertWarning, kCloseNotify); }

}  // namespace wirehall::io::kernel_tls
