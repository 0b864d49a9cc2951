#include "socketio/msgpack_packet.h"

#include <array>
#include <cmath>
#include <limits>

#include "base/json.h"
#include "base/msgpack.h"

namespace wirehall::socketio {
namespace {

constexpr std::int64_t kIdMax = 9'007'199'254'740'991;  // 2^53 - 1, JavaScript's largest exact integer

// -- decoding -----------------------------------------------------------------------------------

// What follows a tag from c0 to df: a length in so many bytes, and bytes besides the counted ones. The
// elements of arrays and maps are tokens of their own.
struct Layout {
  std::uint8_t length;
  std::uint8_t fixed;
};
constexpr std::array<Layout, 32> kLayouts = {{
    {0, 0}, {0, 0}, {0, 0}, {0, 0},                   // c0 nil, c1 (never used), c2 false, c3 true
    {1, 0}, {2, 0}, {4, 0}, {1, 1}, {2, 1},  {4, 1},  // c4 bin, c7 ext: a byte for the type
    {0, 4}, {0, 8}, {0, 1}, {0, 2}, {0, 4},  {0, 8},  // ca float, cc uint
    {0, 1}, {0, 2}, {0, 4}, {0, 8},                   // d0 int
    {0, 2}, {0, 3}, {0, 5}, {0, 9}, {0, 17},          // d4 fixext
    {1, 0}, {2, 0}, {4, 0},                           // d9 str
    {0, 2}, {0, 4}, {0, 2}, {0, 4},                   // dc array, de map
}};

// A tag with what belongs to it; arrays and maps without their elements.
struct Token {
  enum class Kind : std::uint8_t { kOther, kBin, kArrayBuffer };
  Kind kind = Kind::kOther;
  std::string_view bytes;
  std::string_view payload;  // kBin, kArrayBuffer
};

// Cuts the next token off the front. Requires: the message is not empty.
bool take_token(std::string_view& message, Token& out) {
  const auto tag = static_cast<unsigned char>(message[0]);
  std::size_t head = 1;
  std::uint64_t payload = 0;
  if (tag >= 0xa0 && tag < 0xc0) payload = tag & 0x1fu;
  out.kind = Token::Kind::kOther;
  if (tag >= 0xc0 && tag < 0xe0) {
    const Layout layout = kLayouts[tag - 0xc0u];
    head += layout.length + layout.fixed;
    if (message.size() < head) return false;
    for (std::size_t i = 1; i <= layout.length; ++i) {
      payload = payload << 8 | static_cast<unsigned char>(message[i]);
    }
    if (tag >= 0xc4 && tag <= 0xc6) out.kind = Token::Kind::kBin;
    if (tag >= 0xc7 && tag <= 0xc9 && message[head - 1] == 0) out.kind = Token::Kind::kArrayBuffer;
  }
  if (message.size() - head < payload) return false;
  out.bytes = message.substr(0, head + static_cast<std::size_t>(payload));
  out.payload = out.bytes.substr(head);
  message.remove_prefix(out.bytes.size());
  return true;
}

// Looks over a message before anything is built of it.
bool survey(std::string_view message, std::uint32_t& byte_strings, bool& array_buffers) {
  Token token;
  while (!message.empty()) {
    if (!take_token(message, token)) return false;
    if (token.kind != Token::Kind::kOther) ++byte_strings;
    if (token.kind == Token::Kind::kArrayBuffer) array_buffers = true;
  }
  return true;
}

// notepack in Node writes typed arrays and ArrayBuffers as ext 8, 16 or 32 of type 0, which the general
// decoder refuses or, when they have 1 or 8 bytes, takes for `undefined` or a date: the fixed forms of the
// same type. Requires: the survey found the message whole.
std::string array_buffers_as_bin(std::string_view message) {
  std::string out;
  out.reserve(message.size());
  Token token;
  while (!message.empty() && take_token(message, token)) {
    if (token.kind == Token::Kind::kArrayBuffer) {
      msgpack::append_bytes(out, token.payload);
    } else {
      out.append(token.bytes);
    }
  }
  return out;
}

bool is_nothing(const Value* value) { return value == nullptr || value->is_null(); }

bool decode_head(const Object& object, const DecoderLimits& limits, Packet& out) {
  const Value* type = object.find("type");
  const auto number = type == nullptr ? std::nullopt : exact_integer(*type);
  if (!number || *number < 0 || *number > static_cast<int>(PacketType::kConnectError)) return false;
  out.type = static_cast<PacketType>(*number);

  // A name that no text packet can carry would be read differently by the clients that use text.
  const Value* nsp = object.find("nsp");
  if (nsp == nullptr || !nsp->is_string()) return false;
  out.nsp = nsp->as_string();
  if (out.nsp.empty() || out.nsp[0] != '/' || out.nsp.find(',') != std::string::npos) return false;
  if (out.nsp.size() > limits.namespace_bytes_max) return false;

  const Value* id = object.find("id");
  if (is_nothing(id)) return true;
  const auto integer = exact_integer(*id);
  if (!integer || *integer < 0 || *integer > kIdMax) return false;
  out.id = static_cast<std::uint64_t>(*integer);
  return true;
}

bool decode_event(Array& data, const DecoderLimits& limits, Packet& out) {
  if (data.empty()) return false;
  Value& name = data.front();
  if (name.is_string()) {
    out.event = std::move(name.as_string());
  } else if (name.is_number() && std::isfinite(name.as_double())) {
    out.event = name.to_json();  // as a JavaScript listener would be registered for it
  } else {
    return false;
  }
  if (out.event.size() > limits.event_name_bytes_max || is_reserved_event(out.event)) return false;
  data.erase(data.begin());
  out.args = std::move(data);
  return true;
}

bool decode_data(Value* data, const DecoderLimits& limits, Packet& out) {
  switch (out.type) {
    case PacketType::kConnect:
      if (is_nothing(data)) return true;
      if (!data->is_object()) return false;
      out.auth = data->to_json();
      // As text, bytes are an object: a level more.
      return json::validate(out.auth, limits.json_depth_max) == json::Status::kOk;
    case PacketType::kDisconnect: return is_nothing(data);
    case PacketType::kConnectError:
      return true;  // never accepted from a client: the state machine refuses it
    default: break;
  }
  if (data == nullptr || !data->is_array()) return false;
  if (out.type == PacketType::kEvent) return decode_event(data->as_array(), limits, out);
  out.args = std::move(data->as_array());
  return true;
}

// -- encoding -----------------------------------------------------------------------------------

// JavaScript's encoder knows no integers apart from doubles: what is whole and fits 64 bits is written as
// an integer, and -0 as 0.
void append_double(std::string& out, double number) {
  constexpr double k2To63 = 9223372036854775808.0;
  const bool whole = std::floor(number) == number;
  if (whole && number >= -k2To63 && number < k2To63) {
    msgpack::append_integer(out, static_cast<std::int64_t>(number));
  } else if (whole && number >= k2To63 && number < 2 * k2To63) {
    const auto integer = static_cast<std::uint64_t>(number);
    out.push_back('\xcf');
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(integer >> shift));
  } else {
    // Which NaN a calculation gives depends on the processor; JavaScript writes one.
    msgpack::encode(out, std::isnan(number) ? std::numeric_limits<double>::quiet_NaN() : number);
  }
}

void append_value(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kDouble: append_double(out, value.as_double()); break;
    case Value::Kind::kArray:
      msgpack::append_array_header(out, static_cast<std::uint32_t>(value.as_array().size()));
      for (const Value& element : value.as_array()) append_value(out, element);
      break;
    case Value::Kind::kObject:
      msgpack::append_map_header(out, static_cast<std::uint32_t>(value.as_object().size()));
      for (const Member& member : value.as_object()) {
        msgpack::append_string(out, member.key);
        append_value(out, member.value);
      }
      break;
    default: msgpack::encode(out, value);
  }
}

