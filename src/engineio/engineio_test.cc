// Packets, payloads, handshake checks and the session's state table.
#include <gtest/gtest.h>

#include "base/base64.h"
#include "engineio/handshake.h"
#include "engineio/session.h"

namespace wirehall::engineio {
namespace {

std::string read_all(std::string_view payload, std::uint32_t packets_max = 1024) {
  PayloadReader reader(payload, packets_max);
  std::string text;
  for (;;) {
    PacketView packet;
    const auto step = reader.next(packet);
    if (step == PayloadReader::Step::kDone) return text;
    if (step == PayloadReader::Step::kError) return text + "error";
    text += packet.binary
                ? "b[" + std::string(packet.data) + "]"
                : std::to_string(static_cast<int>(packet.type)) + "[" + std::string(packet.data) + "]";
  }
}

TEST(Payload, IsSplitAtTheRecordSeparator) {
  EXPECT_EQ(read_all("4hello\x1e"
                     "2\x1e"
                     "bAQID"),
            "4[hello]2[]b[\x01\x02\x03]");
  EXPECT_EQ(read_all("4"), "4[]");
  EXPECT_EQ(read_all(""), "error");
  EXPECT_EQ(read_all("4a\x1e"), "4[a]error");
  EXPECT_EQ(read_all("4a\x1e\x1e"
                     "4b"),
            "4[a]error");
  EXPECT_EQ(read_all("7x"), "error");
  EXPECT_EQ(read_all("abc"), "error");
  EXPECT_EQ(read_all(std::string(1'000'000, '\x1e')), "error");
}

TEST(Payload, PacketsAreCounted) {
  std::string payload = "2";
  for (int i = 1; i < 1024; ++i)
    payload +=
        "\x1e"
        "2";
  EXPECT_EQ(read_all(payload).find("error"), std::string::npos);
  EXPECT_NE(read_all(payload + "\x1e"
                               "2")
                .find("error"),
            std::string::npos);
}

TEST(Payload, IsJoinedAsTheReferenceJoinsIt) {
  EXPECT_EQ(encode_payload(OutPackets{{FrameRef::copy_of("4a"), false},
                            {FrameRef::copy_of("\x01\x02"), true},
                            {FrameRef::copy_of("2"), false}}),
            "4a\x1e"
            "bAQI=\x1e"
            "2");
}

TEST(Handshake, ChecksInTheReferencesOrder) {
  const auto check = [](const std::string& query, bool is_get = true, bool is_upgrade = false) -> int {
    const RequestParameters p = read_parameters(query);
    if (const auto e = verify_transport(p, {})) return static_cast<int>(*e);
    if (!p.sid.view().empty()) return 1;
    if (const auto e = verify_handshake(p, is_get, is_upgrade)) return static_cast<int>(e->error);
    return p.protocol == 4 ? -1 : 5;
  };
  EXPECT_EQ(check("EIO=4&transport=polling"), -1);
  EXPECT_EQ(check("EIO=4"), 0);
  EXPECT_EQ(check("EIO=4&transport=foo"), 0);
  EXPECT_EQ(check("EIO=4&transport=polling&sid=__proto__"), 1);
  EXPECT_EQ(check("EIO=4&transport=polling", false), 2);
  EXPECT_EQ(check("EIO=4&transport=websocket"), 3);
  EXPECT_EQ(check("EIO=4&transport=websocket", true, true), -1);
  EXPECT_EQ(check("transport=polling"), 5);
  EXPECT_EQ(check("EIO=5&transport=polling"), 5);
  EXPECT_EQ(error_body(RequestError::kSessionUnknown, message_of(RequestError::kSessionUnknown)),
            R"({"code":1,"message":"Session ID unknown"})");
}

TEST(Handshake, ParametersAreThoseOfTheDecodedQuery) {
  const RequestParameters p = read_parameters("&EIO=3&E%49O=4&transport=websocket&tr%61nsport=poll%69ng&s%69d=a%2Bb+c&b64=1&j=%C3%BC");
  EXPECT_EQ(p.protocol, 4) << "the last of one name counts";
  EXPECT_EQ(p.transport, Transport::kPolling);
  EXPECT_EQ(p.sid.view(), "a+b c");
  EXPECT_TRUE(p.base64_only);
  EXPECT_EQ(p.jsonp, "ü");
  const RequestParameters bare = read_parameters("sid&EIO=%34&transport=polling&transport=x&b64=&SID=1&j");
  EXPECT_EQ(bare.sid.view(), "");
  EXPECT_EQ(bare.protocol, 4);
  EXPECT_FALSE(bare.transport) << "the last one is unknown";
  EXPECT_FALSE(bare.base64_only);
  EXPECT_EQ(bare.jsonp, "");
  EXPECT_EQ(read_parameters("sid=%ff").sid.view(), "\xEF\xBF\xBD") << "ill-formed UTF-8 is replaced";
  std::string many = "sid=first";
  for (int i = 0; i < 127; ++i) many += "&x=1";
  EXPECT_EQ(read_parameters(many + "&sid=late").sid.view(), "first") << "as many pairs as a query may have are looked at";
}

MonoTime at(std::int64_t ms) { return MonoTime(Milliseconds(ms)); }

SessionOptions options() {
  SessionOptions o;
  o.ping_interval = Milliseconds(300);
  o.ping_timeout = Milliseconds(200);
  o.upgrade_timeout = Milliseconds(1000);
  return o;
}

std::string taken(Session& session) { return encode_payload(session.take_packets()); }
PacketView packet(PacketType type, std::string_view data = "") { return {type, false, data}; }

struct SessionTest : testing::Test {
  SessionTest() { session.open(at(0)); }
  SessionOptions shared = options();
  Session session{shared, "SID", Transport::kPolling};
};

TEST_F(SessionTest, OpensWithExactlyFiveKeys) {
  EXPECT_EQ(
      taken(session),
      R"(0{"sid":"SID","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000})");
  Session direct(shared, "S", Transport::kWebSocket);
  direct.open(at(0));
  EXPECT_EQ(taken(direct),
            R"(0{"sid":"S","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000})");
  shared.initial_packet = "hi";
  Session initial(shared, "S", Transport::kWebSocket);
  initial.open(at(0));
  EXPECT_TRUE(taken(initial).ends_with("}\x1e" "4hi"));
}

