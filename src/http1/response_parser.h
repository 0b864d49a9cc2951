// Reads a server's responses: what a client gets back for what it asked, one after another.
//
//   I1  A response is handed out whole: its head, and its body within the limit.
//   I2  What is malformed or longer than allowed ends the parser; it takes nothing more.
//   I3  Behind a `101` the bytes are another protocol's: they are left to the caller.
//
// Spec: RFC 9112 sections 4, 6 and 7.1.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http1/chunk_decoder.h"
#include "wirehall/result.h"

namespace wirehall::http1 {

/// What a client takes of a response.
struct ResponseLimits {
  std::uint32_t head_bytes_max = 16'384;
  std::uint64_t body_bytes_max = 1'000'000;
};

/// A response as it arrived.
///
/// Thread:   a plain value.
struct ReceivedResponse {
  std::uint16_t status = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool keep_alive = true;

  /// Returns: the first field of that name, or nullopt.
  std::optional<std::string_view> find(std::string_view name) const;
  std::uint32_t count(std::string_view name) const;
  /// Whether any field of that name lists the token.
  bool has_token(std::string_view name, std::string_view token) const;
};

/// Thread:   a plain value.
/// Lifetime: the limits must outlive it.
class ResponseParser {
 public:
  enum class Step : std::uint8_t { kNeedMore, kComplete, kError };

  explicit ResponseParser(const ResponseLimits& limits) : limits_(&limits) {}

  /// Consumes from the front of `input`; with kComplete, response() is there until the next call, which
  /// begins the next response. Interim responses (100 to 199 but 101) are skipped.
  ///
  /// Requires: the request was no HEAD.
  Step next(std::string_view& input);
  /// Says that the peer has closed the connection: it is how some bodies end.
  Step end();

  const ReceivedResponse& response() const { return response_; }
  ReceivedResponse& response() { return response_; }
  /// Of kError: kHttpHeadTooLarge, kHttpBodyTooLarge, kHttpVersion, or kHttpBadRequest for what is malformed
  /// or was cut.
  ErrorCode error() const { return error_; }
  /// Whether a response has begun and not ended.
  bool in_response() const { return state_ == State::kBody || !head_.empty(); }

 private:
  enum class State : std::uint8_t { kHead, kBody, kComplete, kError };
  enum class Framing : std::uint8_t { kNone, kLength, kChunked, kUntilClose };
  Step fail(ErrorCode code);
  Step read_head(std::string_view& input);
  Step read_body(std::string_view& input);
  ErrorCode parse_head();
  ErrorCode parse_status_line(std::string_view line);
  ErrorCode check_framing();
  bool append_body(std::string_view piece);

  const ResponseLimits* limits_;
  State state_ = State::kHead;
  Framing framing_ = Framing::kNone;
  ErrorCode error_ = ErrorCode::kOk;
  std::string head_;
  std::uint64_t body_left_ = 0;
  std::unique_ptr<ChunkDecoder> chunks_;
  ReceivedResponse response_;
};

}  // namespace wirehall::http1
