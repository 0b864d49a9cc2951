#include "auth/strict_json.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"

namespace wirehall::auth {
namespace {

ErrorCode code_of(json::Status status) {
  switch (status) {
    case json::Status::kOk: return ErrorCode::kOk;
    case json::Status::kDepth: return ErrorCode::kJsonDepth;
    case json::Status::kTooMany: return ErrorCode::kTooLarge;
    default: return ErrorCode::kJsonSyntax;
  }
}

bool has_equal_names(const std::vector<json::MemberSlice>& members) {
  std::vector<std::string> names;
  names.reserve(members.size());
  for (const json::MemberSlice& member : members)
    names.push_back(member.key_escaped ? json::unescape(member.key) : std::string(member.key));
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

// Requires: the text was validated with this depth, which bounds the recursion.
ErrorCode check_names(std::string_view text, std::uint32_t depth_max) {
  std::vector<std::string_view> inner;
  if (text.starts_with('{')) {
    std::vector<json::MemberSlice> members;
    const json::Status status = json::slice_object(text, depth_max, members);
    if (status != json::Status::kOk) return code_of(status);
    if (has_equal_names(members)) return ErrorCode::kInvalidFormat;
    for (const json::MemberSlice& member : members) inner.push_back(member.value.text);
  } else if (text.starts_with('[')) {
    std::vector<json::Slice> elements;
    const json::Status status = json::slice_array(text, depth_max, elements);
    if (status != json::Status::kOk) return code_of(status);
    for (const json::Slice& element : elements) inner.push_back(element.text);
  }
  for (const std::string_view part : inner) {
    if (const ErrorCode code = check_names(part, depth_max); code != ErrorCode::kOk) return code;
  }
  return ErrorCode::kOk;
}

}  // namespace

Result<Object> parse_strict_object(std::string_view text, std::uint32_t depth_max) {
  if (!is_valid_utf8(text)) return ErrorCode::kJsonSyntax;
  const json::Status status = json::validate(text, depth_max);
  if (status != json::Status::kOk) return code_of(status);
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (text[begin] != '{') return ErrorCode::kInvalidFormat;
  text.remove_prefix(begin);
  if (const ErrorCode code = check_names(text, depth_max); code != ErrorCode::kOk) return code;
  Value value = json::parse_validated(text);
  return std::move(value.as_object());
}

}  // namespace wirehall::auth