TEST_F(SessionTest, PingsAndTimesOut) {
  taken(session);
  session.on_deadline(at(299));
  EXPECT_FALSE(session.has_packets());
  session.on_deadline(at(300));
  EXPECT_EQ(taken(session), "2");
  session.receive(packet(PacketType::kPong), at(350));
  EXPECT_EQ(session.next_deadline(), at(650));
  session.on_deadline(at(650));
  session.on_deadline(at(849));
  EXPECT_TRUE(session.is_open());
  session.on_deadline(at(850));
  EXPECT_EQ(session.close_reason(), CloseReason::kPingTimeout);
  EXPECT_EQ(session.next_deadline(), kNever);
}

TEST_F(SessionTest, AnotherPacketExtendsTheWaitOnce) {
  session.on_deadline(at(300));
  session.receive(packet(PacketType::kMessage, "x"), at(400));
  EXPECT_EQ(session.next_deadline(), at(600));
  session.receive(packet(PacketType::kMessage, "y"), at(500));
  EXPECT_EQ(session.next_deadline(), at(600));
}

TEST_F(SessionTest, APingFromTheClientIsATransportError) {
  EXPECT_EQ(session.receive(packet(PacketType::kPing), at(1)), Session::Received::kClosed);
  EXPECT_EQ(reason_text(session.close_reason()), "transport error");
  EXPECT_EQ(session.receive(packet(PacketType::kMessage, "late"), at(2)), Session::Received::kNothing);
  EXPECT_FALSE(session.send({FrameRef::copy_of("4x"), false}));
}

TEST_F(SessionTest, AFloodOfPongsEndsTheSession) {
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(session.receive(packet(PacketType::kPong), at(i)), Session::Received::kNothing);
  EXPECT_EQ(session.receive(packet(PacketType::kPong), at(100)), Session::Received::kClosed);
}

TEST_F(SessionTest, UpgradeKeepsOrderAndThePongDeadline) {
  taken(session);
  session.on_deadline(at(300));
  EXPECT_TRUE(session.begin_probe(at(310)));
  EXPECT_FALSE(session.begin_probe(at(310))) << "one probe at a time";
  const PacketView probe = packet(PacketType::kPing, "probe");
  EXPECT_EQ(session.receive_probe(&probe, at(320)), Session::Probed::kAnswer);
  EXPECT_FALSE(session.poll_wanted(at(320)));
  EXPECT_TRUE(session.poll_wanted(at(420)));
  EXPECT_FALSE(session.poll_wanted(at(421)));
  EXPECT_TRUE(session.poll_wanted(at(520)));
  session.send({FrameRef::copy_of("4between"), false});
  EXPECT_FALSE(session.direct());
  const PacketView upgrade = packet(PacketType::kUpgrade);
  EXPECT_EQ(session.receive_probe(&upgrade, at(450)), Session::Probed::kUpgraded);
  EXPECT_EQ(session.transport(), Transport::kWebSocket);
  EXPECT_FALSE(session.direct()) << "what is queued goes first";
  EXPECT_EQ(taken(session),
            "2\x1e"
            "4between");
  EXPECT_TRUE(session.direct());
  EXPECT_FALSE(session.begin_probe(at(460))) << "already upgraded";
  session.on_deadline(at(500));
  EXPECT_EQ(session.close_reason(), CloseReason::kPingTimeout) << "the ping before the upgrade still counts";
}

TEST_F(SessionTest, AProbeThatStopsDoesNotKeepTheLoopBusy) {
  session.begin_probe(at(0));
  const PacketView probe = packet(PacketType::kPing, "probe");
  session.receive_probe(&probe, at(1));
  for (int now = 1; now < 290; now += 7) {
    session.on_deadline(at(now));
    EXPECT_GT(session.next_deadline(), at(now)) << "no poll waits, and still the next deadline is ahead";
  }
}

