#include "socketio/packet.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"

namespace wirehall::socketio {
namespace {

// 2^53 - 1, JavaScript's largest exact integer, has 16 digits.
constexpr std::size_t kIdDigitsMax = 16;
constexpr std::size_t kHeadBytes = 64;  // more than a packet's head and brackets take, but for a long namespace
constexpr std::uint64_t kIdMax = 9'007'199'254'740'991;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Cuts the digits off the front.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

// Replaces placeholders by the attachments that they name.
class Reconstruction {
 public:
  explicit Reconstruction(std::vector<std::string>& attachments)
      : attachments_(attachments), used_(attachments.size()) {}

  bool resolve(Value& value) {
    if (value.unparsed_json() != nullptr) return true;  // slices without placeholders stay as they are
    if (value.is_array()) {
      return std::all_of(value.as_array().begin(), value.as_array().end(),
                         [&](Value& element) { return resolve(element); });
    }
    if (!value.is_object()) return true;
    const Value* mark = value.find("_placeholder");
    if (mark != nullptr && mark->is_bool() && mark->as_bool()) return replace(value);
    return std::all_of(value.as_object().begin(), value.as_object().end(),
                       [&](Member& member) { return resolve(member.value); });
  }

 private:
  bool replace(Value& value) {
    const Value* number = value.find("num");
    const auto index = number == nullptr ? std::nullopt : exact_integer(*number);
    if (!index || *index < 0 || static_cast<std::uint64_t>(*index) >= attachments_.size()) return false;
    const auto i = static_cast<std::size_t>(*index);
    if (used_[i]) return false;
    used_[i] = true;
    value = Value(Bytes{std::move(attachments_[i])});
    return true;
  }
  std::vector<std::string>& attachments_;
  std::vector<bool> used_;
};

std::uint32_t count_attachments(std::span<const Value> args) {
  std::uint32_t count = 0;
  for (const Value& arg : args) count += socketio::count_attachments(arg);
  return count;
}

void encode_head(std::string& out, PacketType type, std::uint32_t attachments, std::string_view nsp,
                 std::optional<std::uint64_t> id) {
  out.push_back(static_cast<char>('0' + static_cast<int>(type)));
  if (attachments != 0) {
    json::append_number(out, static_cast<std::int64_t>(attachments));
    out.push_back('-');
  }
  if (nsp != "/") out.append(nsp).push_back(',');
  if (id) json::append_number(out, static_cast<std::int64_t>(*id));
}

void encode_list(EncodedPacket& out, std::string_view first, std::span<const Value> args, bool placeholders) {
  json::Writer writer(out.text, placeholders ? json::BytesAs::kPlaceholder : json::BytesAs::kObject);
  out.text.push_back('[');
  out.text.append(first);
  bool comma = !first.empty();
  for (const Value& arg : args) {
    if (comma) out.text.push_back(',');
    comma = true;
    writer.write(arg);
  }
  out.text.push_back(']');
  out.attachments.insert(out.attachments.end(), writer.attachments().begin(), writer.attachments().end());
}

}  // namespace

bool is_reserved_event(std::string_view name) {
  constexpr std::array<std::string_view, 6> kReserved = {"connect",       "connect_error", "disconnect",
                                                         "disconnecting", "newListener",   "removeListener"};
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

std::uint32_t count_attachments(const Value& value) {
  if (value.unparsed_json() != nullptr) return 0;
  switch (value.kind()) {
    case Value::Kind::kBytes: return 1;
    case Value::Kind::kArray: return count_attachments(std::span<const Value>(value.as_array()));
    case Value::Kind::kObject: {
      std::uint32_t count = 0;
      for (const Member& member : value.as_object()) count += count_attachments(member.value);
      return count;
    }
    default: return 0;
  }
}

PacketDecoder::Step PacketDecoder::fail() {
  failed_ = true;
  pending_.reset();
  return Step::kError;
}

PacketDecoder::Step PacketDecoder::feed_text(std::string_view text, MonoTime now, Packet& out) {
  if (failed_ || pending_) return fail();
  std::uint32_t attachments = 0;
  out = Packet();
  if (!decode(text, out, attachments)) return fail();
  if (attachments == 0) return Step::kPacket;
  pending_ = std::make_unique<Pending>();
  pending_->packet = std::move(out);
  pending_->expected = attachments;
  pending_->bytes = text.size();
  pending_->deadline = now + limits_->attachments_timeout;
  return Step::kNeedMore;
}

PacketDecoder::Step PacketDecoder::feed_binary(std::string_view bytes, Packet& out) {
  if (failed_ || !pending_) return fail();
  pending_->bytes += bytes.size();
  if (pending_->bytes > limits_->packet_bytes_max) return fail();
  pending_->attachments.emplace_back(bytes);
  if (pending_->attachments.size() < pending_->expected) return Step::kNeedMore;
  const std::unique_ptr<Pending> done = std::move(pending_);
  out = std::move(done->packet);
  Reconstruction reconstruction(done->attachments);
  for (Value& arg : out.args) {
    if (!reconstruction.resolve(arg)) return fail();
  }
  return Step::kPacket;
}

// <type>[<attachments>-][<namespace>,][<id>][JSON]
bool PacketDecoder::decode(std::string_view text, Packet& out, std::uint32_t& attachments) {
  if (text.empty() || text[0] < '0' || text[0] > '6') return false;
  out.type = static_cast<PacketType>(text[0] - '0');
  text.remove_prefix(1);
  const bool binary = out.type == PacketType::kBinaryEvent || out.type == PacketType::kBinaryAck;
  if (binary) {
    const std::string_view digits = take_digits(text);
    if (digits.empty() || digits.size() > 3 || text.empty() || text[0] != '-') return false;
    std::from_chars(digits.data(), digits.data() + digits.size(), attachments);
    if (attachments < 1 || attachments > limits_->attachments_max) return false;
    text.remove_prefix(1);
    out.type = out.type == PacketType::kBinaryEvent ? PacketType::kEvent : PacketType::kAck;
  }
  if (!text.empty() && text[0] == '/') {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > limits_->namespace_bytes_max) return false;
    out.nsp.assign(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  if (!text.empty() && is_digit(text[0])) {
    const std::string_view digits = take_digits(text);
    if (digits.size() > kIdDigitsMax) return false;
    std::uint64_t id = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), id);
    if (id > kIdMax) return false;
    out.id = id;
  }
  return decode_payload(text, binary ? attachments : 0, out);
}

bool PacketDecoder::decode_payload(std::string_view text, std::uint32_t attachments, Packet& out) {
  switch (out.type) {
    case PacketType::kConnect:
      if (text.empty()) return true;
      if (text[0] != '{' || json::validate(text, limits_->json_depth_max) != json::Status::kOk) return false;
      out.auth.assign(text);
      return true;
    case PacketType::kDisconnect: return text.empty();
    case PacketType::kConnectError:
      out.auth.assign(text);  // for clients, who look into it; a server's state machine refuses the packet
      return true;
    default: break;
  }
  json::FewSlices slices;
  if (json::slice_array(text, limits_->json_depth_max, slices) != json::Status::kOk) return false;
  std::size_t first = 0;
  if (out.type == PacketType::kEvent) {
    if (slices.empty() || !decode_event_name(slices[0].text, out)) return false;
    first = 1;
  }
  out.args.reserve(slices.size() - first);
  for (std::size_t i = first; i < slices.size(); ++i) {
    // What may hold a placeholder is parsed: to find the attachments, or so that it is not forwarded
    // verbatim in a packet that has some.
    out.args.push_back(slices[i].placeholder ? json::parse_validated(slices[i].text)
                                             : Value::from_validated_json(std::string(slices[i].text)));
  }
  (void)attachments;
  return true;
}

bool PacketDecoder::decode_event_name(std::string_view slice, Packet& out) {
  std::string_view plain;
  if (json::plain_string(slice, plain)) {
    out.event.assign(plain);
  } else {
    const Value name = json::parse_validated(slice);
    if (name.is_string()) {
      out.event = name.as_string();
    } else if (name.is_number()) {
      out.event = name.to_json();  // as a JavaScript listener would be registered for it
    } else {
      return false;
    }
  }
  return out.event.size() <= limits_->event_name_bytes_max && !is_reserved_event(out.event);
}

void encode_event(EncodedPacket& out, std::string_view nsp, std::optional<std::uint64_t> id,
                  std::string_view event, std::span<const Value> args) {
  const std::uint32_t attachments = count_attachments(args);
  encode_head(out.text, attachments == 0 ? PacketType::kEvent : PacketType::kBinaryEvent, attachments, nsp,
              id);
  std::string name;
  json::append_string(name, event);
  encode_list(out, name, args, attachments != 0);
}

void encode_event_text(std::string& out, std::string_view nsp, std::optional<std::uint64_t> id,
                       std::string_view event, std::string_view args, std::string_view last) {
  out.reserve(out.size() + args.size() + event.size() + last.size() + kHeadBytes);
  encode_head(out, PacketType::kEvent, 0, nsp, id);
  out.push_back('[');
  json::append_string(out, event);
  if (!args.empty()) out.append(",").append(args);
  if (!last.empty()) {
    out.push_back(',');
    json::append_string(out, last);
  }
  out.push_back(']');
}

void encode_ack(EncodedPacket& out, std::string_view nsp, std::uint64_t id, std::span<const Value> args) {
  const std::uint32_t attachments = count_attachments(args);
  encode_head(out.text, attachments == 0 ? PacketType::kAck : PacketType::kBinaryAck, attachments, nsp, id);
  encode_list(out, {}, args, attachments != 0);
}

void encode_connect(std::string& out, std::string_view nsp, std::string_view sid, std::string_view pid) {
  encode_head(out, PacketType::kConnect, 0, nsp, std::nullopt);
  out.append(R"({"sid":")").append(sid);
  if (!pid.empty()) out.append(R"(","pid":")").append(pid);
  out.append("\"}");
}

void encode_connect_error(std::string& out, std::string_view nsp, std::string_view message,
                          const Value* data) {
  encode_head(out, PacketType::kConnectError, 0, nsp, std::nullopt);
  Object object{{"message", message}};
  if (data != nullptr) object.set("data", *data);
  json::Writer(out).write(Value(std::move(object)));
}

void encode_connect_request(std::string& out, std::string_view nsp, const Object& auth) {
  encode_head(out, PacketType::kConnect, 0, nsp, std::nullopt);
  if (!auth.empty()) json::Writer(out).write(Value(auth));
}

void encode_connect_v3(std::string& out, std::string_view nsp) {
  encode_head(out, PacketType::kConnect, 0, nsp, std::nullopt);
}

void encode_error_v3(std::string& out, std::string_view nsp, const Value& error) {
  encode_head(out, PacketType::kConnectError, 0, nsp, std::nullopt);
  json::Writer(out).write(error);
}

void encode_disconnect(std::string& out, std::string_view nsp) {
  encode_head(out, PacketType::kDisconnect, 0, nsp, std::nullopt);
}

}  // namespace wirehall::socketio
