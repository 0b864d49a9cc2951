#include "server/pages.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "auth/jwt.h"
#include "auth/user_from_claims.h"
#include "http1/cors.h"
#include "http1/url.h"
#include "wirehall/server.h"

namespace wirehall::server {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kFilesMax = 1'000;
constexpr std::uint64_t kBytesMax = 64ULL * 1024 * 1024;
constexpr std::int64_t kDevTokenSeconds = 24 * 3600;

using Type = std::pair<std::string_view, std::string_view>;
constexpr std::array<Type, 17> kTypes = {{{".html", "text/html; charset=utf-8"},
                                          {".css", "text/css; charset=utf-8"},
                                          {".js", "application/javascript; charset=utf-8"},
                                          {".mjs", "application/javascript; charset=utf-8"},
                                          {".json", "application/json"},
                                          {".webmanifest", "application/manifest+json"},
                                          {".txt", "text/plain; charset=utf-8"},
                                          {".svg", "image/svg+xml"},
                                          {".png", "image/png"},
                                          {".jpg", "image/jpeg"},
                                          {".jpeg", "image/jpeg"},
                                          {".webp", "image/webp"},
                                          {".gif", "image/gif"},
                                          {".ico", "image/vnd.microsoft.icon"},
                                          {".woff2", "font/woff2"},
                                          {".mp3", "audio/mpeg"},
                                          {".wasm", "application/wasm"}}};

// What a page never needs, and nobody should be given: .env, .git, packages, what editors leave.
bool is_left_out(const std::string& name) {
  return name.starts_with('.') || name.ends_with('~') || name == "node_modules";
}

Result<std::string> read_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::stringstream bytes;
  bytes << stream.rdbuf();
  if (!stream) return Error(ErrorCode::kConfig, file.string() + ": cannot be read");
  return bytes.str();
}

struct Page {
  std::string path;  // as it is asked for
  fs::path file;
};

// A path in the writing of browsers: what stands for something else in a URL, and what is no ASCII, is %XX.
std::string as_browsers_ask(std::string_view name) {
  constexpr std::string_view kOthers = " \"#%<>?^`{}|\\";
  std::string path;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && kOthers.find(c) == std::string_view::npos) {
      path += c;
    } else {
      char text[4];
      std::snprintf(text, sizeof text, "%%%02X", byte);
      path += text;
    }
  }
  return path;
}

// The files below a folder that are served. Errors: kConfig.
Result<std::vector<Page>> pages_of(const std::string& folder) {
  std::error_code error;
  std::vector<Page> pages;
  std::uint64_t bytes = 0;
  fs::recursive_directory_iterator entries(folder, error);
  if (error)
    return Error(ErrorCode::kConfig,
                 "the pages' folder " + fs::absolute(folder).string() + ": " + error.message());
  for (const fs::recursive_directory_iterator end; entries != end; entries.increment(error)) {
    if (is_left_out(entries->path().filename().string())) {
      entries.disable_recursion_pending();
      continue;
    }
    if (!entries->is_regular_file(error)) continue;
    bytes += entries->file_size(error);
    if (error) break;
    const std::string name = fs::relative(entries->path(), folder, error).generic_string();
    pages.push_back({"/" + as_browsers_ask(name), entries->path()});
    if (pages.size() > kFilesMax || bytes > kBytesMax)
      return Error(ErrorCode::kConfig, "the pages' folder " + folder + " holds more than " +
                                           std::to_string(kFilesMax) + " files or 64 MiB");
  }
  if (error)
    return Error(ErrorCode::kConfig,
                 "the pages' folder " + fs::absolute(folder).string() + ": " + error.message());
  return pages;
}

// Errors: kNotFound; kConfig: the folder, or the file, cannot be read any more.
Result<std::string> read_page(const std::string& folder, std::string_view path) {
  const Result<std::vector<Page>> pages = pages_of(folder);
  if (!pages.ok()) return pages.error();
  const auto page =
      std::find_if(pages->begin(), pages->end(), [&](const Page& each) { return each.path == path; });
  if (page == pages->end()) return Error(ErrorCode::kNotFound);
  return read_file(page->file);
}

