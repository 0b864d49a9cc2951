// What can be set from outside: by file, environment and flags, in that order of growing strength. Every
// key with its type, default and meaning stands in one table (src/server/config_schema.cc), from which the
// JSON Schema and the reference page are made. Names follow Socket.IO where it has one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wirehall/hall_config.h"
#include "wirehall/limits.h"
#include "wirehall/result.h"

namespace wirehall {

/// Who may connect, and how they prove it.
struct AuthConfig {
  bool required = true;  ///< `auth.mode`: "jwt"; false: "none"
  std::string secret;    ///< HMAC secret, at least 32 bytes
  std::string secret_algorithm = "HS256";
  std::string public_key;            ///< PEM text, or the name of a file that holds it
  std::string public_key_algorithm;  ///< RS256 …, ES256 …, EdDSA
  std::string jwks_url;
  std::vector<std::string> issuers;
  std::vector<std::string> audiences;
  std::string cookie;                 ///< name of a cookie that may carry the token
  bool query_token = true;            ///< `?token=`
  std::vector<std::string> api_keys;  ///< for the management routes
};

/// The cookie that carries the session id, on the answer that opens a polling session.
///
/// Thread:   a plain value.
struct CookieConfig {
  std::string name = "io";
  std::string path = "/";
  bool http_only = true;
  bool secure = false;
  std::string same_site = "Lax";  ///< "Strict", "Lax", "None"; empty: left out
  std::string domain;             ///< empty: left out
  std::optional<std::chrono::seconds> max_age;
};

/// Which parser Socket.IO clients use.
enum class Parser : std::uint8_t { kJson, kMsgpack };

/// A server's configuration.
///
/// Thread:   a plain value; the server keeps a copy.
struct Config {
  std::string host = "127.0.0.1";
  std::uint16_t port = 3000;
  unsigned threads = 0;  ///< shards; 0: one for each core
  /// With one thread: its sockets are in a table of descriptors that it shares with no other, so that the kernel need not
  /// count in each call who uses them (docs/decisions/0010). Its handlers then reach standard input, output and error
  /// and what they open themselves, and nobody else reaches that: only for programs that use no descriptor both in
  /// handlers and on other threads, as a log file or a connection to a database may be. Signals are blocked on that
  /// thread, and so in threads and processes that a handler starts. Without effect with more threads, and where the
  /// system does not allow it (Linux 5.9).
  bool separate_descriptors = false;
  std::string data_dir = "data";
  bool dev = false;  ///< loopback only, a throw-away secret, permissive CORS for loopback origins

  // -- Socket.IO and Engine.IO --------------------------------------------------------------------
  bool socketio = true;
  std::string path = "/socket.io";
  std::vector<std::string> transports = {"polling", "websocket"};
  std::chrono::milliseconds ping_interval{25'000};
  std::chrono::milliseconds ping_timeout{20'000};
  std::chrono::milliseconds upgrade_timeout{10'000};
  std::chrono::milliseconds connect_timeout{45'000};
  std::uint64_t max_http_buffer_size = 1'000'000;
  bool allow_upgrades = true;
  bool allow_eio3 = false;         ///< Engine.IO 3, and so Socket.IO 2 clients
  bool add_trailing_slash = true;  ///< the path is served with a slash behind it, and not without
  Parser parser = Parser::kJson;   ///< as npm's socket.io-parser, or socket.io-msgpack-parser
  std::string initial_packet;      ///< sent as a message right behind the opening; empty: none
  /// Polling responses of so many bytes and more are compressed; nullopt: none are.
  std::optional<std::uint32_t> http_compression_threshold = 1024;
  std::optional<CookieConfig> cookie;  ///< nullopt: none
  /// How long a client may be away and still be given what it missed, under its old id; 0: no recovery.
  std::chrono::milliseconds connection_state_recovery{0};
  bool cleanup_empty_child_namespaces = false;  ///< children of parent namespaces go with their last socket
  bool serve_client = true;      ///< the stock client at path + "/socket.io.js", where it was installed
  std::string client_directory;  ///< where it was installed
  std::vector<std::string> handshake_headers = {"origin", "user-agent"};  ///< kept for each connection

  // -- native -------------------------------------------------------------------------------------
  bool native = true;
  std::string native_path = "/ws";
  std::uint64_t max_payload = 10 * 1024 * 1024;
  std::chrono::milliseconds heartbeat_interval{30'000};

  // -- both ---------------------------------------------------------------------------------------
  bool per_message_deflate = false;
  std::uint32_t per_message_deflate_threshold = 1024;
  std::vector<std::string> cors_origins;  ///< exact origins; {"*"}: any
  bool cors_credentials = false;
  std::vector<std::string> trusted_proxies;  ///< CIDR
  bool slow_consumer_drops = false;          ///< `limits.slowConsumer`: "drop"; false: "disconnect"
  Limits limits;

  std::uint32_t messages_per_minute = 100;     ///< of one user over all connections
  std::uint32_t messages_burst = 0;            ///< 0: as many as a minute allows
  std::uint32_t connections_per_minute = 120;  ///< of one address
  std::chrono::milliseconds typing_timeout{3'000};
  std::uint32_t recent_messages = 50;  ///< given to who joins a room
  HallConfig hall;

  std::string tls_certificate;  ///< file; TLS is on when both are set
  std::string tls_key;
  bool tls_kernel = false;  ///< the kernel encrypts after the handshake, where it can
  std::string log_level = "info";

  AuthConfig auth;

  /// Reads `--config FILE` (default config/websocket.json when it exists), the environment, and the flags
  /// --host, --port, --data, --dev; what none of them says stays as in `base`. Prints what is wrong and ends
  /// the process with status 78.
  static Config load(int argc, char** argv);
  static Config load(int argc, char** argv, Config base);

  /// Applies a configuration file's text: JSON, comments allowed.
  /// Errors:   kConfig; the detail has a line for each fault, with its line number. Nothing is applied then.
  Status apply_text(std::string_view text);
  /// Applies WIREHALL_… and the customary PORT, JWT_SECRET, CORS_ORIGIN.
  Status apply_environment();
  /// What no single key shows: weak secrets, contradictions. `--dev` makes its own secret here.
  Status finish();
};

/// The JSON Schema of the configuration file.
std::string config_schema();

}  // namespace wirehall
