#include "services/calls/call_registry.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace wirehall::services {
namespace {

using Lines = std::vector<std::string>;
using To = CallOutput::To;

MonoTime at(std::int64_t ms) { return MonoTime(Milliseconds(ms)); }
constexpr WallMs kWall = 1'700'000'000'000;

const CallEnd kAnn1{0, "a1", "ann"}, kAnn2{1, "a2", "ann"};
const CallEnd kBob1{0, "b1", "bob"}, kBob2{1, "b2", "bob"}, kBob3{1, "b3", "bob"};
const CallEnd kCid{1, "c1", "cid"}, kDan{0, "d1", "dan"};

/// Ids of calls are written #1, #2 in the order in which the test met them.
class CallRegistryTest : public testing::Test {
 protected:
  CallRegistryTest() { restart({}); }

  void restart(CallOptions options) {
    ids.clear();
    registry.emplace(random, std::uint8_t{3}, options);
  }

  CallOutcome start(const CallEnd& caller, const std::string& target, std::vector<std::string> devices,
                    std::int64_t ms = 0) {
    CallOutcome outcome = registry->start(
        {caller, {{"name", caller.user_id}}, target, std::move(devices), "OFFER", "video"}, at(ms), kWall);
    const std::string* id = nullptr;
    if (const Value* field = outcome.fields.find("callId")) id = &field->as_string();
    if (outcome.status.ok() && id != nullptr) ids.push_back(*id);
    return outcome;
  }
  const std::string& id(std::size_t number = 1) const { return ids.at(number - 1); }
  /// A call from ann that rings on two devices of bob.
  void ring() { ASSERT_TRUE(start(kAnn1, "bob", {"b1", "b2"}).status.ok()); }
  void ring_and_answer() {
    ring();
    ASSERT_TRUE(registry->answer(kBob1, id(), "ANSWER").status.ok());
  }

  std::string text(const Object& fields) const {
    std::string json = Value(fields).to_json();
    for (std::size_t i = 0; i < ids.size(); ++i) {
      for (std::size_t found; (found = json.find(ids[i])) != std::string::npos;) {
        json.replace(found, ids[i].size(), "#" + std::to_string(i + 1));
      }
    }
    return json;
  }
  Lines lines(const CallEffects& effects) const {
    Lines out;
    for (const CallOutput& output : effects.events) {
      const CallEnd& end = output.end;
      std::string to = output.to == To::kConnection ? end.socket_id : end.user_id;
      if (output.to == To::kOtherDevices) to += "-" + end.socket_id;
      out.push_back(to + ": " + std::string(output.event) + " " + text(output.fields));
    }
    for (const AwayCall& away : effects.away) out.push_back("push " + away.user_id + " " + text(away.fields));
    return out;
  }
  Lines lines(const CallOutcome& outcome) const {
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.error().text();
    return lines(outcome.effects);
  }
  /// The code of a refusal, which must not have done anything else.
  ErrorCode code(const CallOutcome& outcome) const {
    EXPECT_TRUE(lines(outcome.effects).empty());
    return outcome.status.error().code();
  }

