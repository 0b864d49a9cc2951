#include "services/calls/call_service.h"

#include "services/hall/fields.h"
#include "services/hall/hall_shard.h"
#include "services/hall/presentation.h"

namespace wirehall::services {

using Answer = Result<Object>;

namespace {
constexpr unsigned kRegistryShard = 0;
}

struct CallService::Deadline final : Timer {
  explicit Deadline(CallService& service) : calls(service) {}
  ~Deadline() = default;
  void on_timer(MonoTime now) override {
    calls.deliver(calls.registry_->on_deadline(now, calls.hall_.wall_now()));
    calls.reschedule();
  }
  CallService& calls;
};

CallService::CallService(HallShard& hall, const CallOptions& options) : hall_(hall) {
  if (hall_.shard() != kRegistryShard) return;
  registry_ = std::make_unique<CallRegistry>(hall_.hub().environment().random(),
                                             static_cast<std::uint8_t>(hall_.shard()), options);
  deadline_ = std::make_unique<Deadline>(*this);
}

CallService::~CallService() {
  if (deadline_) hall_.hub().environment().timers().cancel(*deadline_);
}

CallEnd CallService::end_of(const hub::Socket& socket) const {
  return {hall_.shard(), std::string(socket.id()), static_cast<const wirehall::Socket&>(socket).user().id};
}

// -- asking the registry --------------------------------------------------------------------------------

Task<Answer> CallService::ask(Question question) {
  std::function<Outcome(hub::Hub&)> asked = [shared = &hall_.shared(), question = std::move(question)](hub::Hub& hub) {
    return HallShard::of(hub, *shared).calls.answer_here(question);
  };
  hub::Completion<Outcome> asking = hub::call<Outcome>(hall_.hub(), kRegistryShard, std::move(asked));
  const Outcome outcome = co_await asking;
  if (!outcome.status.ok()) {
    Error refused = outcome.status.error();
    refused.fields_json(outcome.fields_json);
    co_return Answer(std::move(refused));
  }
  Object fields = Value::from_validated_json(outcome.fields_json).as_object();
  co_return Answer(std::move(fields));
}

// On the registry's shard. The answer is on its way before what others are told.
CallService::Outcome CallService::answer_here(const Question& question) {
  CallOutcome outcome = question(*registry_, hall_);
  Outcome answer;
  answer.status = outcome.status;
  answer.fields_json = Value(std::move(outcome.fields)).to_json();
  reschedule();
  // This function's result is posted when it returns; what is told goes out behind it.
  const auto effects = std::make_shared<CallEffects>(std::move(outcome.effects));
  if (!effects->events.empty() || !effects->away.empty())
    hall_.hub().defer([this, effects] { deliver(std::move(*effects)); });
  return answer;
}

void CallService::reschedule() {
  hall_.hub().environment().timers().schedule(*deadline_, registry_->next_deadline());
}

// -- telling ----------------------------------------------------------------------------------------------

void CallService::deliver(CallEffects effects) {
  for (const CallOutput& output : effects.events) {
    if (output.to == CallOutput::To::kConnection) {
      hall_.tell_socket(output.end.shard, output.end.socket_id, std::string(output.event), output.fields);
    } else {
      hall_.tell_user(output.end.user_id, std::string(output.event), output.fields,
                      output.to == CallOutput::To::kOtherDevices ? output.end.socket_id : std::string());
    }
  }
  for (AwayCall& away : effects.away) {
    Object payload{{"type", "call-missed"}, {"call", Value(std::move(away.fields))}};
    hall_.push.send(away.user_id, std::move(payload), "call", PushUrgency::kHigh);
  }
}

void CallService::disconnected(const hub::Socket& socket) {
  const CallEnd end = end_of(socket);
  hall_.on_shard(kRegistryShard, [end](HallShard& hall) { hall.calls.disconnected_here(end); });
}

void CallService::disconnected_here(const CallEnd& end) {
  deliver(registry_->disconnected(end, hall_.wall_now()));
  reschedule();
}

// -- events -----------------------------------------------------------------------------------------------

Task<Answer> CallService::start(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  const std::string target = fields.user("targetUserId");
  const Value offer = fields.value("offer", hall_.shared().signal_bytes_max);
  if (!fields.ok()) co_return Answer(fields.error());
  const Value* media = object.find("media");
  const std::string media_json = media == nullptr ? "null" : media->to_json();
  if (media_json.size() > hall_.shared().signal_bytes_max)
    co_return Answer(Error(ErrorCode::kTooLarge, "media is too long"));
  HallSocket* extension = HallShard::extension(*socket);
  if (extension == nullptr) co_return Answer(ErrorCode::kAccessDenied);
  std::function<std::vector<std::string>(HallShard&)> list = [target](HallShard& hall) {
    std::vector<std::string> ids;
    for (const Device& device : hall.users.devices(target)) ids.push_back(device.socket_id);
    return ids;
  };
  hub::Completion<std::vector<std::string>> listing =
      hall_.ask_owner<std::vector<std::string>>(target, std::move(list));
  std::vector<std::string> devices = co_await listing;
  const CallEnd caller = end_of(*socket);
  if (socket->is_closed()) co_return Answer(ErrorCode::kDisconnected);
  Question question = [caller, target, devices = std::move(devices), from = extension->user_json(),
                       offer_json = offer.to_json(), media_json](CallRegistry& registry, HallShard& there) {
    CallRequest request;
    request.caller = caller;
    request.from_user = object_of(from);
    request.target_user_id = target;
    request.devices = devices;
    request.offer = value_of(offer_json);
    request.media = value_of(media_json);
    return registry.start(std::move(request), there.now(), there.wall_now());
  };
  Task<Answer> asking = ask(std::move(question));
  Answer started = co_await asking;
  // It came here over the target's shard: what ended meanwhile may have overtaken it.
  if (socket->is_closed()) disconnected(*socket);
  co_return started;
}

Task<Answer> CallService::answer(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  const std::string id = fields.text("callId", kIdBytesMax);
  const Value value = fields.value("answer", hall_.shared().signal_bytes_max);
  if (!fields.ok()) return answered(fields.error());
  return ask(
      [by = end_of(*socket), id, json = value.to_json()](CallRegistry& registry, HallShard&) {
        return registry.answer(by, id, value_of(json));
      });
}

Task<Answer> CallService::reject(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  const std::string id = fields.text("callId", kIdBytesMax);
  const std::string reason = fields.text_or_empty("reason", 4096);
  if (!fields.ok()) return answered(fields.error());
  return ask([by = end_of(*socket), id,
              reason](CallRegistry& registry, HallShard&) { return registry.reject(by, id, reason); });
}

Task<Answer> CallService::end(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  const std::string id = fields.text("callId", kIdBytesMax);
  const std::string reason = fields.text_or_empty("reason", 4096);
  if (!fields.ok()) return answered(fields.error());
  return ask([by = end_of(*socket), id,
              reason](CallRegistry& registry, HallShard&) { return registry.end(by, id, reason); });
}

Task<Answer> CallService::candidate(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  const std::string id = fields.text("callId", kIdBytesMax);
  const Value value = fields.value("candidate", hall_.shared().signal_bytes_max);
  if (!fields.ok()) return answered(fields.error());
  return ask(
      [by = end_of(*socket), id, json = value.to_json()](CallRegistry& registry, HallShard&) {
        return registry.candidate(by, id, value_of(json));
      });
}

// The user name says until when it is good; only the TURN server and this one can make its credential.
Answer CallService::ice_servers(const std::string& user_id) const {
  const TurnSettings& turn = hall_.shared().turn;
  const auto list = [](const std::vector<std::string>& urls) {
    Array array;
    for (const std::string& url : urls) array.emplace_back(url);
    return Value(std::move(array));
  };
  Array servers;
  if (!turn.stun_urls.empty()) servers.push_back({{"urls", list(turn.stun_urls)}});
  if (!turn.turn_urls.empty() && turn.credential) {
    const auto lifetime_ms = std::chrono::duration_cast<Milliseconds>(turn.lifetime).count();
    const std::string name = std::to_string((hall_.wall_now() + lifetime_ms) / 1000) + ":" + user_id;
    servers.push_back(
        {{"urls", list(turn.turn_urls)}, {"username", name}, {"credential", turn.credential(name)}});
  }
  return Object{{"iceServers", Value(std::move(servers))}};
}

}  // namespace wirehall::services
