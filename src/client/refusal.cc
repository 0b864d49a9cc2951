#include "client/refusal.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace wirehall::client {
namespace {

constexpr std::array kCodes = {
#define WIREHALL_ERROR(enumerator, code, text, http, close, retry) ErrorCode::enumerator,
#include "wirehall/error_catalog.inc"
#undef WIREHALL_ERROR
};

std::int64_t milliseconds(const Value* value) {
  const auto number = value == nullptr ? std::nullopt : exact_integer(*value);
  constexpr std::int64_t kDayMs = 86'400'000;
  return number ? std::clamp<std::int64_t>(*number, 0, kDayMs) : 0;
}

std::int64_t retry_after_ms(const http1::ReceivedResponse& response) {
  const auto field = response.find("retry-after");
  if (!field || field->empty() || field->size() > 5) return 0;
  std::int64_t seconds = 0;
  for (const char c : *field) {
    if (c < '0' || c > '9') return 0;
    seconds = seconds * 10 + (c - '0');
  }
  return seconds * 1000;
}

// The problem document of RFC 9457, as Wirehall sends it.
std::optional<Error> problem(const http1::ReceivedResponse& response) {
  const Result<Value> body = json::parse(response.body);
  if (!body.ok()) return std::nullopt;
  const std::string* code = body->find_string("code");
  const std::string* title = body->find_string("title");
  if (code == nullptr || title == nullptr) return std::nullopt;
  const std::string* detail = body->find_string("detail");
  const std::string text = detail == nullptr ? *title : *title + ": " + *detail;
  Error error = error_with_text(code_from_kebab(*code).value_or(ErrorCode::kRefused), text);
  error.fields_json(response.body);
  const Value* data = body->find("data");
  error.retry_after_ms(
      std::max(retry_after_ms(response), milliseconds(data == nullptr ? nullptr : data->find("retryAfter"))));
  return error;
}

}  // namespace

std::optional<ErrorCode> code_from_kebab(std::string_view kebab) {
  const auto found = std::find_if(kCodes.begin(), kCodes.end(), [&](ErrorCode code) {
    return code != ErrorCode::kOk && error_info(code).code == kebab;
  });
  return found == kCodes.end() ? std::nullopt : std::optional(*found);
}

Error error_with_text(ErrorCode code, std::string_view text) {
  const std::string_view own = error_info(code).text;
  if (text == own) return code;
  if (text.starts_with(own) && text.substr(own.size()).starts_with(": ")) text.remove_prefix(own.size() + 2);
  return Error(code, std::string(text));
}

std::optional<Error> error_in_answer(const Value& answer) {
  const std::string* text = answer.find_string("error");
  const std::string* code = answer.find_string("code");
  if (text == nullptr || code == nullptr) return std::nullopt;
  Error error = error_with_text(code_from_kebab(*code).value_or(ErrorCode::kRefused), *text);
  error.fields_json(answer.to_json());
  error.retry_after_ms(milliseconds(answer.find("retryAfter")));
  return error;
}

Error error_of_response(const http1::ReceivedResponse& response, Protocol protocol,
                        const std::string& where) {
  if (std::optional<Error> told = problem(response)) {
    // Every Wirehall says `not-found` of a path that is nothing to it.
    if (told->code() != ErrorCode::kNotFound) return *told;
  }
  const std::string status = "HTTP " + std::to_string(response.status);
  if (protocol == Protocol::kSocketIo) {
    // Engine.IO's own: {"code":0,"message":"Transport unknown"}
    const Result<Value> body = json::parse(response.body);
    const std::string* message = body.ok() ? body->find_string("message") : nullptr;
    if (message != nullptr && body->find("code") != nullptr) {
      const bool gone = *message == "Session ID unknown";
      return Error(gone ? ErrorCode::kEngineSessionUnknown : ErrorCode::kUnexpectedResponse,
                   *message + " (" + status + " from " + where + ")");
    }
  }
  const bool busy = response.status == 408 || response.status == 429 || response.status >= 500;
  if (busy)
    return Error(ErrorCode::kUnexpectedResponse, status + " from " + where)
        .retry_after_ms(retry_after_ms(response));
  if (response.status == 401 || response.status == 403) {
    const ErrorCode code =
        response.status == 401 ? ErrorCode::kAuthenticationFailed : ErrorCode::kAccessDenied;
    return Error(code, status + " from " + where);
  }
  return Error(ErrorCode::kWrongProtocol,
               protocol == Protocol::kSocketIo
                   ? "there is no Socket.IO server at " + where + " (" + status + ")"
                   : "nobody speaks Wirehall's native protocol at " + where + " (" + status + ")");
}

}  // namespace wirehall::client
