#include "loadgen/plan.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/random.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "wirehall/value.h"

namespace wirehall::loadgen {
namespace {

Error config(std::string text) { return Error(ErrorCode::kConfig, std::move(text)); }

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

Result<SocketAddress> look_up(const std::string& host, const std::string& port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  const int status = getaddrinfo(host.c_str(), port.empty() ? nullptr : port.c_str(), &hints, &list);
  if (status != 0) return config("the host \"" + host + "\" was not found: " + gai_strerror(status));
  // IPv4 where there is both: most servers that are measured listen there, and sources can be spread.
  const addrinfo* chosen = list;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    if (one->ai_family == AF_INET) {
      chosen = one;
      break;
    }
  }
  SocketAddress out;
  std::memcpy(&out.storage, chosen->ai_addr, chosen->ai_addrlen);
  out.bytes = chosen->ai_addrlen;
  freeaddrinfo(list);
  return out;
}

SocketAddress loopback_source(std::uint32_t number) {
  SocketAddress out;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number);
  std::memcpy(&out.storage, &address, sizeof address);
  out.bytes = sizeof address;
  return out;
}

Status choose_sources(Plan& plan) {
  const Options& options = plan.options;
  for (const std::string& text : options.source_addresses) {
    Result<SocketAddress> source = look_up(text, "", AI_NUMERICHOST);
    if (!source.ok())
      return config("--source-addresses: \"" + text + "\" is no address; give them as 127.0.0.2,127.0.0.3");
    if (source->storage.ss_family != plan.address.storage.ss_family)
      return config("--source-addresses: " + text +
                    " cannot reach the server, whose address is of the other kind");
    plan.sources.push_back(*source);
  }
  const std::size_t sockets = options.connections * (options.transport == Transport::kPolling ? 2 : 1);
  const std::size_t needed = (sockets + kConnectionsPerSource - 1) / kConnectionsPerSource;
  if (plan.sources.empty() && needed > 1) {
    if (!plan.address.is_loopback() || !plan.address.is_ipv4()) {
      return config(std::to_string(options.connections) +
                    " connections are more than one address can have (" +
                    std::to_string(kConnectionsPerSource) +
                    " ports): give this machine more addresses and name them by --source-addresses A,B,…");
    }
    for (std::uint32_t i = 0; i < needed; ++i) plan.sources.push_back(loopback_source(i + 1));
  }
  if (!plan.sources.empty() && plan.sources.size() < needed) {
    return config("--source-addresses names " + std::to_string(plan.sources.size()) + ", and " +
                  std::to_string(options.connections) + " connections want " + std::to_string(needed) + " (" +
                  std::to_string(kConnectionsPerSource) + " ports each)");
  }
  return {};
}

std::string tls_reason() {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  return reason == nullptr ? "unknown" : reason;
}

