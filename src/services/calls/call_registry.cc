#include "services/calls/call_registry.h"

#include <optional>

#include "base/assert.h"

namespace wirehall::services {

// What is needed only while it rings is dropped with the answer.
struct CallRegistry::Call {
  std::string id;
  CallEnd caller;
  std::string callee_user_id;
  std::optional<CallEnd> callee;  // from the answer on

  /// Requires: the call was answered, and `end` is one of its ends.
  const CallEnd& other_end(const CallEnd& end) const { return caller == end ? *callee : caller; }

  // while it rings:
  MonoTime deadline{};
  std::uint64_t number = 0;
  std::vector<std::string> devices;
  Value from_user;
  std::vector<Value> candidates;
  std::size_t candidate_bytes = 0;
};

namespace {

using To = CallOutput::To;

CallOutput to_connection(const CallEnd& end, std::string_view event, Object fields) {
  return {To::kConnection, end, event, std::move(fields)};
}

CallOutput to_others(const CallEnd& end, std::string_view event, Object fields) {
  return {To::kOtherDevices, end, event, std::move(fields)};
}

CallOutput to_devices(const std::string& user_id, std::string_view event, Object fields) {
  return {To::kDevices, CallEnd{0, "", user_id}, event, std::move(fields)};
}

Object with_reason(const std::string& call_id, std::string_view reason) {
  return {{"callId", call_id}, {"reason", reason}};
}

/// `call-missed` for who called.
Object missed_by(const std::string& call_id, const std::string& user_id, std::string_view reason, WallMs at) {
  return {{"callId", call_id}, {"userId", user_id}, {"reason", reason}, {"timestamp", at}};
}

/// `call-missed` for who was called.
Object missed_from(const std::string& call_id, const std::string& from_user_id, Value from_user,
                   std::string_view reason, WallMs at) {
  return {{"callId", call_id},
          {"fromUserId", from_user_id},
          {"fromUser", std::move(from_user)},
          {"reason", reason},
          {"timestamp", at}};
}

std::size_t json_bytes(const Value& value) {
  const std::string* unparsed = value.unparsed_json();
  return unparsed != nullptr ? unparsed->size() : value.to_json().size();
}

CallOutcome refused(Error error) { return {std::move(error), {}, {}}; }

}  // namespace

CallRegistry::CallRegistry(RandomSource& random, std::uint8_t shard, CallOptions options)
    : random_(random), shard_(shard), options_(options) {}

CallRegistry::~CallRegistry() = default;

// -- the table of calls -----------------------------------------------------------------------------

CallRegistry::Call* CallRegistry::find(std::string_view call_id) const {
  const auto found = calls_.find(call_id);
  return found == calls_.end() ? nullptr : found->second.get();
}

CallRegistry::Call* CallRegistry::call_of(std::string_view user_id) const {
  const auto found = by_user_.find(user_id);
  return found == by_user_.end() ? nullptr : found->second;
}

void CallRegistry::stop_ringing(Call& call) {
  ringing_.erase({call.deadline, call.number});
  kept_bytes_ -= call.candidate_bytes;
  call.candidates = {};
  call.devices = {};
  call.from_user = {};
}

void CallRegistry::forget(Call& call) {
  if (!call.callee) stop_ringing(call);
  by_user_.erase(by_user_.find(call.caller.user_id));
  by_user_.erase(by_user_.find(call.callee_user_id));
  calls_.erase(calls_.find(call.id));
}

// The call, for what any device of the callee may ask while it rings.
Result<CallRegistry::Call*> CallRegistry::for_callee(const CallEnd& by, std::string_view call_id) const {
  Call* call = find(call_id);
  if (call == nullptr || call->callee_user_id != by.user_id) return ErrorCode::kNotFound;
  if (call->callee) return Error(ErrorCode::kConflict, "the call was answered");
  return call;
}

// The call, for what only its ends may ask.
Result<CallRegistry::Call*> CallRegistry::for_end(const CallEnd& by, std::string_view call_id) const {
  Call* call = find(call_id);
  if (call == nullptr) return ErrorCode::kNotFound;
  if (call->caller == by || call->callee == by) return call;
  if (by.user_id == call->callee_user_id && !call->callee) {
    return Error(ErrorCode::kConflict, "the call was not answered");
  }
  if (by.user_id == call->caller.user_id || by.user_id == call->callee_user_id) {
    return Error(ErrorCode::kConflict, "another connection takes part in the call");
  }
  return ErrorCode::kNotFound;
}

// -- start --------------------------------------------------------------------------------------------

Status CallRegistry::may_start(const CallRequest& request, Object& fields) const {
  const std::string& user_id = request.caller.user_id;
  if (request.target_user_id == user_id) {
    return Error(ErrorCode::kInvalidFormat, "nobody can call themselves");
  }
  const Call* own = call_of(user_id);
  if (own == nullptr) return {};
  if (own->callee || own->caller.user_id == user_id) {
    return Error(ErrorCode::kConflict, "the user has a call already");
  }
  fields.set("callId", own->id);
  return Error(ErrorCode::kConflict, "the user is being called: " + own->id);
}

CallOutcome CallRegistry::start(CallRequest request, MonoTime now, WallMs wall_now) {
  CallOutcome outcome;
  outcome.status = may_start(request, outcome.fields);
  if (!outcome.status.ok()) return outcome;
  const bool away = request.devices.empty();
  const bool busy = call_of(request.target_user_id) != nullptr;
  if (!away && !busy && calls_.size() >= options_.calls_max) {
    return refused({ErrorCode::kUnavailable, "too many calls"});
  }

  std::string id = make_id(random_, shard_);
  const std::size_t ringing = away || busy ? 0 : request.devices.size();
  outcome.fields = {{"callId", id}, {"ringing", ringing}};
  CallEffects& effects = outcome.effects;
  const CallEnd& caller = request.caller;
  const std::string& target = request.target_user_id;
  if (away) {
    effects.events.push_back(
        to_connection(caller, "call-missed", missed_by(id, target, "offline", wall_now)));
    effects.away.push_back(
        {target, missed_from(id, caller.user_id, std::move(request.from_user), "offline", wall_now)});
  } else if (busy) {
    effects.events.push_back(to_connection(caller, "call-rejected", with_reason(id, "busy")));
    effects.events.push_back(
        to_devices(target, "call-missed",
                   missed_from(id, caller.user_id, std::move(request.from_user), "busy", wall_now)));
  } else {
    ring(std::move(request), std::move(id), now, effects);
  }
  return outcome;
}

void CallRegistry::ring(CallRequest&& request, std::string call_id, MonoTime now, CallEffects& effects) {
  auto made = std::make_unique<Call>();
  Call& call = *made;
  call.id = std::move(call_id);
  call.caller = std::move(request.caller);
  call.callee_user_id = std::move(request.target_user_id);
  call.deadline = now + options_.ring_timeout;
  call.number = ++started_;
  call.devices = std::move(request.devices);
  call.from_user = std::move(request.from_user);
  const bool is_new = calls_.emplace(call.id, std::move(made)).second;
  WIREHALL_ASSERT(is_new);  // 112 random bits
  by_user_.emplace(call.caller.user_id, &call);
  by_user_.emplace(call.callee_user_id, &call);
  ringing_.emplace(std::pair(call.deadline, call.number), &call);
  effects.events.push_back(to_devices(call.callee_user_id, "incoming-call",
                                      {{"callId", call.id},
                                       {"fromUserId", call.caller.user_id},
                                       {"fromUser", call.from_user},
                                       {"offer", std::move(request.offer)},
                                       {"media", std::move(request.media)}}));
}

// -- requests about a call ----------------------------------------------------------------------------

CallOutcome CallRegistry::answer(const CallEnd& by, std::string_view call_id, Value answer) {
  const Result<Call*> found = for_callee(by, call_id);
  if (!found.ok()) return refused(found.error());
  Call& call = **found;
  CallOutcome outcome;
  std::vector<CallOutput>& events = outcome.effects.events;
  events.push_back(
      to_connection(call.caller, "call-answered", {{"callId", call.id}, {"answer", std::move(answer)}}));
  events.push_back(to_others(by, "call-taken", {{"callId", call.id}}));
  for (Value& candidate : call.candidates) {
    events.push_back(
        to_connection(by, "ice-candidate", {{"callId", call.id}, {"candidate", std::move(candidate)}}));
  }
  stop_ringing(call);
  call.callee = by;
  return outcome;
}

CallOutcome CallRegistry::reject(const CallEnd& by, std::string_view call_id, std::string reason) {
  if (reason.size() > options_.reason_bytes_max) return refused({ErrorCode::kInvalidFormat, "reason"});
  const Result<Call*> found = for_callee(by, call_id);
  if (!found.ok()) return refused(found.error());
  Call& call = **found;
  if (reason.empty()) reason = "rejected";
  CallOutcome outcome;
  outcome.effects.events.push_back(to_connection(call.caller, "call-rejected", with_reason(call.id, reason)));
  outcome.effects.events.push_back(to_others(by, "call-taken", {{"callId", call.id}}));
  forget(call);
  return outcome;
}

CallOutcome CallRegistry::end(const CallEnd& by, std::string_view call_id, std::string reason) {
  if (reason.size() > options_.reason_bytes_max) return refused({ErrorCode::kInvalidFormat, "reason"});
  const Result<Call*> found = for_end(by, call_id);
  if (!found.ok()) return refused(found.error());
  if (reason.empty()) reason = (*found)->callee ? "ended" : "cancelled";
  CallOutcome outcome;
  hang_up(**found, by, reason, outcome.effects);
  return outcome;
}

CallOutcome CallRegistry::candidate(const CallEnd& from, std::string_view call_id, Value candidate) {
  const Result<Call*> found = for_end(from, call_id);
  if (!found.ok()) return refused(found.error());
  Call& call = **found;
  CallOutcome outcome;
  if (!call.callee) {
    outcome.status = keep(call, std::move(candidate));
    return outcome;
  }
  outcome.effects.events.push_back(to_connection(call.other_end(from), "ice-candidate",
                                                 {{"callId", call.id}, {"candidate", std::move(candidate)}}));
  return outcome;
}

Status CallRegistry::keep(Call& call, Value candidate) {
  const std::size_t bytes = json_bytes(candidate);
  if (call.candidates.size() >= options_.kept_candidates_max ||
      bytes > options_.kept_candidate_bytes_max - call.candidate_bytes) {
    return Error(ErrorCode::kLimitReached, "candidates before the answer");
  }
  if (bytes > options_.kept_bytes_max - kept_bytes_) return ErrorCode::kUnavailable;
  call.candidates.push_back(std::move(candidate));
  call.candidate_bytes += bytes;
  kept_bytes_ += bytes;
  return {};
}

// -- how a call ends ----------------------------------------------------------------------------------

// One of its ends has ended the call: whoever is left is told.
void CallRegistry::hang_up(Call& call, const CallEnd& by, std::string_view reason, CallEffects& effects) {
  Object fields = with_reason(call.id, reason);
  if (call.callee) {
    effects.events.push_back(to_connection(call.other_end(by), "call-ended", std::move(fields)));
  } else {
    effects.events.push_back(to_devices(call.callee_user_id, "call-ended", std::move(fields)));
  }
  forget(call);
}

void CallRegistry::miss(Call& call, std::string_view reason, WallMs wall_now, CallEffects& effects) {
  effects.events.push_back(
      to_connection(call.caller, "call-missed", missed_by(call.id, call.callee_user_id, reason, wall_now)));
  effects.events.push_back(
      to_devices(call.callee_user_id, "call-missed",
                 missed_from(call.id, call.caller.user_id, std::move(call.from_user), reason, wall_now)));
  forget(call);
}

CallEffects CallRegistry::disconnected(const CallEnd& end, WallMs wall_now) {
  CallEffects effects;
  Call* call = call_of(end.user_id);
  if (call == nullptr) return effects;
  if (call->caller == end || call->callee == end) {
    hang_up(*call, end, "disconnected", effects);
  } else if (std::erase(call->devices, end.socket_id) != 0 && call->devices.empty()) {
    miss(*call, "offline", wall_now, effects);
    effects.away.push_back({end.user_id, effects.events.back().fields});
  }
  return effects;
}

MonoTime CallRegistry::next_deadline() const {
  return ringing_.empty() ? kNever : ringing_.begin()->first.first;
}

CallEffects CallRegistry::on_deadline(MonoTime now, WallMs wall_now) {
  CallEffects effects;
  while (!ringing_.empty() && ringing_.begin()->first.first <= now) {
    miss(*ringing_.begin()->second, "no-answer", wall_now, effects);
  }
  return effects;
}

}  // namespace wirehall::services
