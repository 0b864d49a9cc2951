#include "client/http_channel.h"

#include "http1/response.h"

namespace wirehall::client {
namespace {
// Servers close what is idle (Node after 5 s), and a request that meets the end may or may not have been
// read; so a connection that was idle for longer is not used again.
constexpr auto kIdleMax = std::chrono::seconds(2);
}  // namespace

HttpChannel::HttpChannel(const LinkContext& context) : context_(context) {
  // Binary data travels in base64, and a response may hold many messages.
  limits_.body_bytes_max = context.options.message_bytes_max * 2;
  parser_.emplace(limits_);
}

void HttpChannel::request(std::string_view method, std::string_view target, std::string_view body,
                          MonoTime now) {
  std::string text(method);
  text.append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(context_.endpoint.authority);
  text.append("\r\nAccept: */*\r\n");
  for (const auto& [name, value] : context_.options.extra_headers) {
    if (http1::is_safe_header_value(name) && http1::is_safe_header_value(value))
      text.append(name).append(": ").append(value).append("\r\n");
  }
  if (method == "POST") {
    text.append("Content-Type: text/plain;charset=UTF-8\r\nContent-Length: ")
        .append(std::to_string(body.size()));
    text.append("\r\n");
  }
  text.append("\r\n").append(body);
  busy_ = true;
  if (channel_ && connected_ && now - idle_since_ > kIdleMax) close();
  if (!channel_) {
    channel_ = context_.wire.open();
    connected_ = false;
    parser_.emplace(limits_);
  }
  if (connected_) {
    context_.wire.send(*channel_, std::move(text));
  } else {
    pending_ = std::move(text);
  }
}

void HttpChannel::opened() {
  connected_ = true;
  context_.wire.send(*channel_, std::exchange(pending_, {}));
}

HttpChannel::Event HttpChannel::received(std::string_view bytes, MonoTime now) {
  switch (parser_->next(bytes)) {
    case http1::ResponseParser::Step::kNeedMore: return Event::kNothing;
    case http1::ResponseParser::Step::kError:
      return fail(
          Error(parser_->error() == ErrorCode::kHttpBodyTooLarge ? ErrorCode::kUnexpectedResponse
                                                                 : ErrorCode::kWrongProtocol,
                parser_->error() == ErrorCode::kHttpBodyTooLarge
                    ? "a response that is too long, from " + context_.endpoint.authority_with_port
                    : "what answers at " + context_.endpoint.authority_with_port + " speaks no HTTP/1.1"));
    case http1::ResponseParser::Step::kComplete: break;
  }
  if (!busy_ || !bytes.empty())
    return fail(Error(ErrorCode::kWrongProtocol, "a response that nobody asked for"));
  return finish(now);
}

HttpChannel::Event HttpChannel::finish(MonoTime now) {
  busy_ = false;
  idle_since_ = now;
  if (!parser_->response().keep_alive && channel_) close();
  return Event::kResponse;
}

HttpChannel::Event HttpChannel::ended(const Error& error, MonoTime now) {
  channel_.reset();
  if (!busy_) return Event::kNothing;
  if (parser_->end() == http1::ResponseParser::Step::kComplete) return finish(now);
  if (error.code() != ErrorCode::kDisconnected) return fail(error);
  return fail(Error(ErrorCode::kConnectionFailed,
                    context_.endpoint.authority_with_port + " closed the connection without an answer"));
}

HttpChannel::Event HttpChannel::fail(Error error) {
  error_ = std::move(error);
  busy_ = false;
  if (channel_) close();
  return Event::kFailed;
}

void HttpChannel::close() {
  if (channel_) context_.wire.close(*channel_);
  channel_.reset();
  connected_ = false;
}

}  // namespace wirehall::client
