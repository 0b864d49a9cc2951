// Who calls whom: every call of the hall, from the first ring to its one end.
//
// One registry lives on one shard, and there alone calls get their order. It knows users, connections and
// what time it is told; it sends nothing itself: what others must hear comes back as outputs.
//
//   I1  A user has at most one call, as the one who calls, who is called, or who talks.
//   I2  A call has two ends at most, one connection each: the caller's from the start, the callee's from the
//       first answer on. That one does not change any more.
//   I3  A call ends once. Its caller's connection hears of that once, unless it ended the call itself or has
//       gone; from then on nobody finds the id.
//   I4  The callee's devices hear once how the ringing ended: answered elsewhere, ended, missed. It goes to
//       the user, so that a device whose transport was lost can hear it when it comes back.
//   I5  Candidates reach only the other end, in the order in which they came, and never before the answer.
//   I6  A refused request changes nothing and is heard by nobody else.
//
//   state     input                                       -> state     outputs, in this order
//   (none)    start(), target has no device               -> (none)    caller: call-missed "offline";
//                                                                      the target missed it while away
//   (none)    start(), target has a call                  -> (none)    caller: call-rejected "busy";
//                                                                      target's devices: call-missed "busy"
//   (none)    start()                                     -> ringing   target's devices: incoming-call
//   ringing   candidate() by the caller's end             -> ringing   kept
//   ringing   answer() by a device of the callee          -> answered  caller: call-answered;
//                                                                      callee's others: call-taken;
//                                                                      who answered: ice-candidate, all kept
//   ringing   reject() by a device of the callee          -> (none)    caller: call-rejected;
//                                                                      callee's others: call-taken
//   ringing   end() by the caller's end                   -> (none)    callee's devices: call-ended
//   ringing   the caller's end has gone                   -> (none)    callee's devices: call-ended
//                                                                      "disconnected"
//   ringing   a device that rings has gone, others ring   -> ringing
//   ringing   the last device that rings has gone         -> (none)    caller: call-missed "offline";
//                                                                      callee's devices: the same;
//                                                                      the callee missed it while away
//   ringing   ring_timeout                                -> (none)    caller: call-missed "no-answer";
//                                                                      callee's devices: the same
//   answered  candidate() by an end                       -> answered  other end: ice-candidate
//   answered  end() by an end                             -> (none)    other end: call-ended
//   answered  an end has gone                             -> (none)    other end: call-ended "disconnected"
//
// Refused are: start() to oneself (kInvalidFormat), and by a user who has a call (kConflict); what names a
// call of others, or none (kNotFound: a stranger cannot tell the two apart); and with kConflict what a user
// of the call asks too late, too early, or from a connection that is not the one that takes part:
//
//   input          by whom                              ringing        answered
//   answer()       callee's devices                     (accepted)     kConflict: the first one won
//   reject()       callee's devices                     (accepted)     kConflict: who talks ends it
//   answer/reject  caller's user, anybody else          kNotFound      kNotFound
//   end()          the caller's end                     (accepted)     (accepted)
//   end()          the callee's end                                    (accepted)
//   end()          callee's other devices               kConflict      kConflict: to refuse is reject()
//   end()          caller's other devices               kConflict      kConflict
//   candidate()    the same as end(), but of the callee's devices only the one that answered
//   end/candidate  anybody else                         kNotFound      kNotFound
//
// Glare: two users call each other at the same time. The first start() that arrives here makes the call, the
// second one finds its user called and is kConflict, with the id of that call, so that its client can answer
// instead. This is deterministic because both requests come through the one queue of one shard, and nothing
// but their order in it decides: no time, no id, no order of a hash. The same holds for two answers, or an
// answer and a cancellation.
//
// Time comes in as `now`; a call rings until on_deadline() says otherwise, so a late answer that arrives
// before it is accepted.
//
// Here are the bounds of what a call keeps; how large an offer, an answer or one candidate may be, and how
// often somebody may call, is for who asks.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash_map.h"
#include "base/random.h"
#include "wirehall/clock.h"
#include "wirehall/result.h"
#include "wirehall/value.h"

