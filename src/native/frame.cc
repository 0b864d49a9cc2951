#include "native/frame.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "base/json.h"
#include "base/msgpack.h"

namespace wirehall::native {
namespace {

// {"$binary":"<base64>"}, and nothing else in it, stands for bytes.
void restore_bytes(Value& value) {
  if (value.is_array()) {
    for (Value& element : value.as_array()) restore_bytes(element);
  } else if (value.is_object()) {
    Object& object = value.as_object();
    if (object.size() == 1 && object.begin()->key == "$binary" && object.begin()->value.is_string()) {
      if (auto bytes = from_base64(object.begin()->value.as_string())) {
        value = Value(Bytes{std::move(*bytes)});
        return;
      }
    }
    for (Member& member : object) restore_bytes(member.value);
  }
}

Value from_slice(const json::Slice& slice) {
  if (!slice.placeholder && !slice.binary) return Value::from_validated_json(std::string(slice.text));
  Value value = json::parse_validated(slice.text);
  if (slice.binary) restore_bytes(value);
  return value;
}

std::string_view field_name(std::string_view name) { return name == "messageType" ? "type" : name; }

bool is_scalar_id(std::string_view slice) {
  return slice.front() == '"' || slice.front() == '-' || (slice.front() >= '0' && slice.front() <= '9');
}
constexpr std::size_t kIdBytesMax = 128;

Status decode_json(std::string_view text, const DecodeLimits& limits, Frame& out) {
  std::vector<json::MemberSlice> members;
  switch (json::slice_object(text, limits.json_depth_max, members)) {
    case json::Status::kOk: break;
    case json::Status::kDepth: return ErrorCode::kJsonDepth;
    case json::Status::kTooMany: return ErrorCode::kTooLarge;
    case json::Status::kSyntax:
      // Another kind of value is no frame, but it is JSON: the connection may go on.
      return json::validate(text, limits.json_depth_max) == json::Status::kOk ? ErrorCode::kInvalidFormat
                                                                              : ErrorCode::kJsonSyntax;
  }
  bool usable = true;
  for (const json::MemberSlice& member : members) {
    const std::string key = member.key_escaped ? json::unescape(member.key) : std::string(member.key);
    if (key == "type") {
      std::string_view plain;
      if (json::plain_string(member.value.text, plain)) {
        out.type.assign(plain);
      } else {
        const Value type = json::parse_validated(member.value.text);
        usable = usable && type.is_string();
        if (type.is_string()) out.type = type.as_string();
      }
    } else if (key == "id") {
      if (!is_scalar_id(member.value.text) || member.value.text.size() > kIdBytesMax) {
        usable = false;
        continue;
      }
      out.has_id = true;
      out.id.assign(member.value.text);
    } else if (key == "ackId") {
      const auto number = exact_integer(json::parse_validated(member.value.text));
      if (number && *number >= 0) out.ack_id = static_cast<std::uint64_t>(*number);
    } else {
      out.fields.append(std::string(field_name(key)), from_slice(member.value));
    }
  }
  out.fields.keep_last_duplicates();
  return usable && !out.type.empty() && out.type.size() <= limits.event_name_bytes_max
             ? Status()
             : Status(ErrorCode::kInvalidFormat);
}

Status decode_msgpack(std::string_view bytes, const DecodeLimits& limits, Frame& out) {
  Result<Value> value = msgpack::decode(bytes, limits.json_depth_max);
  if (!value.ok()) return value.error();
  if (!value->is_object()) return ErrorCode::kInvalidFormat;
  bool usable = true;
  for (Member& member : value->as_object()) {
    if (member.key == "type") {
      usable = usable && member.value.is_string();
      if (member.value.is_string()) out.type = member.value.as_string();
    } else if (member.key == "id") {
      if (!member.value.is_string() && !member.value.is_number()) {
        usable = false;
        continue;
      }
      msgpack::encode(out.id, member.value);
      out.has_id = out.id.size() <= kIdBytesMax;
      usable = usable && out.has_id;
    } else if (member.key == "ackId") {
      const auto number = exact_integer(member.value);
      if (number && *number >= 0) out.ack_id = static_cast<std::uint64_t>(*number);
    } else {
      out.fields.append(std::string(field_name(member.key)), std::move(member.value));
    }
  }
  return usable && !out.type.empty() && out.type.size() <= limits.event_name_bytes_max
             ? Status()
             : Status(ErrorCode::kInvalidFormat);
}

// Takes the field of one of the alternatives `a|b` out of an object.
std::optional<Value> take_field(Object& fields, std::string_view alternatives) {
  while (!alternatives.empty()) {
    const std::size_t bar = std::min(alternatives.find('|'), alternatives.size());
    const std::string_view name = alternatives.substr(0, bar);
    alternatives.remove_prefix(std::min(bar + 1, alternatives.size()));
    if (Value* value = fields.find(name)) {
      Value taken = std::move(*value);
      fields.erase(name);
      return taken;
    }
  }
  return std::nullopt;
}

std::string_view first_name(std::string_view alternatives) {
  return alternatives.substr(0, alternatives.find('|'));
}

// Collects the members of one outgoing frame, in order, and writes them in either codec.
class FrameWriter {
 public:
  FrameWriter(std::string& out, Codec codec) : out_(out), codec_(codec) {}

