// Requests: an upgrade as a browser sends it, and small bodies.
#include "http1/request_parser.h"

#include "support/micro.h"

namespace wirehall::http1 {
namespace {

constexpr std::string_view kBrowserUpgrade =
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
    "Host: chat.example.org\r\n"
    "Connection: Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 "
    "Safari/537.36\r\n"
    "Upgrade: websocket\r\n"
    "Origin: https://chat.example.org\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

std::string post(const std::string& body, bool chunked) {
  std::string head =
      "POST /api/v1/publish HTTP/1.1\r\nHost: chat.example.org\r\nContent-Type: application/json\r\n"
      "Authorization: Bearer 0123456789abcdef\r\n";
  if (!chunked) return head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string size;
  for (std::size_t rest = body.size(); rest != 0; rest /= 16) size.insert(size.begin(), kHex[rest % 16]);
  return head + "Transfer-Encoding: chunked\r\n\r\n" + size + "\r\n" + body + "\r\n0\r\n\r\n";
}

void parse(benchmark::State& state, const std::string& request) {
  const Limits limits;
  bench::measure(state, request.size(), [&] {
    RequestParser parser(limits);
    std::string_view input = request;
    RequestParser::Step step = parser.next(input);
    while (step == RequestParser::Step::kHead) step = parser.next(input);
    if (step != RequestParser::Step::kComplete) std::abort();
    const RequestHead head = parser.take_head();
    const std::string body = parser.take_body();
    benchmark::DoNotOptimize(head.bytes.data());
    benchmark::DoNotOptimize(body.data());
  });
}

const bench::Suite suite([] {
  bench::add("http_request/parse/upgrade-of-a-browser",
             [](benchmark::State& state) { parse(state, std::string(kBrowserUpgrade)); });
  bench::add("http_request/parse/upgrade-minimal", [](benchmark::State& state) {
    parse(state,
          "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  });
  for (const bench::Input& input : bench::text_inputs()) {
    if (!input.name.ends_with("ascii")) continue;
    bench::add("http_request/parse/post-" + input.name,
               [&input](benchmark::State& state) { parse(state, post(input.json, false)); });
    bench::add("http_request/parse/chunked-post-" + input.name,
               [&input](benchmark::State& state) { parse(state, post(input.json, true)); });
  }
});

}  // namespace
}  // namespace wirehall::http1
