#include "services/hall/push_service.h"

#include "services/hall/fields.h"
#include "services/hall/hall_shard.h"

namespace wirehall::services {

using Answer = Result<Object>;

namespace {

constexpr std::size_t kSubscriptionBytesMax = 4096;

}  // namespace

Task<Answer> PushService::subscribe(hub::SocketPtr socket, Object object) {
  const HallShared& shared = hall_.shared();
  Fields fields(object);
  const Value given = fields.value("subscription", kSubscriptionBytesMax);
  if (!fields.ok()) co_return Answer(fields.error());
  if (shared.push == nullptr || !shared.parse_push_subscription)
    co_return Answer(Error(ErrorCode::kUnavailable, "this server has no Web Push"));
  if (socket->user().anonymous)
    co_return Answer(Error(ErrorCode::kAccessDenied, "guests cannot be reached when they are away"));
  Result<PushSubscription> subscription = shared.parse_push_subscription(given);
  if (!subscription.ok()) co_return Answer(subscription.error());
  SavePushSubscription write;
  write.subscription = std::move(*subscription);
  write.subscription.user_id = socket->user().id;
  write.subscription.created_at = hall_.wall_now();
  Stored writing = hall_.store().write(HallWrite(std::move(write)));
  const Result<OutcomePtr> written = co_await writing;
  if (!written.ok()) co_return Answer(written.error());
  Object result;
  co_return Answer(std::move(result));
}

Task<Answer> PushService::unsubscribe(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  const Value given = fields.value("subscription", kSubscriptionBytesMax);
  const std::string* endpoint = given.is_string() ? &given.as_string() : given.find_string("endpoint");
  if (fields.ok() && endpoint == nullptr)
    fields.refuse(Error(ErrorCode::kInvalidFormat, "subscription must have an endpoint"));
  if (!fields.ok()) co_return Answer(fields.error());
  DropPushSubscription write;
  write.user_id = socket->user().id;
  write.endpoint = *endpoint;
  Stored writing = hall_.store().write(HallWrite(std::move(write)));
  const Result<OutcomePtr> written = co_await writing;
  if (!written.ok()) co_return Answer(written.error());
  Object result;
  co_return Answer(std::move(result));
}

void PushService::send(const std::string& user_id, Object payload, std::string topic, PushUrgency urgency) {
  if (hall_.shared().push == nullptr) return;
  hall_.hub().spawn(send_later(user_id, Value(std::move(payload)).to_json(), std::move(topic), urgency),
                    hub::SocketPtr(), nullptr, Ack());
}

Task<> PushService::send_later(std::string user_id, std::string payload_json, std::string topic,
                               PushUrgency urgency) {
  using List = std::vector<PushSubscription>;
  std::function<Result<List>(HallStore&)> ask = [user_id](HallStore& store) {
    return store.push_subscriptions(user_id);
  };
  Task<Result<List>> asking = hall_.store().read<List>(std::move(ask));
  Result<List> subscriptions = co_await asking;
  if (!subscriptions.ok()) co_return;
  PushMessage message;
  message.user_id = std::move(user_id);
  message.topic = std::move(topic);
  message.payload_json = std::move(payload_json);
  message.urgency = urgency;
  (void)hall_.shared().push->send(std::move(message), std::move(*subscriptions));  // counted where it is dropped
}

}  // namespace wirehall::services
