#include "http1/head.h"

#include <algorithm>

#include "http1/grammar.h"

namespace wirehall::http1 {

bool list_has_token(std::string_view list, std::string_view token) {
  return !each_of_list(list, [&](std::string_view element) { return !same_token(element, token); });
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

std::uint32_t RequestHead::count(std::string_view wanted) const {
  return static_cast<std::uint32_t>(
      std::count_if(fields.begin(), fields.end(), [&](const Field& field) { return is_called(field, wanted); }));
}

}  // namespace wirehall::http1
