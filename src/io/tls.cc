#include "io/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include "io/kernel_tls.h"

namespace wirehall::io {
namespace {

Error openssl_error(const std::string& what) {
  char text[256] = "unknown reason";
  if (const unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return Error(ErrorCode::kConfig, what + ": " + text);
}

int choose_http1(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                 unsigned in_size, void*) {
  static constexpr unsigned char kHttp1[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp1, sizeof kHttp1 - 1, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::load(const std::string& certificate_file,
                                                     const std::string& key_file) {
  struct stat info {};
  if (stat(key_file.c_str(), &info) != 0)
    return Error(ErrorCode::kConfig, "tls.key: cannot read " + key_file);
  if ((info.st_mode & (S_IRWXO | S_IWGRP)) != 0)
    return Error(ErrorCode::kConfig, "tls.key: " + key_file + " can be read by others (chmod 600)");
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) return openssl_error("tls");
  std::shared_ptr<TlsContext> owned(new TlsContext(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Idle connections give their 16 KiB buffers back; writes may be retried from another place.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(context, choose_http1, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1)
    return openssl_error("tls.cert: " + certificate_file);
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return openssl_error("tls.key: " + key_file);
  if (SSL_CTX_check_private_key(context) != 1) return openssl_error("tls.key does not belong to tls.cert");
  return owned;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Status TlsContext::hand_records_to_kernel() {
  Status status = kernel_tls::available();
  if (status.ok()) kernel_tls::prepare(context_);
  return status;
}

void SslFree::operator()(ssl_st* ssl) const { SSL_free(ssl); }

}  // namespace wirehall::io
