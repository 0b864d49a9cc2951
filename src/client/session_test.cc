#include "client/session.h"

#include <gmock/gmock.h>

#include "client/fake_hall_for_test.h"

namespace wirehall::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

ClientOptions over(Protocol protocol) {
  ClientOptions options;
  options.protocol = protocol;
  options.randomization_factor = 0;
  return options;
}

class SessionTest : public testing::TestWithParam<Protocol> {
 protected:
  static ClientOptions options() { return over(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Both, SessionTest, testing::Values(Protocol::kNative, Protocol::kSocketIo),
                         [](const auto& protocol) {
                           return protocol.param == Protocol::kNative ? std::string("Native")
                                                                      : std::string("SocketIo");
                         });

TEST_P(SessionTest, ConnectsAndAsks) {
  FakeHall hall(options());
  std::string opened;
  hall.session.connect([&](const Status& status) { opened = status.ok() ? "ok" : status.error().text(); },
                       hall.now);
  hall.pump();
  EXPECT_EQ(opened, "ok");
  EXPECT_EQ(hall.session.state(), ClientState::kConnected);
  hall.ask("a", "question", {{"type", "kind"}, {"id", 5}, {"x", 1}});
  EXPECT_EQ(hall.outcome("a"), R"(ok {"success":true})");
  ASSERT_EQ(hall.log.size(), 1u);
  EXPECT_THAT(hall.log[0], HasSubstr(R"("x":1)"));
}

TEST_P(SessionTest, WhatIsAskedBeforeThereIsAConnectionWaitsInOrder) {
  FakeHall hall(options());
  hall.reachable = false;
  ClientOptions& options = hall.options;
  options.connect_attempts = 0;
  hall.connect();
  EXPECT_EQ(hall.session.state(), ClientState::kWaiting);
  for (int i = 0; i < 5; ++i) hall.ask(std::to_string(i), "e" + std::to_string(i), {});
  EXPECT_THAT(hall.log, IsEmpty());
  hall.reachable = true;
  hall.advance();
  EXPECT_EQ(hall.session.state(), ClientState::kConnected);
  ASSERT_EQ(hall.log.size(), 5u);
  for (int i = 0; i < 5; ++i)
    EXPECT_THAT(hall.log[static_cast<std::size_t>(i)], StartsWith("e" + std::to_string(i)));
}

TEST_P(SessionTest, ComesBackWithGrowingDelays) {
  FakeHall hall(options());
  hall.connect();
  hall.reachable = false;
  hall.cut();
  EXPECT_EQ(hall.last_loss().reason, "transport error");
  std::vector<std::int64_t> delays;
  for (int i = 0; i < 5; ++i) {
    delays.push_back(hall.last_loss().retry_in->count());
    ASSERT_TRUE(hall.advance());
  }
  EXPECT_THAT(delays, ElementsAre(1000, 2000, 4000, 5000, 5000));
  EXPECT_EQ(hall.last_loss().reason, "connect error");
  hall.reachable = true;
  hall.advance();
  EXPECT_EQ(hall.session.state(), ClientState::kConnected);
  hall.reachable = false;
  hall.cut();
  EXPECT_EQ(hall.last_loss().retry_in->count(), 1000) << "a success begins anew";
}

TEST_P(SessionTest, JitterStaysWithinItsPart) {
  ClientOptions options = over(GetParam());
  options.randomization_factor = 0.5;
  options.connect_attempts = 0;
  FakeHall hall(options);
  hall.reachable = false;
  hall.connect();
  std::set<std::int64_t> seen;
  for (int i = 0; i < 60; ++i) {
    const std::int64_t delay = hall.last_loss().retry_in->count();
    if (i > 3) {
      EXPECT_GE(delay, 2500);
      EXPECT_LE(delay, 5000);
      seen.insert(delay);
    }
    hall.advance();
  }
  EXPECT_GT(seen.size(), 10u);
}

TEST_P(SessionTest, GivesUpAfterItsAttempts) {
  ClientOptions options = over(GetParam());
  options.reconnection_attempts = 2;
  FakeHall hall(options);
  hall.connect();
  hall.reachable = false;
  hall.ask("waits", "x", {});
  EXPECT_THAT(hall.outcome("waits"), StartsWith("ok"));
  hall.cut();
  hall.ask("late", "x", {});
  while (hall.session.state() != ClientState::kClosed) ASSERT_TRUE(hall.advance());
  EXPECT_EQ(hall.attempts.size(), 3u) << "the first connection, and two";
  EXPECT_EQ(hall.outcome("late"), "connection-failed");
  EXPECT_FALSE(hall.last_loss().retry_in.has_value());
  EXPECT_EQ(hall.session.next_deadline(), kNever);
}

TEST_P(SessionTest, TheFirstConnectionIsTriedOnceUnlessMoreIsWanted) {
  FakeHall hall(options());
  hall.reachable = false;
  std::string failure;
  hall.session.connect([&](const Status& status) { failure = status.error().text(); }, hall.now);
  hall.pump();
  EXPECT_EQ(failure, "Connection failed: refused");
  EXPECT_EQ(hall.session.state(), ClientState::kClosed);
}

TEST_P(SessionTest, AConnectionThatIsNotMadeInTimeIsGivenUp) {
  FakeHall hall(options());
  hall.options.expect_welcome = true;
  std::string failure;
  hall.session.connect([&](const Status& status) { failure = status.error().text(); }, hall.now);
  std::ignore = hall.session.wire().take();  // nobody answers
  hall.wait(std::chrono::seconds(19));
  EXPECT_EQ(failure, "");
  hall.wait(std::chrono::seconds(2));
  EXPECT_THAT(failure, HasSubstr("no connection to hall:3000 within 20000 ms"));
}

TEST_P(SessionTest, AnAnswerThatDoesNotComeIsATimeout) {
  FakeHall hall(options());
  hall.connect();
  hall.silent = true;
  RequestOptions how;
  how.timeout = Milliseconds(300);
  hall.ask("a", "x", {}, how);
  hall.wait(Milliseconds(299));
  EXPECT_EQ(hall.outcome("a"), "none");
  hall.wait(Milliseconds(2));
  EXPECT_EQ(hall.outcome("a"), "timeout");
  ASSERT_EQ(hall.unanswered.size(), 1u);
  hall.answer(hall.unanswered[0].first, Object{{"success", true}});
  hall.pump();
  EXPECT_EQ(hall.outcome("a"), "timeout") << "once is enough";
}

TEST_P(SessionTest, WaitingForAConnectionMayBeBoundedToo) {
  FakeHall hall(options());
  hall.options.connect_attempts = 0;
  hall.reachable = false;
  hall.connect();
  RequestOptions how;
  how.wait_max = Milliseconds(1500);
  hall.ask("a", "x", {}, how);
  hall.wait(Milliseconds(1600));
  EXPECT_EQ(hall.outcome("a"), "timeout");
  hall.reachable = true;
  hall.wait(std::chrono::seconds(10));
  EXPECT_THAT(hall.log, IsEmpty()) << "it is not sent any more";
}

TEST_P(SessionTest, WhatWasUnderWayFailsUnlessItMayBeDoneTwice) {
  FakeHall hall(options());
  hall.connect();
  hall.silent = true;
  hall.ask("once", "charge", {});
  RequestOptions again;
  again.again = true;
  hall.ask("again", "look", {}, again);
  hall.silent = false;
  hall.cut();
  EXPECT_EQ(hall.outcome("once"), "disconnected");
  EXPECT_EQ(hall.outcome("again"), "none");
  hall.ask("later", "third", {});
  hall.advance();
  EXPECT_THAT(hall.outcome("again"), StartsWith("ok"));
  ASSERT_EQ(hall.log.size(), 4u);
  EXPECT_THAT(hall.log[2], StartsWith("look")) << "ahead of newer ones";
  EXPECT_THAT(hall.log[3], StartsWith("third"));
}

TEST_P(SessionTest, RoomsAreEnteredAgainAndWhatWasMissedIsToldOnceAndInOrder) {
  FakeHall hall(options());
  hall.connect();
  hall.publish("lobby", "old");
  hall.join("lobby");
  hall.publish("lobby", "one");
  hall.cut();
  hall.publish("lobby", "two");
  hall.publish("lobby", "three");
  hall.send("mine", "lobby", "four");
  hall.advance();
  EXPECT_THAT(hall.outcome("mine"), StartsWith("ok")) << "it waited until we were back in the room";
  hall.publish("lobby", "five");
  hall.pump();
  EXPECT_THAT(hall.heard("new-message", "content"), ElementsAre("one", "two", "three", "four", "five"));
  const auto rejoined = std::find_if(hall.told.begin(), hall.told.end(), [](const SessionEvent& event) {
    return event.kind == SessionEvent::Kind::kRejoined;
  });
  ASSERT_NE(rejoined, hall.told.end());
  EXPECT_EQ(rejoined->name, "lobby");
  EXPECT_EQ(rejoined->answer->value().find("recovered")->as_bool(), true);
}

TEST_P(SessionTest, AnotherEpochIsNotPretendedToBeTheOldOne) {
  FakeHall hall(options());
  hall.connect();
  hall.join("lobby");
  hall.publish("lobby", "one");
  hall.cut();
  hall.epoch = "e2";
  hall.publish("lobby", "two");
  hall.advance();
  EXPECT_THAT(hall.heard("new-message", "content"), ElementsAre("one"));
  hall.publish("lobby", "three");
  hall.pump();
  EXPECT_THAT(hall.heard("new-message", "content"), ElementsAre("one", "three"));
}

TEST_P(SessionTest, ALeftRoomAndAKickAreNotUndone) {
  FakeHall hall(options());
  hall.connect();
  hall.join("a");
  hall.join("b");
  hall.ask("leave", "leave-room", {{"roomId", "a"}});
  hall.tell("room-kicked", Object{{"roomId", "b"}});
  hall.pump();
  hall.cut();
  hall.log.clear();
  hall.advance();
  EXPECT_EQ(hall.session.state(), ClientState::kConnected);
  EXPECT_THAT(hall.log, IsEmpty());
}

TEST_P(SessionTest, APublishAndItsAnswerMayBeCutAtEveryByte) {
  std::size_t cuts = 0;
  for (std::int64_t at = 0;; ++at) {
    FakeHall hall(options());
    hall.connect();
    hall.join("lobby");
    hall.publish("lobby", "before");
    hall.pump();
    hall.cut_after = at;
    hall.send("mine", "lobby", "hello");
    const bool was_cut = !hall.connected();
    hall.publish("lobby", "between");
    hall.pump();
    for (int turns = 0; !hall.connected() && turns < 10; ++turns) hall.advance();
    hall.publish("lobby", "after");
    hall.pump();
    ASSERT_THAT(hall.outcome("mine"), StartsWith("ok")) << "cut at " << at;
    ASSERT_EQ(hall.rooms["lobby"].messages.size(), 4u) << "stored once; cut at " << at;
    std::vector<std::string> stored;
    for (const Value& message : hall.rooms["lobby"].messages)
      stored.push_back(message.find("content")->as_string());
    ASSERT_EQ(hall.heard("new-message", "content"), stored) << "told once and in order; cut at " << at;
    if (!was_cut) break;
    ++cuts;
  }
  EXPECT_GT(cuts, 150u) << "request, message and answer are longer than this";
}

TEST_P(SessionTest, AReconnectionMayBeCutAtEveryByteToo) {
  std::size_t cuts = 0;
  for (std::int64_t at = 0;; ++at) {
    FakeHall hall(options());
    hall.connect();
    hall.join("lobby");
    hall.publish("lobby", "one");
    hall.cut();
    hall.publish("lobby", "two");
    hall.send("mine", "lobby", "three");
    hall.cut_after = at;
    hall.advance();
    for (int turns = 0; hall.outcome("mine") == "none" && turns < 10; ++turns) hall.advance();
    hall.publish("lobby", "four");
    hall.pump();
    for (int turns = 0; !hall.connected() && turns < 10; ++turns) hall.advance();
    ASSERT_THAT(hall.outcome("mine"), StartsWith("ok")) << "cut at " << at;
    ASSERT_THAT(hall.heard("new-message", "content"), ElementsAre("one", "two", "three", "four"))
        << "cut at " << at;
    if (hall.cut_after >= 0) break;  // it was longer than everything
    ++cuts;
  }
  EXPECT_GT(cuts, 300u);
}

TEST_P(SessionTest, MessagesThatComeWhileARoomIsEnteredAgainAreHeldInOrder) {
  FakeHall hall(options());
  hall.connect();
  hall.join("lobby");
  hall.publish("lobby", "one");
  hall.cut();
  hall.publish("lobby", "two");
  hall.silent = true;  // the join is kept
  hall.advance();
  ASSERT_EQ(hall.unanswered.size(), 1u);
  hall.send("mine", "lobby", "not yet");
  EXPECT_EQ(hall.unanswered.size(), 1u) << "nothing is sent before we are back";
  hall.tell("new-message", Object{{"roomId", "lobby"}, {"seq", 3}, {"content", "three"}});
  hall.pump();
  EXPECT_THAT(hall.heard("new-message", "content"), ElementsAre("one"));
  hall.answer(hall.unanswered[0].first,
              Value::from_json(R"({"success":true,"seq":3,"epoch":"e1","recovered":true,"missed":[
      {"roomId":"lobby","seq":2,"content":"two"},{"roomId":"lobby","seq":3,"content":"three"}]})")
                  .value());
  hall.tell("new-message", Object{{"roomId", "lobby"}, {"seq", 4}, {"content", "four"}});
  hall.pump();
  EXPECT_THAT(hall.heard("new-message", "content"), ElementsAre("one", "two", "three", "four"));
}

