// A token: the one that TOKEN holds, or of a server in development mode, which gives anybody one.
#include <curl/curl.h>

#include <cstdlib>
#include <memory>

#include "chat.h"

using namespace wirehall;

namespace app {
namespace {

constexpr long kTimeoutMs = 10'000;

std::size_t append(char* bytes, std::size_t, std::size_t count, void* body) {
  static_cast<std::string*>(body)->append(bytes, count);
  return count;
}

Result<std::string> get(const std::string& url) {
  std::string body;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, kTimeoutMs);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return Error(ErrorCode::kConnectionFailed, url + ": " + curl_easy_strerror(code));
  return body;
}

std::string escaped(const std::string& text) {
  const std::unique_ptr<char, decltype(&curl_free)> made(
      curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())), curl_free);
  return made.get();
}

}  // namespace

Result<Object> identity_of(const std::string& url, const std::string& user) {
  if (const char* token = std::getenv("TOKEN")) return Object{{"token", token}};
  const Result<std::string> body = get(url + "/dev/token?user=" + escaped(user));
  if (!body.ok()) return body.error();
  const Result<Value> answer = Value::from_json(*body);
  const std::string* token = answer.ok() ? answer->find_string("token") : nullptr;
  if (token == nullptr)
    return Error(ErrorCode::kAuthenticationRequired,
                 "the server is not in development mode: set TOKEN to a token that it trusts");
  return Object{{"token", *token}};
}

}  // namespace app
