// Bytes to requests, strictly.
//
//   I1  A request has one meaning: whatever two parsers could read differently is refused (two lengths,
//       bare CR or LF, folded lines, white space before a colon, odd transfer codings).
//   I2  Limits are checked while bytes arrive; nothing is reserved for a length that was only announced.
//   I3  After an error the parser refuses further input, and the connection must be closed.
//
// Spec: RFC 9112; RELIABILITY cases H1 to H9.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http1/chunk_decoder.h"
#include "http1/head.h"
#include "wirehall/limits.h"
#include "wirehall/result.h"

namespace wirehall::http1 {

/// Thread:   shard-affine.
/// Lifetime: `limits` must outlive the parser.
class RequestParser {
 public:
  enum class Step : std::uint8_t {
    kNeedMore,
    kHead,      ///< head() is complete: set_body_limit() may be called, then go on
    kComplete,  ///< take_head() and take_body(), then go on with what input is left
    kError,     ///< error() says why (I3)
  };

  explicit RequestParser(const Limits& limits) : limits_(limits) {}

  /// Consumes from the front of `input`.
  Step next(std::string_view& input);

  const RequestHead& head() const { return head_; }
  RequestHead take_head() { return std::move(head_); }
  std::string take_body() { return std::move(body_); }
  ErrorCode error() const { return error_; }

  /// Sets the body limit of this request. Default: limits.http_body_bytes_max.
  void set_body_limit(std::uint64_t bytes) { body_bytes_max_ = bytes; }

  /// Whether the head has announced more than the limit: the next step is an error.
  bool body_too_large() const { return head_.content_length.value_or(0) > body_bytes_max_; }

  /// Whether a request has begun and is not complete: its deadline counts.
  bool in_request() const { return state_ != State::kHead || !pending_.empty(); }
  /// Whether the body is being read.
  bool in_body() const { return state_ == State::kBody; }
  /// Bytes held for the request that is being read.
  std::size_t held_bytes() const { return pending_.size() + body_.size(); }

 private:
  enum class State : std::uint8_t { kHead, kBody, kComplete, kError };
  Step fail(ErrorCode code);
  Step read_head(std::string_view& input);
  std::size_t end_of_text(std::size_t at) const;
  ErrorCode read_line(std::string_view line);
  ErrorCode read_request_line(std::string_view line);
  std::uint32_t place_of(std::string_view part) const {
    return static_cast<std::uint32_t>(part.data() - pending_.data());
  }
  Step end_head();
  ErrorCode check_framing();
  Step read_body(std::string_view& input);

  const Limits& limits_;
  State state_ = State::kHead;
  ErrorCode error_ = ErrorCode::kOk;
  std::string pending_;  // the head so far
  std::size_t scanned_ = 0;     // of pending_
  std::size_t line_begin_ = 0;  // of the line that is being scanned
  bool has_request_line_ = false;
  RequestHead head_;
  std::string body_;
  std::uint64_t body_bytes_max_ = 0;
  std::uint64_t body_left_ = 0;
  std::unique_ptr<ChunkDecoder> chunks_;
};

}  // namespace wirehall::http1
