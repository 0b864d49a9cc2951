#include "api/files.h"

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/file_id.h"
#include "http1/conditional.h"
#include "http1/content_disposition.h"
#include "http1/grammar.h"
#include "http1/range.h"

namespace wirehall::api {
namespace {

constexpr std::string_view kUnknownType = "application/octet-stream";
constexpr std::size_t kTypeBytesMax = 255;
constexpr std::size_t kSha256Digits = 64;

// -- media types (RFC 9110 section 8.3.1) ---------------------------------------------------------

// Takes a token off the front; false when there is none.
bool take_token(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), http1::is_token_char);
  const auto size = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(size);
  return size != 0;
}

bool take_quoted(std::string_view& text) {
  if (!text.starts_with('"')) return false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (text[i] == '\\') ++i;
    if (i == text.size() || text[i] < ' ' || text[i] == 0x7f)
      return false;  // above ASCII too: char is signed
  }
  return false;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

// type/subtype, and parameters.
bool is_media_type(std::string_view text) {
  if (text.size() > kTypeBytesMax) return false;
  if (!take_token(text) || !take(text, '/') || !take_token(text)) return false;
  while (!text.empty()) {
    skip_blanks(text);
    if (!take(text, ';')) return false;
    skip_blanks(text);
    if (!take_token(text) || !take(text, '=')) return false;
    if (!take_token(text) && !take_quoted(text)) return false;
  }
  return true;
}

// What a page runs or applies when it names it, whatever Content-Disposition says.
bool is_code_of_pages(std::string_view type) {
  const std::string essence = ascii_lower(std::string(type.substr(0, type.find_first_of("; "))));
  if (essence == "text/css") return true;
  for (const std::string_view script : {"javascript", "ecmascript", "jscript", "livescript"}) {
    if (essence.find(script) != std::string::npos) return true;
  }
  return false;
}

std::string_view type_of(const OpenFile& file) {
  return is_media_type(file.mime) && !is_code_of_pages(file.mime) ? std::string_view(file.mime)
                                                                  : kUnknownType;
}

// -- responses ------------------------------------------------------------------------------------

std::string tag_of(const OpenFile& file) {
  const bool is_hash = file.sha256.size() == kSha256Digits &&
                       std::all_of(file.sha256.begin(), file.sha256.end(),
                                   [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return is_hash ? '"' + file.sha256 + '"' : std::string();
}

void set_protection(const FileRouteOptions& options, http1::Response& response) {
  response.set("X-Content-Type-Options", "nosniff")
      .set("Content-Security-Policy", "sandbox; default-src 'none'")
      .set("Cross-Origin-Resource-Policy", options.resource_policy);
}

// What was refused may be allowed, and what is not there may be uploaded, a moment later: nothing is kept.
http1::Response refusal(const FileRouteOptions& options, http1::Response response) {
  response.set("Cache-Control", "no-store");
  if (response.status == 401) response.set("WWW-Authenticate", "Bearer");
  set_protection(options, response);
  return response;
}

http1::Response answer(const FileRouteOptions& options, const http1::RequestHead& head, OpenFile file) {
  WIREHALL_ASSERT(file.source != nullptr);
  const std::string tag = tag_of(file);
  if (!http1::if_match_holds(head, tag))
    return refusal(options, http1::problem(Error(ErrorCode::kPreconditionFailed)));
  http1::Response response;
  if (!tag.empty()) response.set("ETag", tag);
  response.set("Cache-Control", "private, max-age=" + std::to_string(options.max_age_seconds))
      .set("Vary", "Authorization, Cookie");
  set_protection(options, response);
  if (http1::if_none_match_names(head, tag)) {
    response.status = 304;
    return response;
  }
  const http1::RangeChoice range = http1::choose_range(head, file.size, tag);
  if (range.kind == http1::RangeChoice::Kind::kUnsatisfiable) {
    http1::Response refused = http1::problem(Error(ErrorCode::kRangeNotSatisfiable));
    refused.set("Content-Range", http1::unsatisfied_range(file.size));
    return refusal(options, std::move(refused));
  }
  response.set("Content-Type", type_of(file))
      .set("Content-Disposition", http1::attachment_disposition(file.name))
      .set("Accept-Ranges", "bytes");
  if (range.kind == http1::RangeChoice::Kind::kPart) {
    response.status = 206;
    response.set("Content-Range", http1::content_range(range, file.size));
  }
  response.streamed_body = {std::move(file.source), range.offset, range.size};
  return response;
}

}  // namespace

void add_file_route(http1::Routes& routes, FileAccess access, FileRouteOptions options) {
  WIREHALL_ASSERT(access != nullptr);
  const auto shared = std::make_shared<const FileRouteOptions>(std::move(options));
  routes.add_prefix(
      "GET", shared->path,
      [access = std::move(access), shared](http1::ResponseSink& sink, const http1::HttpRequest& request,
                                           const http1::Responder& responder) {
        const std::string_view id = request.head->path().substr(shared->path.size());
        if (!is_file_id(id)) {
          sink.respond(responder, refusal(*shared, http1::problem(Error(ErrorCode::kNotFound))));
          return;
        }
        access(sink, request, std::string(id),
               [&sink, responder, shared, head = request.head](Result<OpenFile> file) {
                 sink.respond(responder, file.ok() ? answer(*shared, *head, std::move(*file))
                                                   : refusal(*shared, http1::problem(file.error())));
               });
      });
}

}  // namespace wirehall::api
