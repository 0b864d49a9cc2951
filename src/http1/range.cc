#include "http1/range.h"

#include <algorithm>

#include "http1/conditional.h"
#include "http1/grammar.h"

namespace wirehall::http1 {
namespace {

using Kind = RangeChoice::Kind;

// Digits alone; nullopt for anything else, and for nothing.
std::optional<std::uint64_t> number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  bool too_large = false;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    too_large = too_large || value > (UINT64_MAX - digit) / 10;
    value = too_large ? UINT64_MAX : value * 10 + digit;
  }
  return value;
}

// The only entry of a list that may have empty ones too (RFC 9110 section 5.6.1.2); empty if there are more.
std::string_view only_entry(std::string_view list) {
  std::string_view only;
  const bool alone = each_of_list(list, [&](std::string_view entry) {
    if (!only.empty()) return false;
    only = entry;
    return true;
  });
  return alone ? only : std::string_view();
}

}  // namespace

RangeChoice choose_range(std::string_view range, std::uint64_t size) {
  const RangeChoice whole{Kind::kWhole, 0, size};
  const RangeChoice none{Kind::kUnsatisfiable, 0, 0};
  constexpr std::string_view kUnit = "bytes=";
  if (!same_token(range.substr(0, kUnit.size()), kUnit)) return whole;
  const std::string_view entry = only_entry(range.substr(kUnit.size()));
  const std::size_t dash = entry.find('-');
  if (dash == std::string_view::npos) return whole;
  const std::string_view first_text = entry.substr(0, dash);
  const std::string_view last_text = entry.substr(dash + 1);
  if (first_text.empty()) {
    const auto suffix = number(last_text);
    if (!suffix) return whole;
    if (*suffix == 0) return none;
    if (size == 0) return whole;
    const std::uint64_t wanted = std::min(*suffix, size);
    return {Kind::kPart, size - wanted, wanted};
  }
  const auto first = number(first_text);
  const auto last = last_text.empty() ? std::optional<std::uint64_t>(UINT64_MAX) : number(last_text);
  if (!first || !last || *last < *first) return whole;
  if (*first >= size) return none;
  return {Kind::kPart, *first, std::min(*last, size - 1) - *first + 1};
}

RangeChoice choose_range(const RequestHead& head, std::uint64_t size, std::string_view etag) {
  if (head.method != Method::kGet || head.count("range") != 1 || !if_range_holds(head, etag))
    return {Kind::kWhole, 0, size};
  return choose_range(*head.find("range"), size);
}

std::string content_range(const RangeChoice& part, std::uint64_t size) {
  return "bytes " + std::to_string(part.offset) + "-" + std::to_string(part.offset + part.size - 1) + "/" +
         std::to_string(size);
}

std::string unsatisfied_range(std::uint64_t size) { return "bytes */" + std::to_string(size); }

}  // namespace wirehall::http1
