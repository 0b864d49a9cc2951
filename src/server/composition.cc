#include "server/composition.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/assert.h"
#include "base/hash_map.h"
#include "http1/content_coding.h"
#include "io/system.h"
#include "server/authenticators.h"
#include "server/recovery_log.h"
#include "server/room_census.h"
#include "wirehall/log.h"

namespace wirehall::server {
namespace {

std::string content_hash(std::string_view bytes) {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(keyed_hash(bytes)));
  return text;
}

std::string attributes_of(const CookieConfig& cookie) {
  std::string text;
  if (cookie.max_age) text += "; Max-Age=" + std::to_string(cookie.max_age->count());
  if (!cookie.domain.empty()) text += "; Domain=" + cookie.domain;
  if (!cookie.path.empty()) text += "; Path=" + cookie.path;
  if (cookie.http_only) text += "; HttpOnly";
  if (cookie.secure) text += "; Secure";
  if (!cookie.same_site.empty()) text += "; SameSite=" + cookie.same_site;
  return text;
}

void seed_hashes_once() {
  static const bool seeded = [] {
    io::SystemRandom random;
    std::string secret(64, '\0');
    random.fill({secret.data(), secret.size()});
    seed_hash(secret);
    return true;
  }();
  (void)seeded;
}

void hand_records_to_kernel(io::TlsContext& tls) {
  if (const Status status = tls.hand_records_to_kernel(); !status.ok()) {
    log_line(LogLevel::kWarning, "tls", "this process encrypts, not the kernel", {{"reason", status.error().detail()}});
  } else {
    log_line(LogLevel::kInfo, "tls", "the kernel encrypts after handshakes of TLS 1.3");
  }
}

}  // namespace

Composition::Composition(Config config) : config_(std::move(config)), world_(registry_) {
  seed_hashes_once();
  registry_.of("/");
  registry_.authenticator = [this]() -> Authenticator& { return authenticator(); };
  fill_world();
}

Composition::~Composition() { stop_now(); }

void Composition::fill_world() {
  const Config& c = config_;
  world_.limits = c.limits;
  world_.dev = c.dev;
  world_.engine_enabled = c.socketio;
  world_.engine_path = c.path;
  while (world_.engine_path.ends_with('/')) world_.engine_path.pop_back();
  if (c.add_trailing_slash) world_.engine_path.push_back('/');
  world_.engine.ping_interval = c.ping_interval;
  world_.engine.ping_timeout = c.ping_timeout;
  world_.engine.upgrade_timeout = c.upgrade_timeout;
  world_.engine.max_payload = c.max_http_buffer_size;
  world_.engine.allow_upgrades = c.allow_upgrades;
  const auto offers = [&](std::string_view transport) {
    return std::find(c.transports.begin(), c.transports.end(), transport) != c.transports.end();
  };
  world_.engine.polling_allowed = offers("polling");
  world_.engine.websocket_allowed = offers("websocket");
  world_.engine.packets_per_payload_max = c.limits.engine_packets_per_payload_max;
  for (ws::CoreOptions* options : {&world_.engine_websocket, &world_.native_websocket}) {
    options->fragments_max = c.limits.ws_fragments_max;
    options->control_frames_per_second_max = c.limits.ws_control_frames_per_second_max;
    options->close_timeout = c.limits.ws_close_timeout;
  }
  world_.engine_websocket.message_bytes_max = c.max_http_buffer_size;
  world_.native_websocket.message_bytes_max = c.max_payload;
  socketio::DecoderLimits& decoder = world_.client;
  decoder.namespace_bytes_max = c.limits.namespace_bytes_max;
  decoder.event_name_bytes_max = c.limits.event_name_bytes_max;
  decoder.attachments_max = c.limits.attachments_max;
  decoder.json_depth_max = c.limits.json_depth_max;
  decoder.packet_bytes_max = c.max_http_buffer_size;
  decoder.attachments_timeout = c.limits.attachments_timeout;
  world_.client.connect_timeout = c.connect_timeout;
  world_.client.namespaces_max = c.limits.namespaces_per_client_max;
  if (c.cookie) {
    world_.cookie.enabled = true;
    world_.cookie.name = c.cookie->name;
    world_.cookie.attributes = attributes_of(*c.cookie);
  }
  world_.engine.initial_packet = c.initial_packet;
  world_.engine.allow_version_3 = c.allow_eio3;
  world_.http_compression_threshold = c.http_compression_threshold;
  world_.client.parser = c.parser;
  world_.native_enabled = c.native;
  world_.native_path = c.native_path;
  world_.native_limits = {c.limits.json_depth_max, c.limits.event_name_bytes_max, c.limits.attachments_max};
  world_.heartbeat_interval = c.heartbeat_interval;
  world_.deflate_enabled = c.per_message_deflate;
  world_.deflate_threshold_bytes = c.per_message_deflate_threshold;
  world_.cors.any_origin =
      std::find(c.cors_origins.begin(), c.cors_origins.end(), "*") != c.cors_origins.end();
  world_.cors.origins = c.cors_origins;
  world_.cors.credentials = c.cors_credentials;
  world_.cors.loopback_origins = c.dev;
  world_.cors.enabled = c.dev || !c.cors_origins.empty();
  world_.cookies_authenticate = !c.auth.cookie.empty();
  world_.handshake_headers = c.handshake_headers;
  for (const std::string& proxy : c.trusted_proxies) world_.trusted_proxies.add(proxy);
  world_.slow_consumer_drops = c.slow_consumer_drops;
  AddressAdmission::Options admission;
  admission.connections_per_minute = c.connections_per_minute;
  admission.connections_max = c.limits.connections_per_address_max;
  admission.joining_max = c.limits.unauthenticated_per_address_max;
  admission.exempt_loopback = c.dev;
  admission_ = std::make_unique<AddressAdmission>(admission);
  world_.admission = admission_.get();
}

