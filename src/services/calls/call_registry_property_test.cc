// Random calls of five users, judged only by what each connection is told.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "services/calls/call_registry.h"
#include "support/seed.h"

namespace wirehall::services {
namespace {

using To = CallOutput::To;

constexpr std::size_t kUsers = 5, kDevicesMax = 3;
constexpr WallMs kWall = 1'700'000'000'000;

/// A call as its users see it.
struct Seen {
  CallEnd caller;
  std::string callee_user_id;
  std::optional<CallEnd> callee;
  MonoTime deadline{};
  std::size_t rang_on = 0;        // devices that were told of it
  int answers = 0;                // that were accepted
  int callers_ends = 0;           // that the caller's connection knows of
  int callees_ends = 0;           // that the callee's connection knows of, of an answered call
  int rings_ended = 0;            // that the callee's devices were told of
  std::optional<int> over_since;  // the step in which it ended
  std::deque<std::int64_t> to_caller, to_callee;  // candidates on their way
};

/// Five users with their connections, and what they know.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), ids_(seed + 1), registry_(ids_, 0, options(seed)) {}

  void run(int steps) {
    for (step_ = 0; step_ < steps && !testing::Test::HasFatalFailure(); ++step_) {
      act();
      check();
    }
    for (const CallEnd& end : std::vector(online_)) {
      ++step_;
      disconnect(end);
      check();
    }
    check_end();
  }
  static std::set<std::string>& met() {
    static std::set<std::string> events;
    return events;
  }

 private:
  // Two calls leave nobody for a third one: only with one the bound is ever reached.
  static CallOptions options(std::uint64_t seed) {
    CallOptions options;
    options.calls_max = 1 + seed % 2;
    options.kept_candidates_max = 3;
    return options;
  }

  // -- what they do ---------------------------------------------------------------------------------

  static std::string user(std::uint64_t number) { return std::string(1, char('A' + number)); }
  std::vector<std::string> devices_of(const std::string& user_id) const {
    std::vector<std::string> out;
    for (const CallEnd& end : online_) {
      if (end.user_id == user_id) out.push_back(end.socket_id);
    }
    return out;
  }
  std::string some_id() {
    if (seen_.empty() || random_.below(20) == 0) return "no-such-call";
    std::vector<std::string> live;
    for (const auto& [id, call] : seen_) {
      if (!call.over_since || random_.below(20) == 0) live.push_back(id);
    }
    return live.empty() ? seen_.rbegin()->first : live[random_.below(live.size())];
  }

