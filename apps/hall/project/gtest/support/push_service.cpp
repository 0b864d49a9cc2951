#include "support/push_service.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <memory>
#include <span>
#include <stdexcept>
#include <string_view>

namespace app {
namespace {

constexpr std::chrono::seconds kWaitMax(5);

std::string base64url(std::span<const unsigned char> bytes) {
  std::string text(4 * (bytes.size() / 3 + 1) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  text.erase(std::find(text.begin(), text.end(), '='), text.end());
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

}  // namespace

PushService::PushService() : server_([this] { serve(); }) {}

PushService::~PushService() {
  listener_.shut();
  server_.join();
}

std::string PushService::received() {
  std::future<std::string> head = head_.get_future();
  if (head.wait_for(kWaitMax) != std::future_status::ready)
    throw std::runtime_error("no push within 5 seconds");
  return head.get();
}

void PushService::serve() {
  const Socket client = listener_.accept();
  if (client.number() < 0) return;
  const timeval wait{kWaitMax.count(), 0};
  setsockopt(client.number(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  std::array<char, 4096> buffer{};
  std::string request;
  bool answered = false;
  for (ssize_t bytes = 0; (bytes = recv(client.number(), buffer.data(), buffer.size(), 0)) > 0;) {
    request.append(buffer.data(), static_cast<std::size_t>(bytes));
    const std::size_t end = request.find("\r\n\r\n");
    if (answered || end == std::string::npos) continue;
    constexpr std::string_view kCreated =
        "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    send(client.number(), kCreated.data(), kCreated.size(), MSG_NOSIGNAL);
    request.resize(end);
    for (char& c : request) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    head_.set_value(request);
    answered = true;
  }
}

PushKeys make_push_keys() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  std::array<unsigned char, 65> point{};
  std::size_t size = 0;
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                      &size) != 1 ||
      EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1)
    throw std::runtime_error("OpenSSL makes no keys");
  std::array<unsigned char, 32> secret{};
  BN_bn2binpad(number, secret.data(), static_cast<int>(secret.size()));
  BN_free(number);
  return {base64url(point), base64url(secret)};
}

wirehall::Value subscription_at(const std::string& endpoint) {
  std::array<unsigned char, 16> secret{};
  RAND_bytes(secret.data(), static_cast<int>(secret.size()));
  const wirehall::Value keys = {{"p256dh", make_push_keys().public_key}, {"auth", base64url(secret)}};
  return {{"endpoint", endpoint}, {"keys", keys}};
}

}  // namespace app
