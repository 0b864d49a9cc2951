// The head of an HTTP/1.1 request, as values.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"

namespace wirehall::http1 {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kOptions, kPatch, kOther };

/// Compares header names: ASCII, case-insensitive (RFC 9110 section 5.1).
inline bool same_token(std::string_view a, std::string_view b) { return a.size() == b.size() && equal_folded(a, b); }

/// Whether a comma-separated list has the token, case-insensitively (RFC 9110 section 5.6.1).
bool list_has_token(std::string_view list, std::string_view token);

/// A parsed request head; owns its bytes.
///
/// Thread:   a plain value; may be moved to another shard.
struct RequestHead {
  struct Field {
    std::uint32_t name_begin, name_size, value_begin, value_size;
  };

  Method method = Method::kOther;
  std::uint8_t minor_version = 1;
  bool keep_alive = true;
  std::string bytes;  ///< what the views below point into
  std::uint32_t target_begin = 0, target_size = 0;
  /// What a browser sends has room without a block of its own.
  static constexpr std::size_t kFieldsInside = 16;
  boost::container::small_vector<Field, kFieldsInside> fields;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool expects_continue = false;
  bool upgrade_lists_websocket = false;   ///< a field Upgrade does
  bool connection_lists_upgrade = false;  ///< a field Connection does

  /// The request target in origin form: path and query, still percent-encoded.
  std::string_view target() const { return {bytes.data() + target_begin, target_size}; }
  std::string_view path() const;
  std::string_view query() const;

  std::string_view name(const Field& field) const {
    return {bytes.data() + field.name_begin, field.name_size};
  }
  std::string_view value(const Field& field) const {
    return {bytes.data() + field.value_begin, field.value_size};
  }
  bool is_called(const Field& field, std::string_view wanted) const {
    return field.name_size == wanted.size() && equal_folded(name(field), wanted);
  }
  /// Returns: the first field of that name, or nullopt.
  std::optional<std::string_view> find(std::string_view name) const;
  /// How many fields of a name there were, and the first one's value.
  struct Seen {
    std::uint32_t count = 0;
    std::string_view first;
    void add(std::string_view value) {
      if (count++ == 0) first = value;
    }
  };
  /// How many fields have that name.
  std::uint32_t count(std::string_view name) const;

  bool has_body() const { return chunked || content_length.value_or(0) != 0; }
  /// Whether the client asks for the WebSocket protocol (it may still be malformed).
  bool wants_websocket() const { return upgrade_lists_websocket; }
};

}  // namespace wirehall::http1
