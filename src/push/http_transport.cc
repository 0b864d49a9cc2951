#include "push/http_transport.h"

#include <sys/socket.h>

#include <algorithm>
#include <unordered_map>

#include "http1/forwarded.h"
#include "push/curl_ptr.h"
#include "push/public_address.h"
#include "push/target_url.h"

namespace wirehall::push {
namespace {

/// One post. libcurl holds its address.
struct Transfer {
  std::uint64_t number = 0;
  const TransportOptions* options = nullptr;
  HttpPost post;
  CurlListPtr headers;
  std::size_t head_bytes = 0;
  std::size_t body_bytes = 0;
  bool forbidden = false;  // an address was refused
  bool long_head = false;
};

// Another number than was offered ends a transfer.
constexpr std::size_t kCut = CURL_WRITEFUNC_ERROR;

std::size_t on_body(char*, std::size_t size, std::size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  if (bytes > transfer.options->body_bytes_max - transfer.body_bytes) return kCut;
  transfer.body_bytes += bytes;
  return bytes;
}

std::size_t on_head(char*, std::size_t size, std::size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  if (bytes > transfer.options->head_bytes_max - transfer.head_bytes) {
    transfer.long_head = true;
    return kCut;
  }
  transfer.head_bytes += bytes;
  return bytes;
}

// The last place before a connection, and the first one that knows the address which is really used.
curl_socket_t on_open(void* user, curlsocktype, curl_sockaddr* address) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  if (transfer.options->public_only && !is_public_address(address->addr)) {
    transfer.forbidden = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool is_loopback(std::string host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = http1::parse_address(host);
  return host == "localhost" || (address && http1::is_loopback_address(*address));
}

void set_limits(CURL* curl, const TransportOptions& options) {
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, options.public_only ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);    // signals would hit other threads
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // an abort does not wait for a name look-up
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options.total.count()));
}

void set_request(CURL* curl, Transfer& transfer, bool proxy) {
  curl_easy_setopt(curl, CURLOPT_URL, transfer.post.url.c_str());
  if (!proxy) curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "wirehall");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer.headers.get());
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer.post.body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, transfer.post.body.data());
  curl_easy_setopt(curl, CURLOPT_PRIVATE, static_cast<void*>(&transfer));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_head);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_open);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, static_cast<void*>(&transfer));
}

CurlListPtr header_list(const std::vector<std::string>& lines) {
  // Without waiting for a permission to send the body.
  CurlListPtr list(curl_slist_append(nullptr, "Expect:"));
  for (const std::string& line : lines) {
    curl_slist* longer = list ? curl_slist_append(list.get(), line.c_str()) : nullptr;
    if (longer == nullptr) return nullptr;
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

Duration retry_after_of(CURL* curl) {
  curl_off_t seconds = 0;
  if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds <= 0) return {};
  constexpr curl_off_t kMax = std::chrono::duration_cast<std::chrono::seconds>(kRetryAfterMax).count();
  return std::chrono::seconds(std::min(seconds, kMax));
}

HttpAnswer answer_of(CURL* curl, CURLcode code, const Transfer& transfer) {
  HttpAnswer answer;
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && !transfer.long_head) {
    answer.status = static_cast<int>(status);
    answer.retry_after = retry_after_of(curl);
  } else if (transfer.forbidden && code == CURLE_COULDNT_CONNECT) {
    answer.missing = NoAnswer::kForbidden;
  } else {
    answer.missing = code == CURLE_OPERATION_TIMEDOUT ? NoAnswer::kTimeout : NoAnswer::kNetwork;
  }
  return answer;
}

class HttpTransport final : public Transport {
 public:
  HttpTransport(const TransportOptions& options, CurlMultiPtr multi)
      : options_(options), multi_(std::move(multi)) {}
  ~HttpTransport() override { abort(); }

  void start(std::uint64_t number, HttpPost post) override {
    auto transfer = std::make_unique<Transfer>();
    transfer->number = number;
    transfer->options = &options_;
    transfer->post = std::move(post);
    transfer->headers = header_list(transfer->post.header_lines);
    const auto url = parse_target_url(transfer->post.url);
    CurlPtr curl(curl_easy_init());
    if (!url || (options_.public_only && url->scheme != "https")) return fail(number, NoAnswer::kForbidden);
    if (!curl || !transfer->headers) return fail(number, NoAnswer::kNetwork);
    set_limits(curl.get(), options_);
    set_request(curl.get(), *transfer, options_.environment_proxy && !is_loopback(url->host));
    if (curl_multi_add_handle(multi_.get(), curl.get()) != CURLM_OK) return fail(number, NoAnswer::kNetwork);
    CURL* key = curl.get();
    running_.emplace(key, Running{std::move(transfer), std::move(curl)});
  }

  std::vector<Finished> wait(Duration at_most) override {
    perform();
    if (finished_.empty()) {
      const auto ms =
          std::chrono::ceil<Milliseconds>(std::clamp<Duration>(at_most, Duration::zero(), kPollMax));
      curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(ms.count()), nullptr);
      perform();
    }
    return std::exchange(finished_, {});
  }

  void wake() override { curl_multi_wakeup(multi_.get()); }

  void abort() override {
    for (auto& [curl, running] : running_) curl_multi_remove_handle(multi_.get(), curl);
    running_.clear();
    finished_.clear();
  }

 private:
  static constexpr Duration kPollMax = std::chrono::hours(1);
  struct Running {
    // In this order: libcurl's handle goes before what it points to.
    std::unique_ptr<Transfer> transfer;
    CurlPtr curl;
  };

  void fail(std::uint64_t number, NoAnswer why) { finished_.push_back({number, {0, why, {}}}); }

  void perform() {
    int running = 0;
    curl_multi_perform(multi_.get(), &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* curl = message->easy_handle;
      const CURLcode code = message->data.result;
      const auto found = running_.find(curl);
      finished_.push_back({found->second.transfer->number, answer_of(curl, code, *found->second.transfer)});
      curl_multi_remove_handle(multi_.get(), curl);
      running_.erase(found);
    }
  }

  const TransportOptions options_;
  CurlMultiPtr multi_;
  std::unordered_map<CURL*, Running> running_;
  std::vector<Finished> finished_;
};

}  // namespace

Result<std::unique_ptr<Transport>> make_http_transport(const TransportOptions& options) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  CurlMultiPtr multi(started == CURLE_OK ? curl_multi_init() : nullptr);
  // A wake-up that does nothing would make stop() and send() wait for the next timeout.
  if (!multi || curl_multi_wakeup(multi.get()) != CURLM_OK)
    return Error(ErrorCode::kIo, "libcurl cannot start");
  return std::unique_ptr<Transport>(std::make_unique<HttpTransport>(options, std::move(multi)));
}

}  // namespace wirehall::push