namespace wirehall::services {

struct CallOptions {
  Duration ring_timeout = std::chrono::seconds(30);  ///< then the call is missed
  std::uint32_t calls_max = 10'000;                  ///< unavailable
  std::uint32_t kept_candidates_max = 64;            ///< limit-reached: of one call, while it rings
  std::size_t kept_candidate_bytes_max = 64 * 1024;  ///< limit-reached: of one call, as JSON
  std::size_t kept_bytes_max = 64 * 1024 * 1024;     ///< unavailable: candidates of all calls, as JSON
  std::uint32_t reason_bytes_max = 128;              ///< invalid-format
};

/// One connection of a user: what can be one end of a call.
struct CallEnd {
  unsigned shard = 0;
  std::string socket_id;  ///< of one socket at a time over all shards
  std::string user_id;
  friend bool operator==(const CallEnd&, const CallEnd&) = default;
};

/// An event for somebody.
struct CallOutput {
  enum class To : std::uint8_t {
    kDevices,       ///< all connections of the user
    kOtherDevices,  ///< all connections of the user but `end`
    kConnection,    ///< `end` alone
  };
  To to{};
  CallEnd end;             ///< kDevices: only its user_id is set
  std::string_view event;  ///< a literal
  Object fields;
};

/// A user who was called and had no device: somebody to send a push notification to. `fields` are those of
/// the `call-missed` that a device would have got.
struct AwayCall {
  std::string user_id;
  Object fields;
};

/// What others must hear, in order.
struct CallEffects {
  std::vector<CallOutput> events;
  std::vector<AwayCall> away;
};

/// What became of a request. Who asked gets the answer first, then the effects go out.
struct CallOutcome {
  Status status;
  /// Of the answer. Of a refusal only where start() says so; they go beside `error` and `code`.
  Object fields;
  CallEffects effects;
};

struct CallRequest {
  CallEnd caller;
  Value from_user;  ///< what others are shown of the caller
  std::string target_user_id;
  /// Socket ids of the target's connections that are online now; at most limits.connections_per_user_max.
  /// These ring. One that comes later may answer too, but the call does not wait for it; one that has gone
  /// before the request is here counts until the call is missed.
  std::vector<std::string> devices;
  Value offer;
  Value media;
};

/// The calls of one hall.
///
/// Requires: disconnected() is told of every connection, behind all that was asked for it. A start() whose
///           way here leads over another shard may be overtaken: then it is told again behind that, because
///           an answered call has no limit of time.
/// Thread:   shard-affine.
/// Lifetime: keeps copies of all that it is given; `random` outlives it.
class CallRegistry {
 public:
  CallRegistry(RandomSource& random, std::uint8_t shard, CallOptions options);
  ~CallRegistry();
  CallRegistry(const CallRegistry&) = delete;
  CallRegistry& operator=(const CallRegistry&) = delete;

  /// Calls a user.
  ///
  /// Returns:  callId, ringing: how many devices ring. With 0 the call has ended, and the effects tell why.
  /// Errors:   kInvalidFormat: oneself; kUnavailable: calls_max; kConflict: the caller's user has a call;
  ///           when that is one which rings for it, `callId` is among the fields and in the detail.
  CallOutcome start(CallRequest request, MonoTime now, WallMs wall_now);

  /// Takes the call on this connection. Errors: kNotFound, kConflict.
  CallOutcome answer(const CallEnd& by, std::string_view call_id, Value answer);

  /// Refuses the call for all devices of the callee.
  ///
  /// `reason`: empty: "rejected".
  /// Errors:   kInvalidFormat: reason_bytes_max, inclusive; kNotFound, kConflict.
  CallOutcome reject(const CallEnd& by, std::string_view call_id, std::string reason = {});

  /// Ends the call, or cancels it while it rings.
  ///
  /// `reason`: empty: "ended", "cancelled" while it rings.
  /// Errors:   kInvalidFormat: reason_bytes_max, inclusive; kNotFound, kConflict.
  CallOutcome end(const CallEnd& by, std::string_view call_id, std::string reason = {});

  /// Passes an ICE candidate to the other end, or keeps it until there is one.
  ///
  /// Errors:   kNotFound, kConflict; kLimitReached, kUnavailable: no more is kept until the answer.
  CallOutcome candidate(const CallEnd& from, std::string_view call_id, Value candidate);

  /// A connection has gone, or is not online any more. One that has no part in a call changes nothing.
  CallEffects disconnected(const CallEnd& end, WallMs wall_now);

  /// When the first call will have rung long enough; kNever when none rings.
  MonoTime next_deadline() const;
  /// Ends the calls that have rung long enough, in the order in which they began.
  CallEffects on_deadline(MonoTime now, WallMs wall_now);

  std::size_t size() const { return calls_.size(); }
  std::size_t ringing() const { return ringing_.size(); }
  std::size_t kept_bytes() const { return kept_bytes_; }

 private:
  struct Call;
  Call* find(std::string_view call_id) const;
  Call* call_of(std::string_view user_id) const;
  Result<Call*> for_callee(const CallEnd& by, std::string_view call_id) const;
  Result<Call*> for_end(const CallEnd& by, std::string_view call_id) const;
  Status may_start(const CallRequest& request, Object& fields) const;
  void ring(CallRequest&& request, std::string call_id, MonoTime now, CallEffects& effects);
  Status keep(Call& call, Value candidate);
  void hang_up(Call& call, const CallEnd& by, std::string_view reason, CallEffects& effects);
  void miss(Call& call, std::string_view reason, WallMs wall_now, CallEffects& effects);
  void stop_ringing(Call& call);
  void forget(Call& call);

  RandomSource& random_;
  const std::uint8_t shard_;
  const CallOptions options_;
  TextMap<std::unique_ptr<Call>> calls_;
  TextMap<Call*> by_user_;                                       // both users of each call
  std::map<std::pair<MonoTime, std::uint64_t>, Call*> ringing_;  // by deadline, then by their order
  std::uint64_t started_ = 0;
  std::size_t kept_bytes_ = 0;
};

}  // namespace wirehall::services
