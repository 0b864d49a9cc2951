// Value: what travels in events — JSON plus bytes.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "wirehall/result.h"

namespace wirehall {

class Value;

/// Binary data: an attachment in Socket.IO, `bin` in MessagePack, `{"$binary":"<base64>"}` in native JSON.
struct Bytes {
  std::string data;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

using Array = std::vector<Value>;
struct Member;

/// Members of a JSON object in the order in which they were written; a key occurs once.
///
/// Cost:     look-up is linear: objects in events are small.
/// Thread:   a plain value.
class Object {
 public:
  Object();
  Object(std::initializer_list<Member> members);
  Object(const Object&);
  Object(Object&&) noexcept;
  Object& operator=(const Object&);
  Object& operator=(Object&&) noexcept;
  ~Object();

  /// Returns: the member's value, or nullptr.
  /// Lifetime: until the object is changed.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  bool contains(std::string_view key) const { return find(key) != nullptr; }

  /// Returns: the member's value, appended as null when it was missing.
  Value& operator[](std::string_view key);
  /// Sets a member; one that exists keeps its place.
  void set(std::string_view key, Value value);
  /// Appends without looking for the key. Requires: the key is new.
  void append(std::string key, Value value);
  /// Makes room for so many members in all, for builders that append.
  void reserve(std::size_t members);
  /// Of members with the same key keeps the first one's place and the last one's value, as JavaScript
  /// does; for builders that append. Cost: O(n log n).
  void keep_last_duplicates();
  /// Returns: whether there was such a member.
  bool erase(std::string_view key);

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  const Member* begin() const;
  const Member* end() const;
  Member* begin();
  Member* end();
  friend bool operator==(const Object&, const Object&);

 private:
  bool has_duplicates() const;
  std::vector<Member> members_;
};

/// A JSON value, or bytes.
///
/// A value that came from a client may still hold its validated JSON text; it is parsed when somebody
/// looks inside, and written out again byte for byte when nobody did. Numbers written as integers that
/// fit 64 bits stay integers; everything else is a double, as in JavaScript.
///
/// Thread:   a plain value; but since looking inside may parse, even const use by two threads at once
///           needs a lock.
/// Lifetime: owns everything it holds.
class Value {
 public:
  enum class Kind : std::uint8_t { kNull, kBool, kInt, kDouble, kString, kBytes, kArray, kObject };

  Value() = default;
  Value(std::nullptr_t) {}                                          // NOLINT
  Value(std::same_as<bool> auto value) : state_(value) {}           // NOLINT
  Value(std::floating_point auto value) : state_(double(value)) {}  // NOLINT
  template <std::integral T>
  requires(!std::same_as<T, bool>) Value(T value) : state_(static_cast<std::int64_t>(value)) {}  // NOLINT
  Value(const char* text) : state_(std::string(text)) {}                                         // NOLINT
  Value(std::string_view text) : state_(std::string(text)) {}                                    // NOLINT
  Value(std::string text) : state_(std::move(text)) {}                                           // NOLINT
  Value(Bytes bytes) : state_(std::move(bytes)) {}                                               // NOLINT
  Value(Array array) : state_(std::move(array)) {}                                               // NOLINT
  Value(Object object) : state_(std::move(object)) {}                                            // NOLINT
  Value(std::initializer_list<Member> members) : state_(Object(members)) {}
  template <class T>
  Value(std::optional<T> value) {  // NOLINT
    if (value) *this = Value(*std::move(value));
  }

  /// Parses one JSON text (RFC 8259, nesting up to limits.json_depth_max).
  ///
  /// Errors:   kJsonSyntax, kJsonDepth; the detail names the offset.
  static Result<Value> from_json(std::string_view text);
  /// Wraps a JSON text that has been validated already; it is not parsed before it is looked at.
  static Value from_validated_json(std::string text);
  /// Returns: the text of a value nobody has looked into, else nullptr.
  const std::string* unparsed_json() const;

