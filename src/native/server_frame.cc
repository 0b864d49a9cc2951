#include "native/server_frame.h"

#include "base/json.h"
#include "base/msgpack.h"

namespace wirehall::native {
namespace {

std::optional<std::uint64_t> take_number(Object& fields, std::string_view name) {
  const Value* value = fields.find(name);
  const auto number = value == nullptr ? std::nullopt : exact_integer(*value);
  if (value != nullptr) fields.erase(name);
  return number && *number >= 0 ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

Object renamed(Object fields) {
  if (!fields.contains("messageType")) return fields;
  Object out;
  for (Member& member : fields)
    out.append(member.key == "messageType" ? "type" : std::move(member.key), std::move(member.value));
  return out;
}

std::string_view first_name(std::string_view alternatives) {
  return alternatives.substr(0, alternatives.find('|'));
}

class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_.push_back('{'); }
  void add(std::string_view name, const Value& value) {
    if (count_++ != 0) out_.push_back(',');
    json::append_string(out_, name);
    out_.push_back(':');
    json::Writer(out_).write(value);
  }
  // `reserved` is a member of the frame itself, which no field may stand in for.
  void args(std::span<const Value> args, const NativeShape* shape, std::string_view reserved) {
    std::size_t next = 0;
    if (shape != nullptr) {
      for (; next < shape->arguments.size() && next < args.size() && !args[next].is_object(); ++next)
        add(first_name(shape->arguments[next]), args[next]);
    }
    const std::span<const Value> rest = args.subspan(next);
    if (rest.empty()) return;
    if (rest.size() == 1 && rest[0].is_object()) {
      for (const Member& member : rest[0].as_object()) {
        if (member.key == "ackId" || member.key == reserved) continue;
        add(member.key == "type" ? std::string_view("messageType") : std::string_view(member.key),
            member.value);
      }
    } else if (rest.size() == 1) {
      add("data", rest[0]);
    } else {
      add("args", Value(Array(rest.begin(), rest.end())));
    }
  }
  void finish() { out_.push_back('}'); }

 private:
  std::string& out_;
  std::size_t count_ = 0;
};

}  // namespace

Result<ServerFrame> decode_server_frame(std::string_view bytes, Codec codec, const DecodeLimits& limits) {
  Result<Value> value = codec == Codec::kJson ? json::parse(bytes, limits.json_depth_max)
                                              : msgpack::decode(bytes, limits.json_depth_max);
  if (!value.ok()) return value.error();
  if (!value->is_object()) return ErrorCode::kInvalidFormat;
  if (codec == Codec::kJson && bytes.find("$binary") != std::string_view::npos) json::restore_bytes(*value);
  if (!value->is_object()) return ErrorCode::kInvalidFormat;
  ServerFrame frame;
  frame.fields = std::move(value->as_object());
  Value* type = frame.fields.find("type");
  if (type == nullptr || !type->is_string()) return ErrorCode::kInvalidFormat;
  frame.type = std::move(type->as_string());
  if (frame.type.empty() || frame.type.size() > limits.event_name_bytes_max) return ErrorCode::kInvalidFormat;
  frame.fields.erase("type");
  frame.ack_id = take_number(frame.fields, "ackId");
  if (frame.type == "ack" || frame.type == "pong") frame.id = take_number(frame.fields, "id");
  frame.fields = renamed(std::move(frame.fields));
  return frame;
}

std::vector<Value> answer_of(Object fields) {
  if (fields.size() == 1) {
    if (Value* list = fields.find("args"); list != nullptr && list->is_array())
      return std::move(list->as_array());
    if (Value* data = fields.find("data")) return {std::move(*data)};
  }
  return {Value(std::move(fields))};
}

void encode_request(std::string& out, std::string_view type, std::optional<std::uint64_t> id,
                    std::span<const Value> args, const NativeShape* shape) {
  Members members(out);
  members.add("type", Value(type));
  if (id) members.add("id", Value(*id));
  members.args(args, shape, "id");
  members.finish();
}

void encode_answer(std::string& out, std::uint64_t ack_id, std::span<const Value> args) {
  Members members(out);
  members.add("type", Value("ack"));
  members.add("ackId", Value(ack_id));
  members.args(args, nullptr, "");
  members.finish();
}

}  // namespace wirehall::native
