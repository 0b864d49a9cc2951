// Parsing to values, and writing them.
#include "base/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/assert.h"
#include "base/base64.h"
#include "base/json_text.h"
#include "base/utf8.h"

namespace wirehall::json {
namespace {

std::uint32_t hex4(std::string_view text) {
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + 4, value, 16);
  return value;
}

// Builds values from a text that the scanner accepted; so it only has to recognise, not to check.
class Builder {
 public:
  explicit Builder(std::string_view text) : cursor_(text.data()), end_(text.data() + text.size()) {}

  // Recursion is bounded: the scanner has refused deeper texts.
  Value value() {
    skip_space();
    switch (*cursor_) {
      case '{': return object();
      case '[': return array();
      case '"': return Value(string());
      case 't': cursor_ += 4; return Value(true);
      case 'f': cursor_ += 5; return Value(false);
      case 'n': cursor_ += 4; return Value(nullptr);
      default: return number();
    }
  }

 private:
  void skip_space() {
    while (cursor_ != end_ && (*cursor_ == ' ' || *cursor_ == '\n' || *cursor_ == '\r' || *cursor_ == '\t'))
      ++cursor_;
  }

  std::string string() {
    const char* begin = ++cursor_;
    bool escaped = false;
    while (*(cursor_ = skip_plain(cursor_, end_)) != '"') {
      escaped = true;
      cursor_ += 2;
    }
    const std::string_view raw(begin, static_cast<std::size_t>(cursor_ - begin));
    ++cursor_;
    return escaped ? unescape(raw) : std::string(raw);
  }

  Value number() {
    const char* begin = cursor_;
    bool integer = true;
    for (; cursor_ != end_; ++cursor_) {
      const char c = *cursor_;
      if (c == '.' || c == 'e' || c == 'E') {
        integer = false;
      } else if ((c < '0' || c > '9') && c != '-' && c != '+') {
        break;
      }
    }
    if (integer) {
      std::int64_t exact = 0;
      const auto [end, error] = std::from_chars(begin, cursor_, exact);
      const bool minus_zero = exact == 0 && *begin == '-';
      if (error == std::errc() && end == cursor_ && !minus_zero) return Value(exact);
    }
    double number = 0;
    const auto [end, error] = std::from_chars(begin, cursor_, number);
    if (error == std::errc::result_out_of_range) number = overflow_or_zero(begin);
    return Value(number);
  }

  // from_chars leaves the value alone when the magnitude is out of range: decide as JavaScript does.
  double overflow_or_zero(const char* begin) const {
    const bool negative = *begin == '-';
    const std::string text(begin, cursor_);
    const double parsed = std::strtod(text.c_str(), nullptr);
    return negative ? -std::fabs(parsed) : parsed;
  }

  Value array() {
    Array elements;
    ++cursor_;
    skip_space();
    while (*cursor_ != ']') {
      elements.push_back(value());
      skip_space();
      if (*cursor_ == ',') ++cursor_;
    }
    ++cursor_;
    return Value(std::move(elements));
  }

  // Members are put together apart, so that each object takes memory once, and no more than it needs.
  Value object() {
    const std::size_t first = open_.size();
    if (first == 0) open_.reserve(8);
    ++cursor_;
    skip_space();
    while (*cursor_ != '}') {
      skip_space();
      std::string key = string();
      skip_space();
      ++cursor_;
      Value member = value();
      open_.emplace_back(std::string_view(), std::move(member)).key = std::move(key);
      skip_space();
      if (*cursor_ == ',') ++cursor_;
      skip_space();
    }
    ++cursor_;
    Object members;
    members.reserve(open_.size() - first);
    const auto begin = open_.begin() + static_cast<std::ptrdiff_t>(first);
    for (auto member = begin; member != open_.end(); ++member)
      members.append(std::move(member->key), std::move(member->value));
    open_.erase(begin, open_.end());
    members.keep_last_duplicates();
    return Value(std::move(members));
  }

