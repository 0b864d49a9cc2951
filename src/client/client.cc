#include "wirehall/client.h"

#include <filesystem>
#include <future>

#include "client/client_impl.h"
#include "client/upload.h"

namespace wirehall {
namespace {

const Value kNull;

client::Request make_request(std::string event, std::vector<Value> args, AnswerHandler done,
                             RequestOptions options) {
  client::Request request;
  request.event = std::move(event);
  request.args = std::move(args);
  request.done = std::move(done);
  request.options = options;
  return request;
}

// Lets `begin` begin something, and waits for what its handler is given.
template <class Begin>
Result<Value> wait_for(const detail::ClientImpl& impl, Begin begin) {
  impl.assert_may_wait();
  auto promise = std::make_shared<std::promise<Result<Value>>>();
  std::future<Result<Value>> future = promise->get_future();
  begin([promise](Result<Value> outcome) { promise->set_value(std::move(outcome)); });
  return future.get();
}

// Unique for its user: by it the server knows a message that comes again.
void add_message_id(Object& fields) {
  if (fields.contains("clientMessageId")) return;
  detail::OpensslRandom random;
  fields.set("clientMessageId", make_id(random, 0));
}

}  // namespace

// -- small ones -----------------------------------------------------------------------------------

const Value& ClientEvent::value() const { return args.empty() ? kNull : args.front(); }

void ClientAck::send(std::vector<Value> args) const {
  if (const std::shared_ptr<detail::ClientImpl> client = client_.lock())
    client->answer(connection_, id_, std::move(args));
}
void ClientAck::operator()(Value answer) const {
  if (wanted_) send({std::move(answer)});
}
void ClientAck::operator()() const {
  if (wanted_) send({});
}

ClientInbox::ClientInbox(std::shared_ptr<detail::InboxState> state) : state_(std::move(state)) {}
ClientInbox::ClientInbox(ClientInbox&&) noexcept = default;
ClientInbox::~ClientInbox() = default;
Result<Value> ClientInbox::next(Milliseconds timeout) { return state_->take(timeout, {}); }
Result<Value> ClientInbox::next_with(std::string_view part, Milliseconds timeout) {
  return state_->take(timeout, part);
}
std::size_t ClientInbox::size() const { return state_->size(); }
std::uint64_t ClientInbox::dropped() const { return state_->dropped(); }

// -- Client ---------------------------------------------------------------------------------------

Client::Client(std::string url, ClientOptions options)
    : impl_(std::make_shared<detail::ClientImpl>(std::move(url), std::move(options))) {
  impl_->start();
}
Client::~Client() { impl_->stop(); }

void Client::connect(std::function<void(Status)> done) { impl_->connect(std::move(done)); }
Status Client::connect() {
  const Result<Value> outcome = wait_for(*impl_, [&](AnswerHandler done) {
    impl_->connect([done = std::move(done)](const Status& status) {
      done(status.ok() ? Result<Value>(Value()) : Result<Value>(status.error()));
    });
  });
  return outcome.ok() ? Status() : Status(outcome.error());
}
void Client::close() { impl_->close(); }
ClientState Client::state() const { return impl_->state(); }
std::string Client::user_id() const { return impl_->user_id(); }
std::string Client::session_id() const { return impl_->session_id(); }
void Client::on_connect(std::function<void(const ClientConnected&)> handler) {
  impl_->on_connect(std::move(handler));
}
void Client::on_disconnect(std::function<void(const ClientDisconnected&)> handler) {
  impl_->on_disconnect(std::move(handler));
}
void Client::on_rejoin(std::function<void(const std::string&, const Result<Value>&)> handler) {
  impl_->on_rejoin(std::move(handler));
}

HandlerId Client::add_handler(std::string event, EventHandler handler, bool once, bool value_only) {
  return impl_->add_handler(std::move(event), std::move(handler), once, value_only);
}
void Client::off(HandlerId handler) { impl_->remove_handler(handler); }
void Client::off(std::string event) { impl_->remove_handlers(std::move(event)); }
ClientInbox Client::inbox(std::string event, std::size_t events_max) {
  return impl_->inbox(std::move(event), events_max);
}

Status Client::emit_args(std::string event, std::vector<Value> args) {
  return impl_->request(make_request(std::move(event), std::move(args), nullptr, {}));
}
void Client::emit_volatile(std::string event, Value argument) {
  client::Request request = make_request(std::move(event), {std::move(argument)}, nullptr, {});
  request.is_volatile = true;
  (void)impl_->request(std::move(request));  // it may be thrown away
}
void Client::emit_args(std::string event, std::vector<Value> args, AnswerHandler done,
                       RequestOptions options) {
  if (!done) done = [](const Result<Value>&) {};
  (void)impl_->request(
      make_request(std::move(event), std::move(args), std::move(done), options));  // the handler is told
}
Result<Value> Client::emit_args_and_wait(std::string event, std::vector<Value> args, RequestOptions options) {
  if (!options.wait_max) options.wait_max = options.timeout.value_or(impl_->options().timeout);
  return wait_for(*impl_, [&](AnswerHandler done) {
    emit_args(std::move(event), std::move(args), std::move(done), options);
  });
}

// -- the hall -------------------------------------------------------------------------------------

namespace {
constexpr RequestOptions kAgain{std::nullopt, std::nullopt, true};

Object join_fields(std::string room, Value since) {
  Object fields{{"roomId", std::move(room)}};
  if (!since.is_null()) fields.set("since", std::move(since));
  return fields;
}
Object message_fields(std::string_view to, std::string id, std::string content, Object more) {
  Object fields{{to, std::move(id)}, {"content", std::move(content)}};
  for (Member& member : more) fields.set(member.key, std::move(member.value));
  add_message_id(fields);
  return fields;
}
Object history_fields(std::string room, Object bounds) {
  bounds.set("roomId", std::move(room));
  return bounds;
}
}  // namespace

void Client::join(std::string room, AnswerHandler done, Value since) {
  emit("join-room", join_fields(std::move(room), std::move(since)), std::move(done), kAgain);
}
Result<Value> Client::join(std::string room, Value since) {
  return emit_and_wait("join-room", join_fields(std::move(room), std::move(since)), kAgain);
}
void Client::leave(std::string room, AnswerHandler done) {
  emit("leave-room", Object{{"roomId", std::move(room)}}, std::move(done), kAgain);
}
Result<Value> Client::leave(std::string room) {
  return emit_and_wait("leave-room", Object{{"roomId", std::move(room)}}, kAgain);
}
void Client::send(std::string room, std::string content, AnswerHandler done, Object more) {
  emit("message", message_fields("roomId", std::move(room), std::move(content), std::move(more)),
       std::move(done), kAgain);
}
Result<Value> Client::send(std::string room, std::string content, Object more) {
  return emit_and_wait(
      "message", message_fields("roomId", std::move(room), std::move(content), std::move(more)), kAgain);
}
void Client::send_private(std::string user, std::string content, AnswerHandler done, Object more) {
  emit("private-message",
       message_fields("targetUserId", std::move(user), std::move(content), std::move(more)), std::move(done),
       kAgain);
}
Result<Value> Client::send_private(std::string user, std::string content, Object more) {
  return emit_and_wait("private-message",
                       message_fields("targetUserId", std::move(user), std::move(content), std::move(more)),
                       kAgain);
}
void Client::history(std::string room, Object bounds, AnswerHandler done) {
  emit("history", history_fields(std::move(room), std::move(bounds)), std::move(done), kAgain);
}
Result<Value> Client::history(std::string room, Object bounds) {
  return emit_and_wait("history", history_fields(std::move(room), std::move(bounds)), kAgain);
}
void Client::presence(Object of, AnswerHandler done) {
  emit("presence", std::move(of), std::move(done), kAgain);
}
Result<Value> Client::presence(Object of) { return emit_and_wait("presence", std::move(of), kAgain); }
void Client::typing(std::string room, bool active) {
  emit_volatile(active ? "typing" : "stop-typing", Object{{"roomId", std::move(room)}});
}
void Client::refresh_token(std::string token, AnswerHandler done) {
  emit("refresh-token", std::move(token), std::move(done), kAgain);
}
Result<Value> Client::refresh_token(std::string token) {
  return emit_and_wait("refresh-token", std::move(token), kAgain);
}

void Client::send_file(std::string path, FileOptions options, AnswerHandler done) {
  Result<std::pair<client::ReadPiece, std::uint64_t>> file = client::open_file(path);
  if (options.name.empty()) options.name = std::filesystem::path(path).filename().string();
  if (!file.ok()) return impl_->fail(std::move(done), file.error());
  impl_->upload(std::move(file->first), file->second, std::move(options), std::move(done));
}
Result<Value> Client::send_file(std::string path, FileOptions options) {
  return wait_for(
      *impl_, [&](AnswerHandler done) { send_file(std::move(path), std::move(options), std::move(done)); });
}
void Client::send_bytes(std::string bytes, FileOptions options, AnswerHandler done) {
  const std::uint64_t size = bytes.size();
  if (options.name.empty()) options.name = "file";
  client::ReadPiece read = [bytes = std::move(bytes)](std::uint64_t offset,
                                                      std::size_t count) -> Result<std::string> {
    return bytes.substr(static_cast<std::size_t>(offset), count);
  };
  impl_->upload(std::move(read), size, std::move(options), std::move(done));
}
Result<Value> Client::send_bytes(std::string bytes, FileOptions options) {
  return wait_for(
      *impl_, [&](AnswerHandler done) { send_bytes(std::move(bytes), std::move(options), std::move(done)); });
}

}  // namespace wirehall
