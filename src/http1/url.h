// Percent-encoding, query strings, and paths that are safe to look up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wirehall::http1 {

using QueryPairs = std::vector<std::pair<std::string, std::string>>;
inline constexpr std::size_t kQueryPairsMax = 128;

/// One pair of a query string, still encoded.
struct QueryPart {
  std::string_view name;
  std::string_view value;
};
/// Takes the next pair off the front of `query`, without looking at its escapes. Returns: nullopt at the end.
std::optional<QueryPart> take_query_part(std::string_view& query);
/// Whether it is ASCII that decode_query_text() leaves as it is.
bool is_plain_query_text(std::string_view text);
/// Decodes a name or a value as parse_query() does.
std::string decode_query_text(std::string_view text);

/// Decodes `a=1&b=2` as URLSearchParams does: `+` is a space, `%XX` bytes, what is malformed stays as it
/// is; ill-formed UTF-8 becomes U+FFFD. At most `pairs_max` pairs are looked at.
QueryPairs parse_query(std::string_view query, std::size_t pairs_max = kQueryPairsMax);

/// Returns: the value of the last pair with that name (what a JavaScript object made of them holds).
std::optional<std::string_view> find_last(const QueryPairs& pairs, std::string_view name);

/// Decodes `%XX`; nullopt when a percent sign is not followed by two digits.
std::optional<std::string> percent_decode(std::string_view text);

/// The path decoded once, if it can name something below a root: no empty, `.` or `..` segments, no
/// backslash, no control byte, no second slash; a leading dot in a segment hides it too.
///
/// Returns:  the path without its leading slash, or nullopt. `bad_bytes` tells a refused byte from a
///           refused path.
std::optional<std::string> safe_relative_path(std::string_view path, bool& bad_bytes);

}  // namespace wirehall::http1