Authenticator& Composition::authenticator() {
  if (!authenticator_) authenticator_ = make_authenticator(config_.auth);
  return *authenticator_;
}

void Composition::serve_file(std::string_view path, std::string_view content_type, std::string bytes) {
  WIREHALL_ASSERT(!registry_.running);
  http1::StaticFile file;
  file.content_type = content_type;
  file.etag = "\"" + content_hash(bytes) + "\"";
  constexpr std::size_t kWorthBytes = 1024;
  const bool text = content_type.starts_with("text/") || content_type.starts_with("application/javascript");
  if (text && bytes.size() >= kWorthBytes) {
    file.gzip = std::make_shared<const std::string>(http1::encode_body(bytes, http1::ContentCoding::kGzip));
  }
  file.bytes = std::make_shared<const std::string>(std::move(bytes));
  world_.routes.files[std::string(path)] = std::move(file);
}

// The stock client as npm installed it; nothing of it is in this tree.
Status Composition::serve_stock_client() {
  if (!config_.socketio || !config_.serve_client || config_.client_directory.empty()) return {};
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(config_.client_directory, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("socket.io") || !entry.is_regular_file()) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    std::stringstream bytes;
    bytes << stream.rdbuf();
    const bool map = name.ends_with(".map");
    if (!map && !name.ends_with(".js")) continue;
    serve_file(world_.engine_path + (world_.engine_path.ends_with('/') ? "" : "/") + name,
               map ? "application/json; charset=utf-8" : "application/javascript; charset=utf-8",
               bytes.str());
  }
  if (error)
    return Error(ErrorCode::kConfig, "clientDirectory " + config_.client_directory + ": " + error.message());
  return {};
}

// One log for each namespace, whichever shards it is on.
void Composition::prepare_recovery(unsigned shards) {
  if (config_.connection_state_recovery.count() == 0) return;
  RecoveryOptions options;
  options.disconnection_max = config_.connection_state_recovery;
  options.entries_max = config_.limits.recovery_log_entries_max;
  options.bytes_max = config_.limits.recovery_log_bytes_max;
  options.sessions_max = config_.limits.recovery_sessions_max;
  auto logs = std::make_shared<RecoveryLogs>(options, shards);
  for (const auto& [name, spec] : registry_.namespaces) spec->recovery = logs->of(name);
  registry_.recovery_for = [logs](const std::string& name) { return logs->of(name); };
}

Status Composition::start() {
  WIREHALL_ASSERT(!node_);
  if (!refusal_.ok()) return refusal_;
  io::prepare_process();
  if (Status status = serve_stock_client(); !status.ok()) return status;
  if (authenticator_) {
    if (Status status = check_authenticator(*authenticator_); !status.ok()) return status;
  }
  io::NodeOptions options;
  options.host = config_.host;
  options.port = config_.port;
  options.shards = config_.threads != 0 ? config_.threads : std::max(1u, std::thread::hardware_concurrency());
  options.separate_descriptors = config_.separate_descriptors;
  if (!config_.tls_certificate.empty()) {
    auto tls = io::TlsContext::load(config_.tls_certificate, config_.tls_key);
    if (!tls.ok()) return tls.error();
    options.tls = *tls;
    if (config_.tls_kernel) hand_records_to_kernel(*options.tls);
  }
  for (const auto& [name, spec] : registry_.namespaces) {
    if (spec->room_handlers.any()) spec->census = std::make_shared<LockedRoomCensus>();
  }
  for (const auto& parent : registry_.parents) {
    if (parent->spec.room_handlers.any()) parent->spec.census = std::make_shared<LockedRoomCensus>();
  }
  prepare_recovery(options.shards);
  registry_.cleanup_empty_children = config_.cleanup_empty_child_namespaces;
  registry_.running = true;
  node_ = std::make_unique<io::Node>(world_, std::move(options));
  registry_.post_from_outside = [node = node_.get()](unsigned shard, hub::HubTask task) {
    node->post_to(shard, [task = std::move(task)](pipeline::ShardCore& core) { task(core.hub()); });
  };
  for (const auto& action : before_start_) action();
  Status status = node_->start();
  if (!status.ok()) stop_now();
  return status;
}

void Composition::stop() {
  if (!node_) return;
  node_->drain(config_.limits.drain_window);
  node_->join();
  stop_now();
}

void Composition::stop_now() {
  if (!node_) return;
  node_->stop();
  node_->join();
  registry_.post_from_outside = nullptr;
  node_->run_left_mail();
  for (const auto& action : before_destruction_) action();
  node_.reset();
  registry_.running = false;
}

}  // namespace wirehall::server
