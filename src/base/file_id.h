// The names of uploads and stored files.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace wirehall {

inline constexpr std::size_t kFileIdBytesMin = 8;
inline constexpr std::size_t kFileIdBytesMax = 64;

/// Whether `text` may name an upload or a file: `[A-Za-z0-9_-]{8,64}`. Such a name is no path: it has neither
/// a slash nor a dot.
inline bool is_file_id(std::string_view text) {
  if (text.size() < kFileIdBytesMin || text.size() > kFileIdBytesMax) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
}

}  // namespace wirehall
