// URLs that something is posted to.
#pragma once

#include <string>
#include <string_view>

#include "wirehall/result.h"

namespace wirehall::push {

inline constexpr std::size_t kTargetUrlBytesMax = 2'048;

/// The parts of a URL that matter here, as libcurl reads them: it does the connecting.
struct TargetUrl {
  std::string scheme;  ///< lower case
  std::string host;    ///< lower case; IPv4 as four decimals, IPv6 in brackets
  std::string
      origin;  ///< scheme://host, with the port where it is not the scheme's own (RFC 6454 section 6.2)
};

/// Reads a URL of at most kTargetUrlBytesMax printable ASCII characters, with http or https, and without a
/// user.
///
/// Errors:   kInvalidFormat; the text holds nothing of the URL.
Result<TargetUrl> parse_target_url(const std::string& url);

}  // namespace wirehall::push
