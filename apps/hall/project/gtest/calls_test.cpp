// Calls: the server carries what the two ends tell each other. What an offer says is their business.
#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(Calls);

static const Value kOffer = {{"type", "offer"}, {"sdp", "v=0"}};
static const Value kAnswer = {{"type", "answer"}, {"sdp", "v=0"}};
static const Value kCallBob = {{"targetUserId", "bob"}, {"offer", kOffer}, {"media", "video"}};

TEST_P(Calls, AreOfferedAnsweredAndEnded) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox incoming = bob.inbox("incoming-call");
  ClientInbox answered = alice.inbox("call-answered");
  ClientInbox candidates = alice.inbox("ice-candidate");
  ClientInbox ended = bob.inbox("call-ended");
  const Value call = ask(alice, "call-user", kCallBob);
  EXPECT_EQ(at(call, "ringing"), 1);
  const Value id = at(call, "callId");
  const Value ring = told(incoming);
  EXPECT_EQ(at(ring, "callId"), id);
  EXPECT_EQ(at(ring, "fromUserId"), "alice");
  EXPECT_EQ(at(ring, "offer"), kOffer);
  EXPECT_EQ(at(ring, "media"), "video");
  ask(bob, "call-answer", {{"callId", id}, {"answer", kAnswer}});
  EXPECT_EQ(at(told(answered), "answer"), kAnswer);
  const Value candidate = {{"candidate", "a way to bob"}};
  ask(bob, "ice-candidate", {{"callId", id}, {"candidate", candidate}});
  EXPECT_EQ(at(told(candidates), "candidate"), candidate);
  ask(alice, "call-end", {{"callId", id}});
  EXPECT_EQ(at(told(ended), "reason"), "ended");
}

TEST_P(Calls, CanBeDeclined) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox rejected = alice.inbox("call-rejected");
  const Value call = ask(alice, "call-user", kCallBob);
  ask(bob, "call-reject", {{"callId", at(call, "callId")}});
  EXPECT_EQ(at(told(rejected), "reason"), "rejected");
}

TEST_P(Calls, AreMissedWhereNobodyAnswers) {
  start({{"WIREHALL_CALLS__RING_TIMEOUT", "300"}});
  Client& alice = connect("alice");
  ClientInbox by_alice = alice.inbox("call-missed");
  EXPECT_EQ(at(ask(alice, "call-user", kCallBob), "ringing"), 0);
  EXPECT_EQ(at(told(by_alice), "reason"), "offline");
  Client& bob = connect("bob");
  ClientInbox by_bob = bob.inbox("call-missed");
  EXPECT_EQ(at(ask(alice, "call-user", kCallBob), "ringing"), 1);
  EXPECT_EQ(at(told(by_alice), "reason"), "no-answer");
  EXPECT_EQ(at(told(by_bob), "reason"), "no-answer");
}

TEST_P(Calls, RingOnEveryDeviceAndAreTakenOnOne) {
  Client& alice = connect("alice");
  Client& desk = connect("bob");
  Client& phone = connect("bob");
  ClientInbox on_desk = desk.inbox("incoming-call");
  ClientInbox on_phone = phone.inbox("incoming-call");
  ClientInbox taken = desk.inbox("call-taken");
  const Value id = at(ask(alice, "call-user", kCallBob), "callId");
  for (ClientInbox* rings : {&on_desk, &on_phone}) EXPECT_EQ(at(told(*rings), "callId"), id);
  ask(phone, "call-answer", {{"callId", id}, {"answer", kAnswer}});
  EXPECT_EQ(at(told(taken), "callId"), id);
}

}  // namespace app
