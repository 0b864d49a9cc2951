// `GET /files/<id>`: stored files as downloads. What others have uploaded never becomes a part of a page: it
// is always an attachment, of the type that its sender said, and no browser may guess another or run it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "http1/exchange.h"

namespace wirehall::api {

/// A stored file, for somebody who may have it.
///
/// Thread:   a plain value.
struct OpenFile {
  std::string name;    ///< as its sender called it: any bytes
  std::string mime;    ///< as its sender said; what is no media type is served as application/octet-stream
  std::string sha256;  ///< 64 lower-case hex digits, which are its tag; with anything else it has none
  std::uint64_t size = 0;
  http1::BodySource source;  ///< of its bytes, from any offset
};

/// Decides who may have which file, and opens it.
///
/// Requires: `done` is called once, now or later, on the sink's shard.
/// Errors:   are answered as they are: kNotFound, kAccessDenied, kAuthenticationRequired, kUnavailable, with
///           their details. Whoever shall not know that a file exists gets kNotFound.
/// Lifetime: the sink outlives the request; the request is the caller's: what is needed later is copied.
using FileAccess = std::function<void(http1::ResponseSink& sink, const http1::HttpRequest& request,
                                      std::string id, std::function<void(Result<OpenFile>)> done)>;

struct FileRouteOptions {
  std::string path = "/files/";
  /// For so long a browser need not ask again, not even whether its user may still have the file; with
  /// another cookie or token it asks at once.
  std::uint32_t max_age_seconds = 3600;
  /// Which pages may embed a file: `same-origin`, `same-site` or `cross-origin`. Pages that `cors.origin`
  /// lists can fetch it all the same.
  std::string resource_policy = "same-origin";
};

/// Adds GET and HEAD of every path below `options.path`: 200, 206 for one range, 304, 412, 416, and 404 for
/// whatever is no file id. JavaScript and CSS are served as application/octet-stream, since a page that names
/// them would run them, attachment or not.
///
/// Spec:     RFC 9110 sections 13 and 14, RFC 6266.
void add_file_route(http1::Routes& routes, FileAccess access, FileRouteOptions options = {});

}  // namespace wirehall::api
