// Errors as values: the catalogue's codes, an Error with its detail, and Result<T>.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace wirehall {

/// Every error the library can answer; see error_catalog.inc.
enum class ErrorCode : std::uint8_t {
#define WIREHALL_ERROR(enumerator, code, text, http, close, retry) enumerator,
#include "wirehall/error_catalog.inc"
#undef WIREHALL_ERROR
};

/// One line of the catalogue.
struct ErrorInfo {
  std::string_view code;  ///< kebab-case, stable, what clients compare
  std::string_view text;  ///< for people
  std::uint16_t http_status;
  std::uint16_t close_code;  ///< RFC 6455 section 7.4
  bool retryable;
};

/// The catalogue's line for `code`. Never fails.
const ErrorInfo& error_info(ErrorCode code);

/// An error of the catalogue with what is particular to this occurrence.
///
/// Thread:   a plain value.
/// Lifetime: owns its text.
class [[nodiscard]] Error {
 public:
  Error(ErrorCode code) : code_(code) {}  // NOLINT: an Error is a code in most places
  Error(ErrorCode code, std::string detail) : code_(code), detail_(std::move(detail)) {}

  ErrorCode code() const { return code_; }
  std::string_view kebab() const { return error_info(code_).code; }
  const std::string& detail() const { return detail_; }

  /// The catalogue's text, followed by ": detail" where there is one.
  std::string text() const;

  /// Further fields of the answer, as the text of a JSON object; empty: none.
  const std::string& fields_json() const { return fields_json_; }
  Error& fields_json(std::string text) {
    fields_json_ = std::move(text);
    return *this;
  }

  /// For limits: after how many milliseconds a new try makes sense; 0 means unknown.
  std::int64_t retry_after_ms() const { return retry_after_ms_; }
  Error& retry_after_ms(std::int64_t value) {
    retry_after_ms_ = value;
    return *this;
  }

 private:
  ErrorCode code_;
  std::string detail_;
  std::string fields_json_;
  std::int64_t retry_after_ms_ = 0;
};

/// A value or an Error; must be looked at.
///
/// Requires: value() only when ok(), error() only when not (asserted: the process ends).
/// Thread:   a plain value.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
  Result(ErrorCode code) : state_(std::in_place_index<1>, Error(code)) {}    // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return ok() ? *std::get_if<0>(&state_) : (std::abort(), *std::get_if<0>(&state_)); }
  const T& value() const& { return const_cast<Result*>(this)->value(); }
  T&& value() && { return std::move(value()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    return ok() ? (std::abort(), *std::get_if<1>(&state_)) : *std::get_if<1>(&state_);
  }
  T value_or(T fallback) const { return ok() ? value() : std::move(fallback); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT
  Result(ErrorCode code) : error_(code) {}           // NOLINT

  bool ok() const { return error_.code() == ErrorCode::kOk; }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return error_; }

 private:
  Error error_{ErrorCode::kOk};
};

using Status = Result<void>;

}  // namespace wirehall
