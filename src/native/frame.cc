#include "native/frame.h"

#include <algorithm>

#include "base/json.h"
#include "base/json_text.h"
#include "base/msgpack.h"

namespace wirehall::native {
namespace {

std::size_t count_bytes(const Value& value) {
  if (value.is_bytes()) return 1;
  std::size_t count = 0;
  if (value.is_array()) {
    for (const Value& element : value.as_array()) count += count_bytes(element);
  } else if (value.is_object()) {
    for (const Member& member : value.as_object()) count += count_bytes(member.value);
  }
  return count;
}

Value from_slice(const json::Slice& slice) {
  if (!slice.placeholder && !slice.binary) return Value::from_validated_json(std::string(slice.text));
  Value value = json::parse_validated(slice.text);
  if (slice.binary) json::restore_bytes(value);
  return value;
}

// An event's own field `type` travels as `messageType`.
std::string_view field_name(std::string_view name) { return name == "messageType" ? "type" : name; }

bool is_scalar_id(std::string_view slice) {
  return slice.front() == '"' || slice.front() == '-' || (slice.front() >= '0' && slice.front() <= '9');
}
constexpr std::size_t kIdBytesMax = 128;
constexpr std::size_t kSlicedFieldsMax = 16;  // more are put into an object at once

bool has_duplicates(const std::vector<json::MemberSlice>& members) {
  for (std::size_t i = 1; i < members.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (field_name(members[i].key) == field_name(members[k].key)) return true;
    }
  }
  return false;
}

// Takes the first of the alternatives `a|b` that is there, in the order of the alternatives.
template <class Take>
std::optional<Value> take_first(std::string_view alternatives, Take&& take) {
  while (!alternatives.empty()) {
    const std::size_t bar = std::min(alternatives.find('|'), alternatives.size());
    if (std::optional<Value> taken = take(alternatives.substr(0, bar))) return taken;
    alternatives.remove_prefix(std::min(bar + 1, alternatives.size()));
  }
  return std::nullopt;
}

std::string_view first_name(std::string_view alternatives) {
  return alternatives.substr(0, alternatives.find('|'));
}

bool is_ours(std::string_view name) { return name == "id" || name == "type" || name == "ackId"; }

// Whether an object's text may have a member, at any depth, that a frame has for itself. Cheap, and sure
// only when the answer is no.
bool may_clash(std::string_view text) {
  for (std::size_t at = text.find('"'); at != std::string_view::npos; at = text.find('"', at + 1)) {
    const std::size_t begin = at + 1;
    at = text.find('"', begin);
    // No JSON, or a quote that is not the end.
    if (at == std::string_view::npos || text[at - 1] == '\\') return true;
    // What a comma or a bracket follows at once is no name.
    if (at + 1 == text.size() || text[at + 1] == ',' || text[at + 1] == '}' || text[at + 1] == ']') continue;
    const std::string_view name = text.substr(begin, at - begin);
    if (is_ours(name) || std::find(name.begin(), name.end(), '\\') != name.end()) return true;
  }
  return false;
}

// Writes the members of one outgoing frame in either codec.
class FrameWriter {
 public:
  FrameWriter(std::string& out, Codec codec) : out_(out), codec_(codec), begin_(out.size()) {
    if (codec_ == Codec::kJson) out_.push_back('{');
  }

