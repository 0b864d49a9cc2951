#include "pipeline/engine_server.h"

#include <algorithm>

#include "base/assert.h"
#include "engineio/v3.h"
#include "http1/content_coding.h"
#include "http1/url.h"
#include "pipeline/engine_client.h"
#include "pipeline/engine_websocket_stage.h"
#include "pipeline/handshake_of.h"
#include "pipeline/http_stage.h"
#include "pipeline/shard_core.h"
#include "ws/handshake.h"

namespace wirehall::pipeline {
namespace {

engineio::RequestParameters parameters_of(const http1::RequestHead& head) {
  return engineio::read_parameters(head.query());
}

engineio::VerifyOptions verify_options(const World& world) {
  return {world.engine.polling_allowed, world.engine.websocket_allowed};
}

// The answer to a failed upgrade: always 400 with the message alone, as the reference.
http1::Response upgrade_refusal(engineio::RequestError error, std::string_view message) {
  http1::Response response;
  response.status = 400;
  response.set("Content-Type", "text/html");
  response.body = std::string(message.empty() ? engineio::message_of(error) : message);
  return response;
}

std::string_view headers_of(PollingBody body) {
  const auto with = [](std::string_view type) {
    return std::string("Content-Type: ").append(type).append("\r\ncache-control: no-store\r\n");
  };
  static const std::string kText = with(engineio::content_type_of(engineio::PayloadKind::kText));
  static const std::string kBinary = with(engineio::content_type_of(engineio::PayloadKind::kBinary));
  static const std::string kHtml = with("text/html");
  switch (body) {
    case PollingBody::kBinaryPayload: return kBinary;
    case PollingBody::kOk: return kHtml;
    case PollingBody::kTextPayload: break;
  }
  return kText;
}

}  // namespace

http1::Response polling_response(const World& world, const http1::RequestHead* request, std::string body,
                                 PollingResponse kind) {
  http1::Response response;
  response.fixed_headers = headers_of(kind.body);
  if (request != nullptr) {
    for (http1::Header& header : added_headers(world, *request, kind.initial))
      response.headers.push_back(std::move(header));
  }
  if (request != nullptr && kind.compress && world.http_compression_threshold && body.size() >= *world.http_compression_threshold) {
    if (const auto coding = http1::choose_coding(request->find("accept-encoding").value_or(""))) {
      body = http1::encode_body(body, *coding);
      response.set("Content-Encoding", http1::coding_name(*coding));
    }
  }
  if (request != nullptr) {
    const std::string_view agent = request->find("user-agent").value_or("");
    if (agent.find(";MSIE") != std::string_view::npos || agent.find("Trident/") != std::string_view::npos)
      response.set("X-XSS-Protection", "0");
  }
  response.body = std::move(body);
  return response;
}

EngineServer::EngineServer(ShardCore& core) : core_(core) {}
EngineServer::~EngineServer() {
  for (EngineClient* client : sessions_) delete client;
}

std::string_view EngineServer::SidOf::operator()(const EngineClient& client) const { return client.session().sid(); }

EngineClient* EngineServer::find(std::string_view sid) const { return sessions_.find(sid); }

std::size_t EngineServer::polling_count() const {
  return static_cast<std::size_t>(std::count_if(sessions_.begin(), sessions_.end(), [](const EngineClient* client) {
    return client->session().transport() == engineio::Transport::kPolling;
  }));
}

// -- requests -----------------------------------------------------------------------------------

void EngineServer::post_begins(HttpStage& stage, const HeadPtr& head) {
  const engineio::RequestParameters parameters = parameters_of(*head);
  const int shard = shard_of_id(parameters.sid.view());
  if (shard < 0 || static_cast<unsigned>(shard) >= core_.shard_count()) return;
  // What will be refused for its own sake does not touch the session.
  if (engineio::verify_transport(parameters, verify_options(core_.world()))) return;
  const Responder responder = stage.responder();
  const auto target = static_cast<unsigned>(shard);
  stage.watch_abort(target);
  if (target == core_.shard()) {
    post_arrives(responder, parameters);
  } else {
    core_.link().post(core_.shard(), target, [parameters, responder](ShardCore& other) {
      other.engine().post_arrives(responder, parameters);
    });
  }
}

// The head of a POST on the shard of its session.
void EngineServer::post_arrives(const Responder& from, const engineio::RequestParameters& parameters) {
  EngineClient* client = find(parameters.sid.view());
  if (client == nullptr) return;
  const engineio::Session& session = client->session();
  if (!engineio::verify_session(parameters, false, session.transport(), session.protocol())) client->post_begins(from);
}

void EngineServer::request_aborted(unsigned shard, const http1::RequestHead& head, const Responder& from, bool lost) {
  // That is rare: whose it is can be read from the request then.
  const auto aborted = [sid = parameters_of(head).sid, from, lost](ShardCore& there) {
    if (EngineClient* client = there.engine().find(sid.view())) client->request_aborted(from, lost);
  };
  if (shard == core_.shard()) {
    aborted(core_);
  } else {
    core_.link().post(core_.shard(), shard, aborted);
  }
}

void EngineServer::request(HttpStage& stage, const HeadPtr& head, std::string body) {
  Arrival arrival = arrival_of(stage, head);
  const engineio::RequestParameters parameters = parameters_of(*head);
  if (const auto error = engineio::verify_transport(parameters, verify_options(core_.world()))) {
    refuse(arrival.from, *arrival.head, {*error});
    return;
  }
  if (parameters.sid.view().empty()) {
    if (const auto error =
            engineio::verify_handshake(parameters, head->method == http1::Method::kGet, false)) {
      refuse(arrival.from, *arrival.head, *error);
      return;
    }
    if (!admit(arrival)) {
      core_.respond(arrival.from, http1::problem(*arrival.refusal));
      return;
    }
    handshake(arrival, parameters);
    return;
  }
  const int shard = shard_of_id(parameters.sid.view());
  if (shard < 0 || static_cast<unsigned>(shard) >= core_.shard_count()) {
    refuse(arrival.from, *arrival.head, {engineio::RequestError::kSessionUnknown});
    return;
  }
  const auto target = static_cast<unsigned>(shard);
  stage.watch_abort(target);
  if (target == core_.shard()) {
    arrived(arrival, parameters, std::move(body));
    return;
  }
  core_.link().post(core_.shard(), target, [arrival, parameters, body = std::move(body)](ShardCore& other) {
    other.engine().arrived(arrival, parameters, body);
  });
}

// A request on the shard of its session.
void EngineServer::arrived(const Arrival& arrival, const engineio::RequestParameters& parameters, std::string body) {
  EngineClient* client = find(parameters.sid.view());
  if (client == nullptr) {
    refuse(arrival.from, *arrival.head, {engineio::RequestError::kSessionUnknown});
    return;
  }
  if (const auto error = engineio::verify_session(parameters, false, client->session().transport(),
                                                  client->session().protocol())) {
    client->request_aborted(arrival.from, false);
    refuse(arrival.from, *arrival.head, *error);
    return;
  }
  switch (arrival.head->method) {
    case http1::Method::kGet: client->poll(arrival.from, arrival.head); break;
    case http1::Method::kPost: client->post(arrival.from, arrival.head, std::move(body)); break;
    default: {
      http1::Response response;
      response.status = 500;
      core_.respond(arrival.from, std::move(response));
    }
  }
}

void EngineServer::report(const http1::RequestHead& request, engineio::RequestRefusal refusal,
                          std::string_view message) {
  const auto& handlers = core_.world().connection_error_handlers;
  if (handlers.empty()) return;
  const Handshake handshake = make_handshake(request, {}, core_.wall_now());
  const ConnectionFailure failure{static_cast<int>(refusal.error), engineio::message_of(refusal.error), refusal.context,
                                  message, handshake};
  for (const auto& handler : handlers) handler(failure);
}

void EngineServer::refuse(const Responder& to, const http1::RequestHead& request, engineio::RequestRefusal refusal,
                          std::string_view message) {
  report(request, refusal, message);
  http1::Response response;
  response.status = refusal.error == engineio::RequestError::kForbidden ? 403 : 400;
  response.set("Content-Type", "application/json");
  response.body = engineio::error_body(refusal.error, message.empty() ? engineio::message_of(refusal.error) : message);
  core_.respond(to, std::move(response));
}

EngineServer::Arrival EngineServer::arrival_of(HttpStage& stage, const HeadPtr& head) const {
  const bool foreign = core_.world().cookies_authenticate && stage.refuse_origin(*head);
  return {stage.responder(), head, {stage.client_address(*head), stage.peer().secure, foreign}, {}};
}

// Whom a limit refuses is let in all the same, while there are few of them, to be told by CONNECT_ERROR.
bool EngineServer::admit(Arrival& arrival) {
  Admission* admission = core_.world().admission;
  if (admission == nullptr) return true;
  const auto bytes = http1::parse_address(arrival.origin.address);
  const Status admitted =
      admission->admit(arrival.origin.address, bytes && http1::is_loopback_address(*bytes), core_.now());
  if (admitted.ok()) return true;
  core_.metrics().add(Counter::kRateLimited);
  arrival.refusal = admitted.error();
  return admission->admit_refused(arrival.origin.address);
}

void EngineServer::release(const Arrival& arrival) {
  Admission* admission = core_.world().admission;
  if (admission == nullptr) return;
  if (arrival.refusal) {
    admission->release_refused(arrival.origin.address);
  } else {
    admission->release(arrival.origin.address, false);
  }
}

void EngineServer::handshake(const Arrival& arrival, const engineio::RequestParameters& parameters) {
  const World& world = core_.world();
  if (world.allow_request) {
    const std::string message = world.allow_request(make_handshake(*arrival.head, arrival.origin, core_.wall_now()));
    if (!message.empty()) {
      refuse(arrival.from, *arrival.head, {engineio::RequestError::kForbidden}, message);
      release(arrival);
      return;
    }
  }
  if (parameters.protocol != 4 && !world.engine.allow_version_3) {
    refuse(arrival.from, *arrival.head, {engineio::RequestError::kUnsupportedVersion});
    release(arrival);
    return;
  }
  std::string sid = make_sid(parameters);
  EngineClient& client = add(make_client(arrival, parameters, std::move(sid)));
  // The open packet answers the handshake itself; the cookie stands on this response alone.
  http1::Response response = client.poll_response(*arrival.head, client.session_.take_packets(), true);
  if (world.cookie.enabled)
    response.set("Set-Cookie", world.cookie.name + "=" + std::string(client.session().sid()) + world.cookie.attributes);
  core_.respond(arrival.from, std::move(response));
  client.connect_at_once();
}

// In revision 3 the session's id is the id of the client's socket too: no room may be called so.
std::string EngineServer::make_sid(const engineio::RequestParameters& parameters) {
  const auto shard = static_cast<std::uint8_t>(core_.shard());
  return parameters.protocol == 3 ? make_socket_id(core_.random(), shard) : make_id(core_.random(), shard);
}

std::unique_ptr<EngineClient> EngineServer::make_client(const Arrival& arrival,
                                                        const engineio::RequestParameters& parameters,
                                                        std::string sid) {
  const engineio::Transport transport = *parameters.transport;
  const bool jsonp = parameters.jsonp && transport == engineio::Transport::kPolling;
  auto client = std::make_unique<EngineClient>(
      core_, sid,
      EngineClient::Opening{transport, parameters.protocol, parameters.base64_only,
                            jsonp ? parameters.jsonp : std::nullopt},
      keep_handshake(*arrival.head, arrival.origin, core_.wall_now()));
  if (arrival.refusal) client->refuse_all(*arrival.refusal);
  return client;
}

EngineClient& EngineServer::add(std::unique_ptr<EngineClient> client) {
  EngineClient& added = *client;
  sessions_.add(*client.release());
  return added;
}

// -- upgrades -----------------------------------------------------------------------------------

void EngineServer::upgrade(HttpStage& stage, const HeadPtr& head) {
  const World& world = core_.world();
  const engineio::RequestParameters parameters = parameters_of(*head);
  const auto fail = [&](engineio::RequestRefusal refusal, std::string_view message = {}) {
    report(*head, refusal, message);
    stage.refuse_upgrade(upgrade_refusal(refusal.error, message));
  };
  if (const auto error = engineio::verify_transport(parameters, verify_options(world))) return fail({*error});
  if (!parameters.sid.view().empty()) {
    const int shard = shard_of_id(parameters.sid.view());
    if (shard < 0 || static_cast<unsigned>(shard) >= core_.shard_count())
      return fail({engineio::RequestError::kSessionUnknown});
    if (static_cast<unsigned>(shard) != core_.shard()) {
      stage.connection().migrate(static_cast<unsigned>(shard), head);
      return;
    }
    EngineClient* client = find(parameters.sid.view());
    if (client == nullptr) return fail({engineio::RequestError::kSessionUnknown});
    if (const auto error = engineio::verify_session(parameters, true, client->session().transport(),
                                                    client->session().protocol()))
      return fail(*error);
    if (const ErrorCode code = ws::check_handshake(*head); code != ErrorCode::kOk)
      return stage.refuse_upgrade(ws::refusal(code));
    begin_probe(stage, head, parameters, *client);
    return;
  }
  if (const auto error = engineio::verify_handshake(parameters, head->method == http1::Method::kGet, true))
    return fail(*error);
  if (const ErrorCode code = ws::check_handshake(*head); code != ErrorCode::kOk)
    return stage.refuse_upgrade(ws::refusal(code));
  if (parameters.transport != engineio::Transport::kWebSocket)
    return fail({engineio::RequestError::kBadRequest});
  if (world.allow_request) {
    const std::string message = world.allow_request(
        make_handshake(*head, arrival_of(stage, head).origin, core_.wall_now()));
    if (!message.empty()) return fail({engineio::RequestError::kForbidden}, message);
  }
  if (parameters.protocol != 4 && !world.engine.allow_version_3) return fail({engineio::RequestError::kUnsupportedVersion});
  open_websocket(stage, head, parameters);
}

namespace {

std::unique_ptr<EngineWebSocketStage> switch_protocols(HttpStage& stage, const http1::RequestHead& head,
                                                       bool initial) {
  Connection& connection = stage.connection();
  std::optional<ws::DeflateAgreement> deflate;
  if (connection.core().world().deflate_enabled)
    deflate = ws::negotiate_deflate(ws::joined_fields(head, "sec-websocket-extensions"));
  // Engine.IO has no subprotocol of its own; a client that offers some wants one of them.
  const auto offered = ws::offered_subprotocols(head);
  ws::append_switching_protocols(connection.outbox(), head, deflate, offered.empty() ? std::string_view() : offered.front(),
                                 added_headers(connection.core().world(), head, initial));
  connection.touch();
  return std::make_unique<EngineWebSocketStage>(connection, deflate);
}

}  // namespace

void EngineServer::begin_probe(HttpStage& stage, const HeadPtr& head,
                               const engineio::RequestParameters& parameters, EngineClient& client) {
  std::unique_ptr<EngineWebSocketStage> websocket = switch_protocols(stage, *head, false);
  if (!client.probe(*websocket, parameters.base64_only)) websocket->close(ws::CloseCode::kNoStatus, {});
  stage.hold_upgrade(std::move(websocket));
  stage.accept_upgrade();
}

void EngineServer::open_websocket(HttpStage& stage, const HeadPtr& head,
                                  const engineio::RequestParameters& parameters) {
  Arrival arrival = arrival_of(stage, head);
  if (!admit(arrival)) return stage.refuse_upgrade(http1::problem(*arrival.refusal));
  std::unique_ptr<EngineWebSocketStage> websocket = switch_protocols(stage, *head, true);
  std::string sid = make_sid(parameters);
  EngineClient& client = add(make_client(arrival, parameters, std::move(sid)));
  client.attach(*websocket);
  stage.hold_upgrade(std::move(websocket));
  stage.accept_upgrade();
  client.pump();
  client.connect_at_once();
}

// -- life ---------------------------------------------------------------------------------------

void EngineServer::touched(EngineClient& client) {
  if (client.in_touched_list) return;
  client.in_touched_list = true;
  touched_.push_back(&client);
}

void EngineServer::ended(EngineClient& client) {
  if (!sessions_.remove(client.session().sid())) return;
  if (Admission* admission = core_.world().admission) {
    if (client.is_refused()) {
      admission->release_refused(client.address());
    } else {
      admission->release(client.address(), client.has_joined());
    }
  }
  if (client.in_touched_list) std::erase(touched_, &client);
  graveyard_.emplace_back(&client);
}

void EngineServer::end_turn() {
  while (!touched_.empty()) {
    for (EngineClient* client : std::exchange(touched_, {})) {
      client->in_touched_list = false;
      client->pump();
    }
  }
}

std::vector<EngineClient*> EngineServer::all() const {
  std::vector<EngineClient*> clients;
  clients.reserve(sessions_.size());
  for (EngineClient* client : sessions_) clients.push_back(client);
  return clients;
}

void EngineServer::sweep() { graveyard_.clear(); }

void EngineServer::shut_down() {
  for (EngineClient* client : all()) client->shut_down();
}

}  // namespace wirehall::pipeline