  const char* cursor_;
  const char* end_;
  std::vector<Member> open_;  // of the objects that are not complete, the innermost's last
};

constexpr std::array<char, 256> kShortEscape = [] {
  std::array<char, 256> table{};
  for (int c = 0; c < 0x20; ++c) table[static_cast<std::size_t>(c)] = 'u';
  table['"'] = '"';
  table['\\'] = '\\';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  return table;
}();

void append_unicode_escape(std::string& out, std::uint32_t unit) {
  constexpr char kHex[] = "0123456789abcdef";
  out.append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(kHex[unit >> shift & 15]);
}

// The part of a string that is not plain ASCII; returns how many bytes were taken.
std::size_t append_multibyte(std::string& out, std::string_view rest) {
  std::uint32_t code_point = 0;
  const std::uint32_t length = decode_code_point(rest, code_point);
  if (length == 0) {
    append_code_point(out, 0xFFFD);
    return 1;
  }
  if (code_point >= 0xD800 && code_point <= 0xDFFF) {
    append_unicode_escape(out, code_point);
  } else {
    out.append(rest.substr(0, length));
  }
  return length;
}

}  // namespace

std::string unescape(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size();) {
    const std::size_t backslash = std::min(raw.find('\\', i), raw.size());
    out.append(raw.substr(i, backslash - i));
    i = backslash;
    if (i == raw.size()) break;
    const char c = raw[i + 1];
    i += 2;
    switch (c) {
      case 'b': out.push_back('\b'); break;
      case 'f': out.push_back('\f'); break;
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 't': out.push_back('\t'); break;
      case 'u': {
        std::uint32_t unit = hex4(raw.substr(i, 4));
        i += 4;
        if (unit >= 0xD800 && unit < 0xDC00 && raw.substr(i, 2) == "\\u") {
          const std::uint32_t low = hex4(raw.substr(i + 2, 4));
          if (low >= 0xDC00 && low < 0xE000) {
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            i += 6;
          }
        }
        append_code_point(out, unit);
        break;
      }
      default: out.push_back(c);
    }
  }
  return out;
}

Value parse_validated(std::string_view text) { return Builder(text).value(); }

Result<Value> parse(std::string_view text, std::uint32_t depth_max) {
  if (!is_valid_utf8(text)) return Error(ErrorCode::kJsonSyntax, "not UTF-8");
  switch (validate(text, depth_max)) {
    case Status::kOk: return parse_validated(text);
    case Status::kDepth: return ErrorCode::kJsonDepth;
    case Status::kTooMany: return ErrorCode::kTooLarge;
    default: return ErrorCode::kJsonSyntax;
  }
}

namespace {

// Below so many bytes looking at each of them is cheaper than looking at many at once, as most keys are.
constexpr std::size_t kShortText = 32;

// Everything beyond ASCII stays as it is.
void append_utf8(std::string& out, std::string_view utf8) {
  const char* cursor = utf8.data();
  const char* const end = cursor + utf8.size();
  for (;;) {
    const char* const stop = skip_plain(cursor, end);
    out.append(cursor, stop);
    if (stop == end) return;
    const auto byte = static_cast<unsigned char>(*stop);
    if (kShortEscape[byte] == 'u') {
      append_unicode_escape(out, byte);
    } else {
      const char escape[] = {'\\', kShortEscape[byte]};
      out.append(escape, 2);
    }
    cursor = stop + 1;
  }
}

// Whatever it is: what is ill-formed is mended, and surrogates are escaped.
void append_any(std::string& out, std::string_view text) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80 && kShortEscape[byte] == 0) {
      ++i;
      continue;
    }
    out.append(text.substr(begin, i - begin));
    if (byte >= 0x80) {
      i += append_multibyte(out, text.substr(i));
    } else {
      if (kShortEscape[byte] == 'u') {
        append_unicode_escape(out, byte);
      } else {
        out.push_back('\\');
        out.push_back(kShortEscape[byte]);
      }
      ++i;
    }
    begin = i;
  }
  out.append(text.substr(begin));
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  if (text.size() >= kShortText && is_valid_utf8(text)) {
    append_utf8(out, text);
  } else {
    append_any(out, text);
  }
  out.push_back('"');
}

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 24> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  out.append(buffer.data(), end);
}

