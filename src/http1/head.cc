#include "http1/head.h"

#include <algorithm>

namespace wirehall::http1 {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool list_has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (same_token(trimmed(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

std::string_view RequestHead::path() const { return target().substr(0, target().find('?')); }

std::string_view RequestHead::query() const {
  const std::size_t mark = target().find('?');
  return mark == std::string_view::npos ? std::string_view() : target().substr(mark + 1);
}

std::optional<std::string_view> RequestHead::find(std::string_view wanted) const {
  for (const Field& field : fields) {
    if (is_called(field, wanted)) return value(field);
  }
  return std::nullopt;
}

RequestHead::Seen RequestHead::seen(std::string_view wanted) const {
  Seen seen;
  for (const Field& field : fields) {
    if (is_called(field, wanted)) seen.add(value(field));
  }
  return seen;
}

std::uint32_t RequestHead::count(std::string_view wanted) const {
  return static_cast<std::uint32_t>(
      std::count_if(fields.begin(), fields.end(), [&](const Field& field) { return is_called(field, wanted); }));
}

bool RequestHead::has_token(std::string_view wanted, std::string_view token) const {
  return std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
    return is_called(field, wanted) && list_has_token(value(field), token);
  });
}

}  // namespace wirehall::http1
