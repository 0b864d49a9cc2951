#include "http1/response.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

#include "base/assert.h"
#include "base/json.h"
#include "http1/grammar.h"

namespace wirehall::http1 {
namespace {

constexpr std::size_t kTogetherBytesMax = 4096;

template <std::size_t kSize>
std::string_view digits(std::array<char, kSize>& room, std::uint64_t number) {
  return {room.data(), std::to_chars(room.data(), room.data() + room.size(), number).ptr};
}

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

bool is_safe_header_value(std::string_view text) {
  return is_field_text(text);
}

void append_response(Outbox& out, const Response& response, const ResponseContext& context) {
  const std::string_view body =
      response.shared_body ? response.shared_body.view() : std::string_view(response.body);
  const std::uint64_t size = response.streamed_body ? response.streamed_body.size : body.size();
  const bool has_body = !context.head_only && !response.streamed_body && !body.empty();
  // A short body is written together with its head.
  const bool together = has_body && !response.shared_body && body.size() <= kTogetherBytesMax;
  std::array<char, 12> status_digits;
  std::array<char, 24> size_digits;
  const std::string_view status = digits(status_digits, static_cast<std::uint64_t>(response.status));
  const std::string_view length = digits(size_digits, size);
  const bool has_length = response.status != 204 && response.status != 304 && response.status >= 200;
  const auto write = [&](auto&& put) {
    put("HTTP/1.1 "), put(status), put(" "), put(reason_phrase(response.status)), put("\r\n"), put(response.fixed_headers);
    for (const Header& header : response.headers) put(header.name), put(": "), put(header.value), put("\r\n");
    if (!context.date.empty()) put("Date: "), put(context.date), put("\r\n");
    if (has_length) put("Content-Length: "), put(length), put("\r\n");
    // 426 has an Upgrade field, which Connection must name (RFC 9110 section 7.8).
    put("Connection: "), put(response.status == 426 ? "upgrade, " : "");
    put(context.keep_alive ? "keep-alive\r\n\r\n" : "close\r\n\r\n");
    if (together) put(body);
  };
  for (const Header& header : response.headers)
    WIREHALL_ASSERT(is_safe_header_value(header.name) && is_safe_header_value(header.value));
  std::size_t bytes = 0;
  write([&](std::string_view text) { bytes += text.size(); });
  char* to = out.append_space(bytes);
  write([&](std::string_view text) { to = std::copy(text.begin(), text.end(), to); });
  if (!has_body || together) return;
  if (response.shared_body) {
    out.append(response.shared_body);
  } else {
    out.append(body);
  }
}

void append_continue(Outbox& out) { out.append("HTTP/1.1 100 Continue\r\n\r\n"); }

Response problem(const Error& error) {
  const ErrorInfo& info = error_info(error.code());
  Response response = problem(info.http_status, info.code, info.text, error.detail());
  if (error.retry_after_ms() > 0)
    response.set("Retry-After", std::to_string((error.retry_after_ms() + 999) / 1000));
  return response;
}

Response problem(int status, std::string_view code, std::string_view title, std::string_view detail) {
  Response response;
  response.status = status;
  response.set("Content-Type", "application/problem+json");
  Object body{{"type", "about:blank"}, {"title", title}, {"status", status}, {"code", code}};
  if (!detail.empty()) body.set("detail", detail);
  response.body = Value(std::move(body)).to_json();
  return response;
}

std::string http_date(std::int64_t seconds) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday], parts.tm_mday,
                kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text;
}

}  // namespace wirehall::http1