// ECMAScript Number::toString(x) in radix 10: the shortest digits, placed by the exponent.
void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out.append("null");
    return;
  }
  if (number == 0) {
    out.push_back('0');
    return;
  }
  std::array<char, 32> buffer;
  // Where JavaScript writes no exponent, and a whole number is written with its own digits, not with zeros.
  if (const double magnitude = std::fabs(number); magnitude >= 1e-6 && magnitude < 9007199254740992.0) {
    const auto [end, error] =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed);
    out.append(buffer.data(), end);
    return;
  }
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific);
  std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  if (text.front() == '-') {
    out.push_back('-');
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  int exponent = 0;
  const char* exponent_begin = text.data() + e + 1 + (text[e + 1] == '+' ? 1 : 0);
  std::from_chars(exponent_begin, text.data() + text.size(), exponent);
  std::string digits(1, text[0]);
  if (e > 1) digits.append(text.substr(2, e - 2));
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // ECMAScript's n
  if (count <= point && point <= 21) {
    out.append(digits).append(static_cast<std::size_t>(point - count), '0');
  } else if (0 < point && point <= 21) {
    out.append(digits, 0, static_cast<std::size_t>(point))
        .append(".")
        .append(digits, static_cast<std::size_t>(point));
  } else if (-6 < point && point <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
  } else {
    out.push_back(digits[0]);
    if (count > 1) out.append(".").append(digits, 1);
    out.append(exponent < 0 ? "e-" : "e+");
    append_number(out, static_cast<std::int64_t>(std::abs(exponent)));
  }
}

void Writer::write(const Value& value) {
  if (const std::string* text = value.unparsed_json()) {
    out_.append(*text);
    return;
  }
  switch (value.kind()) {
    case Value::Kind::kNull: out_.append("null"); break;
    case Value::Kind::kBool: out_.append(value.as_bool() ? "true" : "false"); break;
    case Value::Kind::kInt: append_number(out_, value.as_int()); break;
    case Value::Kind::kDouble: append_number(out_, value.as_double()); break;
    case Value::Kind::kString: append_string(out_, value.as_string()); break;
    case Value::Kind::kBytes:
      if (bytes_as_ == BytesAs::kPlaceholder) {
        out_.append(R"({"_placeholder":true,"num":)");
        append_number(out_, static_cast<std::int64_t>(attachments_.size()));
        out_.push_back('}');
        attachments_.emplace_back(value.as_bytes().data);
      } else {
        out_.append(R"({"$binary":")");
        append_base64(out_, value.as_bytes().data);
        out_.append("\"}");
      }
      break;
    case Value::Kind::kArray: {
      out_.push_back('[');
      bool first = true;
      for (const Value& element : value.as_array()) {
        if (!first) out_.push_back(',');
        first = false;
        write(element);
      }
      out_.push_back(']');
      break;
    }
    case Value::Kind::kObject: write_object(value.as_object()); break;
  }
}

void Writer::write_object(const Object& object) {
  out_.push_back('{');
  bool first = true;
  for (const Member& member : object) {
    if (!first) out_.push_back(',');
    first = false;
    append_string(out_, member.key);
    out_.push_back(':');
    // A foreign `_placeholder: true` would make a receiver look for an attachment that is not its own
    // and, where there is none, close the connection: it is written so that it means nothing.
    if (bytes_as_ == BytesAs::kPlaceholder && member.key == "_placeholder" && member.value == Value(true)) {
      out_.append("false");
    } else {
      write(member.value);
    }
  }
  out_.push_back('}');
}

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

}  // namespace wirehall::json