TEST_P(SessionTest, TooManyHeldMessagesMakeTheConnectionAnew) {
  ClientOptions options = over(GetParam());
  options.held_events_max = 3;
  FakeHall hall(options);
  hall.connect();
  hall.join("lobby");
  hall.cut();
  hall.silent = true;
  hall.advance();
  for (int seq = 1; seq <= 4; ++seq)
    hall.tell("new-message", Object{{"roomId", "lobby"}, {"seq", seq}, {"content", "m"}});
  hall.pump();
  EXPECT_EQ(hall.session.state(), ClientState::kWaiting);
  EXPECT_THAT(hall.last_loss().error.text(), HasSubstr("too many messages"));
}

TEST_P(SessionTest, TheServersQuestionsAreAnswered) {
  FakeHall hall(options());
  hall.connect();
  hall.tell("question", Object{{"text", "ready?"}}, 7);
  hall.pump();
  ASSERT_EQ(hall.told.back().question, 7u);
  hall.session.answer(hall.told.back().connection, 7, {Value(Object{{"ready", true}})});
  hall.pump();
  ASSERT_EQ(hall.answers.size(), 1u);
  EXPECT_THAT(hall.answers[0], HasSubstr(R"("ready":true)"));
  const std::uint64_t old = hall.told.back().connection;
  hall.cut();
  hall.advance();
  hall.session.answer(old, 8, {});
  hall.pump();
  EXPECT_EQ(hall.answers.size(), 1u) << "over another connection it would answer another question";
}

