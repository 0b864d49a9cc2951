#include "http1/conditional.h"

#include <algorithm>
#include <optional>

namespace wirehall::http1 {
namespace {

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

struct EntityTag {
  bool weak = false;
  std::string_view tag;  // with its quotes
};

// Takes a tag off the front. A tag may contain commas and backslashes; only its quotes end it.
std::optional<EntityTag> take_tag(std::string_view& text) {
  EntityTag found;
  std::string_view rest = text;
  if (rest.starts_with("W/")) {
    found.weak = true;
    rest.remove_prefix(2);
  }
  if (rest.empty() || rest.front() != '"') return std::nullopt;
  const std::size_t end = rest.find('"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  found.tag = rest.substr(0, end + 1);
  text = rest.substr(end + 1);
  return found;
}

bool any_list_matches(const RequestHead& head, std::string_view name, std::string_view etag,
                      EtagComparison comparison) {
  return std::any_of(head.fields.begin(), head.fields.end(), [&](const RequestHead::Field& field) {
    return same_token(head.name(field), name) && etag_list_matches(head.value(field), etag, comparison);
  });
}

}  // namespace

bool etag_list_matches(std::string_view list, std::string_view etag, EtagComparison comparison) {
  skip_blanks(list);
  if (list.starts_with("*")) {
    list.remove_prefix(1);
    skip_blanks(list);
    return list.empty();
  }
  for (;;) {
    while (!list.empty() && (list.front() == ',' || list.front() == ' ' || list.front() == '\t'))
      list.remove_prefix(1);
    const std::optional<EntityTag> entry = take_tag(list);
    if (!entry) return false;
    skip_blanks(list);
    if (!list.empty() && list.front() != ',') return false;
    if (entry->tag == etag && (!entry->weak || comparison == EtagComparison::kWeak)) return true;
  }
}

bool if_match_holds(const RequestHead& head, std::string_view etag) {
  return head.count("if-match") == 0 || any_list_matches(head, "if-match", etag, EtagComparison::kStrong);
}

bool if_none_match_names(const RequestHead& head, std::string_view etag) {
  return any_list_matches(head, "if-none-match", etag, EtagComparison::kWeak);
}

bool if_range_holds(const RequestHead& head, std::string_view etag) {
  const std::uint32_t count = head.count("if-range");
  if (count == 0) return true;
  std::string_view value = *head.find("if-range");
  const std::optional<EntityTag> tag = take_tag(value);
  return count == 1 && tag && value.empty() && !tag->weak && tag->tag == etag;
}

}  // namespace wirehall::http1
