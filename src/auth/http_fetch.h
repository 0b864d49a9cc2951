// Fetching a small document from a URL of the configuration.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "wirehall/clock.h"
#include "wirehall/result.h"

namespace wirehall::auth {

/// Bounds of one fetch.
struct FetchLimits {
  Milliseconds connect{5'000};           ///< name look-up, TCP and TLS
  Milliseconds total{10'000};            ///< everything
  std::size_t body_bytes_max = 262'144;  ///< inclusive
  std::size_t head_bytes_max = 65'536;   ///< of all header fields; inclusive
  std::string ca_file;  ///< PEM certificates to trust instead of the system's; empty: the system's
};

/// Fetches a document with GET and waits for it.
///
/// Only https, and http where the host is loopback (`localhost`, 127.0.0.0/8, [::1]). Redirects are not
/// followed; certificates and host names are verified; the limits hold while the answer arrives, so that an
/// endless one costs no more memory. Compression is not asked for. A proxy of the environment is used, except
/// for loopback.
///
/// Requires: the process ignores SIGPIPE, which a TLS connection that the other end closed may raise.
/// Returns:  the body of a 200 answer.
/// Errors:   kConfig (no such URL, or one with a user and password in it), kIo (network, TLS, another
///           status), kTimeout, kTooLarge. Texts hold nothing of the URL or the answer.
/// Thread:   blocks: any thread but a shard's.
Result<std::string> fetch_https(const std::string& url, const FetchLimits& limits = {});

}  // namespace wirehall::auth