  void act() {
    if (online_.empty() || random_.below(8) == 0) return connect();
    const CallEnd end = online_[random_.below(online_.size())];
    const std::string id = some_id();
    switch (random_.below(16)) {
      case 0: return disconnect(end);
      case 1: return pass(Milliseconds(random_.below(25'000)));
      case 2:
      case 3:
      case 4: return start(end, user(random_.below(kUsers)));
      case 5:
      case 6:
      case 7: return answer(end, id);
      case 8: return reject(end, id);
      case 9: return hang_up(end, id);
      default: return candidate(end, id);
    }
  }
  void connect() {
    const std::string user_id = user(random_.below(kUsers));
    if (devices_of(user_id).size() >= kDevicesMax) return;
    online_.push_back({unsigned(random_.below(2)), user_id + std::to_string(++connections_), user_id});
  }
  void disconnect(const CallEnd& end) {
    std::erase(online_, end);
    for (auto& [id, call] : seen_) {
      if (call.over_since) continue;
      if (call.caller == end || call.callee == end) {
        ++(call.caller == end ? call.callers_ends : call.callees_ends);
        over(call);
      }
    }
    take(registry_.disconnected(end, kWall));
  }
  void pass(Duration time) {
    now_ += time;
    if (now_ < registry_.next_deadline()) {
      EXPECT_TRUE(registry_.on_deadline(now_, kWall).events.empty());
      return;
    }
    take(registry_.on_deadline(now_, kWall));
  }
  void start(const CallEnd& end, const std::string& target) {
    const std::vector<std::string> devices = devices_of(target);
    const CallOutcome outcome =
        registry_.start({end, "user", target, devices, "offer", "media"}, now_, kWall);
    met().insert("start " + std::string(outcome.status.error().kebab()) +
                 (outcome.fields.empty() ? "" : " with fields"));
    if (!outcome.status.ok()) return take(outcome);
    const std::string& id = outcome.fields.find("callId")->as_string();
    ASSERT_EQ(seen_.count(id), 0u);
    Seen& call = seen_[id];
    call.caller = end;
    call.callee_user_id = target;
    call.deadline = now_ + CallOptions().ring_timeout;
    const auto ringing = std::size_t(outcome.fields.find("ringing")->as_int());
    if (ringing == 0) over(call);
    take(outcome);
    EXPECT_EQ(call.rang_on, ringing);
    EXPECT_TRUE(ringing == 0 || ringing == devices.size());
  }
  void answer(const CallEnd& end, const std::string& id) {
    const CallOutcome outcome = registry_.answer(end, id, "answer");
    if (outcome.status.ok()) {
      Seen& call = seen_.at(id);
      EXPECT_EQ(call.callee_user_id, end.user_id);
      call.callee = end;
      ++call.answers;
    }
    take(outcome);
  }
  void reject(const CallEnd& end, const std::string& id) {
    const CallOutcome outcome = registry_.reject(end, id);
    if (outcome.status.ok()) {
      EXPECT_EQ(seen_.at(id).callee_user_id, end.user_id);
    }
    take(outcome);
  }
  void hang_up(const CallEnd& end, const std::string& id) {
    const CallOutcome outcome = registry_.end(end, id);
    if (outcome.status.ok()) {
      Seen& call = seen_.at(id);
      EXPECT_TRUE(call.caller == end || call.callee == end);
      ++(call.caller == end ? call.callers_ends : call.callees_ends);
      over(call);
    }
    take(outcome);
  }
  void candidate(const CallEnd& end, const std::string& id) {
    const std::int64_t value = ++candidates_;
    const CallOutcome outcome = registry_.candidate(end, id, value);
    if (outcome.status.ok()) {
      Seen& call = seen_.at(id);
      EXPECT_TRUE(call.caller == end || call.callee == end);
      (call.caller == end ? call.to_callee : call.to_caller).push_back(value);
    }
    take(outcome);
  }

  // -- what they are told ---------------------------------------------------------------------------

  void over(Seen& call) {
    EXPECT_FALSE(call.over_since && *call.over_since < step_) << "ended twice";
    call.over_since = step_;
  }
  void take(const CallOutcome& outcome) {
    if (!outcome.status.ok()) {
      EXPECT_TRUE(outcome.effects.events.empty() && outcome.effects.away.empty());
    }
    take(outcome.effects);
  }
  void take(const CallEffects& effects) {
    for (const CallOutput& output : effects.events) {
      const Value* reason = output.fields.find("reason");
      met().insert(std::string(output.event) + (reason ? " " + reason->as_string() : ""));
      Seen& call = seen_.at(output.fields.find("callId")->as_string());
      ASSERT_FALSE(call.over_since && *call.over_since < step_) << output.event << " behind the end";
      if (output.to != To::kDevices) {
        ASSERT_EQ(std::count(online_.begin(), online_.end(), output.end), 1) << "has gone";
      }
      output.to == To::kConnection ? told_end(call, output) : told_devices(call, output);
    }
    for (const AwayCall& away : effects.away) {
      const Seen& call = seen_.at(away.fields.find("callId")->as_string());
      EXPECT_EQ(away.user_id, call.callee_user_id);
      // Behind a call that rang there may be a device that came too late for it.
      EXPECT_TRUE(call.rang_on != 0 || devices_of(away.user_id).empty());
    }
  }
  void told_end(Seen& call, const CallOutput& output) {
    const bool to_caller = output.end == call.caller;
    ASSERT_TRUE(to_caller || call.callee == output.end) << output.event << " to a stranger";
    if (output.event == "ice-candidate") {
      std::deque<std::int64_t>& queue = to_caller ? call.to_caller : call.to_callee;
      ASSERT_FALSE(queue.empty());
      EXPECT_EQ(output.fields.find("candidate")->as_int(), queue.front());
      queue.pop_front();
    } else if (output.event == "call-answered") {
      EXPECT_TRUE(to_caller && call.callee);
    } else {
      ++(to_caller ? call.callers_ends : call.callees_ends);
      over(call);
    }
  }
  void told_devices(Seen& call, const CallOutput& output) {
    EXPECT_EQ(output.end.user_id, call.callee_user_id);
    if (output.event == "incoming-call") {
      EXPECT_EQ(call.rang_on, 0u);
      call.rang_on = devices_of(output.end.user_id).size();
    } else {
      ++call.rings_ended;
      if (output.event != "call-taken") over(call);
    }
  }

  // -- what always holds ----------------------------------------------------------------------------

  void check() {
    std::set<std::string> talking;
    std::size_t live = 0;
    MonoTime deadline = kNever;
    for (const auto& [id, call] : seen_) {
      ASSERT_LE(call.answers, 1);
      ASSERT_LE(call.rings_ended, 1);
      if (call.over_since) {
        ASSERT_EQ(call.callers_ends, 1);
        ASSERT_EQ(call.callees_ends, call.answers);
        continue;
      }
      ++live;
      ASSERT_TRUE(talking.insert(call.caller.user_id).second) << "a user in two calls";
      ASSERT_TRUE(talking.insert(call.callee_user_id).second) << "a user in two calls";
      ASSERT_EQ(call.callers_ends, 0);
      if (call.callee) {
        ASSERT_TRUE(call.to_caller.empty() && call.to_callee.empty());
      } else {
        deadline = std::min(deadline, call.deadline);
      }
    }
    ASSERT_EQ(registry_.size(), live);
    ASSERT_EQ(registry_.next_deadline(), deadline);
  }
  void check_end() {
    EXPECT_EQ(registry_.size(), 0u);
    EXPECT_EQ(registry_.ringing(), 0u);
    EXPECT_EQ(registry_.kept_bytes(), 0u);
    EXPECT_EQ(registry_.next_deadline(), kNever);
    for (const auto& [id, call] : seen_) {
      EXPECT_TRUE(call.over_since);
      if (call.rang_on != 0) {
        EXPECT_EQ(call.rings_ended, 1);
      }
    }
  }

  SeededRandom random_, ids_;
  CallRegistry registry_;
  MonoTime now_{};
  std::vector<CallEnd> online_;
  std::map<std::string, Seen> seen_;
  int step_ = 0;
  int connections_ = 0;
  std::int64_t candidates_ = 0;
};

TEST(CallProperty, EveryCallIsOneStoryWithOneEnd) {
  SeededRandom seeds(test::seed());
  for (int round = 0; round < 300 && !testing::Test::HasFailure(); ++round) {
    const std::uint64_t seed = seeds.next();
    SCOPED_TRACE("round " + std::to_string(round) + ", seed " + std::to_string(seed));
    World(seed).run(250);
  }
  const std::set<std::string> all = {"start ok with fields",   "start invalid-format",
                                     "start conflict",         "start conflict with fields",
                                     "start unavailable",      "incoming-call",
                                     "call-answered",          "call-taken",
                                     "ice-candidate",          "call-rejected busy",
                                     "call-rejected rejected", "call-missed offline",
                                     "call-missed busy",       "call-missed no-answer",
                                     "call-ended ended",       "call-ended cancelled",
                                     "call-ended disconnected"};
  EXPECT_EQ(World::met(), all) << "the walk has seen every event";
}

}  // namespace
}  // namespace wirehall::services
