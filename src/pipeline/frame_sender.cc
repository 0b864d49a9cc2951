#include "pipeline/frame_sender.h"

#include "native/frame.h"
#include "pipeline/shard_core.h"
#include "socketio/packet_encoder.h"

namespace wirehall::pipeline {
namespace {

constexpr std::size_t kHeadBytes = 256;  // about what a frame has besides the event's object

FrameRef plain_frame(ws::Opcode opcode, std::string_view payload) {
  std::string bytes;
  bytes.reserve(payload.size() + 10);
  ws::append_frame(bytes, opcode, payload);
  return FrameRef::copy_of(bytes);
}

FrameRef deflated_frame(ShardCore& core, ws::Opcode opcode, std::string_view payload) {
  if (payload.size() < core.world().deflate_threshold_bytes) return plain_frame(opcode, payload);
  std::string packed;
  core.deflater().deflate(payload, 15, packed);
  std::string bytes;
  ws::append_frame(bytes, opcode, packed, true);
  return FrameRef::copy_of(bytes);
}

const NativeShape* shape_of(ShardCore& core, const hub::EncodedMessage& message) {
  const hub::NamespaceShard* nsp = core.hub().find(message.nsp());
  if (nsp == nullptr) return nullptr;
  const auto& shapes = nsp->spec().native_shapes;
  const auto shape = shapes.find(message.event());
  return shape == shapes.end() ? nullptr : &shape->second;
}

void build_socketio(ShardCore& core, hub::Form form, hub::EncodedMessage& message,
                    std::vector<hub::Part>& parts) {
  socketio::EncodedPacket packet;
  const socketio::PacketEncoder encoder(core.world().client.parser);
  Args with_offset;  // the packet's attachments point into it
  const bool has_offset = !message.offset().empty() && !message.ack();
  if (const auto args = message.args_text(); args && encoder.writes_text()) {
    encoder.event_text(packet, message.nsp(), message.ack(), message.event(), *args,
                       has_offset ? std::string_view(message.offset()) : std::string_view());
  } else if (!has_offset) {
    encoder.event(packet, message.nsp(), message.ack(), message.event(), message.args());
  } else {
    with_offset = message.args();
    with_offset.emplace_back(message.offset());
    encoder.event(packet, message.nsp(), std::nullopt, message.event(), with_offset);
  }
  if (form == hub::Form::kSocketioPieces) {
    if (!packet.text.empty()) parts.push_back({FrameRef::copy_of(packet.text), false});
    for (const auto bytes : packet.attachments) parts.push_back({FrameRef::copy_of(bytes), true});
    return;
  }
  const bool deflate = form == hub::Form::kSocketioWebSocketDeflated;
  const auto frame = [&](ws::Opcode opcode, std::string_view payload) {
    return deflate ? deflated_frame(core, opcode, payload) : plain_frame(opcode, payload);
  };
  if (!packet.text.empty()) parts.push_back({frame(ws::Opcode::kText, packet.text), false});
  for (const auto bytes : packet.attachments) parts.push_back({frame(ws::Opcode::kBinary, bytes), true});
}

void build_native(ShardCore& core, hub::Form form, hub::EncodedMessage& message,
                  std::vector<hub::Part>& parts) {
  const bool msgpack = form == hub::Form::kNativeMsgpack || form == hub::Form::kNativeMsgpackDeflated;
  const bool deflate = form == hub::Form::kNativeJsonDeflated || form == hub::Form::kNativeMsgpackDeflated;
  std::string payload;
  if (const auto object = message.args_text(); object && !msgpack && !message.members().empty()) {
    payload.reserve(object->size() + kHeadBytes);
    native::encode_event_text(payload, message.event(), *object, message.members(), shape_of(core, message),
                              message.ack());
  } else {
    native::encode_event(payload, msgpack ? native::Codec::kMsgpack : native::Codec::kJson, message.event(),
                         message.args(), shape_of(core, message), message.ack());
  }
  const ws::Opcode opcode = msgpack ? ws::Opcode::kBinary : ws::Opcode::kText;
  parts.push_back({deflate ? deflated_frame(core, opcode, payload) : plain_frame(opcode, payload), msgpack});
}

}  // namespace

void build_form(ShardCore& core, hub::Form form, hub::EncodedMessage& message,
                std::vector<hub::Part>& parts) {
  switch (form) {
    case hub::Form::kSocketioWebSocket:
    case hub::Form::kSocketioWebSocketDeflated:
    case hub::Form::kSocketioPieces: build_socketio(core, form, message, parts); break;
    case hub::Form::kNativeJson:
    case hub::Form::kNativeJsonDeflated:
    case hub::Form::kNativeMsgpack:
    case hub::Form::kNativeMsgpackDeflated: build_native(core, form, message, parts); break;
    case hub::Form::kCount: break;
  }
}

void append_message(Connection& connection, const std::optional<ws::DeflateAgreement>& deflate,
                    ws::Opcode opcode, std::string_view payload, bool compress) {
  ShardCore& core = connection.core();
  if (deflate && compress && payload.size() >= core.world().deflate_threshold_bytes) {
    std::string packed;
    core.deflater().deflate(payload, deflate->server_window_bits, packed);
    ws::append_frame(connection.outbox(), opcode, packed, true);
  } else {
    ws::append_frame(connection.outbox(), opcode, payload);
  }
  connection.touch();
}

}  // namespace wirehall::pipeline
