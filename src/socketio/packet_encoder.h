// Packets in the form of a server's parser, ready for an Engine.IO session.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "socketio/msgpack_packet.h"
#include "socketio/packet.h"
#include "wirehall/config.h"

namespace wirehall::socketio {

/// With the JSON parser `out.text` is an Engine.IO message, `4` and the packet, and attachments follow it; with
/// the MessagePack parser there is no text and one attachment, which `out.binary` holds.
///
/// Every function replaces what is in `out`.
/// Thread:   a plain value.
class PacketEncoder {
 public:
  explicit PacketEncoder(Parser parser) : msgpack_(parser == Parser::kMsgpack) {}

  void event(EncodedPacket& out, std::string_view nsp, std::optional<std::uint64_t> id, std::string_view event,
             std::span<const Value> args) const {
    begin(out);
    if (msgpack_) {
      encode_msgpack_event(out.binary, nsp, id, event, args);
    } else {
      encode_event(out, nsp, id, event, args);
    }
    end(out);
  }
  /// Whether it takes arguments as text.
  bool writes_text() const { return !msgpack_; }
  /// The same of arguments that are text, with commas in between, and `last` as one more unless it is empty.
  /// Requires: writes_text(); none of them is bytes.
  void event_text(EncodedPacket& out, std::string_view nsp, std::optional<std::uint64_t> id, std::string_view event,
                  std::string_view args, std::string_view last) const {
    begin(out);
    encode_event_text(out.text, nsp, id, event, args, last);
    end(out);
  }
  void ack(EncodedPacket& out, std::string_view nsp, std::uint64_t id, std::span<const Value> args) const {
    begin(out);
    if (msgpack_) {
      encode_msgpack_ack(out.binary, nsp, id, args);
    } else {
      encode_ack(out, nsp, id, args);
    }
    end(out);
  }
  void connect(EncodedPacket& out, std::string_view nsp, std::string_view sid, std::string_view pid) const {
    begin(out);
    if (msgpack_) {
      encode_msgpack_connect(out.binary, nsp, sid, pid);
    } else {
      encode_connect(out.text, nsp, sid, pid);
    }
    end(out);
  }
  void connect_error(EncodedPacket& out, std::string_view nsp, std::string_view message,
                     const Value* data) const {
    begin(out);
    if (msgpack_) {
      encode_msgpack_connect_error(out.binary, nsp, message, data);
    } else {
      encode_connect_error(out.text, nsp, message, data);
    }
    end(out);
  }
  /// To clients of revision 3: CONNECT says nothing, and an error is any value.
  void connect_v3(EncodedPacket& out, std::string_view nsp) const {
    begin(out);
    if (msgpack_) {
      encode_msgpack_connect(out.binary, nsp, {}, {});
    } else {
      encode_connect_v3(out.text, nsp);
    }
    end(out);
  }
  void error_v3(EncodedPacket& out, std::string_view nsp, const Value& error) const {
    begin(out);
    if (msgpack_) {
      encode_msgpack_connect_error(out.binary, nsp, {}, &error);
    } else {
      encode_error_v3(out.text, nsp, error);
    }
    end(out);
  }
  void disconnect(EncodedPacket& out, std::string_view nsp) const {
    begin(out);
    if (msgpack_) {
      encode_msgpack_disconnect(out.binary, nsp);
    } else {
      encode_disconnect(out.text, nsp);
    }
    end(out);
  }

 private:
  void begin(EncodedPacket& out) const {
    out.clear();
    if (!msgpack_) out.text.push_back('4');
  }
  void end(EncodedPacket& out) const {
    if (msgpack_) out.attachments.push_back(out.binary);
  }
  bool msgpack_;
};

}  // namespace wirehall::socketio