  void event_head(std::string_view event, const NativeShape* shape, std::optional<std::uint64_t> ack_id) {
    text("type", shape != nullptr && !shape->sent_type.empty() ? std::string_view(shape->sent_type) : event);
    if (ack_id) add("ackId", Value(*ack_id));
  }
  /// What an answer begins with; in JSON as it stands, since nothing of it needs escaping.
  void answer_head(std::string_view id) {
    if (codec_ == Codec::kJson) {
      out_.append(R"("type":"ack","id":)").append(id);
      members_ = 2;
      return;
    }
    text("type", "ack");
    raw("id", id);
  }
  /// A member whose value is encoded already.
  void raw(std::string_view name, std::string_view bytes) {
    key(name);
    out_.append(bytes);
  }
  void add(std::string_view name, const Value& value) {
    key(name);
    if (codec_ == Codec::kMsgpack) {
      msgpack::encode(out_, value);
    } else {
      json::Writer(out_).write(value);
    }
  }
  void text(std::string_view name, std::string_view value) {
    key(name);
    if (codec_ == Codec::kMsgpack) {
      msgpack::append_string(out_, value);
    } else {
      json::append_string(out_, value);
    }
  }

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
      add("args", Value(Array(rest.begin(), rest.end())));
    }
  }

  /// The members of an object as text, in JSON: as many at once as need no other name.
  void placed(std::string_view object, std::span<const json::MemberPlace> members, const NativeShape* shape) {
    const auto name = [&](const json::MemberPlace& place) { return object.substr(place.key_begin, place.key_size); };
    const auto value = [&](const json::MemberPlace& place) {
      return object.substr(place.value_begin, place.value_end - place.value_begin);
    };
    std::size_t begin = 0;  // of those that wait to be passed on
    const auto pass_on = [&](std::size_t end) {
      if (begin == end) return;
      const std::size_t from = members[begin].key_begin - 1;
      if (members_++ != 0) out_.push_back(',');
      out_.append(object.substr(from, members[end - 1].value_end - from));
    };
    for (std::size_t i = 0; i < members.size(); ++i) {
      const bool is_type = name(members[i]) == "type";
      if (!is_type && name(members[i]) != "ackId") continue;
      pass_on(i);
      begin = i + 1;
      if (is_type) raw("messageType", value(members[i]));  // an ackId would be taken for ours
    }
    pass_on(members.size());
    if (shape == nullptr) return;
    for (const auto& [from, to] : shape->sent_copies) {
      for (const json::MemberPlace& member : members) {
        if (name(member) == from) raw(to, value(member));
      }
    }
  }

  void finish() {
    if (codec_ == Codec::kJson) {
      out_.push_back('}');
      return;
    }
    // Only now the number of members is known.
    std::string header;
    msgpack::append_map_header(header, members_);
    out_.insert(begin_, header);
  }

 private:
  void key(std::string_view name) {
    if (codec_ == Codec::kMsgpack) {
      msgpack::append_string(out_, name);
    } else {
      if (members_ != 0) out_.push_back(',');
      json::append_string(out_, name);
      out_.push_back(':');
    }
    ++members_;
  }

  // Without parsing a value that was not looked into.
  static bool is_object(const Value& value) {
    const std::string* text = value.unparsed_json();
    return text == nullptr ? value.is_object() : !text->empty() && text->front() == '{';
  }

  void spread(const Value& object, const NativeShape* shape, bool is_answer) {
    const bool copies = shape != nullptr && !shape->sent_copies.empty();
    const std::string* text = codec_ == Codec::kJson ? object.unparsed_json() : nullptr;
    if (text != nullptr && ((!copies && spread_text(*text, is_answer)) || spread_slices(*text, shape, is_answer)))
      return;
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

  // The usual object is text that nobody looked into and has no name that is ours: its members are passed
  // on as they stand.
  bool spread_text(std::string_view text, bool is_answer) {
    const std::string_view inside = text.substr(1, text.size() - 2);
    if (inside.empty()) return true;
    if (inside.front() <= ' ' && inside.find_first_not_of(" \t\r\n") == std::string_view::npos) return true;
    const auto clashes = [is_answer](std::string_view key, bool escaped) {
      return escaped || key == "type" || key == "ackId" || (is_answer && key == "id");
    };
    if (may_clash(inside) && json::any_key(text, clashes)) return false;
    const std::size_t begin = out_.size();
    out_.append(text);
    out_.pop_back();
    out_[begin] = ',';  // in place of the bracket; a frame's type comes before
    ++members_;
    return true;
  }

  // Where a name is ours, or a field is sent twice, the members are passed on one by one, still without being
  // parsed. Names that must be looked at more closely are not for this.
  bool spread_slices(std::string_view text, const NativeShape* shape, bool is_answer) {
    std::vector<json::MemberSlice> slices;
    if (json::slice_object(text, 1024, slices) != json::Status::kOk || slices.size() > kSlicedFieldsMax ||
        has_duplicates(slices))
      return false;
    for (const json::MemberSlice& member : slices) {
      if (member.key_escaped || (is_answer && member.key == "id")) return false;
    }
    for (const json::MemberSlice& member : slices) {
      if (member.key == "ackId") continue;  // it would be taken for ours
      raw(member.key == "type" ? std::string_view("messageType") : member.key, member.value.text);
    }
    if (shape == nullptr) return true;
    for (const auto& [from, to] : shape->sent_copies) {
      for (const json::MemberSlice& member : slices) {
        if (member.key == from) raw(to, member.value.text);
      }
    }
    return true;
  }

  std::string& out_;
  Codec codec_;
  std::size_t begin_;
  std::uint32_t members_ = 0;
};

}  // namespace

// -- FrameDecoder -------------------------------------------------------------------------------

