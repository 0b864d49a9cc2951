#include "client/web_socket.h"

#include "client/refusal.h"
#include "ws/handshake.h"

namespace wirehall::client {

WebSocket::WebSocket(const LinkContext& context, std::string target, std::vector<http1::Header> headers)
    : context_(context),
      target_(std::move(target)),
      headers_(std::move(headers)),
      channel_(context.wire.open()),
      parser_(response_limits_),
      core_(core_options_, nullptr, &context.random) {
  core_options_.message_bytes_max = context.options.message_bytes_max;
  for (const auto& [name, value] : context.options.extra_headers) headers_.push_back({name, value});
}

std::string WebSocket::where() const {
  return context_.endpoint.authority_with_port + target_.substr(0, target_.find('?'));
}

void WebSocket::opened() {
  key_ = ws::make_key(context_.random);
  std::string request;
  ws::append_upgrade_request(request, target_, context_.endpoint.authority, key_, headers_);
  context_.wire.send(channel_, std::move(request));
}

WebSocket::Event WebSocket::refuse(Error error) {
  error_ = std::move(error);
  return Event::kRefused;
}

WebSocket::Event WebSocket::handshake(char*& cursor, char* end) {
  std::string_view input(cursor, static_cast<std::size_t>(end - cursor));
  const auto step = parser_.next(input);
  cursor = end - input.size();
  if (step == http1::ResponseParser::Step::kNeedMore) return Event::kNeedMore;
  if (step == http1::ResponseParser::Step::kError) {
    if (parser_.error() == ErrorCode::kHttpBodyTooLarge)
      return refuse(Error(ErrorCode::kUnexpectedResponse, "a response that is too long, from " + where()));
    return refuse(Error(ErrorCode::kWrongProtocol, "what answers at " + where() + " speaks no HTTP/1.1"));
  }
  const http1::ReceivedResponse& response = parser_.response();
  if (response.status != 101) return refuse(error_of_response(response, context_.endpoint.protocol, where()));
  if (!ws::accepts_upgrade(response, key_))
    return refuse(
        Error(ErrorCode::kWrongProtocol, "the upgrade at " + where() + " was answered against RFC 6455"));
  open_ = true;
  return Event::kOpen;
}

WebSocket::Event WebSocket::next(char*& cursor, char* end, MonoTime now) {
  if (!open_) return cursor == end ? Event::kNeedMore : handshake(cursor, end);
  for (;;) {
    Outbox out;
    message_ = {};
    const auto event = core_.next(cursor, end, now, out, message_);
    flush(out);
    switch (event) {
      case ws::ConnectionCore::Event::kNeedMore: return Event::kNeedMore;
      case ws::ConnectionCore::Event::kPong: continue;  // any byte is a sign of life
      case ws::ConnectionCore::Event::kMessage: return Event::kMessage;
      case ws::ConnectionCore::Event::kClosed:
        if (core_.error() != ErrorCode::kOk) error_ = Error(core_.error(), "sent by the server");
        return Event::kClosed;
    }
  }
}

WebSocket::Event WebSocket::ended(const Error& error) {
  if (open_) {
    error_ = error;
    return Event::kClosed;
  }
  if (error.code() != ErrorCode::kDisconnected) return refuse(error);
  // The end may be the end of a response's body.
  if (parser_.end() == http1::ResponseParser::Step::kComplete)
    return refuse(error_of_response(parser_.response(), context_.endpoint.protocol, where()));
  const bool native = context_.endpoint.protocol == Protocol::kNative;
  return refuse(Error(ErrorCode::kConnectionFailed,
                      where() + " closed the connection without an answer; does it speak " +
                          (native ? "Wirehall's native protocol?" : "Socket.IO?")));
}

void WebSocket::flush(Outbox& out) {
  if (out.empty()) return;
  std::string bytes(out.bytes(), '\0');
  out.copy_front(bytes.data(), bytes.size());
  context_.wire.send(channel_, std::move(bytes));
}

void WebSocket::send(ws::Opcode opcode, std::string_view payload) {
  Outbox out;
  core_.append(out, opcode, payload);
  flush(out);
}

void WebSocket::close(ws::CloseCode code, std::string_view reason, MonoTime now) {
  Outbox out;
  core_.close(code, reason, now, out);
  flush(out);
}

std::string make_target(const LinkContext& context,
                        const std::vector<std::pair<std::string, std::string>>& further) {
  std::string target = context.endpoint.path;
  char separator = '?';
  if (!context.endpoint.query.empty()) {
    target += separator + context.endpoint.query;
    separator = '&';
  }
  for (const auto* list : {&further, &context.options.query}) {
    for (const auto& [name, value] : *list) {
      target += separator + encode_component(name) + '=' + encode_component(value);
      separator = '&';
    }
  }
  return target;
}

Lost lost_by_close(std::uint16_t code, std::string_view reason) {
  Lost lost;
  const std::string text(reason);
  lost.reason = "transport close";
  lost.blamed = code == 1002 || code == 1003 || code == 1007 || code == 1009;
  if (code == 1000) {
    lost.reason = "io server disconnect";
    lost.over = true;
  }
  if (reason == "Unauthorized") {
    lost.error = ErrorCode::kAuthenticationFailed;
  } else if (reason == "Rate limit exceeded") {
    lost.error = ErrorCode::kRateLimited;
  } else if (code == 4002) {
    lost.error = ErrorCode::kTokenExpired;
  } else {
    lost.error =
        Error(ErrorCode::kDisconnected, "closed by the server (" +
                                            (code == 1005 ? std::string("no code") : std::to_string(code)) +
                                            (text.empty() ? "" : " " + text) + ")");
  }
  return lost;
}

}  // namespace wirehall::client
