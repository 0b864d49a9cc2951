#include "auth/http_fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <memory>
#include <utility>

namespace wirehall::auth {
namespace {

template <auto kFree>
struct CurlFree {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using CurlPtr = std::unique_ptr<CURL, CurlFree<curl_easy_cleanup>>;
using CurlUrlPtr = std::unique_ptr<CURLU, CurlFree<curl_url_cleanup>>;
using CurlTextPtr = std::unique_ptr<char, CurlFree<curl_free>>;
using CurlListPtr = std::unique_ptr<curl_slist, CurlFree<curl_slist_free_all>>;

std::string part(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, 0) != CURLUE_OK) return {};
  const CurlTextPtr owned(text);
  return text;
}

// libcurl has brought numeric forms (127.1, 0x7f000001) to four decimals, and resolves `localhost` itself.
bool is_loopback(const std::string& host) {
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) return (ntohl(address.s_addr) >> 24) == 127;
  return host == "localhost" || host == "[::1]";
}

struct Sink {
  const FetchLimits* limits = nullptr;
  std::string body;
  std::size_t head_bytes = 0;
  bool too_large = false;
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  Sink& sink = *static_cast<Sink*>(user);
  const std::size_t bytes = size * count;
  if (bytes > sink.limits->body_bytes_max - sink.body.size()) {
    sink.too_large = true;
    return bytes + 1;  // another number than was offered ends the transfer
  }
  sink.body.append(data, bytes);
  return bytes;
}

std::size_t on_head(char*, std::size_t size, std::size_t count, void* user) {
  Sink& sink = *static_cast<Sink*>(user);
  const std::size_t bytes = size * count;
  if (bytes > sink.limits->head_bytes_max - sink.head_bytes) {
    sink.too_large = true;
    return bytes + 1;
  }
  sink.head_bytes += bytes;
  return bytes;
}

// The handle is given the parsed URL, so that the host that was judged is the host that is asked.
void prepare(CURL* curl, CURLU* url, bool loopback, Sink& sink) {
  const FetchLimits& limits = *sink.limits;
  curl_easy_setopt(curl, CURLOPT_CURLU, url);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, loopback ? "http,https" : "https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!limits.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, limits.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  if (loopback) curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // signals would hit other threads
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limits.total.count()));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "wirehall");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, static_cast<void*>(&sink));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_head);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, static_cast<void*>(&sink));
}

Status perform(CURL* curl, const Sink& sink) {
  const CURLcode code = curl_easy_perform(curl);
  if (sink.too_large) return Error(ErrorCode::kTooLarge, "the answer is longer than allowed");
  if (code == CURLE_OPERATION_TIMEDOUT) return Error(ErrorCode::kTimeout, "no answer in time");
  if (code != CURLE_OK) return Error(ErrorCode::kIo, curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return Error(ErrorCode::kIo, "answered with status " + std::to_string(status));
  return {};
}

}  // namespace

Result<std::string> fetch_https(const std::string& url, const FetchLimits& limits) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  const CurlUrlPtr parsed(curl_url());
  const CurlPtr curl(curl_easy_init());
  const CurlListPtr headers(curl_slist_append(nullptr, "Accept: application/jwk-set+json, application/json"));
  if (started != CURLE_OK || !parsed || !curl || !headers)
    return Error(ErrorCode::kIo, "libcurl cannot start");
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
    return Error(ErrorCode::kConfig, "malformed URL");
  const std::string scheme = part(parsed.get(), CURLUPART_SCHEME);
  const bool loopback = is_loopback(part(parsed.get(), CURLUPART_HOST));
  if (scheme != "https" && !(scheme == "http" && loopback))
    return Error(ErrorCode::kConfig, "the URL must be https (http on loopback)");
  if (!part(parsed.get(), CURLUPART_USER).empty() || !part(parsed.get(), CURLUPART_PASSWORD).empty())
    return Error(ErrorCode::kConfig, "a URL with a password in it ends up in logs");
  Sink sink;
  sink.limits = &limits;
  prepare(curl.get(), parsed.get(), loopback, sink);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  if (const Status status = perform(curl.get(), sink); !status) return status.error();
  return std::move(sink.body);
}

}  // namespace wirehall::auth