TEST_P(SessionTest, ClosingSaysGoodbyeAndSettlesEverything) {
  FakeHall hall(options());
  hall.connect();
  hall.silent = true;
  hall.ask("a", "x", {});
  hall.session.close(hall.now);
  hall.pump();
  EXPECT_EQ(hall.outcome("a"), "disconnected");
  EXPECT_EQ(hall.last_loss().reason, "io client disconnect");
  EXPECT_EQ(hall.goodbyes.empty() ? 0 : hall.goodbyes[0], 1000);
  EXPECT_EQ(hall.session.next_deadline(), kNever);
  hall.ask("b", "x", {});
  EXPECT_EQ(hall.outcome("b"), "disconnected");
  hall.silent = false;
  hall.connect();
  EXPECT_EQ(hall.session.state(), ClientState::kConnected) << "it may be opened again";
}

TEST_P(SessionTest, EventsWithoutAnAnswerAreSentOnceAndThoseThatAreLostAreCounted) {
  FakeHall hall(options());
  hall.connect();
  Request event;
  event.event = "note";
  hall.session.request(std::move(event), hall.now);
  hall.pump();
  hall.reachable = false;
  hall.cut();
  for (int i = 0; i < 2; ++i) {
    Request waits;
    waits.event = "note";
    hall.session.request(std::move(waits), hall.now);
  }
  Request dropped;
  dropped.event = "typing";
  dropped.is_volatile = true;
  hall.session.request(std::move(dropped), hall.now);
  hall.session.close(hall.now);
  hall.pump();
  EXPECT_EQ(hall.log.size(), 1u);
  EXPECT_EQ(hall.last_loss().dropped, 2u);
}