Status prepare_tls(Plan& plan) {
  if (!plan.endpoint.tls) return {};
  plan.tls.reset(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX* tls = plan.tls.get();
  SSL_CTX_set_mode(
      tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(tls, plan.options.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  const int trusted = plan.options.ca_file.empty()
                          ? SSL_CTX_set_default_verify_paths(tls)
                          : SSL_CTX_load_verify_locations(tls, plan.options.ca_file.c_str(), nullptr);
  if (trusted != 1) return config("--ca: " + plan.options.ca_file + " cannot be used: " + tls_reason());
  return {};
}

// The members of a JSON object without its braces, with a comma in front; empty for an empty object.
Result<std::string> members_of(std::string_view object) {
  while (!object.empty() && object.front() == ' ') object.remove_prefix(1);
  while (!object.empty() && object.back() == ' ') object.remove_suffix(1);
  if (object.size() < 2 || object.front() != '{' || object.back() != '}')
    return config(
        "--data and --join-data want a JSON object on the native protocol, as {\"data\":\"{data}\"}");
  const std::string members(object.substr(1, object.size() - 2));
  return members.empty() ? std::string() : "," + members;
}

struct Words {
  std::string event;
  std::string data;
  std::string join;
  std::string join_data;
};

// What is said where nothing else was asked for.
Words usual_words(const Plan& plan) {
  const Options& options = plan.options;
  const bool native = plan.speech == Speech::kNative;
  const bool echo = options.mode == Mode::kEcho;
  Words out;
  if (plan.speech == Speech::kWebSocket) {
    out.data = "{data}";
    return out;
  }
  out.event = echo ? "echo" : "publish";
  out.data = native ? R"({"data":"{data}"})" : R"("{data}")";
  if (options.rooms > 1) out.join_data = native ? R"({"roomId":"{room}"})" : R"("{room}")";
  if (native && out.join_data.empty()) out.join_data = "{}";
  if (!plan.hall) return out;
  if (echo) {
    out.event = native ? "ping" : "presence";
    if (!native) out.data = R"({"userIds":[],"data":"{data}"})";
    return out;
  }
  if (!carries_messages(options.mode)) return out;
  out.join = "join-room";
  out.join_data = native ? R"({"roomId":"{room}"})" : R"("{room}")";
  const bool stored = options.event.empty() ? options.mode != Mode::kFanout && options.mode != Mode::kSlow
                                            : options.event == "message";
  out.event = stored ? "message" : "broadcast";
  out.data = stored ? R"({"roomId":"{room}","content":"{data}"})" : R"({"room":"{room}","data":"{data}"})";
  return out;
}

Words chosen_words(const Plan& plan) {
  Words out = usual_words(plan);
  const Options& options = plan.options;
  if (!options.event.empty()) out.event = options.event;
  if (!options.data.empty()) out.data = options.data;
  if (!options.join.empty()) out.join = options.join;
  if (!options.join_data.empty()) out.join_data = options.join_data;
  return out;
}

std::string quoted(std::string_view text) { return Value(std::string(text)).to_json(); }

Result<std::string> event_text(const Plan& plan, const std::string& event, const std::string& data,
                               std::string_view id) {
  switch (plan.speech) {
    case Speech::kSocketIo:
      return "42" + plan.nsp() + std::string(id) + "[" + quoted(event) + (data.empty() ? "" : "," + data) +
             "]";
    case Speech::kNative: {
      Result<std::string> members = members_of(data);
      if (!members.ok()) return members.error();
      return "{\"type\":" + quoted(event) + (id.empty() ? "" : ",\"id\":" + std::string(id)) + *members + "}";
    }
    case Speech::kWebSocket: return data;
  }
  return std::string();
}

// Users of one run alone: a hall puts a user back into the rooms of its last connection, and what other
// generators do there would be taken for this run's. Short enough to need no memory of its own.
std::string usual_user_prefix(std::uint32_t run) {
  std::array<char, 16> text;
  std::snprintf(text.data(), text.size(), "bench%04x-", run & 0xffffu);
  return text.data();
}

}  // namespace

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::kEcho: return "echo";
    case Mode::kFanout: return "fanout";
    case Mode::kIdle: return "idle";
    case Mode::kChat: return "chat";
    case Mode::kJitter: return "jitter";
    case Mode::kRestart: return "restart";
    case Mode::kSlow: return "slow";
    case Mode::kConnect: return "connect";
  }
  return {};
}

bool carries_messages(Mode mode) {
  return mode != Mode::kIdle && mode != Mode::kRestart && mode != Mode::kConnect;
}

std::string_view name_of(Speech speech) {
  switch (speech) {
    case Speech::kSocketIo: return "socketio";
    case Speech::kNative: return "native";
    case Speech::kWebSocket: return "websocket";
  }
  return {};
}

std::string_view name_of(Transport transport) {
  switch (transport) {
    case Transport::kWebSocket: return "websocket";
    case Transport::kPolling: return "polling";
    case Transport::kUpgrade: return "upgrade";
  }
  return {};
}

bool SocketAddress::is_loopback() const {
  if (storage.ss_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &storage, sizeof address);
    return (ntohl(address.sin_addr.s_addr) >> 24) == 127;
  }
  sockaddr_in6 address{};
  std::memcpy(&address, &storage, sizeof address);
  return IN6_IS_ADDR_LOOPBACK(&address.sin6_addr);
}

std::string Plan::room(std::size_t number) const {
  return "bench-" + std::to_string(run) + "-" + std::to_string(number);
}
std::string Plan::user(std::size_t connection) const { return user_prefix + std::to_string(connection); }

std::string_view Plan::token(std::size_t connection) const {
  return tokens.empty() ? std::string_view() : tokens[connection % tokens.size()];
}

std::string Plan::join_text(std::size_t connection) const {
  return replaced(replaced(join, "{room}", room(room_of(connection))), "{user}", user(connection));
}

std::string Plan::target(std::string_view transport, std::string_view session) const {
  std::string out = endpoint.path;
  std::string query = endpoint.query;
  if (speech == Speech::kSocketIo) {
    query += (query.empty() ? "EIO=4&transport=" : "&EIO=4&transport=") + std::string(transport);
    if (!session.empty()) query += "&sid=" + client::encode_component(session);
  }
  return query.empty() ? out : out + "?" + query;
}

