#include "base/msgpack.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/json.h"
#include "base/utf8.h"

namespace wirehall::msgpack {
namespace {

void append_tagged(std::string& out, unsigned tag, std::uint64_t value, int bytes) {
  out.push_back(static_cast<char>(tag));
  for (int shift = bytes * 8 - 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

void append_double(std::string& out, double number) {
  // Beyond 2^53 a double is a float on the wire: JavaScript's encoders stop treating it as an integer.
  if (std::floor(number) == number && std::fabs(number) <= 9007199254740991.0 &&
      !(number == 0 && std::signbit(number))) {
    append_integer(out, static_cast<std::int64_t>(number));
    return;
  }
  append_tagged(out, 0xcb, std::bit_cast<std::uint64_t>(number), 8);
}

// Proleptic Gregorian, as JavaScript's Date.prototype.toISOString for years 0 to 9999.
std::string iso_date(std::int64_t ms) {
  const std::int64_t day_ms = 86'400'000;
  std::int64_t days = ms / day_ms;
  std::int64_t rest = ms % day_ms;
  if (rest < 0) {
    rest += day_ms;
    --days;
  }
  // Days to civil: counted from 0000-03-01 in eras of 400 years.
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  const unsigned day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const std::int64_t year = static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0);
  char text[64];
  std::snprintf(text, sizeof text, "%04lld-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<long long>(year),
                month, day, static_cast<int>(rest / 3'600'000), static_cast<int>(rest / 60'000 % 60),
                static_cast<int>(rest / 1000 % 60), static_cast<int>(rest % 1000));
  return text;
}

class Decoder {
 public:
  Decoder(std::string_view bytes, std::uint32_t depth_max) : rest_(bytes), depth_max_(depth_max) {}

  bool value(Value& out, std::uint32_t depth) {
    std::uint64_t tag = 0;
    if (++values_ > json::kValuesMax) return false;
    if (!unsigned_integer(1, tag)) return false;
    if (tag < 0x80) return set(out, Value(static_cast<std::int64_t>(tag)));
    if (tag < 0x90) return map(out, tag & 0x0f, depth);
    if (tag < 0xa0) return array(out, tag & 0x0f, depth);
    if (tag < 0xc0) return text(out, tag & 0x1f);
    if (tag >= 0xe0) return set(out, Value(static_cast<std::int64_t>(static_cast<std::int8_t>(tag))));
    return tagged(out, static_cast<unsigned>(tag), depth);
  }

  bool at_end() const { return rest_.empty(); }
  bool too_deep() const { return too_deep_; }
  bool too_many() const { return values_ > json::kValuesMax; }

 private:
  static bool set(Value& out, Value value) {
    out = std::move(value);
    return true;
  }

  bool unsigned_integer(int bytes, std::uint64_t& out) {
    if (rest_.size() < static_cast<std::size_t>(bytes)) return false;
    out = 0;
    for (int i = 0; i < bytes; ++i)
      out = out << 8 | static_cast<unsigned char>(rest_[static_cast<std::size_t>(i)]);
    rest_.remove_prefix(static_cast<std::size_t>(bytes));
    return true;
  }

  bool take(std::uint64_t size, std::string_view& out) {
    if (rest_.size() < size) return false;
    out = rest_.substr(0, static_cast<std::size_t>(size));
    rest_.remove_prefix(static_cast<std::size_t>(size));
    return true;
  }

  bool tagged(Value& out, unsigned tag, std::uint32_t depth) {
    std::uint64_t n = 0;
    switch (tag) {
      case 0xc0: return set(out, Value());
      case 0xc2: return set(out, Value(false));
      case 0xc3: return set(out, Value(true));
      case 0xc4:
      case 0xc5:
      case 0xc6: return unsigned_integer(1 << (tag - 0xc4), n) && binary(out, n);
      case 0xc7:
      case 0xc8:
      case 0xc9: return unsigned_integer(1 << (tag - 0xc7), n) && extension(out, n);
      case 0xca:
        if (!unsigned_integer(4, n)) return false;
        return set(out, Value(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(n)))));
      case 0xcb: return unsigned_integer(8, n) && set(out, Value(std::bit_cast<double>(n)));
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        if (!unsigned_integer(1 << (tag - 0xcc), n)) return false;
        return set(out, n > INT64_MAX ? Value(static_cast<double>(n)) : Value(static_cast<std::int64_t>(n)));
      case 0xd0:
        return unsigned_integer(1, n) &&
               set(out, Value(static_cast<std::int64_t>(static_cast<std::int8_t>(n))));
      case 0xd1:
        return unsigned_integer(2, n) &&
               set(out, Value(static_cast<std::int64_t>(static_cast<std::int16_t>(n))));
      case 0xd2:
        return unsigned_integer(4, n) &&
               set(out, Value(static_cast<std::int64_t>(static_cast<std::int32_t>(n))));
      case 0xd3: return unsigned_integer(8, n) && set(out, Value(static_cast<std::int64_t>(n)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8: return extension(out, std::uint64_t{1} << (tag - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb: return unsigned_integer(1 << (tag - 0xd9), n) && text(out, n);
      case 0xdc:
      case 0xdd: return unsigned_integer(2 << (tag - 0xdc), n) && array(out, n, depth);
      case 0xde:
      case 0xdf: return unsigned_integer(2 << (tag - 0xde), n) && map(out, n, depth);
      default: return false;
    }
  }

  bool text(Value& out, std::uint64_t size) {
    std::string_view bytes;
    if (!take(size, bytes) || !is_valid_utf8(bytes)) return false;
    return set(out, Value(bytes));
  }

  bool binary(Value& out, std::uint64_t size) {
    std::string_view bytes;
    return take(size, bytes) && set(out, Value(Bytes{std::string(bytes)}));
  }

  bool extension(Value& out, std::uint64_t size) {
    std::uint64_t type = 0;
    std::string_view bytes;
    if (!unsigned_integer(1, type) || !take(size, bytes)) return false;
    if (type == 0 && size == 1) return set(out, Value());  // undefined
    std::uint64_t n = 0;
    for (const char c : bytes.substr(0, 8)) n = n << 8 | static_cast<unsigned char>(c);
    if (type == 0 && size == 8) return set(out, Value(iso_date(clamp_date(static_cast<std::int64_t>(n)))));
    if (type != 0xff) return false;
    if (size == 4) return set(out, Value(iso_date(static_cast<std::int64_t>(n) * 1000)));
    if (size == 8) {
      const auto seconds = static_cast<std::int64_t>(n & 0x3ffffffffu);
      return set(out, Value(iso_date(seconds * 1000 + static_cast<std::int64_t>(n >> 34) / 1'000'000)));
    }
    return false;
  }

  static std::int64_t clamp_date(std::int64_t ms) {
    constexpr std::int64_t kMax = 8'640'000'000'000'000;  // ECMAScript's time range
    return ms > kMax ? kMax : ms < -kMax ? -kMax : ms;
  }

  bool enter(std::uint32_t depth) {
    if (depth < depth_max_) return true;
    too_deep_ = true;
    return false;
  }

  bool array(Value& out, std::uint64_t count, std::uint32_t depth) {
    if (count > rest_.size() || !enter(depth)) return false;
    Array elements;
    elements.reserve(static_cast<std::size_t>(count < 64 ? count : 64));
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!value(elements.emplace_back(), depth + 1)) return false;
    }
    return set(out, Value(std::move(elements)));
  }

  bool key(std::string& out) {
    const auto tag = rest_.empty() ? 0u : static_cast<unsigned char>(rest_[0]);
    if (tag >= 0xa0 && tag < 0xc0) {  // the usual key
      if (++values_ > json::kValuesMax) return false;
      rest_.remove_prefix(1);
      std::string_view bytes;
      if (!take(tag & 0x1f, bytes) || !is_valid_utf8(bytes)) return false;
      out.assign(bytes);
      return true;
    }
    Value any;
    if (!value(any, depth_max_)) return false;
    if (any.is_int()) {
      out = std::to_string(any.as_int());
      return true;
    }
    if (!any.is_string()) return false;
    out = std::move(any.as_string());
    return true;
  }

  bool map(Value& out, std::uint64_t count, std::uint32_t depth) {
    if (count * 2 > rest_.size() || !enter(depth)) return false;
    Object members;
    members.reserve(static_cast<std::size_t>(count < 16 ? count : 16));
    for (std::uint64_t i = 0; i < count; ++i) {
      std::string name;
      Value member;
      if (!key(name) || !value(member, depth + 1)) return false;
      members.append(std::move(name), std::move(member));
    }
    members.keep_last_duplicates();
    return set(out, Value(std::move(members)));
  }

  std::string_view rest_;
  std::uint32_t depth_max_;
  std::uint32_t values_ = 0;
  bool too_deep_ = false;
};

}  // namespace

void append_integer(std::string& out, std::int64_t n) {
  if (n >= 0) {
    const auto u = static_cast<std::uint64_t>(n);
    if (u < 0x80) {
      out.push_back(static_cast<char>(u));
    } else if (u <= 0xff) {
      append_tagged(out, 0xcc, u, 1);
    } else if (u <= 0xffff) {
      append_tagged(out, 0xcd, u, 2);
    } else if (u <= 0xffffffff) {
      append_tagged(out, 0xce, u, 4);
    } else {
      append_tagged(out, 0xcf, u, 8);
    }
    return;
  }
  const auto u = static_cast<std::uint64_t>(n);
  if (n >= -32) {
    out.push_back(static_cast<char>(n));
  } else if (n >= INT8_MIN) {
    append_tagged(out, 0xd0, u, 1);
  } else if (n >= INT16_MIN) {
    append_tagged(out, 0xd1, u, 2);
  } else if (n >= INT32_MIN) {
    append_tagged(out, 0xd2, u, 4);
  } else {
    append_tagged(out, 0xd3, u, 8);
  }
}

void append_string(std::string& out, std::string_view text) {
  std::string mended;
  if (!is_valid_utf8(text)) text = mended = replace_invalid_utf8(text);
  if (text.size() < 32) {
    out.push_back(static_cast<char>(0xa0 | text.size()));
  } else if (text.size() <= 0xff) {
    append_tagged(out, 0xd9, text.size(), 1);
  } else if (text.size() <= 0xffff) {
    append_tagged(out, 0xda, text.size(), 2);
  } else {
    append_tagged(out, 0xdb, text.size(), 4);
  }
  out.append(text);
}

void append_bytes(std::string& out, std::string_view bytes) {
  if (bytes.size() <= 0xff) {
    append_tagged(out, 0xc4, bytes.size(), 1);
  } else if (bytes.size() <= 0xffff) {
    append_tagged(out, 0xc5, bytes.size(), 2);
  } else {
    append_tagged(out, 0xc6, bytes.size(), 4);
  }
  out.append(bytes);
}

void append_array_header(std::string& out, std::uint32_t n) {
  if (n < 16) {
    out.push_back(static_cast<char>(0x90 | n));
  } else if (n <= 0xffff) {
    append_tagged(out, 0xdc, n, 2);
  } else {
    append_tagged(out, 0xdd, n, 4);
  }
}

void append_map_header(std::string& out, std::uint32_t n) {
  if (n < 16) {
    out.push_back(static_cast<char>(0x80 | n));
  } else if (n <= 0xffff) {
    append_tagged(out, 0xde, n, 2);
  } else {
    append_tagged(out, 0xdf, n, 4);
  }
}

void append_undefined(std::string& out) { out.append("\xd4\x00\x00", 3); }

void encode(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull: out.push_back(static_cast<char>(0xc0)); break;
    case Value::Kind::kBool: out.push_back(static_cast<char>(value.as_bool() ? 0xc3 : 0xc2)); break;
    case Value::Kind::kInt: append_integer(out, value.as_int()); break;
    case Value::Kind::kDouble: append_double(out, value.as_double()); break;
    case Value::Kind::kString: append_string(out, value.as_string()); break;
    case Value::Kind::kBytes: append_bytes(out, value.as_bytes().data); break;
    case Value::Kind::kArray:
      append_array_header(out, static_cast<std::uint32_t>(value.as_array().size()));
      for (const Value& element : value.as_array()) encode(out, element);
      break;
    case Value::Kind::kObject:
      append_map_header(out, static_cast<std::uint32_t>(value.as_object().size()));
      for (const Member& member : value.as_object()) {
        append_string(out, member.key);
        encode(out, member.value);
      }
      break;
  }
}

Result<Value> decode(std::string_view bytes, std::uint32_t depth_max) {
  Decoder decoder(bytes, depth_max);
  Value value;
  if (decoder.value(value, 0) && decoder.at_end()) return value;
  if (decoder.too_many()) return ErrorCode::kTooLarge;
  return decoder.too_deep() ? ErrorCode::kJsonDepth : ErrorCode::kMsgpackSyntax;
}

}  // namespace wirehall::msgpack
