#include "ws/handshake.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/assert.h"
#include "base/base64.h"
#include "http1/grammar.h"

namespace wirehall::ws {
namespace {
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kSubprotocolsMax = 16;

// Sixteen bytes in base64. The unused bits of the last digit may be anything, as in the RFC's own example.
bool is_nonce(std::string_view key) {
  return key.size() == 24 && key.ends_with("==") &&
         std::all_of(key.begin(), key.begin() + 22, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
                  c == '/';
         });
}
}  // namespace

ErrorCode check_handshake(const http1::RequestHead& request) {
  if (request.method != http1::Method::kGet || request.minor_version != 1 || request.has_body())
    return ErrorCode::kWsHandshake;
  if (!request.wants_websocket() || !request.connection_lists_upgrade) return ErrorCode::kUpgradeRequired;
  http1::RequestHead::Seen version, key;
  for (const auto& field : request.fields) {
    if (request.is_called(field, "sec-websocket-version")) version.add(request.value(field));
    if (request.is_called(field, "sec-websocket-key")) key.add(request.value(field));
  }
  if (version.count > 1) return ErrorCode::kWsHandshake;
  if (version.first != "13") return ErrorCode::kUpgradeRequired;
  return key.count == 1 && is_nonce(key.first) ? ErrorCode::kOk : ErrorCode::kWsHandshake;
}

namespace {

void append_accept_value(std::string& out, std::string_view key) {
  std::array<char, 128> text;
  WIREHALL_ASSERT(key.size() + kGuid.size() <= text.size());
  std::copy(kGuid.begin(), kGuid.end(), std::copy(key.begin(), key.end(), text.begin()));
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  // Looked up once: SHA1() does it each time, under locks.
  static EVP_MD* const kSha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  static thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                                           &EVP_MD_CTX_free);
  const bool hashed = EVP_DigestInit_ex2(context.get(), kSha1, nullptr) == 1 &&
                      EVP_DigestUpdate(context.get(), text.data(), key.size() + kGuid.size()) == 1 &&
                      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
  WIREHALL_ASSERT(hashed);
  append_base64(out, {reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

std::string accept_value(std::string_view key) {
  std::string value;
  append_accept_value(value, key);
  return value;
}

std::string joined_fields(const http1::RequestHead& request, std::string_view name) {
  std::string joined;
  for (const auto& field : request.fields) {
    if (!http1::same_token(request.name(field), name)) continue;
    if (!joined.empty()) joined.append(",");
    joined.append(request.value(field));
  }
  return joined;
}

void append_switching_protocols(Outbox& out, const http1::RequestHead& request,
                                const std::optional<DeflateAgreement>& deflate, std::string_view subprotocol,
                                const std::vector<http1::Header>& extra) {
  constexpr std::size_t kKeptHeadBytesMax = 4096;
  // What is sent is copied from it.
  static thread_local std::string head;
  head.assign(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
      "Upgrade\r\nSec-WebSocket-Accept: ");
  append_accept_value(head, *request.find("sec-websocket-key"));
  head.append("\r\n");
  if (deflate) head.append("Sec-WebSocket-Extensions: ").append(deflate_response(*deflate)).append("\r\n");
  if (!subprotocol.empty()) head.append("Sec-WebSocket-Protocol: ").append(subprotocol).append("\r\n");
  for (const http1::Header& header : extra) {
    if (http1::is_safe_header_value(header.name) && http1::is_safe_header_value(header.value)) {
      head.append(header.name).append(": ").append(header.value).append("\r\n");
    }
  }
  out.append(head.append("\r\n"));
  if (head.capacity() > kKeptHeadBytesMax) head = std::string();
}

http1::Response refusal(ErrorCode code) {
  http1::Response response = http1::problem(Error(code));
  if (code == ErrorCode::kUpgradeRequired) {
    response.set("Sec-WebSocket-Version", "13").set("Upgrade", "websocket");
  }
  return response;
}

std::vector<std::string_view> offered_subprotocols(const http1::RequestHead& request) {
  std::vector<std::string_view> offered;
  for (const auto& field : request.fields) {
    if (!http1::same_token(request.name(field), "sec-websocket-protocol")) continue;
    http1::each_of_list(request.value(field), [&](std::string_view token) {
      if (offered.size() == kSubprotocolsMax) return false;
      if (http1::is_token_text(token)) offered.push_back(token);
      return true;
    });
  }
  return offered;
}

std::string make_key(RandomSource& random) {
  std::array<char, 16> bytes;
  random.fill(bytes);
  return to_base64({bytes.data(), bytes.size()});
}

void append_upgrade_request(std::string& out, std::string_view target, std::string_view host, std::string_view key,
                            const std::vector<http1::Header>& headers) {
  out.append("GET ").append(target).append(" HTTP/1.1\r\nHost: ").append(host);
  out.append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
  out.append(key).append("\r\n");
  for (const http1::Header& header : headers) {
    if (http1::is_safe_header_value(header.name) && http1::is_safe_header_value(header.value))
      out.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  out.append("\r\n");
}

bool accepts_upgrade(const http1::ReceivedResponse& response, std::string_view key) {
  return response.status == 101 && response.has_token("upgrade", "websocket") &&
         response.has_token("connection", "upgrade") && response.count("sec-websocket-accept") == 1 &&
         *response.find("sec-websocket-accept") == accept_value(key) &&
         response.count("sec-websocket-extensions") == 0 && response.count("sec-websocket-protocol") == 0;
}

}  // namespace wirehall::ws