void append_integer_member(std::string& out, std::string_view key, std::int64_t number) {
  msgpack::append_string(out, key);
  msgpack::append_integer(out, number);
}

void append_text_member(std::string& out, std::string_view key, std::string_view text) {
  msgpack::append_string(out, key);
  msgpack::append_string(out, text);
}

void append_type(std::string& out, PacketType type) {
  append_integer_member(out, "type", static_cast<std::int64_t>(type));
}

}  // namespace

bool decode_msgpack_packet(std::string_view bytes, const DecoderLimits& limits, Packet& out) {
  out = Packet();
  if (bytes.size() > limits.packet_bytes_max) return false;
  std::uint32_t byte_strings = 0;
  bool array_buffers = false;
  if (!survey(bytes, byte_strings, array_buffers) || byte_strings > limits.attachments_max) return false;
  std::string rewritten;
  if (array_buffers) bytes = rewritten = array_buffers_as_bin(bytes);
  // The packet's own map is one level more than the text of its data has.
  Result<Value> packet = msgpack::decode(bytes, limits.json_depth_max + 1);
  if (!packet.ok() || !packet->is_object()) return false;
  Object& object = packet->as_object();
  return decode_head(object, limits, out) && decode_data(object.find("data"), limits, out);
}

void encode_msgpack_event(std::string& out, std::string_view nsp, std::optional<std::uint64_t> id,
                          std::string_view event, std::span<const Value> args) {
  msgpack::append_map_header(out, id ? 4 : 3);
  append_type(out, PacketType::kEvent);
  msgpack::append_string(out, "data");
  msgpack::append_array_header(out, static_cast<std::uint32_t>(args.size() + 1));
  msgpack::append_string(out, event);
  for (const Value& arg : args) append_value(out, arg);
  if (id) append_integer_member(out, "id", static_cast<std::int64_t>(*id));
  append_text_member(out, "nsp", nsp);
}

