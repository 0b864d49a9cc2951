// Requests that are answered by whoever registered for their path, and the way their responses take.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"
#include "http1/head.h"
#include "http1/response.h"
#include "wirehall/clock.h"

namespace wirehall::http1 {

/// The one response to one request; may be given from any shard, at most once.
///
/// Thread:   a plain value; used through ResponseSink::respond().
struct Responder {
  unsigned shard = 0;
  std::uint64_t connection = 0;  ///< of the shard's table
  std::uint32_t sequence = 0;    ///< of the request on its connection
  friend bool operator==(const Responder&, const Responder&) = default;
};

using HeadPtr = std::shared_ptr<const RequestHead>;

/// A complete request that is neither Engine.IO's nor an upgrade.
struct HttpRequest {
  HeadPtr head;
  std::string body;
  std::string address;         ///< the client's; behind trusted proxies theirs
  bool from_loopback = false;  ///< the TCP peer is on this machine and no proxy is in between
};

/// Where responses go: the shard that runs the handler.
class ResponseSink {
 public:
  /// Gives a response, on whichever shard its connection lives; one that is gone is ignored.
  virtual void respond(const Responder& to, Response response) = 0;
  virtual WallMs wall_now() const = 0;

 protected:
  ~ResponseSink() = default;
};

/// Answers requests; must respond exactly once, now or later, on the sink's shard.
using HttpHandler = std::function<void(ResponseSink&, HttpRequest, Responder)>;

/// A file that is served from memory.
struct StaticFile {
  std::string content_type;
  std::shared_ptr<const std::string> bytes;
  std::shared_ptr<const std::string> gzip;  ///< the same, compressed; nullptr: it is not worth it
  std::string etag;
  std::string cache_control = "public, max-age=0";
};

/// Who answers which path: the exact one where it has a handler or a file, else the longest prefix.
struct Routes {
  /// What begins with `path`, which ends in a slash.
  struct Prefix {
    std::string path;
    TextMap<HttpHandler> handlers;  ///< by method
  };

  TextMap<HttpHandler> handlers;        ///< "GET /path"
  std::vector<Prefix> prefixes;         ///< the longest first
  TextMap<StaticFile> files;            ///< path → file
  std::string content_security_policy;  ///< of static files

  void add(std::string_view method, std::string_view path, HttpHandler handler);
  /// Adds a handler for every path that begins with `prefix`, and for `prefix` itself, where that path has
  /// no route of its own. The path decides before the method: a shorter prefix is not asked for a method that
  /// the longest one lacks.
  ///
  /// Requires: `prefix` begins and ends with a slash.
  void add_prefix(std::string_view method, std::string_view prefix, HttpHandler handler);
  /// The handler of a path and method (HEAD is looked up as GET); nullptr when there is none, or when a
  /// static file has the path.
  const HttpHandler* find(std::string_view method, std::string_view path) const;
  /// `GET, HEAD, POST`: the methods that have a handler at this path; empty when there is none.
  std::string allowed_methods(std::string_view path) const;

 private:
  bool has_exact(std::string_view path) const;
  const Prefix* longest_prefix(std::string_view path) const;
};

}  // namespace wirehall::http1