  Kind kind() const { return resolve().index_kind(); }
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_bool() const { return kind() == Kind::kBool; }
  bool is_int() const { return kind() == Kind::kInt; }
  bool is_number() const { return kind() == Kind::kInt || kind() == Kind::kDouble; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_bytes() const { return kind() == Kind::kBytes; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_object() const { return kind() == Kind::kObject; }

  // Requires: the value is of that kind (asserted).
  bool as_bool() const { return get<bool>(); }
  std::int64_t as_int() const { return get<std::int64_t>(); }
  double as_double() const { return is_int() ? double(as_int()) : get<double>(); }
  const std::string& as_string() const { return get<std::string>(); }
  const Bytes& as_bytes() const { return get<Bytes>(); }
  const Array& as_array() const { return get<Array>(); }
  const Object& as_object() const { return get<Object>(); }
  std::string& as_string() { return const_cast<std::string&>(get<std::string>()); }
  Bytes& as_bytes() { return const_cast<Bytes&>(get<Bytes>()); }
  Array& as_array() { return const_cast<Array&>(get<Array>()); }
  Object& as_object() { return const_cast<Object&>(get<Object>()); }

  /// Returns: the member of an object; nullptr when there is none, or when this is no object.
  const Value* find(std::string_view key) const;
  /// Returns: the member if it is a string, else nullptr.
  const std::string* find_string(std::string_view key) const;

  /// Converts to T: bool, numbers (integers only when exact), strings, Bytes, Value, std::vector,
  /// std::optional, and every type for which `bool from_value(const Value&, T&)` is found by lookup.
  ///
  /// Errors:   kInvalidFormat.
  template <class T>
  Result<T> to() const;

  /// The JSON text, in JavaScript's number format; bytes as `{"$binary":"<base64>"}`.
  std::string to_json() const;

  /// Deep equality; 1 and 1.0 are equal.
  friend bool operator==(const Value&, const Value&);

 private:
  struct Unparsed {
    std::string json;
  };
  using State =
      std::variant<std::monostate, bool, std::int64_t, double, std::string, Bytes, Array, Object, Unparsed>;

  const Value& resolve() const {
    if (state_.index() == 8) parse_now();
    return *this;
  }
  void parse_now() const;
  Kind index_kind() const { return static_cast<Kind>(state_.index()); }
  template <class T>
  const T& get() const {
    const T* held = std::get_if<T>(&resolve().state_);
    if (held == nullptr) std::abort();
    return *held;
  }

  mutable State state_;
};

/// One member of an object.
struct Member {
  Member(std::string_view k, Value v) : key(k), value(std::move(v)) {}
  std::string key;
  Value value;
};

// -- conversions --------------------------------------------------------------------------------

/// The number as an integer, when it is one and fits.
std::optional<std::int64_t> exact_integer(const Value& value);

inline bool from_value(const Value& value, Value& out) {
  out = value;
  return true;
}
inline bool from_value(const Value& value, std::string& out) {
  if (!value.is_string()) return false;
  out = value.as_string();
  return true;
}
inline bool from_value(const Value& value, Bytes& out) {
  if (!value.is_bytes()) return false;
  out = value.as_bytes();
  return true;
}
inline bool from_value(const Value& value, Object& out) {
  if (!value.is_object()) return false;
  out = value.as_object();
  return true;
}
inline bool from_value(const Value& value, std::same_as<bool> auto& out) {
  if (!value.is_bool()) return false;
  out = value.as_bool();
  return true;
}
inline bool from_value(const Value& value, std::floating_point auto& out) {
  if (!value.is_number()) return false;
  out = static_cast<std::remove_reference_t<decltype(out)>>(value.as_double());
  return true;
}
template <std::integral T>
requires(!std::same_as<T, bool>) bool from_value(const Value& value, T& out) {
  const std::optional<std::int64_t> number = exact_integer(value);
  if (!number || !std::in_range<T>(*number)) return false;
  out = static_cast<T>(*number);
  return true;
}
template <class T>
bool from_value(const Value& value, std::vector<T>& out);
template <class T>
bool from_value(const Value& value, std::optional<T>& out);

template <class T>
bool from_value(const Value& value, std::vector<T>& out) {
  if (!value.is_array()) return false;
  out.clear();
  for (const Value& element : value.as_array()) {
    T converted{};
    if (!from_value(element, converted)) return false;
    out.push_back(std::move(converted));
  }
  return true;
}
template <class T>
bool from_value(const Value& value, std::optional<T>& out) {
  out.reset();
  if (value.is_null()) return true;
  T converted{};
  if (!from_value(value, converted)) return false;
  out = std::move(converted);
  return true;
}

template <class T>
Result<T> Value::to() const {
  T out{};
  if (!from_value(*this, out)) return ErrorCode::kInvalidFormat;
  return out;
}

}  // namespace wirehall
