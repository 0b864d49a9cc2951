#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "auth/jwt.h"
#include "auth/user_from_claims.h"
#include "cli/commands.h"
#include "io/system.h"
#include "server/command_line.h"
#include "server/config_file.h"

namespace wirehall::cli {
namespace {

struct TokenOptions {
  std::string config;
  std::string user;
  std::string name;
  std::vector<std::string> rooms;
  bool limit_rooms = false;
  std::int64_t seconds = 3600;
  std::string secret;
  std::string key_file;
  std::string algorithm;
  std::vector<std::string> claims;
};

int fail(const std::string& text) {
  std::fprintf(stderr, "wirehall token: %s\n", text.c_str());
  return kConfigError;
}

Result<auth::SigningKey> signing_key(const TokenOptions& options, const Config& config) {
  if (!options.key_file.empty()) {
    std::ifstream file(options.key_file);
    if (!file) return Error(ErrorCode::kConfig, options.key_file + " cannot be read");
    std::stringstream pem;
    pem << file.rdbuf();
    const auto algorithm = auth::algorithm_from_name(options.algorithm);
    if (!algorithm) return Error(ErrorCode::kConfig, "--key needs --algorithm (RS256, ES256, EdDSA, …)");
    return auth::SigningKey::from_pem(*algorithm, pem.str());
  }
  const std::string secret = options.secret.empty() ? config.auth.secret : options.secret;
  if (secret.empty())
    return Error(ErrorCode::kConfig, "no secret: set JWT_SECRET, or give --secret, --config or --key");
  const auto algorithm =
      auth::algorithm_from_name(options.algorithm.empty() ? config.auth.secret_algorithm : options.algorithm);
  if (!algorithm) return Error(ErrorCode::kConfig, "unknown algorithm " + options.algorithm);
  return auth::SigningKey::from_secret(*algorithm, secret);
}

int token(const TokenOptions& options) {
  Config config;
  if (const Status read = server::read_config(config, options.config); !read.ok())
    return fail(read.error().detail());
  if (!auth::is_user_id(options.user))
    return fail("--user must be 1 to 255 bytes without control characters");
  const Result<auth::SigningKey> key = signing_key(options, config);
  if (!key.ok()) return fail(key.error().detail());
  const std::int64_t now = io::SystemClock().wall_now() / 1000;
  Object claims{{"sub", options.user}, {"iat", now}, {"exp", now + options.seconds}};
  if (!options.name.empty()) claims.set("name", options.name);
  if (!options.name.empty()) claims.set("user", {{"name", options.name}});
  if (options.limit_rooms || !options.rooms.empty()) {
    Array rooms;
    for (const std::string& room : options.rooms) rooms.emplace_back(room);
    claims.set("rooms", Value(std::move(rooms)));
  }
  if (!config.auth.issuers.empty()) claims.set("iss", config.auth.issuers.front());
  if (!config.auth.audiences.empty()) claims.set("aud", config.auth.audiences.front());
  for (const std::string& claim : options.claims) {
    const std::size_t equals = claim.find('=');
    if (equals == std::string::npos || equals == 0) return fail("--claim wants NAME=JSON: " + claim);
    const Result<Value> value = Value::from_json(std::string_view(claim).substr(equals + 1));
    claims.set(claim.substr(0, equals), value.ok() ? *value : Value(claim.substr(equals + 1)));
  }
  const Result<std::string> made = auth::sign(claims, *key);
  if (!made.ok()) return fail(made.error().text());
  std::printf("%s\n", made->c_str());
  return 0;
}

}  // namespace

void add_token(CLI::App& app, int& status) {
  auto options = std::make_shared<TokenOptions>();
  server::Command command = server::Command(app).add_subcommand("token", "Make a JSON Web Token for a user");
  command.add_option("--user", options->user, "user id (claim sub)").required().type_name("ID");
  command.add_option("--name", options->name, "display name (claims name and user.name)").type_name("NAME");
  command
      .add_option(
          "--rooms", options->rooms,
          "patterns of rooms that may be joined, separated by commas; * matches any run of characters")
      .delimiter(',')
      .type_name("PATTERN");
  command.add_flag("--no-rooms", options->limit_rooms, "no room may be joined");
  command.add_option("--expires-in", options->seconds, "seconds until it expires (default 3600)")
      .range(1, 366 * 24 * 3600)
      .type_name("SECONDS");
  command
      .add_option("--claim", options->claims,
                  "a further claim, also iss, aud, exp; a value that is no JSON is taken as text")
      .type_name("NAME=JSON");
  command
      .add_option(
          "--secret", options->secret,
          "HMAC secret; better: the environment variable JWT_SECRET, which no list of processes shows")
      .type_name("SECRET");
  command.add_option("--key", options->key_file, "file with a private key (PEM) instead; needs --algorithm")
      .type_name("FILE");
  command.add_option("--algorithm", options->algorithm, "HS256 to EdDSA; default: auth.secretAlgorithm")
      .type_name("NAME");
  command
      .add_option("--config", options->config,
                  "configuration file, for auth.secret, and the first of auth.issuer and auth.audience")
      .type_name("FILE");
  command.callback([options, &status] { status = token(*options); });
}

}  // namespace wirehall::cli