  void raw(std::string_view key, std::string_view bytes) { members_.push_back({key, nullptr, bytes}); }
  void add(std::string_view key, const Value& value) { members_.push_back({key, &value, {}}); }

  /// The arguments of an event or answer: an object is spread, the rest gets names.
  void args(std::span<const Value> args, const NativeShape* shape, bool is_answer) {
    std::size_t next = 0;
    if (shape != nullptr) {
      for (; next < shape->arguments.size() && next < args.size() && !is_object(args[next]); ++next) {
        add(first_name(shape->arguments[next]), args[next]);
      }
    }
    const std::span<const Value> rest = args.subspan(next);
    if (rest.empty()) return;
    if (rest.size() == 1 && is_object(rest[0])) {
      spread(rest[0], shape, is_answer);
    } else if (rest.size() == 1) {
      add("data", rest[0]);
    } else {
      list_ = Value(Array(rest.begin(), rest.end()));
      add("args", list_);
    }
  }

  void write() {
    if (codec_ == Codec::kMsgpack) {
      msgpack::append_map_header(out_, static_cast<std::uint32_t>(members_.size()));
    } else {
      out_.push_back('{');
    }
    bool first = true;
    for (const Entry& entry : members_) {
      if (codec_ == Codec::kMsgpack) {
        msgpack::append_string(out_, entry.key);
      } else {
        if (!first) out_.push_back(',');
        first = false;
        json::append_string(out_, entry.key);
        out_.push_back(':');
      }
      if (entry.value == nullptr) {
        out_.append(entry.bytes);
      } else if (codec_ == Codec::kMsgpack) {
        msgpack::encode(out_, *entry.value);
      } else {
        json::Writer(out_).write(*entry.value);
      }
    }
    if (codec_ == Codec::kJson) out_.push_back('}');
  }

 private:
  struct Entry {
    std::string_view key;
    const Value* value;
    std::string_view bytes;
  };

  // Without parsing a value that was not looked into.
  static bool is_object(const Value& value) {
    const std::string* text = value.unparsed_json();
    return text == nullptr ? value.is_object() : !text->empty() && text->front() == '{';
  }

