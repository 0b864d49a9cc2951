#include "services/hall/fields.h"

#include <algorithm>

#include "base/utf8.h"

namespace wirehall::services {

bool is_valid_name(std::string_view name, std::size_t bytes_max) {
  return !name.empty() && name.size() <= bytes_max && is_valid_utf8(name) &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void Fields::refuse(Error error) {
  if (status_.ok()) status_ = Status(std::move(error));
}

const Value* Fields::find(std::string_view name) const {
  const Value* value = object_.find(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string Fields::text_or_empty(std::string_view name, std::size_t bytes_max) {
  const Value* value = find(name);
  if (value == nullptr) return {};
  if (!value->is_string()) {
    refuse(Error(ErrorCode::kInvalidFormat, std::string(name) + " must be a string"));
    return {};
  }
  if (value->as_string().size() > bytes_max) {
    refuse(Error(ErrorCode::kTooLarge,
                 std::string(name) + " is longer than " + std::to_string(bytes_max) + " bytes"));
    return {};
  }
  return value->as_string();
}

std::string Fields::text(std::string_view name, std::size_t bytes_max) {
  if (find(name) == nullptr) {
    refuse(Error(ErrorCode::kInvalidFormat, std::string(name) + " is missing"));
    return {};
  }
  return text_or_empty(name, bytes_max);
}

std::optional<std::string> Fields::optional_user(std::string_view name) {
  const Value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    refuse(Error(ErrorCode::kInvalidFormat, std::string(name) + " must be a string"));
  } else if (!is_valid_name(value->as_string(), kNameBytesMax)) {
    refuse(Error(ErrorCode::kInvalidFormat, std::string(name) + " is empty, too long, or has control characters"));
  } else {
    return value->as_string();
  }
  return std::nullopt;
}

std::string Fields::user(std::string_view name) {
  if (find(name) == nullptr) refuse(Error(ErrorCode::kInvalidFormat, std::string(name) + " is missing"));
  return optional_user(name).value_or("");
}

std::optional<std::string> Fields::optional_room() {
  return optional_user(object_.contains("roomId") ? "roomId" : "room");
}

std::string Fields::room() {
  const std::optional<std::string> name = optional_room();
  if (!name) refuse(Error(ErrorCode::kInvalidFormat, "roomId must be a string"));
  return name.value_or("");
}

std::optional<std::uint64_t> Fields::number(std::string_view name) {
  const Value* value = find(name);
  if (value == nullptr) return std::nullopt;
  const std::optional<std::int64_t> number = exact_integer(*value);
  if (!number || *number < 0) {
    refuse(Error(ErrorCode::kInvalidFormat, std::string(name) + " must be a whole number, not below 0"));
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*number);
}

std::optional<std::vector<std::string>> Fields::texts(std::string_view name, std::size_t bytes_max,
                                                      std::size_t count_max) {
  const Value* value = find(name);
  if (value == nullptr) return std::nullopt;
  const auto is_text = [&](const Value& element) {
    return element.is_string() && !element.as_string().empty() && element.as_string().size() <= bytes_max;
  };
  if (!value->is_array() || !std::all_of(value->as_array().begin(), value->as_array().end(), is_text)) {
    refuse(Error(ErrorCode::kInvalidFormat, std::string(name) + " must be a list of strings"));
    return std::nullopt;
  }
  if (value->as_array().size() > count_max) {
    refuse(Error(ErrorCode::kTooLarge,
                 std::string(name) + " has more than " + std::to_string(count_max) + " entries"));
    return std::nullopt;
  }
  std::vector<std::string> list;
  for (const Value& element : value->as_array()) list.push_back(element.as_string());
  return list;
}

std::string Fields::json_object(std::string_view name, std::size_t bytes_max) {
  const Value* value = find(name);
  if (value == nullptr) return {};
  if (!value->is_object()) {
    refuse(Error(ErrorCode::kInvalidFormat, std::string(name) + " must be an object"));
    return {};
  }
  std::string json = value->to_json();
  if (json.size() <= bytes_max) return json;
  refuse(Error(ErrorCode::kTooLarge, std::string(name) + " is longer than " + std::to_string(bytes_max) + " bytes"));
  return {};
}

Value Fields::value(std::string_view name, std::size_t json_bytes_max) {
  const Value* value = find(name);
  if (value == nullptr) {
    refuse(Error(ErrorCode::kInvalidFormat, std::string(name) + " is missing"));
    return {};
  }
  if (value->to_json().size() <= json_bytes_max) return *value;
  refuse(Error(ErrorCode::kTooLarge,
               std::string(name) + " is longer than " + std::to_string(json_bytes_max) + " bytes"));
  return {};
}

}  // namespace wirehall::services
