// Entity tags, and the conditions that requests make of them (RFC 9110 sections 8.8.3 and 13). There are no
// conditions on dates: what is served here has tags and no Last-Modified.
#pragma once

#include <string_view>

#include "http1/head.h"

namespace wirehall::http1 {

/// Whether a list of entity tags, or `*`, names the tag. What stands behind the first malformed entry counts
/// for nothing.
///
/// Requires: `etag` is a strong tag, quotes and all.
/// Spec:     RFC 9110 section 8.8.3.2: weak comparison takes `W/"a"` for `"a"`, strong comparison does not.
enum class EtagComparison { kWeak, kStrong };
bool etag_list_matches(std::string_view list, std::string_view etag, EtagComparison comparison);

/// Whether `If-Match` lets the request through; without that field it does.
bool if_match_holds(const RequestHead& head, std::string_view etag);

/// Whether the client has this already: `If-None-Match` names it, and 304 is the answer.
bool if_none_match_names(const RequestHead& head, std::string_view etag);

/// Whether `If-Range` lets `Range` count; without that field it does. A date never lets it.
bool if_range_holds(const RequestHead& head, std::string_view etag);

}  // namespace wirehall::http1