  void spread(const Value& object, const NativeShape* shape, bool is_answer) {
    const std::string* text = object.unparsed_json();
    const bool copies = shape != nullptr && !shape->sent_copies.empty();
    std::vector<json::MemberSlice> slices;
    if (codec_ == Codec::kJson && text != nullptr && !copies &&
        json::slice_object(*text, 1024, slices) == json::Status::kOk &&
        std::none_of(slices.begin(), slices.end(), [&](const auto& member) {
          return member.key_escaped || clashes(member.key, is_answer);
        })) {
      for (const auto& member : slices) raw(member.key, member.value.text);
      return;
    }
    if (is_answer && object.find("id") != nullptr) {
      add("data", object);
      return;
    }
    for (const Member& member : object.as_object()) {
      if (member.key == "ackId") continue;  // it would be taken for ours
      add(member.key == "type" ? std::string_view("messageType") : std::string_view(member.key),
          member.value);
    }
    if (!copies) return;
    for (const auto& [from, to] : shape->sent_copies) {
      if (const Value* value = object.find(from)) add(to, *value);
    }
  }

  static bool clashes(std::string_view key, bool is_answer) {
    return key == "type" || key == "ackId" || (is_answer && key == "id");
  }

  std::string& out_;
  Codec codec_;
  std::vector<Entry> members_;
  Value list_;
};

}  // namespace

Status decode(std::string_view bytes, Codec codec, const DecodeLimits& limits, Frame& out) {
  return codec == Codec::kJson ? decode_json(bytes, limits, out) : decode_msgpack(bytes, limits, out);
}

std::vector<Value> to_args(Object fields, const NativeShape* shape) {
  std::vector<Value> args;
  if (shape != nullptr) {
    for (const std::string& name : shape->arguments)
      args.push_back(take_field(fields, name).value_or(Value()));
  }
  if (args.empty() || !fields.empty()) {
    // The object is put together from the bytes of its members, and stays unparsed until it is looked at.
    const bool unparsed = std::all_of(fields.begin(), fields.end(), [](const Member& member) {
      return member.value.unparsed_json() != nullptr;
    });
    if (unparsed) {
      std::string text;
      json::Writer(text).write(Value(std::move(fields)));
      args.push_back(Value::from_validated_json(std::move(text)));
    } else {
      args.push_back(Value(std::move(fields)));
    }
  }
  return args;
}

std::vector<Value> answer_args(Object fields) {
  if (fields.size() == 1) {
    if (Value* list = fields.find("args"); list != nullptr && list->is_array())
      return std::move(list->as_array());
    if (Value* data = fields.find("data")) return {std::move(*data)};
  }
  return {Value(std::move(fields))};
}

void encode_event(std::string& out, Codec codec, std::string_view event, std::span<const Value> args,
                  const NativeShape* shape, std::optional<std::uint64_t> ack_id) {
  FrameWriter writer(out, codec);
  const Value type(shape != nullptr && !shape->sent_type.empty() ? std::string_view(shape->sent_type)
                                                                 : event);
  writer.add("type", type);
  const Value number(ack_id.value_or(0));
  if (ack_id) writer.add("ackId", number);
  writer.args(args, shape, false);
  writer.write();
}

void encode_ack(std::string& out, Codec codec, std::string_view id, std::span<const Value> args) {
  FrameWriter writer(out, codec);
  const Value type("ack");
  writer.add("type", type);
  writer.raw("id", id);
  writer.args(args, nullptr, true);
  writer.write();
}

void encode_error(std::string& out, Codec codec, const Error& error) {
  FrameWriter writer(out, codec);
  const Value type("error"), text(error.text()), code(error.kebab()), retry(error.retry_after_ms());
  writer.add("type", type);
  writer.add("error", text);
  writer.add("code", code);
  if (error.retry_after_ms() > 0) writer.add("retryAfter", retry);
  writer.write();
}

void encode_pong(std::string& out, Codec codec, std::string_view id, std::int64_t timestamp) {
  FrameWriter writer(out, codec);
  const Value type("pong"), time(timestamp);
  writer.add("type", type);
  if (!id.empty()) writer.raw("id", id);
  writer.add("timestamp", time);
  writer.write();
}

}  // namespace wirehall::native