std::string Plan::header_lines(std::size_t connection) const {
  std::string out = "Host: " + endpoint.authority + "\r\n";
  if (!token(connection).empty()) out += "Authorization: Bearer " + std::string(token(connection)) + "\r\n";
  for (const std::string& header : options.headers) out += header + "\r\n";
  return out;
}

std::size_t Plan::descriptors() const {
  // At its upgrade a connection has three, but few are upgraded at once.
  const std::size_t each = options.transport == Transport::kPolling ? 2 : 1;
  const std::size_t upgrading = options.transport == Transport::kUpgrade ? 2 * options.opening_max : 0;
  return options.connections * each + upgrading + 32 + 3 * options.threads;
}

Result<Plan> make_plan(const Options& options) {
  Plan plan;
  plan.options = options;
  const bool by_websocket = options.url.starts_with("ws://") || options.url.starts_with("wss://");
  plan.speech = options.speech.value_or(by_websocket ? Speech::kWebSocket : Speech::kSocketIo);
  if (plan.speech != Speech::kSocketIo && options.transport != Transport::kWebSocket)
    return config("--transport " + std::string(name_of(options.transport)) + " is for Socket.IO");
  std::string url = options.url;
  if (plan.speech == Speech::kSocketIo && by_websocket) url = "http" + url.substr(2);
  Result<client::Endpoint> endpoint = client::parse_url(
      url, plan.speech == Speech::kSocketIo ? Protocol::kSocketIo : Protocol::kNative, options.engine_path);
  if (!endpoint.ok()) return endpoint.error();
  plan.endpoint = std::move(*endpoint);
  if (plan.speech == Speech::kWebSocket) {
    // Where no path was given there is none.
    const std::size_t path_at = url.find('/', url.find("://") + 3);
    if (path_at == std::string::npos || url.substr(path_at) == "/") plan.endpoint.path = "/";
  }
  for (const std::string& header : options.headers) {
    if (header.find(':') == std::string::npos || header.find_first_of("\r\n") != std::string::npos)
      return config("--header wants \"Name: value\", not \"" + header + "\"");
  }
  Result<SocketAddress> address =
      look_up(plan.endpoint.host, std::to_string(plan.endpoint.port), AI_ADDRCONFIG);
  if (!address.ok()) address = look_up(plan.endpoint.host, std::to_string(plan.endpoint.port), 0);
  if (!address.ok()) return address.error();
  plan.address = *address;
  if (const Status chosen = choose_sources(plan); !chosen.ok()) return chosen.error();
  if (const Status ready = prepare_tls(plan); !ready.ok()) return ready.error();
  while (getrandom(&plan.run, sizeof plan.run, 0) != sizeof plan.run) {
  }
  plan.user_prefix = options.user_prefix.empty() ? usual_user_prefix(plan.run) : options.user_prefix;
  return plan;
}

Status prepare_messages(Plan& plan) {
  const Options& options = plan.options;
  const Mode mode = options.mode;
  if ((mode == Mode::kChat || mode == Mode::kJitter) && !plan.hall)
    return config("--mode " + std::string(name_of(mode)) +
                  " speaks the events of Wirehall's hall (wirehall serve), which this server is not");
  const Words words = chosen_words(plan);
  if (!words.join.empty()) {
    Result<std::string> join = plan.speech == Speech::kWebSocket
                                   ? Result<std::string>(words.join)
                                   : event_text(plan, words.join, words.join_data, "1");
    if (!join.ok()) return join.error();
    plan.join = std::move(*join);
  }
  if (!carries_messages(mode)) return {};
  plan.wants_acks = plan.speech != Speech::kWebSocket && (mode == Mode::kEcho || plan.hall);
  if (words.data.find("{data}") == std::string::npos && (mode != Mode::kEcho || !plan.wants_acks))
    return config("--data has no {data}: that is where the mark stands by which messages are known again");
  Result<std::string> send = event_text(plan, words.event, words.data, plan.wants_acks ? "{id}" : "");
  if (!send.ok()) return send.error();
  plan.sends.clear();
  for (std::size_t room = 0; room < options.rooms; ++room)
    plan.sends.emplace_back(replaced(*send, "{room}", plan.room(room)), plan.run, options.size_bytes);
  return {};
}

Status raise_descriptors(std::size_t wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return {};
  if (limit.rlim_max < wanted) {
    return config("this run wants " + std::to_string(wanted) + " descriptors, and this process may have " +
                  std::to_string(limit.rlim_max) +
                  ".\nRaise the limit in this shell as root:\n\n    ulimit -n " + std::to_string(wanted) +
                  "\n\nand start again; or take fewer --connections");
  }
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    return config(std::string("the limit of descriptors could not be raised: ") + std::strerror(errno));
  return {};
}

}  // namespace wirehall::loadgen
