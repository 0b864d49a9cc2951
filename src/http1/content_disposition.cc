#include "http1/content_disposition.h"

#include "base/utf8.h"

namespace wirehall::http1 {
namespace {

constexpr std::size_t kNameBytesMax = 255;

bool is_between(std::uint32_t value, std::uint32_t first, std::uint32_t last) {
  return value >= first && value <= last;
}

// What has no place in a file's name, or makes people see another name than there is.
bool is_misleading(std::uint32_t c) {
  if (c < 0x20 || is_between(c, 0x7f, 0x9f) || c == '/' || c == '\\') return true;
  return c == 0x61c || is_between(c, 0x200e, 0x200f) || is_between(c, 0x2028, 0x202e) ||
         is_between(c, 0x2066, 0x2069) || c == 0xfeff;
}

std::string clean_name(std::string_view name) {
  const std::string text = replace_invalid_utf8(name.substr(0, kNameBytesMax + 1));
  std::string clean;
  bool says_something = false;
  for (std::string_view rest = text; !rest.empty();) {
    std::uint32_t c = 0;
    const std::uint32_t size = decode_code_point(rest, c);
    const std::string_view character = is_misleading(c) ? "_" : rest.substr(0, size);
    if (clean.size() + character.size() > kNameBytesMax) break;
    clean.append(character);
    says_something = says_something || (c != '.' && c != ' ');
    rest.remove_prefix(size);
  }
  return says_something ? clean : "file";
}

// RFC 8187 section 3.2.1: attr-char.
bool is_attribute_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$&+-.^_`|~").find(c) != std::string_view::npos;
}

}  // namespace

std::string attachment_disposition(std::string_view name) {
  const std::string clean = clean_name(name);
  std::string fallback, exact;
  for (const char c : clean) {
    const auto byte = static_cast<unsigned char>(c);
    // Some clients decode percent signs here, not all know the backslash (RFC 6266 appendix D), and some cut
    // at semicolons before they look for quotes.
    if (byte < 0x80) {
      fallback.push_back(c == '"' || c == '%' || c == ';' ? '_' : c);
    } else if ((byte & 0xc0) != 0x80) {
      fallback.push_back('_');  // for the whole character
    }
    if (is_attribute_char(c)) {
      exact.push_back(c);
    } else {
      exact.push_back('%');
      exact.push_back("0123456789ABCDEF"[byte >> 4]);
      exact.push_back("0123456789ABCDEF"[byte & 15]);
    }
  }
  return "attachment; filename=\"" + fallback + "\"; filename*=UTF-8''" + exact;
}

}  // namespace wirehall::http1
