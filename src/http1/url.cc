#include "http1/url.h"

#include <algorithm>

#include "base/byte_words.h"
#include "base/utf8.h"

namespace wirehall::http1 {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// -1 where no two digits follow.
int escaped_byte(std::string_view text, std::size_t i) {
  if (i + 2 >= text.size()) return -1;
  const int high = hex_digit(text[i + 1]);
  const int low = hex_digit(text[i + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

}  // namespace

std::optional<QueryPart> take_query_part(std::string_view& query) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    return QueryPart{pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size()))};
  }
  return std::nullopt;
}

bool is_plain_query_text(std::string_view text) {
  using namespace byte_words;
  return all_of(
      text, [](Word word) { return equal_to(word, '%') | equal_to(word, '+') | word; },
      [](char c) { return c != '%' && c != '+' && static_cast<unsigned char>(c) < 0x80; });
}

std::string decode_query_text(std::string_view text) {
  if (is_plain_query_text(text)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? escaped_byte(text, i) : -1;
    if (byte >= 0) {
      out.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return is_valid_utf8(out) ? out : replace_invalid_utf8(out);
}

QueryPairs parse_query(std::string_view query, std::size_t pairs_max) {
  QueryPairs pairs;
  while (pairs.size() < pairs_max) {
    const std::optional<QueryPart> part = take_query_part(query);
    if (!part) break;
    pairs.emplace_back(decode_query_text(part->name), decode_query_text(part->value));
  }
  return pairs;
}

std::optional<std::string_view> find_last(const QueryPairs& pairs, std::string_view name) {
  const auto found =
      std::find_if(pairs.rbegin(), pairs.rend(), [&](const auto& pair) { return pair.first == name; });
  return found == pairs.rend() ? std::nullopt : std::optional<std::string_view>(found->second);
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int byte = escaped_byte(text, i);
    if (byte < 0) return std::nullopt;
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  return out;
}

std::optional<std::string> safe_relative_path(std::string_view path, bool& bad_bytes) {
  bad_bytes = false;
  std::optional<std::string> decoded = percent_decode(path);
  if (!decoded || std::any_of(decoded->begin(), decoded->end(),
                              [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    bad_bytes = true;
    return std::nullopt;
  }
  std::string_view rest = *decoded;
  if (rest.empty() || rest.front() != '/' || rest.find('\\') != std::string_view::npos) return std::nullopt;
  rest.remove_prefix(1);
  const std::string relative(rest);
  while (!rest.empty()) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, slash);
    if (segment.empty() || segment.front() == '.') return std::nullopt;
    rest.remove_prefix(std::min(slash + 1, rest.size()));
  }
  return relative;
}

}  // namespace wirehall::http1
