// TLS 1.2 and 1.3 on accepted sockets.
#pragma once

#include <memory>
#include <string>

#include "wirehall/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace wirehall::io {

/// Certificates and options of a listener.
///
/// Thread:   immutable once a listener has it; shared by all shards.
class TlsContext {
 public:
  /// Errors:   kConfig with OpenSSL's reason: files that are missing, do not match, or whose key others may
  ///           read.
  static Result<std::shared_ptr<TlsContext>> load(const std::string& certificate_file,
                                                  const std::string& key_file);
  ~TlsContext();
  /// Has connections give their records to the kernel after the handshake, where it takes them (io/kernel_tls.h).
  /// Errors:   kConfig: this kernel cannot; everything stays as it is.
  Status hand_records_to_kernel();
  ssl_ctx_st* get() const { return context_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

struct SslFree {
  void operator()(ssl_st* ssl) const;
};
using SslPtr = std::unique_ptr<ssl_st, SslFree>;

}  // namespace wirehall::io