namespace wirehall {

// -- Object -------------------------------------------------------------------------------------

Object::Object() = default;
Object::Object(std::initializer_list<Member> members) : members_(members) {}
Object::Object(const Object&) = default;
Object::Object(Object&&) noexcept = default;
Object& Object::operator=(const Object&) = default;
Object& Object::operator=(Object&&) noexcept = default;
Object::~Object() = default;

const Value* Object::find(std::string_view key) const {
  for (const Member& member : members_) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}
Value* Object::find(std::string_view key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

Value& Object::operator[](std::string_view key) {
  if (Value* found = find(key)) return *found;
  return members_.emplace_back(key, Value()).value;
}
void Object::set(std::string_view key, Value value) { (*this)[key] = std::move(value); }
void Object::append(std::string key, Value value) {
  members_.emplace_back(std::string_view(), std::move(value)).key = std::move(key);
}
void Object::reserve(std::size_t members) { members_.reserve(members); }

bool Object::erase(std::string_view key) {
  return std::erase_if(members_, [&](const Member& member) { return member.key == key; }) != 0;
}

bool Object::has_duplicates() const {
  for (std::size_t i = 1; i < members_.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (members_[i].key == members_[k].key) return true;
    }
  }
  return false;
}

void Object::keep_last_duplicates() {
  constexpr std::size_t kComparedMax = 16;  // so few are compared with each other, which takes no memory
  if (members_.size() <= kComparedMax && !has_duplicates()) return;
  // Sorting keeps this O(n log n): a hostile object of a hundred thousand keys must not cost n².
  std::vector<std::uint32_t> order(members_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return members_[a].key < members_[b].key; });
  std::vector<bool> superseded;
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    if (members_[order[i]].key != members_[order[i + 1]].key) continue;
    superseded.resize(members_.size());
    // JavaScript keeps the place of the first and the value of the last.
    std::swap(members_[order[i]].value, members_[order[i + 1]].value);
    superseded[order[i + 1]] = true;
    order[i + 1] = order[i];
  }
  if (superseded.empty()) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (superseded[i]) continue;
    if (kept != i) members_[kept] = std::move(members_[i]);
    ++kept;
  }
  members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(kept), members_.end());
}

std::size_t Object::size() const { return members_.size(); }
const Member* Object::begin() const { return members_.data(); }
const Member* Object::end() const { return members_.data() + members_.size(); }
Member* Object::begin() { return members_.data(); }
Member* Object::end() { return members_.data() + members_.size(); }

bool operator==(const Object& a, const Object& b) {
  if (a.size() != b.size()) return false;
  for (const Member& member : a) {
    const Value* other = b.find(member.key);
    if (other == nullptr || !(member.value == *other)) return false;
  }
  return true;
}

// -- Value --------------------------------------------------------------------------------------

Result<Value> Value::from_json(std::string_view text) { return json::parse(text); }

Value Value::from_validated_json(std::string text) {
  Value value;
  value.state_ = Unparsed{std::move(text)};
  return value;
}

const std::string* Value::unparsed_json() const {
  const Unparsed* unparsed = std::get_if<Unparsed>(&state_);
  return unparsed == nullptr ? nullptr : &unparsed->json;
}

void Value::parse_now() const {
  const std::string text = std::move(std::get<Unparsed>(state_).json);
  state_ = std::move(json::parse_validated(text).state_);
}

const Value* Value::find(std::string_view key) const { return is_object() ? as_object().find(key) : nullptr; }

const std::string* Value::find_string(std::string_view key) const {
  const Value* member = find(key);
  return member != nullptr && member->is_string() ? &member->as_string() : nullptr;
}

std::string Value::to_json() const {
  std::string out;
  json::Writer(out).write(*this);
  return out;
}

bool operator==(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number())
    return a.is_int() && b.is_int() ? a.as_int() == b.as_int() : a.as_double() == b.as_double();
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Value::Kind::kBool: return a.as_bool() == b.as_bool();
    case Value::Kind::kString: return a.as_string() == b.as_string();
    case Value::Kind::kBytes: return a.as_bytes() == b.as_bytes();
    case Value::Kind::kArray: return a.as_array() == b.as_array();
    case Value::Kind::kObject: return a.as_object() == b.as_object();
    default: return true;
  }
}

std::optional<std::int64_t> exact_integer(const Value& value) {
  if (value.is_int()) return value.as_int();
  if (!value.is_number()) return std::nullopt;
  const double number = value.as_double();
  // 2^63 is exact as a double; everything below it converts without overflow.
  if (!(number >= -9223372036854775808.0 && number < 9223372036854775808.0)) return std::nullopt;
  const auto integer = static_cast<std::int64_t>(number);
  return static_cast<double>(integer) == number ? std::optional(integer) : std::nullopt;
}

}  // namespace wirehall
