#include "pipeline/http_stage.h"

#include "base/log.h"
#include "http1/conditional.h"
#include "http1/content_coding.h"
#include "pipeline/native_stage.h"
#include "pipeline/shard_core.h"
#include "ws/handshake.h"

namespace wirehall::pipeline {
namespace {

// A connection whose output is not read gets no further requests processed.
constexpr std::size_t kPipelineOutputMax = 256 * 1024;

std::string_view method_name(http1::Method method) {
  switch (method) {
    case http1::Method::kGet: return "GET";
    case http1::Method::kHead: return "GET";  // the same handler; the body is left out
    case http1::Method::kPost: return "POST";
    case http1::Method::kPut: return "PUT";
    case http1::Method::kDelete: return "DELETE";
    case http1::Method::kPatch: return "PATCH";
    case http1::Method::kOptions: return "OPTIONS";
    default: return "OTHER";
  }
}

}  // namespace

HttpStage::HttpStage(Connection& connection, PeerInfo peer)
    : connection_(connection),
      peer_(std::move(peer)),
      deadline_(connection.core().now() + connection.core().limits().http_head_timeout) {}

HttpStage::~HttpStage() {
  parser_.reset();
  if (counted_body_bytes_ != 0) count_body();
  tell_abort(true);
}

void HttpStage::tell_abort(bool lost) {
  const int shard = std::exchange(abort_shard_, kNobody);
  if (shard != kNobody) connection_.core().engine().request_aborted(static_cast<unsigned>(shard), *head_, responder(), lost);
}

Responder HttpStage::responder() const { return {connection_.core().shard(), connection_.id(), sequence_}; }

std::string HttpStage::client_address(const http1::RequestHead& head) const {
  return http1::client_address(head, peer_.address, connection_.core().world().trusted_proxies);
}

void HttpStage::receive(char*& cursor, char* end, TurnBudget& budget) {
  ShardCore& core = connection_.core();
  // A request without a body completes without further bytes.
  while ((cursor != end || (parser_ && parser_->in_body())) && !waiting_ && budget.messages != 0) {
    if (connection_.outbox().bytes() > kPipelineOutputMax) return;  // drained() goes on
    if (!parser_) parser_ = core.take_parser();
    if (idle_) {
      idle_ = false;
      deadline_ = core.now() + core.limits().http_head_timeout;
    }
    std::string_view input(cursor, static_cast<std::size_t>(end - cursor));
    const auto step = parser_->next(input);
    cursor = end - input.size();
    switch (step) {
      case http1::RequestParser::Step::kNeedMore:
        if (parser_->in_body() && !count_body()) fail(ErrorCode::kUnavailable);
        return;
      case http1::RequestParser::Step::kError:
        core.metrics().add(Counter::kProtocolErrorsHttp);
        fail(parser_->error());
        return;
      case http1::RequestParser::Step::kHead: begin_request(); break;
      case http1::RequestParser::Step::kComplete:
        --budget.messages;
        complete_request();
        break;
    }
    if (connection_.ending() != Connection::Ending::kNone || connection_.migrating_to() >= 0) return;
  }
}

bool HttpStage::is_engine(const http1::RequestHead& head) const {
  const World& world = connection_.core().world();
  const std::string& prefix = world.engine_path;
  return world.engine_enabled && head.target().substr(0, prefix.size()) == prefix;
}

// The head has come: what must be known or refused before the body.
void HttpStage::begin_request() {
  ShardCore& core = connection_.core();
  ++sequence_;
  core.metrics().add(Counter::kHttpRequests);
  body_read_ = false;
  head_ = std::make_shared<const http1::RequestHead>(parser_->take_head());
  deadline_ = core.now() + core.limits().http_request_timeout;
  if (is_engine(*head_) && head_->method == http1::Method::kPost) {
    parser_->set_body_limit(core.world().engine.max_payload);
    core.engine().post_begins(*this, head_);
    if (!head_ || connection_.ending() != Connection::Ending::kNone) return;  // refused already
  }
  if (head_->expects_continue && !parser_->body_too_large()) {
    http1::append_continue(connection_.outbox());
    connection_.touch();
  }
}

// Brings this request's part of what all shards hold up to date. Returns: whether there is room for it.
bool HttpStage::count_body() {
  const std::size_t held = parser_ ? parser_->held_bytes() : 0;
  auto& all = connection_.core().world().body_bytes_in_flight;
  const std::size_t now = all.fetch_add(held - counted_body_bytes_) + held - counted_body_bytes_;
  counted_body_bytes_ = held;
  return now <= connection_.core().limits().http_bodies_in_flight_bytes_max;
}

void HttpStage::complete_request() {
  body_read_ = true;
  std::string body = parser_->take_body();
  connection_.core().give_back(std::move(parser_));
  if (counted_body_bytes_ != 0) count_body();
  deadline_ = kNever;
  waiting_ = true;
  if (head_->wants_websocket()) {
    dispatch_upgrade();
  } else {
    dispatch(std::move(body));
  }
}

void HttpStage::dispatch_upgrade() {
  ShardCore& core = connection_.core();
  const World& world = core.world();
  if (is_engine(*head_)) {
    core.engine().upgrade(*this, head_);
    return;
  }
  if (!world.native_enabled || head_->path() != world.native_path) {
    // No tunnel may stay open behind a refused upgrade (RELIABILITY W12).
    send(http1::problem(404, "not-found", "Not found", "no WebSocket endpoint at this path"), true);
    return;
  }
  if (const ErrorCode code = ws::check_handshake(*head_); code != ErrorCode::kOk) {
    send(ws::refusal(code), true);
    return;
  }
  if (refuse_origin(*head_)) {
    send(http1::problem(ErrorCode::kOriginNotAllowed), true);
    return;
  }
  NativeStage::open(*this, head_);
}

bool HttpStage::refuse_origin(const http1::RequestHead& head) const {
  const std::uint32_t count = head.count("origin");
  if (count == 0) return false;
  if (count > 1) return true;
  const std::string_view origin = *head.find("origin");
  const World& world = connection_.core().world();
  if (world.cors.enabled && http1::is_origin_allowed(world.cors, origin)) return false;
  if (world.dev && http1::is_loopback_origin(origin)) return false;
  bool secure = peer_.secure;
  const auto peer = http1::parse_address(peer_.address);
  if (peer && world.trusted_proxies.contains(*peer))
    secure = secure || head.find("x-forwarded-proto") == "https";
  const std::string same =
      std::string(secure ? "https://" : "http://") + std::string(head.find("host").value_or(""));
  return origin != same;
}

void HttpStage::dispatch(std::string body) {
  ShardCore& core = connection_.core();
  const World& world = core.world();
  if (http1::is_preflight(world.cors, *head_)) {
    send(http1::preflight_response(world.cors, *head_), false);
    return;
  }
  if (is_engine(*head_) && world.routes.files.find(head_->path()) == world.routes.files.end()) {
    core.engine().request(*this, head_, std::move(body));
    return;
  }
  if (world.native_enabled && head_->path() == world.native_path) {
    send(ws::refusal(ErrorCode::kUpgradeRequired), true);
    return;
  }
  serve(std::move(body));
}

// Compressed where the client takes it; one tag for both forms, as the reference has it.
void HttpStage::serve_bytes(const http1::StaticFile& file, http1::Response& response) {
  if (file.gzip) response.set("Vary", "Accept-Encoding");
  const bool compressed = file.gzip && http1::choose_coding(head_->find("accept-encoding").value_or("")) == http1::ContentCoding::kGzip;
  if (compressed) response.set("Content-Encoding", http1::coding_name(http1::ContentCoding::kGzip));
  response.shared_body = FrameRef::of_shared(compressed ? file.gzip : file.bytes);
}

void HttpStage::serve(std::string body) {
  ShardCore& core = connection_.core();
  const http1::Routes& routes = core.world().routes;
  const std::string_view path = head_->path();
  if (const http1::HttpHandler* handler = routes.find(method_name(head_->method), path)) {
    HttpRequest request{head_, std::move(body), client_address(*head_), false};
    const auto address = http1::parse_address(request.address);
    request.from_loopback =
        address && http1::is_loopback_address(*address) && !head_->find("x-forwarded-for");
    (*handler)(core, std::move(request), responder());
    return;
  }
  const bool reads = head_->method == http1::Method::kGet || head_->method == http1::Method::kHead;
  const auto file = routes.files.find(path);
  if (file == routes.files.end()) {
    const std::string allowed = routes.allowed_methods(path);
    http1::Response refused = allowed.empty() ? http1::problem(404, "not-found", "Not found", "")
                                              : http1::problem(ErrorCode::kHttpMethod);
    if (!allowed.empty()) refused.set("Allow", allowed);
    send(std::move(refused), false);
    return;
  }
  if (!reads) {
    http1::Response response = http1::problem(ErrorCode::kHttpMethod);
    response.set("Allow", "GET, HEAD");
    send(std::move(response), false);
    return;
  }
  http1::Response response;
  response.set("Content-Type", file->second.content_type)
      .set("ETag", file->second.etag)
      .set("Cache-Control", file->second.cache_control);
  response.set("X-Content-Type-Options", "nosniff");
  if (!routes.content_security_policy.empty())
    response.set("Content-Security-Policy", routes.content_security_policy);
  if (http1::if_none_match_names(*head_, file->second.etag)) {
    response.status = 304;
  } else {
    serve_bytes(file->second, response);
  }
  http1::add_cors_headers(core.world().cors, *head_, response);
  send(std::move(response), false);
}

void HttpStage::respond(std::uint32_t sequence, http1::Response response) {
  if (!head_ || sequence != sequence_) return;
  http1::add_cors_headers(connection_.core().world().cors, *head_, response);
  send(std::move(response), false);
}

void HttpStage::fail(const Error& error) {
  tell_abort(false);
  ++sequence_;
  parser_.reset();
  if (counted_body_bytes_ != 0) count_body();
  send(http1::problem(error), true);
}

bool HttpStage::keeps_alive() const {
  const bool unread = head_ && head_->has_body() && !body_read_;
  return !eof_ && !unread && head_ && head_->keep_alive;
}

void HttpStage::send(http1::Response response, bool close) {
  const bool head_only = head_ && head_->method == http1::Method::kHead;
  if (response.streamed_body && response.streamed_body.size != 0 && !head_only) {
    abort_shard_ = kNobody;
    ++sequence_;  // whoever answers it again is too late
    waiting_ = true;
    eof_ = eof_ || close;
    BodyStream::Owner& owner = *this;
    stream_ = std::make_shared<BodyStream>(connection_, owner, std::move(response));
    stream_->start();
    return;
  }
  const bool keep = !close && keeps_alive();
  write(response, keep);
  end_response(keep);
}

void HttpStage::write(const http1::Response& response, bool keep) {
  http1::ResponseContext context;
  context.head_only = head_ && head_->method == http1::Method::kHead;
  context.keep_alive = keep;
  context.date = connection_.core().date();
  http1::append_response(connection_.outbox(), response, context);
  connection_.touch();
}

void HttpStage::end_response(bool keep) {
  abort_shard_ = kNobody;
  if (!keep) {
    ++sequence_;  // whoever answers it again is too late
    waiting_ = true;
    connection_.end_gracefully();
    return;
  }
  finish_request();
}

void HttpStage::body_begins(const http1::Response& response) { write(response, keeps_alive()); }

void HttpStage::body_ended() {
  stream_.reset();
  end_response(keeps_alive());
}

void HttpStage::body_failed(const Error& error, bool begun) {
  stream_.reset();
  if (begun) {
    connection_.abort();
    return;
  }
  http1::Response response = http1::problem(Error(error.code()));  // the details are ours
  http1::add_cors_headers(connection_.core().world().cors, *head_, response);
  send(std::move(response), false);
}

void HttpStage::finish_request() {
  ShardCore& core = connection_.core();
  waiting_ = false;
  head_.reset();
  parser_.reset();
  idle_ = true;
  deadline_ = core.now() + core.limits().http_keep_alive_timeout;
  connection_.reschedule();
  connection_.continue_input();
}

void HttpStage::accept_upgrade() {
  abort_shard_ = kNobody;
  Connection& connection = connection_;
  connection.become(std::move(candidate_));  // this object may be gone now
  connection.continue_input();
}

void HttpStage::refuse_upgrade(http1::Response response) {
  candidate_.reset();
  send(std::move(response), true);
}

void HttpStage::resume_upgrade(HeadPtr head) {
  head_ = std::move(head);
  ++sequence_;
  idle_ = false;
  body_read_ = true;
  waiting_ = true;
  deadline_ = kNever;
  dispatch_upgrade();
}

void HttpStage::drained() {
  if (stream_) stream_->drained();
  if (connection_.has_kept()) connection_.continue_input();
}

void HttpStage::receive_eof() {
  // As Node's server: a client that closes its side while it waits for a response has given up.
  eof_ = true;
  if (stream_) return;  // what was asked for is sent to its end, as a body that is in memory is
  if (waiting_) {
    tell_abort(true);
    connection_.abort();
    return;
  }
  connection_.end_gracefully();
}

void HttpStage::gone(bool) {
  waiting_ = true;
  tell_abort(true);
  ++sequence_;
  candidate_.reset();
  stream_.reset();
}

void HttpStage::shut_down() {
  if (waiting_ && !idle_) {
    eof_ = true;  // what is awaited is the last response
    return;
  }
  connection_.end_gracefully();
}

void HttpStage::on_deadline(MonoTime now) {
  if (const std::shared_ptr<BodyStream> stream = stream_) {
    stream->on_deadline(now);
    return;
  }
  if (deadline_ > now) return;
  deadline_ = kNever;
  if (idle_ || waiting_) {
    connection_.end_gracefully();
    return;
  }
  fail(ErrorCode::kHttpTimeout);
}

}  // namespace wirehall::pipeline