TEST_F(SessionTest, AClosingSessionThatIsUpgradedEnds) {
  taken(session);
  session.begin_probe(at(0));
  session.close(at(1));
  const PacketView upgrade = packet(PacketType::kUpgrade);
  EXPECT_EQ(session.receive_probe(&upgrade, at(2)), Session::Probed::kUpgraded);
  EXPECT_TRUE(session.is_closed());
}

TEST_F(SessionTest, AFailedProbeLeavesTheTransport) {
  session.begin_probe(at(0));
  const PacketView wrong = packet(PacketType::kMessage, "x");
  EXPECT_EQ(session.receive_probe(&wrong, at(1)), Session::Probed::kAbandoned);
  EXPECT_EQ(session.transport(), Transport::kPolling);
  EXPECT_TRUE(session.begin_probe(at(2)));
  EXPECT_EQ(session.receive_probe(nullptr, at(3)), Session::Probed::kAbandoned);
  EXPECT_TRUE(session.begin_probe(at(4)));
  EXPECT_FALSE(session.on_deadline(at(200)).probe_abandoned);
  session.receive(packet(PacketType::kPong), at(250));
  session.on_deadline(at(550));
  session.receive(packet(PacketType::kPong), at(560));
  session.on_deadline(at(860));
  session.receive(packet(PacketType::kPong), at(870));
  EXPECT_TRUE(session.on_deadline(at(1004)).probe_abandoned);
  EXPECT_TRUE(session.is_open());
}

TEST_F(SessionTest, AnOrderlyCloseDrainsFirst) {
  taken(session);
  session.send({FrameRef::copy_of("4last"), false});
  session.close(at(10));
  EXPECT_FALSE(session.is_closed());
  EXPECT_FALSE(session.send({FrameRef::copy_of("4more"), false}));
  EXPECT_TRUE(session.poll_wanted(at(11)));
  EXPECT_EQ(taken(session), "4last");
  EXPECT_FALSE(session.is_closed());
  EXPECT_TRUE(session.poll_wanted(at(12)));
  EXPECT_EQ(taken(session), "6\x1e" "1");
  EXPECT_EQ(reason_text(session.close_reason()), "forced close");
}

TEST_F(SessionTest, AClosingSessionWithoutAPollEndsByItself) {
  taken(session);
  session.close(at(10));
  session.on_deadline(at(499));
  EXPECT_FALSE(session.is_closed());
  session.on_deadline(at(500));
  EXPECT_TRUE(session.is_closed()) << "a peer that has gone is not waited for";
  SessionOptions slow = shared;
  slow.ping_interval = std::chrono::seconds(25);
  slow.ping_timeout = std::chrono::seconds(20);
  Session patient(slow, "S", Transport::kPolling);
  patient.open(at(0));
  taken(patient);
  patient.close(at(10));
  patient.on_deadline(at(30'009));
  EXPECT_FALSE(patient.is_closed());
  patient.on_deadline(at(30'010));
  EXPECT_TRUE(patient.is_closed());
  Session empty(shared, "S", Transport::kPolling);
  empty.open(at(0));
  taken(empty);
  empty.close(at(1));
  EXPECT_EQ(taken(empty),
            "6\x1e"
            "1");
}

TEST_F(SessionTest, AClosePacketCountsOnPollingOnly) {
  EXPECT_EQ(session.receive(packet(PacketType::kClose), at(1)), Session::Received::kClosed);
  EXPECT_EQ(reason_text(session.close_reason()), "transport close");
  Session websocket(shared, "S", Transport::kWebSocket);
  websocket.open(at(0));
  EXPECT_EQ(websocket.receive(packet(PacketType::kClose), at(1)), Session::Received::kNothing);
  EXPECT_TRUE(websocket.is_open());
}

TEST(Open, AClientReadsWhatAServerSays) {
  const std::string packet = encode_open({"sid", true, 25'000, 20'000, 1'000'000});
  const auto open = decode_open(std::string_view(packet).substr(1));
  ASSERT_TRUE(open.has_value());
  EXPECT_EQ(open->sid, "sid");
  EXPECT_TRUE(open->websocket_upgrade);
  EXPECT_EQ(open->ping_interval_ms, 25'000);
  EXPECT_EQ(open->ping_timeout_ms, 20'000);
  EXPECT_EQ(open->max_payload, 1'000'000u);
  EXPECT_FALSE(decode_open(R"({"sid":"a","upgrades":["other"],"pingInterval":1,"pingTimeout":1})")->websocket_upgrade);
  for (const std::string_view none : {"", "[]", "{}", R"({"sid":"","pingInterval":1,"pingTimeout":1})", R"({"sid":"a","pingInterval":0,"pingTimeout":1})",
                                      R"({"sid":"a","pingInterval":1})", R"({"sid":"a","pingInterval":1,"pingTimeout":1e12})"}) {
    EXPECT_FALSE(decode_open(none).has_value()) << none;
  }
}

}  // namespace
}  // namespace wirehall::engineio
