#include "server/config_schema.h"

#include <algorithm>
#include <array>
#include <vector>

namespace wirehall::server {
namespace {

std::vector<std::string> strings(const Value& value) {
  std::vector<std::string> list;
  if (value.is_string()) return {value.as_string()};
  for (const Value& element : value.as_array()) list.push_back(element.as_string());
  return list;
}
Value string_list(const std::vector<std::string>& list) {
  Array array;
  for (const std::string& text : list) array.emplace_back(text);
  return Value(std::move(array));
}

// -- room types: {"name": {"access": …, "members": …, …}} ---------------------------------------------

constexpr std::array<std::pair<std::string_view, RoomAccess>, 3> kAccesses = {
    {{"public", RoomAccess::kPublic}, {"invite", RoomAccess::kInvite}, {"token", RoomAccess::kToken}}};
constexpr std::array<std::pair<std::string_view, RoomRole>, 4> kRoles = {{{"anybody", RoomRole::kNone},
                                                                          {"member", RoomRole::kMember},
                                                                          {"moderator", RoomRole::kModerator},
                                                                          {"owner", RoomRole::kOwner}}};

template <class Names, class T>
bool named(const Names& names, const Value& value, T& out) {
  for (const auto& [name, meaning] : names) {
    if (!value.is_string() || value.as_string() != name) continue;
    out = meaning;
    return true;
  }
  return false;
}
template <class Names, class T>
std::string name_of(const Names& names, T wanted) {
  for (const auto& [name, meaning] : names) {
    if (meaning == wanted) return std::string(name);
  }
  return {};
}

bool whole_number(const Value& value, std::uint64_t& out) {
  const auto number = exact_integer(value);
  if (!number || *number < 0) return false;
  out = static_cast<std::uint64_t>(*number);
  return true;
}

constexpr std::int64_t kHourMs = 3'600'000;

// Returns: what is wrong; empty when nothing is.
std::string read_room_type(const Value& value, RoomTypeOptions& options) {
  if (!value.is_object()) return "must be an object";
  for (const Member& field : value.as_object()) {
    std::uint64_t number = 0;
    bool good = true;
    if (field.key == "access") {
      good = named(kAccesses, field.value, options.access);
    } else if (field.key == "postFrom") {
      good = named(kRoles, field.value, options.post_from);
    } else if (field.key == "maxMembers") {
      good = whole_number(field.value, number) && number <= UINT32_MAX;
      options.members_max = static_cast<std::uint32_t>(number);
    } else if (field.key == "maxMessages") {
      good = whole_number(field.value, options.retention.messages_max);
    } else if (field.key == "maxAgeHours") {
      good = whole_number(field.value, number) && number <= 1'000'000;
      options.retention.age_ms_max = static_cast<std::int64_t>(number) * kHourMs;
    } else if (field.key == "names") {
      const auto names = field.value.to<std::vector<std::string>>();
      good = names.ok();
      if (good) options.names = *names;
    } else {
      return "has the unknown field \"" + field.key + "\"";
    }
    if (!good) return "has a bad value for \"" + field.key + "\"";
  }
  return {};
}

std::string check_room_types(const Value& value) {
  for (const Member& type : value.as_object()) {
    RoomTypeOptions options;
    if (type.key.empty() || type.key.size() > 64) return "has a name that is empty or longer than 64 bytes";
    if (const std::string wrong = read_room_type(type.value, options); !wrong.empty())
      return "\"" + type.key + "\" " + wrong;
  }
  return {};
}

void apply_room_types(Config& config, const Value& value) {
  config.hall.room_types.clear();
  for (const Member& type : value.as_object()) {
    RoomTypeOptions options;
    (void)read_room_type(type.value, options);  // it was checked
    config.hall.room_types.emplace_back(type.key, std::move(options));
  }
}

Value room_types_of(const Config& config) {
  Object types;
  for (const auto& [name, options] : config.hall.room_types) {
    types.set(name, {{"access", name_of(kAccesses, options.access)},
                     {"postFrom", name_of(kRoles, options.post_from)},
                     {"maxMembers", options.members_max},
                     {"maxMessages", options.retention.messages_max},
                     {"maxAgeHours", options.retention.age_ms_max / kHourMs},
                     {"names", string_list(options.names)}});
  }
  return Value(std::move(types));
}

class Table {
 public:
  Table() {
    server_keys();
    socketio_keys();
    native_keys();
    hall_keys();
    people_keys();
    file_keys();
    call_keys();
    limit_keys();
    auth_keys();
  }
  const std::vector<ConfigKey>& keys() const { return keys_; }

