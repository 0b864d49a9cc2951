#include "push/target_url.h"

#include <algorithm>

#include "base/ascii.h"
#include "push/curl_ptr.h"

namespace wirehall::push {
namespace {

Error invalid(std::string text) { return Error(ErrorCode::kInvalidFormat, std::move(text)); }

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  const CurlTextPtr owned(text);
  return text;
}

}  // namespace

Result<TargetUrl> parse_target_url(const std::string& url) {
  if (url.size() > kTargetUrlBytesMax) return invalid("a URL may have at most 2048 bytes");
  if (!is_printable(url)) return invalid("a URL holds printable ASCII characters alone");
  const CurlUrlPtr parsed(curl_url());
  if (!parsed) return Error(ErrorCode::kInternal, "libcurl cannot read URLs");
  const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_DISALLOW_USER);
  if (code == CURLUE_USER_NOT_ALLOWED) return invalid("a URL may hold no user or password");
  if (code != CURLUE_OK) return invalid("malformed URL");
  TargetUrl target;
  target.scheme = ascii_lower(part(parsed.get(), CURLUPART_SCHEME));
  if (target.scheme != "https" && target.scheme != "http") return invalid("the URL must be http or https");
  target.host = ascii_lower(part(parsed.get(), CURLUPART_HOST));
  if (target.host.empty() || !part(parsed.get(), CURLUPART_ZONEID).empty()) return invalid("malformed URL");
  target.origin = target.scheme + "://" + target.host;
  const std::string port = part(parsed.get(), CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
  if (!port.empty()) target.origin += ":" + port;
  return target;
}

}  // namespace wirehall::push
