#include "engineio/jsonp.h"

#include <algorithm>
#include <iterator>

#include "base/json.h"
#include "http1/url.h"

namespace wirehall::engineio {
namespace {

// Browsers turn newlines of a form into CRLF, so the client has written `\n` for a newline and `\\n` for a
// backslash before an n; further backslashes mean themselves.
std::string unescape_newlines(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (text.starts_with("\\\\n")) {
      out.append("\\n");
      text.remove_prefix(3);
    } else if (text.starts_with("\\n")) {
      out.push_back('\n');
      text.remove_prefix(2);
    } else {
      out.push_back(text[0]);
      text.remove_prefix(1);
    }
  }
  return out;
}

// U+2028 and U+2029 end a line in JavaScript before ES2019, but not in JSON.
void append_without_line_separators(std::string& script, std::string_view json) {
  for (;;) {
    const std::size_t at = std::min(json.find("\xe2\x80"), json.size());
    script.append(json.substr(0, at));
    json.remove_prefix(at);
    if (json.empty()) return;
    const std::string_view character = json.substr(0, 3);
    if (character == "\xe2\x80\xa8") {
      script.append("\\u2028");
    } else if (character == "\xe2\x80\xa9") {
      script.append("\\u2029");
    } else {
      script.append(character);
    }
    json.remove_prefix(character.size());
  }
}

}  // namespace

std::string jsonp_response(std::string_view index, std::string_view payload) {
  std::string script = "___eio[";
  std::copy_if(index.begin(), index.end(), std::back_inserter(script),
               [](char c) { return c >= '0' && c <= '9'; });
  script.append("](");
  std::string json;
  json::append_string(json, payload);
  append_without_line_separators(script, json);
  script.append(");");
  return script;
}

std::optional<std::string> jsonp_body(std::string_view form) {
  constexpr std::size_t kFieldsMax = 1000;
  const http1::QueryPairs fields = http1::parse_query(form, kFieldsMax);
  const auto is_payload = [](const auto& field) { return field.first == "d"; };
  const auto found = std::find_if(fields.begin(), fields.end(), is_payload);
  if (found == fields.end() || std::any_of(found + 1, fields.end(), is_payload)) return std::nullopt;
  return unescape_newlines(found->second);
}

}  // namespace wirehall::engineio
