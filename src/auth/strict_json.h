// JSON objects that decide about trust: token headers, claims, key sets.
#pragma once

#include <cstdint>
#include <string_view>

#include "wirehall/value.h"

namespace wirehall::auth {

/// Parses a text whose top level is an object, and in which no object at any depth names a member twice:
/// of two equal names, two programs may believe different ones.
///
/// Errors:   kJsonSyntax (not UTF-8 too), kJsonDepth, kTooLarge (more than 4096 members or elements in one
///           place), kInvalidFormat (another kind of value, or a name that is there twice).
/// Cost:     O(length × depth).
/// Spec:     RFC 7515 section 4 and RFC 7519 section 4: names must be unique.
Result<Object> parse_strict_object(std::string_view text, std::uint32_t depth_max = 32);

}  // namespace wirehall::auth
