// Posting with libcurl: many transfers on one thread, each bounded in time and in what it may answer.
//
//   I1  With `public_only`, each address is judged when a socket is about to be connected to it, so that it
//       does not matter what a name meant before. There is no proxy then, which would connect in our place.
//   I2  No connection serves two requests, so that nothing that one answer left behind is read as the next.
//   I3  Redirects are not followed; answers are counted, and thrown away.
//
// Spec: RELIABILITY H10, K1, K2.
#pragma once

#include <memory>
#include <string>

#include "push/transport.h"
#include "wirehall/result.h"

namespace wirehall::push {

struct TransportOptions {
  Milliseconds connect{5'000};          ///< name look-up, TCP and TLS
  Milliseconds total{10'000};           ///< everything
  std::size_t body_bytes_max = 65'536;  ///< of an answer; a longer one is cut off, and its status counts
  std::size_t head_bytes_max = 65'536;  ///< of all header fields; longer ones are no answer
  bool public_only = true;              ///< https and public addresses only, and no proxy (I1)
  bool environment_proxy = false;       ///< use one that the environment names, except for loopback
  std::string ca_file;  ///< PEM certificates to trust instead of the system's; empty: the system's
};

/// Certificates and host names are verified. The status of an answer counts from its first line on, also when
/// the rest is too long, too slow or breaks off: what was accepted is not sent again.
///
/// Requires: the process ignores SIGPIPE.
/// Errors:   kIo: libcurl cannot start.
Result<std::unique_ptr<Transport>> make_http_transport(const TransportOptions& options);

}  // namespace wirehall::push