  SeededRandom random{11};
  std::optional<CallRegistry> registry;
  std::vector<std::string> ids;
};

using CallStart = CallRegistryTest;
using CallAnswer = CallRegistryTest;
using CallReject = CallRegistryTest;
using CallHangUp = CallRegistryTest;
using CallCandidate = CallRegistryTest;
using CallDisconnect = CallRegistryTest;
using CallDeadline = CallRegistryTest;

// -- start ------------------------------------------------------------------------------------------

TEST_F(CallStart, EveryDeviceOfTheTargetRings) {
  const CallOutcome outcome = start(kAnn1, "bob", {"b1", "b2"});
  EXPECT_EQ(lines(outcome), (Lines{R"(bob: incoming-call {"callId":"#1","fromUserId":"ann",)"
                                   R"("fromUser":{"name":"ann"},"offer":"OFFER","media":"video"})"}));
  EXPECT_EQ(text(outcome.fields), R"({"callId":"#1","ringing":2})");
  EXPECT_EQ(shard_of_id(id()), 3);
  EXPECT_EQ(registry->size(), 1u);
  EXPECT_EQ(registry->ringing(), 1u);
}

TEST_F(CallStart, NobodyThereIsMissedAndPushed) {
  const CallOutcome outcome = start(kAnn1, "bob", {});
  EXPECT_EQ(text(outcome.fields), R"({"callId":"#1","ringing":0})");
  EXPECT_EQ(lines(outcome), (Lines{R"(a1: call-missed {"callId":"#1","userId":"bob","reason":"offline",)"
                                   R"("timestamp":1700000000000})",
                                   R"(push bob {"callId":"#1","fromUserId":"ann","fromUser":{"name":"ann"},)"
                                   R"("reason":"offline","timestamp":1700000000000})"}));
  EXPECT_EQ(registry->size(), 0u);
  EXPECT_EQ(registry->next_deadline(), kNever);
  EXPECT_EQ(code(registry->end(kAnn1, id())), ErrorCode::kNotFound);
}

TEST_F(CallStart, ATargetWithACallIsBusy) {
  const auto busy = [this](const CallEnd& target, const char* device) {
    const CallOutcome outcome = start(kDan, target.user_id, {device}, 1);
    const std::string n = std::to_string(ids.size());
    EXPECT_EQ(text(outcome.fields), R"({"callId":"#)" + n + R"(","ringing":0})");
    EXPECT_EQ(lines(outcome),
              (Lines{R"(d1: call-rejected {"callId":"#)" + n + R"(","reason":"busy"})",
                     target.user_id + R"(: call-missed {"callId":"#)" + n +
                         R"(","fromUserId":"dan","fromUser":{"name":"dan"},"reason":"busy",)" +
                         R"("timestamp":1700000000000})"}));
    EXPECT_EQ(code(registry->end(kDan, ids.back())), ErrorCode::kNotFound);
  };
  ring();
  busy(kAnn1, "a1");
  busy(kBob1, "b1");
  EXPECT_TRUE(registry->answer(kBob1, id(), "ANSWER").status.ok());
  busy(kAnn1, "a1");
  busy(kBob1, "b1");
  EXPECT_EQ(registry->size(), 1u);
  EXPECT_TRUE(registry->end(kBob1, id()).status.ok());
  EXPECT_EQ(start(kDan, "bob", {"b1"}).fields.find("ringing")->as_int(), 1);
}

TEST_F(CallStart, AnAbsentTargetIsAwayAlsoWhenItsCallHasNotEndedYet) {
  ring_and_answer();
  EXPECT_EQ(lines(start(kDan, "bob", {})).back(),
            R"(push bob {"callId":"#2","fromUserId":"dan","fromUser":{"name":"dan"},"reason":"offline",)"
            R"("timestamp":1700000000000})");
}

TEST_F(CallStart, ACallerWithACallIsRefused) {
  ring();
  for (int answered = 0; answered < 2; ++answered) {
    for (const CallEnd& caller : {kAnn1, kAnn2}) {
      const CallOutcome outcome = start(caller, "cid", {"c1"});
      EXPECT_EQ(code(outcome), ErrorCode::kConflict);
      EXPECT_TRUE(outcome.fields.empty()) << "there is nothing to answer";
    }
    if (answered == 0) {
      EXPECT_TRUE(registry->answer(kBob1, id(), "ANSWER").status.ok());
    }
  }
  for (const CallEnd& caller : {kBob1, kBob2}) {
    const CallOutcome outcome = start(caller, "cid", {"c1"});
    EXPECT_EQ(code(outcome), ErrorCode::kConflict);
    EXPECT_TRUE(outcome.fields.empty());
  }
  EXPECT_EQ(code(start(kAnn1, "cid", {})), ErrorCode::kConflict) << "also when nobody is there";
}

TEST_F(CallStart, NobodyCallsThemselves) {
  EXPECT_EQ(code(start(kAnn1, "ann", {"a1", "a2"})), ErrorCode::kInvalidFormat);
  ring();
  EXPECT_EQ(code(start(kAnn1, "ann", {})), ErrorCode::kInvalidFormat);
}

TEST_F(CallStart, OfTwoWhoCallEachOtherTheFirstOneWins) {
  for (const bool ann_first : {true, false}) {
    restart({});
    const CallEnd& first = ann_first ? kAnn1 : kBob1;
    const CallEnd& second = ann_first ? kBob1 : kAnn1;
    EXPECT_TRUE(start(first, second.user_id, {second.socket_id}).status.ok());
    const CallOutcome refused = start(second, first.user_id, {first.socket_id});
    EXPECT_EQ(code(refused), ErrorCode::kConflict);
    EXPECT_EQ(text(refused.fields), R"({"callId":"#1"})");
    EXPECT_EQ(refused.status.error().detail(), "the user is being called: " + id());
    EXPECT_EQ(registry->size(), 1u);
    const std::string named = refused.fields.find("callId")->as_string();
    EXPECT_EQ(lines(registry->answer(second, named, "ANSWER")).front(),
              first.socket_id + R"(: call-answered {"callId":"#1","answer":"ANSWER"})");
  }
}

TEST_F(CallStart, WhoIsCalledIsToldOfThatCallWhoeverTheyWantToCall) {
  ring();
  const CallOutcome outcome = start(kBob2, "cid", {"c1"});
  EXPECT_EQ(code(outcome), ErrorCode::kConflict);
  EXPECT_EQ(text(outcome.fields), R"({"callId":"#1"})");
}

TEST_F(CallStart, CallsAreBounded) {
  CallOptions options;
  options.calls_max = 1;
  restart(options);
  ring();
  EXPECT_EQ(code(start(kCid, "dan", {"d1"})), ErrorCode::kUnavailable);
  EXPECT_TRUE(start(kCid, "dan", {}).status.ok()) << "makes no call";
  EXPECT_TRUE(start(kCid, "bob", {"b1"}).status.ok()) << "makes no call";
  EXPECT_TRUE(registry->end(kAnn1, id()).status.ok());
  EXPECT_TRUE(start(kCid, "dan", {"d1"}).status.ok());
}

// -- answer -----------------------------------------------------------------------------------------

TEST_F(CallAnswer, TheFirstOneWinsAndTheOthersStopRinging) {
  ring();
  EXPECT_EQ(lines(registry->answer(kBob2, id(), "ANSWER")),
            (Lines{R"(a1: call-answered {"callId":"#1","answer":"ANSWER"})",
                   R"(bob-b2: call-taken {"callId":"#1"})"}));
  EXPECT_EQ(registry->ringing(), 0u);
  EXPECT_EQ(code(registry->answer(kBob1, id(), "ANSWER")), ErrorCode::kConflict);
  EXPECT_EQ(code(registry->answer(kBob2, id(), "ANSWER")), ErrorCode::kConflict);
  EXPECT_EQ(lines(registry->end(kAnn1, id())), (Lines{R"(b2: call-ended {"callId":"#1","reason":"ended"})"}));
}

TEST_F(CallAnswer, ADeviceThatCameLaterMayAnswer) {
  ring();
  EXPECT_EQ(lines(registry->answer(kBob3, id(), "ANSWER")).size(), 2u);
}

TEST_F(CallAnswer, StrangersCannotTellACallFromNone) {
  const auto refusals = [this](const std::string& call_id) {
    Lines out;
    for (const CallEnd& end : {kCid, CallEnd{0, "b1", "cid"}, CallEnd{}}) {
      for (const CallOutcome& outcome :
           {registry->answer(end, call_id, "ANSWER"), registry->reject(end, call_id),
            registry->end(end, call_id), registry->candidate(end, call_id, "CANDIDATE")}) {
        EXPECT_EQ(code(outcome), ErrorCode::kNotFound);
        out.push_back(outcome.status.error().text() + text(outcome.fields));
      }
    }
    return out;
  };
  ring();
  EXPECT_EQ(refusals(id()), refusals("no-such-call"));
  EXPECT_EQ(code(registry->answer(kAnn1, id(), "ANSWER")), ErrorCode::kNotFound) << "is the caller";
  EXPECT_EQ(code(registry->answer(kAnn2, id(), "ANSWER")), ErrorCode::kNotFound);
  EXPECT_TRUE(registry->answer(kBob1, id(), "ANSWER").status.ok());
  EXPECT_EQ(refusals(id()), refusals(""));
}

// -- reject -----------------------------------------------------------------------------------------

TEST_F(CallReject, EndsTheCallForAllDevices) {
  ring();
  EXPECT_EQ(lines(registry->reject(kBob2, id(), "later")),
            (Lines{R"(a1: call-rejected {"callId":"#1","reason":"later"})",
                   R"(bob-b2: call-taken {"callId":"#1"})"}));
  EXPECT_EQ(registry->size(), 0u);
  EXPECT_EQ(registry->next_deadline(), kNever);
  EXPECT_EQ(code(registry->answer(kBob1, id(), "ANSWER")), ErrorCode::kNotFound);
  ring();
  EXPECT_EQ(lines(registry->reject(kBob1, id(2))).front(),
            R"(a1: call-rejected {"callId":"#2","reason":"rejected"})");
}

TEST_F(CallReject, ComesTooLateBehindTheAnswer) {
  ring_and_answer();
  for (const CallEnd& end : {kBob1, kBob2}) {
    EXPECT_EQ(code(registry->reject(end, id())), ErrorCode::kConflict);
  }
  EXPECT_EQ(code(registry->reject(kAnn1, id())), ErrorCode::kNotFound) << "is the caller";
  EXPECT_EQ(registry->size(), 1u);
}

TEST_F(CallReject, ReasonsAreBounded) {
  ring();
  EXPECT_EQ(code(registry->reject(kBob1, id(), std::string(129, 'r'))), ErrorCode::kInvalidFormat);
  EXPECT_EQ(code(registry->end(kAnn1, id(), std::string(129, 'r'))), ErrorCode::kInvalidFormat);
  EXPECT_EQ(code(registry->end(kAnn1, id(), std::string(1'000'000, 'r'))), ErrorCode::kInvalidFormat);
  const std::string longest(128, 'r');
  EXPECT_EQ(lines(registry->reject(kBob1, id(), longest)).front(),
            R"(a1: call-rejected {"callId":"#1","reason":")" + longest + R"("})");
  ring();
  EXPECT_EQ(lines(registry->end(kAnn1, id(2), longest)).front(),
            R"(bob: call-ended {"callId":"#2","reason":")" + longest + R"("})");
}

// -- end --------------------------------------------------------------------------------------------

TEST_F(CallHangUp, TheCallerCancelsWhileItRings) {
  ring();
  EXPECT_EQ(code(registry->end(kAnn2, id())), ErrorCode::kConflict) << "does not take part";
  EXPECT_EQ(code(registry->end(kBob1, id())), ErrorCode::kConflict) << "that is to reject";
  EXPECT_EQ(lines(registry->end(kAnn1, id())),
            (Lines{R"(bob: call-ended {"callId":"#1","reason":"cancelled"})"}));
  EXPECT_EQ(registry->size(), 0u);
  EXPECT_EQ(registry->next_deadline(), kNever);
  EXPECT_EQ(code(registry->end(kAnn1, id())), ErrorCode::kNotFound);
}

TEST_F(CallHangUp, EitherEndEndsAnAnsweredCall) {
  ring_and_answer();
  EXPECT_EQ(code(registry->end(kAnn2, id())), ErrorCode::kConflict) << "does not take part";
  EXPECT_EQ(code(registry->end(kBob2, id())), ErrorCode::kConflict) << "does not take part";
  EXPECT_EQ(lines(registry->end(kAnn1, id())), (Lines{R"(b1: call-ended {"callId":"#1","reason":"ended"})"}));
  ring();
  EXPECT_TRUE(registry->answer(kBob2, id(2), "ANSWER").status.ok());
  EXPECT_EQ(lines(registry->end(kBob2, id(2), "bye")),
            (Lines{R"(a1: call-ended {"callId":"#2","reason":"bye"})"}));
  EXPECT_EQ(registry->size(), 0u);
}

// -- candidates -------------------------------------------------------------------------------------

TEST_F(CallCandidate, AreKeptUntilTheAnswerAndThenPassed) {
  ring();
  for (const char* text : {"1", "2", "3"}) {
    EXPECT_TRUE(lines(registry->candidate(kAnn1, id(), text)).empty());
  }
  EXPECT_EQ(registry->kept_bytes(), 9u);
  EXPECT_EQ(code(registry->candidate(kBob1, id(), "0")), ErrorCode::kConflict) << "before its answer";
  EXPECT_EQ(code(registry->candidate(kAnn2, id(), "0")), ErrorCode::kConflict) << "does not take part";
  EXPECT_EQ(
      lines(registry->answer(kBob1, id(), "ANSWER")),
      (Lines{R"(a1: call-answered {"callId":"#1","answer":"ANSWER"})",
             R"(bob-b1: call-taken {"callId":"#1"})", R"(b1: ice-candidate {"callId":"#1","candidate":"1"})",
             R"(b1: ice-candidate {"callId":"#1","candidate":"2"})",
             R"(b1: ice-candidate {"callId":"#1","candidate":"3"})"}));
  EXPECT_EQ(registry->kept_bytes(), 0u);
  EXPECT_EQ(lines(registry->candidate(kAnn1, id(), nullptr)),
            (Lines{R"(b1: ice-candidate {"callId":"#1","candidate":null})"}));
  EXPECT_EQ(lines(registry->candidate(kBob1, id(), "5")),
            (Lines{R"(a1: ice-candidate {"callId":"#1","candidate":"5"})"}));
  EXPECT_EQ(code(registry->candidate(kBob2, id(), "6")), ErrorCode::kConflict) << "does not take part";
  EXPECT_EQ(code(registry->candidate(kAnn2, id(), "6")), ErrorCode::kConflict) << "does not take part";
}

TEST_F(CallCandidate, OnlySoManyAreKept) {
  ring();
  for (int i = 0; i < 64; ++i) EXPECT_TRUE(registry->candidate(kAnn1, id(), i).status.ok()) << i;
  EXPECT_EQ(code(registry->candidate(kAnn1, id(), 64)), ErrorCode::kLimitReached);
  EXPECT_EQ(lines(registry->answer(kBob1, id(), "ANSWER")).back(),
            R"(b1: ice-candidate {"callId":"#1","candidate":63})");
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(registry->candidate(kAnn1, id(), i).status.ok()) << i;
}

TEST_F(CallCandidate, OnlySoManyBytesAreKept) {
  for (const bool parsed : {true, false}) {
    restart({});
    ring();
    const auto candidate = [parsed](std::size_t json_bytes) {
      const std::string text(json_bytes - 2, 'x');
      return parsed ? Value(text) : Value::from_validated_json('"' + text + '"');
    };
    EXPECT_EQ(code(registry->candidate(kAnn1, id(), candidate(64 * 1024 + 1))), ErrorCode::kLimitReached);
    EXPECT_TRUE(registry->candidate(kAnn1, id(), candidate(64 * 1024 - 10)).status.ok());
    EXPECT_EQ(code(registry->candidate(kAnn1, id(), candidate(11))), ErrorCode::kLimitReached);
    EXPECT_TRUE(registry->candidate(kAnn1, id(), candidate(10)).status.ok());
    EXPECT_EQ(registry->kept_bytes(), 64u * 1024);
    EXPECT_EQ(code(registry->candidate(kAnn1, id(), 1)), ErrorCode::kLimitReached);
    EXPECT_TRUE(registry->end(kAnn1, id()).status.ok());
    EXPECT_EQ(registry->kept_bytes(), 0u);
  }
}

TEST_F(CallCandidate, AllCallsTogetherKeepOnlySoManyBytes) {
  CallOptions options;
  options.kept_bytes_max = 10;
  restart(options);
  ring();
  EXPECT_TRUE(start(kCid, "dan", {"d1"}).status.ok());
  EXPECT_TRUE(registry->candidate(kAnn1, id(), "12345").status.ok());
  EXPECT_EQ(code(registry->candidate(kCid, id(2), "12")), ErrorCode::kUnavailable);
  EXPECT_TRUE(registry->candidate(kCid, id(2), "1").status.ok());
  EXPECT_EQ(registry->kept_bytes(), 10u);
  EXPECT_TRUE(registry->answer(kBob1, id(), "ANSWER").status.ok());
  EXPECT_EQ(registry->kept_bytes(), 3u);
  EXPECT_TRUE(registry->candidate(kCid, id(2), "12345").status.ok());
}

// -- connections that go ----------------------------------------------------------------------------

TEST_F(CallDisconnect, TheCallersConnectionCancels) {
  ring();
  EXPECT_TRUE(lines(registry->disconnected(kAnn2, kWall)).empty()) << "does not take part";
  EXPECT_TRUE(lines(registry->disconnected(kCid, kWall)).empty()) << "has no call";
  EXPECT_EQ(lines(registry->disconnected(kAnn1, kWall)),
            (Lines{R"(bob: call-ended {"callId":"#1","reason":"disconnected"})"}));
  EXPECT_TRUE(lines(registry->disconnected(kAnn1, kWall)).empty());
  EXPECT_EQ(registry->next_deadline(), kNever);
}

TEST_F(CallDisconnect, TheLastDeviceThatRingsMissesTheCall) {
  ring();
  EXPECT_TRUE(lines(registry->disconnected(kBob1, kWall)).empty());
  EXPECT_TRUE(lines(registry->disconnected(kBob1, kWall)).empty()) << "counts once";
  EXPECT_TRUE(lines(registry->disconnected(kBob3, kWall)).empty()) << "came later";
  EXPECT_EQ(registry->ringing(), 1u);
  EXPECT_EQ(lines(registry->disconnected(kBob2, kWall)),
            (Lines{R"(a1: call-missed {"callId":"#1","userId":"bob","reason":"offline",)"
                   R"("timestamp":1700000000000})",
                   R"(bob: call-missed {"callId":"#1","fromUserId":"ann","fromUser":{"name":"ann"},)"
                   R"("reason":"offline","timestamp":1700000000000})",
                   R"(push bob {"callId":"#1","fromUserId":"ann","fromUser":{"name":"ann"},)"
                   R"("reason":"offline","timestamp":1700000000000})"}));
  EXPECT_EQ(registry->size(), 0u);
  EXPECT_EQ(registry->next_deadline(), kNever);
}

TEST_F(CallDisconnect, AnEndOfAnAnsweredCallEndsIt) {
  ring_and_answer();
  EXPECT_TRUE(lines(registry->disconnected(kBob2, kWall)).empty()) << "does not take part";
  EXPECT_TRUE(lines(registry->disconnected(kAnn2, kWall)).empty()) << "does not take part";
  EXPECT_EQ(lines(registry->disconnected(kBob1, kWall)),
            (Lines{R"(a1: call-ended {"callId":"#1","reason":"disconnected"})"}));
  ring();
  EXPECT_TRUE(registry->answer(kBob2, id(2), "ANSWER").status.ok());
  EXPECT_EQ(lines(registry->disconnected(kAnn1, kWall)),
            (Lines{R"(b2: call-ended {"callId":"#2","reason":"disconnected"})"}));
  EXPECT_EQ(registry->size(), 0u);
}

// -- deadlines --------------------------------------------------------------------------------------

TEST_F(CallDeadline, NoAnswerIsMissedByBoth) {
  EXPECT_EQ(registry->next_deadline(), kNever);
  EXPECT_TRUE(start(kAnn1, "bob", {"b1", "b2"}, 1'000).status.ok());
  EXPECT_EQ(registry->next_deadline(), at(31'000));
  EXPECT_TRUE(lines(registry->on_deadline(at(31'000) - Duration(1), kWall)).empty());
  EXPECT_EQ(lines(registry->on_deadline(at(31'000), kWall + 30'000)),
            (Lines{R"(a1: call-missed {"callId":"#1","userId":"bob","reason":"no-answer",)"
                   R"("timestamp":1700000030000})",
                   R"(bob: call-missed {"callId":"#1","fromUserId":"ann","fromUser":{"name":"ann"},)"
                   R"("reason":"no-answer","timestamp":1700000030000})"}));
  EXPECT_EQ(registry->size(), 0u);
  EXPECT_EQ(registry->next_deadline(), kNever);
  EXPECT_TRUE(lines(registry->on_deadline(at(99'000), kWall)).empty());
}

TEST_F(CallDeadline, IsThatOfTheFirstCallThatRings) {
  EXPECT_TRUE(start(kAnn1, "bob", {"b1"}, 100).status.ok());
  EXPECT_TRUE(start(kCid, "dan", {"d1"}, 200).status.ok());
  EXPECT_EQ(registry->next_deadline(), at(30'100));
  EXPECT_TRUE(registry->end(kAnn1, id(1)).status.ok());
  EXPECT_EQ(registry->next_deadline(), at(30'200));
  EXPECT_TRUE(start(kAnn1, "bob", {"b1"}, 200).status.ok());
  const Lines missed = lines(registry->on_deadline(at(60'000), kWall));
  ASSERT_EQ(missed.size(), 4u);
  EXPECT_EQ(missed[0].substr(0, 2), "c1") << "in the order in which they began";
  EXPECT_EQ(missed[2].substr(0, 2), "a1");
}

TEST_F(CallDeadline, AnAnsweredCallHasNone) {
  ring_and_answer();
  EXPECT_EQ(registry->next_deadline(), kNever);
  EXPECT_TRUE(lines(registry->on_deadline(at(1'000'000'000), kWall)).empty());
  EXPECT_EQ(registry->size(), 1u);
}

TEST_F(CallDeadline, ALateAnswerIsAcceptedWhileItStillRings) {
  ring();
  EXPECT_TRUE(registry->answer(kBob1, id(), "ANSWER").status.ok());
  EXPECT_TRUE(lines(registry->on_deadline(at(30'000), kWall)).empty());
  EXPECT_EQ(registry->size(), 1u);
}

TEST_F(CallDeadline, FollowsTheOption) {
  CallOptions options;
  options.ring_timeout = Milliseconds(5);
  restart(options);
  ring();
  EXPECT_EQ(registry->next_deadline(), at(5));
}

}  // namespace
}  // namespace wirehall::services