TEST_P(SessionTest, ANewTokenIsShownFromThenOn) {
  ClientOptions options = over(GetParam());
  options.auth = {{"token", "first"}};
  FakeHall hall(options);
  hall.connect();
  Request refresh;
  refresh.event = "refresh-token";
  refresh.args = {Value("second")};
  refresh.done = [](const Result<Value>&) {};
  hall.session.request(std::move(refresh), hall.now);
  hall.pump();
  hall.cut();
  hall.advance();
  const std::string shown = GetParam() == Protocol::kNative ? hall.upgrades.back() : hall.auths.back();
  EXPECT_THAT(shown, HasSubstr("second"));
}

TEST_P(SessionTest, AFunctionIsAskedForEveryConnection) {
  ClientOptions options = over(GetParam());
  int asked = 0;
  options.auth_function = [&]() -> Result<Object> {
    return Object{{"token", "t" + std::to_string(++asked)}};
  };
  FakeHall hall(options);
  hall.connect();
  hall.cut();
  hall.advance();
  const std::string shown = GetParam() == Protocol::kNative ? hall.upgrades.back() : hall.auths.back();
  EXPECT_THAT(shown, HasSubstr("t2"));
}

TEST_P(SessionTest, TheFunctionMayFailOrCloseTheClient) {
  ClientOptions options = over(GetParam());
  options.auth_function = []() -> Result<Object> {
    return Error(ErrorCode::kAuthenticationFailed, "signed out");
  };
  FakeHall refused(options);
  refused.connect();
  EXPECT_EQ(refused.session.state(), ClientState::kClosed);
  EXPECT_EQ(refused.last_loss().error.text(), "Authentication failed: signed out");
  EXPECT_THAT(refused.attempts, IsEmpty());

  FakeHall* closed = nullptr;
  options.auth_function = [&]() -> Result<Object> {
    closed->session.close(closed->now);
    return Object();
  };
  FakeHall hall(options);
  closed = &hall;
  hall.connect();
  EXPECT_EQ(hall.session.state(), ClientState::kClosed);
  EXPECT_THAT(hall.attempts, IsEmpty());
  EXPECT_EQ(hall.session.next_deadline(), kNever);
}

TEST_P(SessionTest, MoreThanTheBoundOfRequestsIsRefused) {
  ClientOptions options = over(GetParam());
  options.requests_max = 2;
  options.requests_bytes_max = 1000;
  const auto admission = std::make_shared<Admission>();
  {
    const Ticket a = Ticket::take(admission, 10, options);
    const Ticket b = Ticket::take(admission, 10, options);
    EXPECT_TRUE(a && b);
    EXPECT_FALSE(Ticket::take(admission, 1, options));
  }
  EXPECT_FALSE(Ticket::take(admission, 1001, options));
  EXPECT_TRUE(Ticket::take(admission, 1000, options)) << "places are given back";
  EXPECT_EQ(admission->bytes, 0u);
}

}  // namespace
}  // namespace wirehall::client
