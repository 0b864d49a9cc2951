// A request that passes the check is answered by a head without surprises.
#include "ws/handshake.h"

#include "http1/request_parser.h"
#include "support/fuzz.h"

using namespace wirehall;

FUZZ_TARGET(ws_handshake) {
  static const Limits kLimits;
  http1::RequestParser parser(kLimits);
  const std::string text = "GET /ws HTTP/1.1\r\nHost: a\r\n" + std::string(in.rest()) + "\r\n\r\n";
  std::string_view input = text;
  if (parser.next(input) != http1::RequestParser::Step::kHead) return;
  const http1::RequestHead head = parser.take_head();
  const ErrorCode code = ws::check_handshake(head);
  FUZZ_CHECK(code == ErrorCode::kOk || code == ErrorCode::kWsHandshake || code == ErrorCode::kUpgradeRequired);
  const auto offered = ws::offered_subprotocols(head);
  FUZZ_CHECK(offered.size() <= 16);
  if (code != ErrorCode::kOk) return;
  Outbox out;
  ws::append_switching_protocols(out, head, ws::negotiate_deflate(ws::joined_fields(head, "sec-websocket-extensions")),
                                 offered.empty() ? std::string_view() : offered[0], {});
  std::string answer(out.bytes(), '\0');
  out.copy_front(answer.data(), answer.size());
  FUZZ_CHECK(answer.find("\r\n\r\n") == answer.size() - 4);
}