Status FrameDecoder::decode(std::string_view bytes, Codec codec, const DecodeLimits& limits) {
  type_ = id_ = {};
  ack_id_.reset();
  slices_.clear();
  if (!fields_.empty()) fields_ = Object();
  return codec == Codec::kJson ? decode_json(bytes, limits) : decode_msgpack(bytes, limits);
}

Status FrameDecoder::checked(bool usable, const DecodeLimits& limits) const {
  std::size_t attachments = 0;
  for (const Member& member : fields_) {
    // Slices of JSON that were not looked into hold no bytes.
    if (member.value.unparsed_json() == nullptr) attachments += count_bytes(member.value);
  }
  if (attachments > limits.attachments_max)
    return Error(ErrorCode::kInvalidFormat, "more than " + std::to_string(limits.attachments_max) +
                                                " binary values");
  return usable && !type_.empty() && type_.size() <= limits.event_name_bytes_max
             ? Status()
             : Status(ErrorCode::kInvalidFormat);
}

Status FrameDecoder::decode_json(std::string_view text, const DecodeLimits& limits) {
  switch (json::slice_object(text, limits.json_depth_max, slices_)) {
    case json::Status::kOk: break;
    case json::Status::kDepth: return ErrorCode::kJsonDepth;
    case json::Status::kTooMany: return ErrorCode::kTooLarge;
    case json::Status::kSyntax:
      slices_.clear();
      // Another kind of value is no frame, but it is JSON: the connection may go on.
      return json::validate(text, limits.json_depth_max) == json::Status::kOk ? ErrorCode::kInvalidFormat
                                                                              : ErrorCode::kJsonSyntax;
  }
  bool usable = true;
  bool simple = true;
  bool in_one_piece = true;
  std::size_t kept = 0;
  const json::MemberSlice* last_kept = nullptr;
  std::string unescaped;
  for (const json::MemberSlice& member : slices_) {
    const std::string_view value = member.value.text;
    std::string_view key = member.key;
    if (member.key_escaped) key = unescaped = json::unescape(member.key);
    if (key == "type") {
      if (json::plain_string(value, type_)) continue;
      const Value type = json::parse_validated(value);
      usable = usable && type.is_string();
      type_ = {};
      if (!type.is_string()) continue;
      type_storage_ = type.as_string();
      type_ = type_storage_;
    } else if (key == "id") {
      const bool fits = is_scalar_id(value) && value.size() <= kIdBytesMax;
      usable = usable && fits;
      if (fits) id_ = value;
    } else if (key == "ackId") {
      const auto number = exact_integer(json::parse_validated(value));
      if (number && *number >= 0) ack_id_ = static_cast<std::uint64_t>(*number);
    } else {
      simple = simple && !member.key_escaped && !member.value.placeholder && !member.value.binary;
      in_one_piece = in_one_piece && (last_kept == nullptr || last_kept + 1 == &member) && key != "messageType";
      last_kept = &member;
      slices_[kept++] = member;
    }
  }
  in_one_piece_ = in_one_piece;
  slices_.resize(kept);
  if (!simple || kept > kSlicedFieldsMax || has_duplicates(slices_)) keep_fields();
  return checked(usable, limits);
}

// Slices are not enough for escaped or repeated keys and for bytes.
void FrameDecoder::keep_fields() {
  for (const json::MemberSlice& member : slices_) {
    const std::string key = member.key_escaped ? json::unescape(member.key) : std::string(member.key);
    fields_.append(std::string(field_name(key)), from_slice(member.value));
  }
  fields_.keep_last_duplicates();
  slices_.clear();
}

Status FrameDecoder::decode_msgpack(std::string_view bytes, const DecodeLimits& limits) {
  Result<Value> value = msgpack::decode(bytes, limits.json_depth_max);
  if (!value.ok()) return value.error();
  if (!value->is_object()) return ErrorCode::kInvalidFormat;
  bool usable = true;
  for (Member& member : value->as_object()) {
    if (member.key == "type") {
      usable = usable && member.value.is_string();
      if (!member.value.is_string()) continue;
      type_storage_ = member.value.as_string();
      type_ = type_storage_;
    } else if (member.key == "id") {
      id_storage_.clear();
      const bool scalar = member.value.is_string() || member.value.is_number();
      if (scalar) msgpack::encode(id_storage_, member.value);
      const bool fits = scalar && id_storage_.size() <= kIdBytesMax;
      usable = usable && fits;
      if (fits) id_ = id_storage_;
    } else if (member.key == "ackId") {
      const auto number = exact_integer(member.value);
      if (number && *number >= 0) ack_id_ = static_cast<std::uint64_t>(*number);
    } else {
      fields_.append(std::string(field_name(member.key)), std::move(member.value));
    }
  }
  return checked(usable, limits);
}

