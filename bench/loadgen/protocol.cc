#include "protocol.h"

namespace bench {
namespace {

struct Shapes {
  Shape request;
  Shape arrival;
};

Shapes echo_shapes(ProtocolName protocol, const std::string& data) {
  switch (protocol) {
    case ProtocolName::kRaw: return {{"", data}, {"", data}};
    case ProtocolName::kNative: {
      const std::string rest = ",\"data\":\"" + data + "\"}";
      return {{"{\"type\":\"echo\",\"id\":", rest}, {"{\"type\":\"ack\",\"id\":", rest}};
    }
    case ProtocolName::kSocketIo:
      return {{"42", "[\"echo\",\"" + data + "\"]"}, {"43", "[\"" + data + "\"]"}};
  }
  return {};
}

Shapes fanout_shapes(ProtocolName protocol, const std::string& data) {
  switch (protocol) {
    case ProtocolName::kRaw: return {{"", data}, {"", data}};
    case ProtocolName::kNative:
      return {{"{\"type\":\"publish\",\"data\":\"", data + "\"}"},
              {"{\"type\":\"news\",\"data\":\"", data + "\"}"}};
    case ProtocolName::kSocketIo:
      return {{"42[\"publish\",\"", data + "\"]"}, {"42[\"news\",\"", data + "\"]"}};
  }
  return {};
}

void set_shapes(const Options& options, Protocol& out) {
  const bool echo = options.mode == Mode::kEcho;
  out.field_bytes = echo ? kIdDigits : kPublisherDigits + kStampDigits;
  const auto make = echo ? echo_shapes : fanout_shapes;
  const Shapes empty = make(options.protocol, "");
  const Shape& sized = echo ? empty.request : empty.arrival;
  const std::size_t rest = sized.prefix.size() + out.field_bytes + sized.suffix.size();
  if (options.size_bytes < rest) fail("--size must be at least " + std::to_string(rest) + " here");
  const Shapes full = make(options.protocol, std::string(options.size_bytes - rest, 'x'));
  out.request = full.request;
  out.arrival = full.arrival;
}

}  // namespace

Protocol make_protocol(const Options& options) {
  Protocol out;
  const bool joins = options.mode == Mode::kFanout;
  switch (options.protocol) {
    case ProtocolName::kRaw: out.target = "/"; break;
    case ProtocolName::kNative:
      out.target = "/ws";
      if (joins) {
        out.opening.push_back(
            {"{\"type\":\"subscribe\",\"id\":1}", "{\"type\":\"ack\",\"id\":1,\"success\":true"});
      }
      out.refusals = {"{\"type\":\"error\"", "{\"type\":\"ack\""};
      break;
    case ProtocolName::kSocketIo:
      out.target = "/socket.io/?EIO=4&transport=websocket";
      out.opening = {{"", "0{"}, {"40", "40{"}};
      if (joins) out.opening.push_back({"420[\"subscribe\"]", "430["});
      out.engine_heartbeat = true;
      out.refusals = {"44", "41", "1"};
      break;
  }
  if (!options.target.empty() && options.target != "/") out.target = options.target;
  if (options.mode != Mode::kIdle) set_shapes(options, out);
  return out;
}

}  // namespace bench