 private:
  template <class F>
  void integer(std::string path, std::string doc, F member, std::int64_t minimum, std::int64_t maximum) {
    keys_.push_back({std::move(path),
                     KeyType::kInteger,
                     std::move(doc),
                     {},
                     minimum,
                     maximum,
                     [member](Config& config, const Value& value) {
                       auto& field = member(config);
                       field = static_cast<std::remove_reference_t<decltype(field)>>(
                           value.to<std::int64_t>().value());
                     },
                     [member](const Config& config) {
                       return Value(static_cast<std::int64_t>(member(const_cast<Config&>(config))));
                     }});
  }
  template <class F>
  void milliseconds(std::string path, std::string doc, F member, std::int64_t minimum = 1) {
    keys_.push_back({std::move(path),
                     KeyType::kMilliseconds,
                     std::move(doc),
                     {},
                     minimum,
                     7LL * 24 * 3600 * 1000,
                     [member](Config& config, const Value& value) {
                       member(config) = std::chrono::milliseconds(value.to<std::int64_t>().value());
                     },
                     [member](const Config& config) {
                       return Value(static_cast<std::int64_t>(member(const_cast<Config&>(config)).count()));
                     }});
  }
  template <class F>
  void hours(std::string path, std::string doc, F member) {
    keys_.push_back({std::move(path),
                     KeyType::kInteger,
                     std::move(doc),
                     {},
                     0,
                     1'000'000,
                     [member](Config& config, const Value& value) {
                       member(config) = std::chrono::hours(value.to<std::int64_t>().value());
                     },
                     [member](const Config& config) {
                       return Value(static_cast<std::int64_t>(member(const_cast<Config&>(config)).count()));
                     }});
  }
  template <class F>
  void boolean(std::string path, std::string doc, F member) {
    keys_.push_back({std::move(path),
                     KeyType::kBool,
                     std::move(doc),
                     {},
                     0,
                     0,
                     [member](Config& config, const Value& value) { member(config) = value.as_bool(); },
                     [member](const Config& config) {
                       return Value(static_cast<bool>(member(const_cast<Config&>(config))));
                     }});
  }
  template <class F>
  void string(std::string path, std::string doc, F member) {
    keys_.push_back({std::move(path),
                     KeyType::kString,
                     std::move(doc),
                     {},
                     0,
                     0,
                     [member](Config& config, const Value& value) { member(config) = value.as_string(); },
                     [member](const Config& config) { return Value(member(const_cast<Config&>(config))); }});
  }
  template <class F>
  void list(std::string path, std::string doc, F member) {
    keys_.push_back(
        {std::move(path),
         KeyType::kStringList,
         std::move(doc),
         {},
         0,
         0,
         [member](Config& config, const Value& value) { member(config) = strings(value); },
         [member](const Config& config) { return string_list(member(const_cast<Config&>(config))); }});
  }
  void choice(std::string path, std::string doc, std::string choices,
              std::function<void(Config&, const Value&)> apply, std::function<Value(const Config&)> read) {
    keys_.push_back({std::move(path), KeyType::kChoice, std::move(doc), std::move(choices), 0, 0,
                     std::move(apply), std::move(read)});
  }

#define FIELD(expression) \
  [](Config & c) -> auto& { return c.expression; }
  void server_keys() {
    string("host", "Address to listen on.", FIELD(host));
    integer("port", "Port to listen on; 0 takes any free one.", FIELD(port), 0, 65535);
    integer("threads", "Shards, each with its own thread; 0: one for each core.", FIELD(threads), 0, 255);
    string("data", "Directory for the database and files.", FIELD(data_dir));
    string("tls.cert", "File with the certificate chain (PEM). TLS is on when tls.key is set too.",
           FIELD(tls_certificate));
    string("tls.key", "File with the private key (PEM), readable by its owner alone.", FIELD(tls_key));
    boolean("tls.kernel",
            "Have the kernel (Linux, module tls) encrypt after a handshake of TLS 1.3: a connection takes 14 KB less in "
            "this process. Where it cannot, a warning says so, and it is done as without this.",
            FIELD(tls_kernel));
    choice(
        "log.level", "Lowest level that is written.", "debug|info|warning|error",
        [](Config& c, const Value& v) { c.log_level = v.as_string(); },
        [](const Config& c) { return Value(c.log_level); });
    list("cors.origin",
         "Origins whose pages may read responses and open native connections, exactly as browsers send them; "
         "\"*\": any.",
         FIELD(cors_origins));
    boolean("cors.credentials", "Whether cross-origin requests may carry cookies.", FIELD(cors_credentials));
    list("trustedProxies", "Networks (CIDR) whose X-Forwarded-For and PROXY protocol headers are believed.",
         FIELD(trusted_proxies));
    boolean("perMessageDeflate", "Compress WebSocket messages where the client offers it.",
            FIELD(per_message_deflate));
    integer("perMessageDeflateThreshold", "Bytes below which a message is not compressed.",
            FIELD(per_message_deflate_threshold), 0, 1 << 30);
  }
  void socketio_keys() {
    boolean("socketio", "Serve Socket.IO.", FIELD(socketio));
    string("path", "Path of the Engine.IO endpoint.", FIELD(path));
    list("transports", "Transports that are offered: polling, websocket.", FIELD(transports));
    milliseconds("pingInterval", "How often the server pings.", FIELD(ping_interval));
    milliseconds("pingTimeout", "How long it waits for the answer.", FIELD(ping_timeout));
    milliseconds("upgradeTimeout", "How long a transport upgrade may take.", FIELD(upgrade_timeout));
    milliseconds("connectTimeout", "How long a client may stay without joining a namespace.",
                 FIELD(connect_timeout));
    integer("maxHttpBufferSize", "Largest Socket.IO message and polling body, in bytes.",
            FIELD(max_http_buffer_size), 1, 1LL << 31);
    boolean("allowUpgrades", "Whether polling sessions may upgrade to WebSocket.", FIELD(allow_upgrades));
    keys_.push_back({"cookie",
                     KeyType::kString,
                     "Name of a cookie that carries the session id, for sticky load balancers; empty: none.",
                     {},
                     0,
                     0,
                     [](Config& c, const Value& v) {
                       c.cookie.reset();
                       if (!v.as_string().empty()) c.cookie.emplace().name = v.as_string();
                     },
                     [](const Config& c) { return Value(c.cookie ? c.cookie->name : std::string()); }});
    boolean("allowEIO3", "Let Engine.IO 3, and so Socket.IO 2, clients in.", FIELD(allow_eio3));
    boolean("addTrailingSlash", "Serve the path with a slash behind it, and not without.",
            FIELD(add_trailing_slash));
    choice(
        "parser", "How Socket.IO packets are encoded: as socket.io-parser, or socket.io-msgpack-parser.",
        "json|msgpack",
        [](Config& c, const Value& v) { c.parser = v.as_string() == "json" ? Parser::kJson : Parser::kMsgpack; },
        [](const Config& c) { return Value(c.parser == Parser::kJson ? "json" : "msgpack"); });
    string("initialPacket", "A message that is sent right behind the opening; empty: none.",
           FIELD(initial_packet));
    keys_.push_back({"httpCompression",
                     KeyType::kInteger,
                     "Bytes from which on a polling response is compressed; -1: none is.",
                     {},
                     -1,
                     1 << 30,
                     [](Config& c, const Value& v) {
                       c.http_compression_threshold.reset();
                       if (v.as_int() >= 0) c.http_compression_threshold = static_cast<std::uint32_t>(v.as_int());
                     },
                     [](const Config& c) {
                       const auto& threshold = c.http_compression_threshold;
                       return Value(threshold ? static_cast<std::int64_t>(*threshold) : -1);
                     }});
    milliseconds("connectionStateRecovery.maxDisconnectionDuration",
                 "How long a Socket.IO client may be away and still be given what it missed; 0: no recovery.",
                 FIELD(connection_state_recovery), 0);
    boolean("cleanupEmptyChildNamespaces",
            "Whether a namespace that was made for a client goes with its last client.",
            FIELD(cleanup_empty_child_namespaces));
    boolean("serveClient", "Serve the stock Socket.IO client, where it was installed.", FIELD(serve_client));
    string("clientDirectory", "Where the stock client's browser files lie.", FIELD(client_directory));
    list("handshakeHeaders", "Request headers that stay readable after connecting.",
         FIELD(handshake_headers));
  }
  void native_keys() {
    boolean("native", "Serve the native protocol.", FIELD(native));
    string("nativePath", "Path of the native endpoint.", FIELD(native_path));
    integer("maxPayload", "Largest native message, in bytes.", FIELD(max_payload), 1, 1LL << 31);
    milliseconds("heartbeatInterval",
                 "How often native clients are pinged; one that is silent for two intervals is cut.",
                 FIELD(heartbeat_interval));
    milliseconds("typingTimeout", "After how long without news somebody has stopped typing.",
                 FIELD(typing_timeout));
    integer("recentMessages", "Messages given to who joins a room.", FIELD(recent_messages), 0, 200);
    integer("rateLimit.messagesPerMinute", "Messages of one user over all connections.",
            FIELD(messages_per_minute), 1, 1'000'000'000);
    integer("rateLimit.burst", "Messages at once; 0: as many as a minute allows.", FIELD(messages_burst), 0,
            1'000'000'000);
    integer("rateLimit.connectionsPerMinute", "New connections from one address.",
            FIELD(connections_per_minute), 1, 1'000'000'000);
  }
  void hall_keys() {
    choice(
        "store", "Where the hall keeps what must last: a SQLite file under `data`, or memory, which does not.",
        "sqlite|memory", [](Config& c, const Value& v) { c.hall.store_lasts = v.as_string() == "sqlite"; },
        [](const Config& c) { return Value(c.hall.store_lasts ? "sqlite" : "memory"); });
    integer("database.maxBytes",
            "Size of the database file beyond which nothing more is stored; 0: as much as the disk has.",
            FIELD(hall.database_bytes_max), 0, 1LL << 50);
    integer("history.maxMessages", "Messages that are kept of a room; 0: all.",
            FIELD(hall.history.messages_max), 0, 1LL << 40);
    keys_.push_back({"history.maxAgeHours",
                     KeyType::kInteger,
                     "Hours for which messages are kept; 0: for ever.",
                     {},
                     0,
                     1'000'000,
                     [](Config& c, const Value& v) {
                       c.hall.history.age_ms_max = v.to<std::int64_t>().value() * kHourMs;
                     },
                     [](const Config& c) { return Value(c.hall.history.age_ms_max / kHourMs); }});
    boolean("rooms.createOnJoin", "Whether a room that nobody created can be joined.",
            FIELD(hall.create_on_join));
    hours("rooms.rejoinHours", "Hours for which a user is put back into the rooms of the last connection.",
          FIELD(hall.rejoin));
    keys_.push_back({"rooms.types",
                     KeyType::kObject,
                     "Kinds of rooms by name, each with access, postFrom, maxMembers, maxMessages, maxAgeHours, names.",
                     {},
                     0,
                     0,
                     apply_room_types,
                     room_types_of,
                     check_room_types});
  }
  void people_keys() {
    milliseconds("presence.gracePeriod", "How long somebody without a connection is not yet offline.",
                 FIELD(hall.presence_grace), 0);
    integer("presence.largeRoom", "Members from which on a room's changes are told together, once a tick.",
            FIELD(hall.presence_tick_members), 2, 1'000'000'000);
    milliseconds("presence.tick", "How often such a room is told.", FIELD(hall.presence_tick));
    integer("privateMessages.maxPending", "Private messages that may wait for one user.",
            FIELD(hall.private_pending_max), 1, 1'000'000);
    integer("privateMessages.maxPendingBytes", "Bytes of them.", FIELD(hall.private_pending_bytes_max), 1,
            1LL << 40);
    hours("privateMessages.lifetimeHours", "Hours after which private messages are removed, read or not.",
          FIELD(hall.private_lifetime));
    string("push.vapid.publicKey", "Web Push: the server's public key, as `wirehall vapid` prints it.",
           FIELD(hall.vapid_public_key));
    string("push.vapid.privateKey", "Web Push: the private key. Web Push is on when both keys are set.",
           FIELD(hall.vapid_private_key));
    string("push.vapid.subject", "Web Push: whom push services may write to: mailto: or https:.",
           FIELD(hall.vapid_subject));
    string("push.webhook.url", "Told of what users who are away should hear, instead of Web Push.",
           FIELD(hall.push_webhook_url));
    string("push.webhook.secret", "Secret that signs these requests (Standard Webhooks).",
           FIELD(hall.push_webhook_secret));
    boolean("push.allowPrivateEndpoints",
            "Let subscriptions lead to private addresses and plain http. For tests on one machine.",
            FIELD(hall.push_private_endpoints));
  }
  void file_keys() {
    integer("uploads.maxFileSize", "Bytes of one file.", FIELD(hall.upload_file_bytes_max), 0, 1LL << 40);
    integer("uploads.maxBytesPerUser", "Bytes of one user's files and uploads.",
            FIELD(hall.upload_user_bytes_max), 0, 1LL << 50);
    integer("uploads.maxBytes", "Bytes of all files and uploads.", FIELD(hall.upload_total_bytes_max), 0,
            1LL << 50);
    list("uploads.types", "Media types that are taken, `*` for any run of characters; empty: any.",
         FIELD(hall.upload_types));
    hours("uploads.lifetimeHours", "Hours after which an unfinished upload is removed.",
          FIELD(hall.upload_lifetime));
  }
  void call_keys() {
    milliseconds("calls.ringTimeout", "How long a call rings.", FIELD(hall.ring_timeout));
    list("calls.stunUrls", "STUN servers that clients are told.", FIELD(hall.stun_urls));
    list("calls.turnUrls", "TURN servers that clients are told, with credentials for a while.",
         FIELD(hall.turn_urls));
    string("calls.turnSecret", "Secret that is shared with the TURN servers.", FIELD(hall.turn_secret));
    milliseconds("calls.turnLifetime", "How long such credentials are good.", FIELD(hall.turn_lifetime));
  }
  void limit_keys() {
    integer("limits.connections", "Connections in all; new ones are closed.", FIELD(limits.connections_max),
            1, 100'000'000);
    integer("limits.connectionsPerUser", "Connections of one user.", FIELD(limits.connections_per_user_max),
            1, 1'000'000);
    integer("limits.connectionsPerAddress", "Connections from one address.",
            FIELD(limits.connections_per_address_max), 1, 100'000'000);
    integer("limits.roomsPerClient", "Rooms that one client may be in.", FIELD(limits.rooms_per_client_max),
            1, 1'000'000);
    integer("limits.namespacesPerClient", "Namespaces that one client may join.",
            FIELD(limits.namespaces_per_client_max), 1, 100'000);
    integer("limits.dynamicNamespaces", "Namespaces that were made for clients, on one shard.",
            FIELD(limits.dynamic_namespaces_per_shard_max), 1, 10'000'000);
    integer("limits.maxFragments", "Fragments of one WebSocket message.", FIELD(limits.ws_fragments_max), 1,
            1'000'000'000);
    integer("limits.maxAttachments", "Binary attachments of one Socket.IO packet.",
            FIELD(limits.attachments_max), 0, 999);
    integer("limits.jsonDepth", "Nesting of JSON and MessagePack.", FIELD(limits.json_depth_max), 2, 512);
    integer("limits.eventNameBytes", "Length of an event name.", FIELD(limits.event_name_bytes_max), 8,
            65536);
    integer("limits.pendingAcks", "Answers that the server waits for on one socket.",
            FIELD(limits.pending_acks_max), 1, 1'000'000);
    integer("limits.backpressureBytes", "Bytes that may wait for a client that does not read.",
            FIELD(limits.backpressure_bytes_max), 16 * 1024, 1LL << 31);
    choice(
        "limits.slowConsumer", "What becomes of such a client: it is disconnected, or loses messages.",
        "disconnect|drop", [](Config& c, const Value& v) { c.slow_consumer_drops = v.as_string() == "drop"; },
        [](const Config& c) { return Value(c.slow_consumer_drops ? "drop" : "disconnect"); });
    milliseconds("limits.drainWindow", "Time over which a stopping server spreads its goodbyes.",
                 FIELD(limits.drain_window), 0);
  }
  void auth_keys() {
    choice(
        "auth.mode", "Whether clients must show a token.", "jwt|none",
        [](Config& c, const Value& v) { c.auth.required = v.as_string() == "jwt"; },
        [](const Config& c) { return Value(c.auth.required ? "jwt" : "none"); });
    string("auth.secret", "Secret of HMAC-signed tokens, at least 32 bytes. Better set by JWT_SECRET.",
           FIELD(auth.secret));
    choice(
        "auth.secretAlgorithm", "Algorithm of HMAC-signed tokens.", "HS256|HS384|HS512",
        [](Config& c, const Value& v) { c.auth.secret_algorithm = v.as_string(); },
        [](const Config& c) { return Value(c.auth.secret_algorithm); });
    string("auth.publicKey", "Public key (PEM), or the name of a file with it.", FIELD(auth.public_key));
    choice(
        "auth.publicKeyAlgorithm", "Algorithm of tokens that the public key verifies.",
        "|RS256|RS384|RS512|ES256|ES384|EdDSA",
        [](Config& c, const Value& v) { c.auth.public_key_algorithm = v.as_string(); },
        [](const Config& c) { return Value(c.auth.public_key_algorithm); });
    string("auth.jwksUrl", "Where the issuer publishes its keys (https).", FIELD(auth.jwks_url));
    list("auth.issuer", "Accepted issuers; empty: any.", FIELD(auth.issuers));
    list("auth.audience", "Accepted audiences; empty: any.", FIELD(auth.audiences));
    string("auth.cookie",
           "Name of a cookie that may carry the token; origins are then checked on every connection.",
           FIELD(auth.cookie));
    boolean("auth.queryToken", "Whether ?token= is accepted. Addresses end up in logs: prefer the others.",
            FIELD(auth.query_token));
    list("auth.apiKeys", "Keys for the management routes.", FIELD(auth.api_keys));
  }
#undef FIELD

  std::vector<ConfigKey> keys_;
};

const std::vector<ConfigKey>& table() {
  static const Table keys;
  return keys.keys();
}

}  // namespace

std::span<const ConfigKey> config_keys() { return table(); }

const ConfigKey* find_key(std::string_view path) {
  const auto found =
      std::find_if(table().begin(), table().end(), [&](const ConfigKey& key) { return key.path == path; });
  return found == table().end() ? nullptr : &*found;
}

std::string environment_name(std::string_view path) {
  std::string name = "WIREHALL_";
  bool capital = false;
  for (const char c : path) {
    const bool before = capital;
    capital = c >= 'A' && c <= 'Z';
    if (c == '.') {
      name += "__";
    } else if (capital) {
      if (!before) name += '_';  // a run of capitals is one word
      name += c;
    } else {
      name += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    }
  }
  return name;
}

std::string check_value(const ConfigKey& key, const Value& value) {
  switch (key.type) {
    case KeyType::kBool: return value.is_bool() ? "" : "must be true or false";
    case KeyType::kInteger:
    case KeyType::kMilliseconds: {
      const auto number = exact_integer(value);
      if (!number) return "must be a whole number";
      if (*number < key.minimum) return "must be at least " + std::to_string(key.minimum);
      if (*number > key.maximum) return "must be at most " + std::to_string(key.maximum);
      return "";
    }
    case KeyType::kString: return value.is_string() ? "" : "must be a string";
    case KeyType::kObject: return value.is_object() ? key.check(value) : "must be an object";
    case KeyType::kStringList: {
      if (value.is_string()) return "";
      if (!value.is_array()) return "must be a list of strings";
      const bool all = std::all_of(value.as_array().begin(), value.as_array().end(),
                                   [](const Value& element) { return element.is_string(); });
      return all ? "" : "must be a list of strings";
    }
    case KeyType::kChoice: {
      if (value.is_string()) {
        std::string_view rest = key.choices;
        for (;;) {
          const std::size_t bar = std::min(rest.find('|'), rest.size());
          if (rest.substr(0, bar) == value.as_string()) return "";
          if (bar == rest.size()) break;
          rest.remove_prefix(bar + 1);
        }
      }
      return "must be one of " + key.choices;
    }
  }
  return "";
}

}  // namespace wirehall::server