// What is left, as one object; of slices put together from their bytes, and unparsed until it is looked at.
Value FrameDecoder::rest_as_object() {
  if (slices_.empty()) return Value(std::move(fields_));
  if (in_one_piece_) {
    const char* const begin = slices_.front().key.data() - 2;  // with its quote and what stands before it
    const std::string_view last = slices_.back().value.text;
    std::string text(begin, static_cast<std::size_t>(last.data() + last.size() + 1 - begin));
    text.front() = '{';
    text.back() = '}';
    slices_.clear();
    return Value::from_validated_json(std::move(text));
  }
  std::size_t size = 1;
  for (const json::MemberSlice& member : slices_) size += member.key.size() + member.value.text.size() + 4;
  std::string text;
  text.reserve(size);
  for (const json::MemberSlice& member : slices_) {
    text.push_back(text.empty() ? '{' : ',');
    text.push_back('"');
    text.append(field_name(member.key)).append("\":").append(member.value.text);
  }
  text.push_back('}');
  slices_.clear();
  return Value::from_validated_json(std::move(text));
}

std::optional<Value> FrameDecoder::take_field(std::string_view name) {
  for (auto slice = slices_.begin(); slice != slices_.end(); ++slice) {
    if (field_name(slice->key) != name) continue;
    Value taken = from_slice(slice->value);
    in_one_piece_ = in_one_piece_ && (slice == slices_.begin() || slice + 1 == slices_.end());
    slices_.erase(slice);
    return taken;
  }
  Value* value = fields_.find(name);
  if (value == nullptr) return std::nullopt;
  Value taken = std::move(*value);
  fields_.erase(name);
  return taken;
}

void FrameDecoder::release_args() {
  constexpr std::size_t kKeptArgs = 16;
  if (args_.capacity() > kKeptArgs) args_ = {};
  args_.clear();
}

std::vector<Value>& FrameDecoder::take_args(const NativeShape* shape) {
  std::vector<Value>& args = args_;
  args.clear();
  if (shape != nullptr) {
    args.reserve(shape->arguments.size() + 1);
    for (const std::string& names : shape->arguments) {
      args.push_back(take_first(names, [&](std::string_view name) { return take_field(name); })
                         .value_or(Value()));
    }
  }
  if (args.empty() || !slices_.empty() || !fields_.empty()) args.push_back(rest_as_object());
  return args;
}

std::vector<Value> FrameDecoder::take_answer() {
  if (!slices_.empty()) keep_fields();
  if (fields_.size() == 1) {
    if (Value* list = fields_.find("args"); list != nullptr && list->is_array())
      return std::move(list->as_array());
    if (Value* data = fields_.find("data")) return {std::move(*data)};
  }
  return {Value(std::move(fields_))};
}

// -- out ----------------------------------------------------------------------------------------

void encode_event(std::string& out, Codec codec, std::string_view event, std::span<const Value> args,
                  const NativeShape* shape, std::optional<std::uint64_t> ack_id) {
  FrameWriter writer(out, codec);
  writer.event_head(event, shape, ack_id);
  writer.args(args, shape, false);
  writer.finish();
}

void encode_event_text(std::string& out, std::string_view event, std::string_view object,
                       std::span<const json::MemberPlace> members, const NativeShape* shape,
                       std::optional<std::uint64_t> ack_id) {
  FrameWriter writer(out, Codec::kJson);
  writer.event_head(event, shape, ack_id);
  writer.placed(object, members, shape);
  writer.finish();
}

void encode_ack(std::string& out, Codec codec, std::string_view id, std::span<const Value> args) {
  FrameWriter writer(out, codec);
  writer.answer_head(id);
  writer.args(args, nullptr, true);
  writer.finish();
}

void encode_error(std::string& out, Codec codec, const Error& error) {
  FrameWriter writer(out, codec);
  writer.text("type", "error");
  writer.text("error", error.text());
  writer.text("code", error.kebab());
  if (error.retry_after_ms() > 0) writer.add("retryAfter", Value(error.retry_after_ms()));
  writer.finish();
}

void encode_pong(std::string& out, Codec codec, std::string_view id, std::int64_t timestamp) {
  FrameWriter writer(out, codec);
  writer.text("type", "pong");
  if (!id.empty()) writer.raw("id", id);
  writer.add("timestamp", Value(timestamp));
  writer.finish();
}

}  // namespace wirehall::native
