// Reading what clients send: each field is there and of its kind, or the answer says which is not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wirehall/result.h"
#include "wirehall/value.h"

namespace wirehall::services {

/// Whether a room's or user's name can be used: not empty, not too long, UTF-8 without control characters.
bool is_valid_name(std::string_view name, std::size_t bytes_max);

/// The fields of one event; the first fault stays.
///
///   Fields fields(object);
///   const std::string room = fields.room();
///   const std::string id = fields.text("messageId", kIdBytesMax);
///   if (!fields.ok()) return fields.error();
class Fields {
 public:
  explicit Fields(const Object& object) : object_(object) {}
  bool ok() const { return status_.ok(); }
  const Error& error() const { return status_.error(); }

  /// A text that must be there. Errors: kInvalidFormat, kTooLarge.
  std::string text(std::string_view name, std::size_t bytes_max);
  /// Empty when it is missing or null.
  std::string text_or_empty(std::string_view name, std::size_t bytes_max);
  /// `roomId`, or `room`.
  std::string room();
  std::optional<std::string> optional_room();
  std::string user(std::string_view name);
  std::optional<std::string> optional_user(std::string_view name);
  /// A whole number from 0 on; nothing when it is missing or null.
  std::optional<std::uint64_t> number(std::string_view name);
  /// A list of texts; nothing when it is missing or null.
  std::optional<std::vector<std::string>> texts(std::string_view name, std::size_t bytes_max, std::size_t count_max);
  /// An object as JSON text; empty when it is missing or null.
  std::string json_object(std::string_view name, std::size_t bytes_max);
  /// Any value that is there.
  Value value(std::string_view name, std::size_t json_bytes_max);
  void refuse(Error error);

 private:
  const Value* find(std::string_view name) const;
  const Object& object_;
  Status status_;
};

inline constexpr std::size_t kNameBytesMax = 255;      ///< of rooms and users
inline constexpr std::size_t kIdBytesMax = 128;        ///< of messages, calls, uploads, and clients' own keys
inline constexpr std::size_t kKindBytesMax = 64;       ///< of a message's type

}  // namespace wirehall::services