// Development: files are looked up and read with every request. They lie on the developer's own disk, so that
// waiting for them delays nobody else.
void serve_live(Composition& composition, const std::string& folder) {
  composition.world().routes.add_prefix(
      "GET", "/",
      [folder, &world = composition.world()](http1::ResponseSink& sink, const http1::HttpRequest& request,
                                             const http1::Responder& responder) {
        const std::string path(request.head->path());
        const std::string wanted = path == "/" ? "/index.html" : path;
        Result<std::string> bytes = read_page(folder, wanted);
        if (!bytes.ok()) return sink.respond(responder, http1::problem(bytes.error()));
        http1::Response response;
        response.set("Content-Type", std::string(content_type_of(wanted))).set("Cache-Control", "no-cache");
        response.set("X-Content-Type-Options", "nosniff");
        response.set("Content-Security-Policy", world.routes.content_security_policy);
        response.body = std::move(*bytes);
        sink.respond(responder, std::move(response));
      });
}

}  // namespace

std::string_view content_type_of(std::string_view name) {
  const auto* type = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const Type& each) { return name.ends_with(each.first); });
  return type == kTypes.end() ? "application/octet-stream" : type->second;
}

void serve_directory(Composition& composition, std::string folder) {
  const Result<std::vector<Page>> pages = pages_of(folder);
  if (!pages.ok()) return composition.refuse_start(pages.error());
  if (composition.config().dev) return serve_live(composition, folder);
  for (const Page& page : *pages) {
    Result<std::string> bytes = read_file(page.file);
    if (!bytes.ok()) return composition.refuse_start(bytes.error());
    const std::string_view type = content_type_of(page.path);
    if (page.path == "/index.html") composition.serve_file("/", type, *bytes);
    composition.serve_file(page.path, type, std::move(*bytes));
  }
}

void serve_dev_tokens(Composition& composition) {
  const AuthConfig& config = composition.config().auth;
  const auto algorithm = auth::algorithm_from_name(config.secret_algorithm);
  if (!composition.config().dev || !config.required || config.secret.empty() || !algorithm) return;
  Result<auth::SigningKey> made = auth::SigningKey::from_secret(*algorithm, config.secret);
  if (!made.ok()) return;  // the authenticator says why, at start
  const auto key = std::make_shared<const auth::SigningKey>(std::move(*made));
  composition.world().routes.add(
      "GET", "/dev/token",
      [key](http1::ResponseSink& core, const http1::HttpRequest& request, const http1::Responder& responder) {
        const http1::QueryPairs query = http1::parse_query(request.head->query());
        const std::string user(http1::find_last(query, "user").value_or(""));
        // A page of a foreign name that leads here (DNS rebinding) is nobody on this machine.
        const std::string host(request.head->find("host").value_or(""));
        const bool here = request.from_loopback && http1::is_loopback_origin("http://" + host);
        if (!here || !auth::is_user_id(user)) {
          core.respond(responder,
                       http1::problem(Error(here ? ErrorCode::kInvalidUser : ErrorCode::kAccessDenied)));
          return;
        }
        const std::int64_t now = core.wall_now() / 1000;
        const Result<std::string> token = auth::sign(
            {{"sub", user}, {"user", {{"name", user}}}, {"iat", now}, {"exp", now + kDevTokenSeconds}}, *key);
        http1::Response response;
        response.set("Content-Type", "application/json").set("Cache-Control", "no-store");
        response.body = Value{{"token", token.ok() ? Value(*token) : Value()}, {"userId", user}}.to_json();
        core.respond(responder, std::move(response));
      });
}

void announce(Server& io) {
  const Config& config = io.config();
  const http1::Routes& routes = io.composition().world().routes;
  const std::string base = std::string(config.tls_certificate.empty() ? "http" : "https") + "://" +
                           (config.host == "0.0.0.0" ? "127.0.0.1" : config.host) + ":" +
                           std::to_string(io.port());
  std::printf("Wirehall listens on %s\n", base.c_str());
  if (config.socketio) std::printf("  Socket.IO   %s%s/\n", base.c_str(), config.path.c_str());
  if (config.native)
    std::printf("  WebSocket   ws%s%s\n", base.substr(4).c_str(), config.native_path.c_str());
  if (routes.files.contains("/") || routes.find("GET", "/") != nullptr)
    std::printf("  Page        %s/\n", base.c_str());
  if (config.dev) {
    if (config.socketio && config.serve_client && config.client_directory.empty())
      std::printf(
          "  (the stock Socket.IO client was not found: a page that uses it needs clientDirectory)\n");
    if (routes.find("GET", "/dev/token") != nullptr)
      std::printf("  A token     %s/dev/token?user=NAME\n", base.c_str());
    std::printf("Development mode: loopback only%s.\n",
                std::getenv("JWT_SECRET") != nullptr || !config.auth.required
                    ? ""
                    : ", tokens are signed with a secret of this run");
  }
  std::fflush(stdout);
}

}  // namespace wirehall::server
