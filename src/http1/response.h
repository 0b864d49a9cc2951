// Responses as bytes. The writer refuses control characters in what it is given (asserted): header values
// are chosen from tables or checked before, never reflected.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/frame.h"
#include "wirehall/result.h"

namespace wirehall::http1 {

struct Header {
  std::string name;
  std::string value;
};

/// Reads the bytes of a body that is too large to be held, such as a file's; may block.
///
/// Returns:  at least one byte and at most `bytes_max`, those at `offset`. An error, or nothing, ends the
///           response: with a problem when nothing of it was sent, else with its connection.
/// Thread:   called on the blocking pool, one call at a time for a response, which may have any shard. A copy
///           may be destroyed on any thread.
/// Lifetime: a call may outlive the response and its connection.
using BodySource = std::function<Result<std::string>(std::uint64_t offset, std::size_t bytes_max)>;

/// What a response takes of a source: `size` bytes from `offset` on.
struct StreamedBody {
  BodySource source;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  explicit operator bool() const { return source != nullptr; }
};

/// A whole response; `Content-Length`, `Connection` and `Date` are the writer's.
struct Response {
  int status = 200;
  /// Lines that stand in front of the headers as they are, each with its CRLF; of static storage.
  std::string_view fixed_headers;
  std::vector<Header> headers;
  std::string body;
  /// A body whose bytes are shared (static files); used instead of `body` when set.
  FrameRef shared_body;
  /// A body that is read in pieces while it is sent; used instead of both when set.
  StreamedBody streamed_body;

  Response& set(std::string_view name, std::string_view value) {
    headers.push_back({std::string(name), std::string(value)});
    return *this;
  }
};

struct ResponseContext {
  bool head_only = false;  ///< the request was HEAD
  bool keep_alive = true;  ///< what the connection will do
  std::string_view date;   ///< RFC 9110 section 5.6.7; left out when empty
};

/// Appends the response to `out`; of one with a streamed body the head alone.
void append_response(Outbox& out, const Response& response, const ResponseContext& context);

/// `HTTP/1.1 100 Continue`
void append_continue(Outbox& out);

/// The reason phrase of a status code.
std::string_view reason_phrase(int status);

/// RFC 9457: `application/problem+json` for an error of the catalogue.
Response problem(const Error& error);
/// The same with another status, e.g. 404 for a path nobody serves.
Response problem(int status, std::string_view code, std::string_view title, std::string_view detail);

/// Whether text may stand in a header value.
bool is_safe_header_value(std::string_view text);

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
std::string http_date(std::int64_t seconds_since_1970);

}  // namespace wirehall::http1