void encode_msgpack_ack(std::string& out, std::string_view nsp, std::uint64_t id,
                        std::span<const Value> args) {
  msgpack::append_map_header(out, 4);
  append_integer_member(out, "id", static_cast<std::int64_t>(id));
  append_type(out, PacketType::kAck);
  msgpack::append_string(out, "data");
  msgpack::append_array_header(out, static_cast<std::uint32_t>(args.size()));
  for (const Value& arg : args) append_value(out, arg);
  append_text_member(out, "nsp", nsp);
}

void encode_msgpack_connect(std::string& out, std::string_view nsp, std::string_view sid,
                            std::string_view pid) {
  msgpack::append_map_header(out, 3);
  append_type(out, PacketType::kConnect);
  msgpack::append_string(out, "data");
  msgpack::append_map_header(out, 2);
  append_text_member(out, "sid", sid);
  msgpack::append_string(out, "pid");
  if (pid.empty()) {
    msgpack::append_undefined(out);
  } else {
    msgpack::append_string(out, pid);
  }
  append_text_member(out, "nsp", nsp);
}

void encode_msgpack_connect_error(std::string& out, std::string_view nsp, std::string_view message,
                                  const Value* data) {
  msgpack::append_map_header(out, 3);
  append_type(out, PacketType::kConnectError);
  // The reference refuses an unknown namespace in another place than everything else, and writes the keys
  // there in another order and without `data`.
  const bool unknown_namespace = data == nullptr && message == "Invalid namespace";
  if (unknown_namespace) append_text_member(out, "nsp", nsp);
  msgpack::append_string(out, "data");
  msgpack::append_map_header(out, unknown_namespace ? 1 : 2);
  append_text_member(out, "message", message);
  if (unknown_namespace) return;
  msgpack::append_string(out, "data");
  if (data == nullptr) {
    msgpack::append_undefined(out);
  } else {
    append_value(out, *data);
  }
  append_text_member(out, "nsp", nsp);
}

void encode_msgpack_disconnect(std::string& out, std::string_view nsp) {
  msgpack::append_map_header(out, 2);
  append_type(out, PacketType::kDisconnect);
  append_text_member(out, "nsp", nsp);
}

}  // namespace wirehall::socketio
