// HTTP requests to the endpoint, one after another over a connection that is kept while both sides like.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "client/link.h"
#include "http1/response_parser.h"

namespace wirehall::client {

/// Thread:   the client's.
/// Lifetime: the context must outlive it.
class HttpChannel {
 public:
  explicit HttpChannel(const LinkContext& context);
  HttpChannel(const HttpChannel&) = delete;

  bool busy() const { return busy_; }
  bool is(ChannelId channel) const { return channel_ == channel; }

  /// Sends a request. Requires: not busy().
  void request(std::string_view method, std::string_view target, std::string_view body, MonoTime now);

  enum class Event : std::uint8_t { kNothing, kResponse, kFailed };
  void opened();
  /// kResponse: response() is there until the next request.
  Event received(std::string_view bytes, MonoTime now);
  Event ended(const Error& error, MonoTime now);

  const http1::ReceivedResponse& response() const { return parser_->response(); }
  const Error& error() const { return error_; }
  /// Closes the connection when what was sent is written.
  void close();

 private:
  Event finish(MonoTime now);
  Event fail(Error error);

  LinkContext context_;
  http1::ResponseLimits limits_;
  std::optional<http1::ResponseParser> parser_;
  std::optional<ChannelId> channel_;
  std::string pending_;  // the request, until the connection is open
  bool connected_ = false;
  bool busy_ = false;
  MonoTime idle_since_{};
  Error error_{ErrorCode::kOk};
};

}  // namespace wirehall::client
