// TLS records by the kernel: after a handshake by OpenSSL its keys go into the socket, which takes and gives plain bytes
// from then on. Nothing of TLS stays in the process.
//
// TLS 1.3 alone (RFC 8446), with AES-GCM or ChaCha20-Poly1305; Linux's module `tls`
// (Documentation/networking/tls.rst). The kernel decrypts with the keys that it was given: who changes them (KeyUpdate,
// section 4.6.3) is sent an alert, and that connection ends.
#pragma once

#include <cstdint>

#include "wirehall/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace wirehall::io::kernel_tls {

/// Whether this kernel can, tried out on a connection over loopback.
///
/// Thread:   any; blocks for as long as loading the module takes, and at most two seconds besides.
/// Errors:   kConfig: why it cannot, and the command that mends it.
Status available();

/// Has the handshakes of this context note what hand_over() needs.
/// Requires: no connection was made of it yet.
void prepare(ssl_ctx_st* context);

enum class HandOver : std::uint8_t {
  kDone,    ///< the socket takes plain bytes; the SSL is of no use any more
  kKept,    ///< nothing has changed: another version or cipher, or the kernel has refused
  kBroken,  ///< one direction was taken and the other was not: the socket must be closed
};

/// Gives the records of a connection to the kernel.
///
/// Requires: the handshake is done, nothing was read or written since, and OpenSSL has the socket itself, without
///           reading ahead.
HandOver hand_over(ssl_st* ssl, int socket);

/// A read on a socket that was handed over has failed with `error`, which is none of those that mean "later". What is no
/// data, or cannot be decrypted, is answered with an alert; in either case nothing more can be read.
/// Returns: whether the peer has ended its side in order.
bool answer_failed_read(int socket, int error);

/// Tells the peer of a socket that was handed over that nothing follows (close_notify, RFC 8446 6.1).
void send_close_notify(int socket);

}  // namespace wirehall::io::kernel_tls
