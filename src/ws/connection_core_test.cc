// Grouped by section of RFC 6455 and RFC 7692. Every table is run whole and one byte at a time.
#include "ws/connection_core.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/random.h"
#include "support/seed.h"

namespace wirehall::ws {
namespace {

std::string frame(unsigned first, std::string_view payload, bool masked = true) {
  std::string out(1, static_cast<char>(first));
  const unsigned mask_bit = masked ? 0x80 : 0;
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(mask_bit | payload.size()));
  } else if (payload.size() <= 0xffff) {
    out.push_back(static_cast<char>(mask_bit | 126));
    out.push_back(static_cast<char>(payload.size() >> 8));
    out.push_back(static_cast<char>(payload.size()));
  } else {
    out.push_back(static_cast<char>(mask_bit | 127));
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(payload.size() >> shift));
  }
  const std::string key = "\x12\x34\x56\x78";
  if (masked) out += key;
  for (std::size_t i = 0; i < payload.size(); ++i)
    out.push_back(static_cast<char>(payload[i] ^ (masked ? key[i % 4] : 0)));
  return out;
}

/// What a connection made of an input: messages in brackets, then what it sent in hex, then its close code.
struct Outcome {
  std::string events;
  std::string sent;
  std::uint16_t code = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Outcome& o) {
    return out << o.events << " sent=" << testing::PrintToString(o.sent) << " code=" << o.code;
  }
};

class Peer {
 public:
  explicit Peer(CoreOptions options = {}, bool deflate = false)
      : options_(options), core_(options_, deflate ? &inflater_ : nullptr) {}
  void give(std::string input, MonoTime now = MonoTime()) {
    char* cursor = input.data();
    char* end = cursor + input.size();
    for (;;) {
      std::string_view message;
      const auto event = core_.next(cursor, end, now, out_, message);
      if (event == ConnectionCore::Event::kNeedMore) break;
      if (event == ConnectionCore::Event::kMessage) {
        outcome_.events += (core_.message_is_binary() ? "b[" : "t[") + std::string(message) + "]";
      }
      if (event == ConnectionCore::Event::kPong) outcome_.events += "pong ";
      if (event == ConnectionCore::Event::kClosed) outcome_.events += "closed";
    }
    most_held_ = std::max(most_held_, core_.held_bytes());
  }
  Outcome outcome() {
    outcome_.sent.resize(out_.bytes());
    out_.copy_front(outcome_.sent.data(), outcome_.sent.size());
    outcome_.code = core_.close_code();
    return outcome_;
  }
  ConnectionCore& core() { return core_; }
  Outbox& out() { return out_; }
  std::size_t most_held() const { return most_held_; }

 private:
  CoreOptions options_;
  Inflater inflater_;
  ConnectionCore core_;
  Outbox out_;
  Outcome outcome_;
  std::size_t most_held_ = 0;
};

Outcome whole(const std::string& input, CoreOptions options = {}, bool deflate = false) {
  Peer peer(options, deflate);
  peer.give(input);
  return peer.outcome();
}
Outcome bytewise(const std::string& input, CoreOptions options = {}, bool deflate = false) {
  Peer peer(options, deflate);
  for (const char c : input) peer.give(std::string(1, c));
  return peer.outcome();
}
void expect_code(const std::string& input, std::uint16_t code, const char* what, CoreOptions options = {},
                 bool deflate = false) {
  SCOPED_TRACE(what);
  const Outcome outcome = whole(input, options, deflate);
  EXPECT_EQ(outcome.code, code);
  EXPECT_EQ(bytewise(input, options, deflate), outcome);
}

std::string close_payload(std::uint16_t code, std::string_view reason = "") {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + std::string(reason);
}

TEST(Mask, IsAppliedToEverySizeFromEveryOffset) {
  const std::string_view key = "\x5a\x17\xc3\xe9";
  std::uint32_t mask = 0;
  std::memcpy(&mask, key.data(), 4);
  for (std::size_t size = 0; size <= 70; ++size) {
    for (std::size_t offset = 0; offset < 8; ++offset) {
      std::string bytes(size + 1, '\0');
      for (std::size_t i = 0; i <= size; ++i) bytes[i] = static_cast<char>(i * 37);
      const std::string before = bytes;
      apply_mask(bytes.data(), size, mask, offset);
      for (std::size_t i = 0; i < size; ++i)
        ASSERT_EQ(bytes[i], static_cast<char>(before[i] ^ key[(offset + i) % 4]));
      ASSERT_EQ(bytes[size], before[size]) << "what is behind it stays";
    }
  }
}

TEST(Section5_2, MessagesOfEveryLengthForm) {
  for (const std::size_t size : {0, 1, 125, 126, 127, 65'535, 65'536, 70'000}) {
    const std::string payload(size, 'x');
    const Outcome outcome = whole(frame(0x81, payload));
    EXPECT_EQ(outcome.events, "t[" + payload + "]");
    EXPECT_EQ(bytewise(frame(0x81, payload)), outcome);
    EXPECT_EQ(whole(frame(0x82, payload)).events, "b[" + payload + "]");
  }
}

TEST(Section5_2, BrokenRulesAreProtocolErrors) {
  expect_code(frame(0x81, "x", false), 1002, "unmasked");
  expect_code(frame(0xa1, "x"), 1002, "RSV2");
  expect_code(frame(0x91, "x"), 1002, "RSV3");
  expect_code(frame(0xc1, "x"), 1002, "RSV1 without an extension");
  for (const unsigned opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
    expect_code(frame(0x80 | opcode, "x"), 1002, "reserved opcode");
  expect_code(std::string("\x81\xfe\x00\x7d\0\0\0\0", 8), 1002, "16-bit length that fits 7 bits");
  expect_code(std::string("\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff\0\0\0\0", 14), 1002,
              "64-bit length that fits 16 bits");
  expect_code(std::string("\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00\0\0\0\0", 14), 1002,
              "64-bit length with its top bit");
}

TEST(Section5_2, AnnouncedLengthsAreBelievedOnlyUpToTheLimit) {
  expect_code(std::string("\x82\xff\x3f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14), 1009,
              "2^62-1 bytes announced");
  CoreOptions options;
  options.message_bytes_max = 1000;
  EXPECT_EQ(whole(frame(0x82, std::string(1000, 'x')), options).code, 1006);
  expect_code(frame(0x82, std::string(1001, 'x')).substr(0, 8), 1009,
              "one above the limit, before its payload", options);
  expect_code(frame(0x02, std::string(600, 'x')) + frame(0x80, std::string(401, 'x')), 1009,
              "one above the limit in fragments", options);
  Peer peer(options);
  peer.give(frame(0x02, std::string(600, 'x')));
  EXPECT_LE(peer.core().held_bytes(), 600u);
}

TEST(Section5_4, FragmentsWithControlFramesBetween) {
  const std::string input =
      frame(0x01, "Hel") + frame(0x89, "p") + frame(0x00, "l") + frame(0x8a, "") + frame(0x80, "o");
  const Outcome outcome = whole(input);
  EXPECT_EQ(outcome.events, "pong t[Hello]");
  EXPECT_EQ(outcome.sent, std::string("\x8a\x01p"));
  EXPECT_EQ(bytewise(input), outcome);
  EXPECT_EQ(whole(frame(0x01, "") + frame(0x00, "") + frame(0x80, "")).events, "t[]");
}

TEST(Section5_4, BrokenSequences) {
  expect_code(frame(0x80, "x"), 1002, "orphan continuation");
  expect_code(frame(0x00, "x"), 1002, "orphan continuation without FIN");
  expect_code(frame(0x01, "x") + frame(0x81, "y"), 1002, "new message inside a message");
  expect_code(frame(0x01, "x") + frame(0x80, "y") + frame(0x80, "z"), 1002, "continuation behind the end");
}

TEST(Section5_4, FragmentsAreCountedEmptyOnesToo) {
  CoreOptions options;
  options.fragments_max = 10;
  std::string ten = frame(0x01, "");
  for (int i = 0; i < 8; ++i) ten += frame(0x00, "");
  EXPECT_EQ(whole(ten + frame(0x80, "x"), options).events, "t[x]");
  expect_code(ten + frame(0x00, "") + frame(0x80, ""), 1008, "eleven fragments", options);
}

TEST(Section5_5, ControlFramesAreShortAndWhole) {
  EXPECT_EQ(whole(frame(0x89, std::string(125, 'p'))).sent, std::string("\x8a\x7d") + std::string(125, 'p'));
  expect_code(frame(0x89, std::string(126, 'p')), 1002, "ping of 126 bytes");
  expect_code(frame(0x09, "p"), 1002, "fragmented ping");
  expect_code(frame(0x08, close_payload(1000)), 1002, "fragmented close");
  expect_code(frame(0xc9, "p"), 1002, "RSV1 on a ping", {}, true);
}

TEST(Section5_5, AFloodOfControlFramesEndsTheConnection) {
  CoreOptions options;
  options.control_frames_per_second_max = 50;
  Peer peer(options);
  for (int i = 0; i < 100; ++i) peer.give(frame(0x8a, ""), MonoTime(Milliseconds(i)));
  EXPECT_TRUE(peer.core().open());
  for (int second = 2; second < 100; ++second) {
    for (int i = 0; i < 50; ++i) peer.give(frame(0x8a, ""), MonoTime(std::chrono::seconds(second)));
  }
  EXPECT_TRUE(peer.core().open()) << "the allowed rate, sustained";
  for (int i = 0; i < 101; ++i) peer.give(frame(0x8a, ""), MonoTime(std::chrono::seconds(200)));
  EXPECT_EQ(peer.outcome().code, 1008);
}

TEST(Section7_4, CloseCodes) {
  for (const std::uint16_t code :
       {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999}) {
    const Outcome outcome = whole(frame(0x88, close_payload(code, "bye")));
    EXPECT_EQ(outcome.code, code);
    EXPECT_EQ(outcome.sent, std::string("\x88\x02") + close_payload(code)) << "answered with the same code";
    EXPECT_EQ(bytewise(frame(0x88, close_payload(code, "bye"))), outcome);
  }
  for (const std::uint16_t code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    expect_code(frame(0x88, close_payload(code)), 1002, "code that may not be sent");
  }
  expect_code(frame(0x88, "\x03"), 1002, "one byte of payload");
  expect_code(frame(0x88, close_payload(1000, "\xff")), 1007, "reason that is not UTF-8");
  const Outcome empty = whole(frame(0x88, ""));
  EXPECT_EQ(empty.code, 1005);
  EXPECT_EQ(empty.sent, std::string("\x88\x00", 2));
}

TEST(Section7_1, NothingIsReadOrSentBehindAClose) {
  const Outcome outcome = whole(frame(0x88, close_payload(1000)) + frame(0x81, "late") + frame(0x89, "p"));
  EXPECT_EQ(outcome.events, "closed");
  EXPECT_EQ(outcome.sent.size(), 4u);
}

TEST(Section7_1, OurCloseWaitsForThePeersAnswer) {
  Peer peer;
  const MonoTime overdue = peer.core().close(CloseCode::kGoingAway, "bye", MonoTime(), peer.out());
  EXPECT_EQ(overdue, MonoTime(std::chrono::seconds(5)));
  peer.give(frame(0x81, "thrown away") + frame(0x89, "no pong") + frame(0x01, "half"));
  EXPECT_EQ(peer.outcome().events, "");
  EXPECT_EQ(peer.core().close(CloseCode::kNormal, "again", MonoTime(), peer.out()), kNever);
  peer.give(frame(0x88, close_payload(1001)));
  EXPECT_EQ(peer.outcome().events, "closed");
  EXPECT_EQ(peer.outcome().code, 1001);
  EXPECT_EQ(peer.outcome().sent, std::string("\x88\x05") + close_payload(1001, "bye")) << "one close frame";
}

TEST(Section7_1, LongReasonsAreCutWhereACharacterEnds) {
  Peer peer;
  std::string reason(122, 'a');
  reason += "\xc3\xa9\xc3\xa9";
  peer.core().close(CloseCode::kPolicy, reason, MonoTime(), peer.out());
  EXPECT_EQ(peer.outcome().sent, std::string("\x88\x7c") + close_payload(1008, std::string(122, 'a')));
}

TEST(Section8_1, TextMustBeUtf8) {
  expect_code(frame(0x81, "\xff"), 1007, "byte that is never UTF-8");
  expect_code(frame(0x81, "a\xc3"), 1007, "text that ends inside a character");
  expect_code(frame(0x81, "\xed\xa0\x80"), 1007, "surrogate");
  expect_code(frame(0x01, "\xe2\x82") + frame(0x80, "\x28"), 1007, "bad across fragments");
  expect_code(frame(0x01, "\xe2\x82") + frame(0x80, ""), 1007, "unfinished at the end of fragments");
  EXPECT_EQ(whole(frame(0x01, "\xe2\x82") + frame(0x80, "\xac")).events, "t[\xe2\x82\xac]");
  EXPECT_EQ(whole(frame(0x82, "\xff")).events, "b[\xff]");
}

TEST(Section8_1, BadTextFailsBeforeTheMessageIsComplete) {
  Peer peer;
  peer.give(frame(0x01, "ok\xf4\x90"));
  EXPECT_EQ(peer.outcome().code, 1007);
  Peer cut;
  cut.give(frame(0x81, "ok\xc0 and much more").substr(0, 6 + 3));
  EXPECT_EQ(cut.outcome().code, 1007);
}

// -- RFC 7692 -----------------------------------------------------------------------------------

std::string deflated(std::string_view plain) {
  Deflater deflater;
  std::string out;
  deflater.deflate(plain, 15, out);
  return out;
}

TEST(Deflate, CompressedMessagesWholeAndInFragments) {
  const std::string plain = "compress me, compress me, compress me";
  const std::string data = deflated(plain);
  EXPECT_EQ(whole(frame(0xc1, data), {}, true).events, "t[" + plain + "]");
  EXPECT_EQ(bytewise(frame(0xc1, data), {}, true).events, "t[" + plain + "]");
  EXPECT_EQ(whole(frame(0x41, data.substr(0, 4)) + frame(0x89, "") + frame(0x00, data.substr(4, 3)) +
                      frame(0x80, data.substr(7)),
                  {}, true)
                .events,
            "t[" + plain + "]");
  EXPECT_EQ(whole(frame(0x81, "plain"), {}, true).events, "t[plain]");
  EXPECT_EQ(whole(frame(0xc1, std::string("\0", 1)), {}, true).events, "t[]") << "the empty message";
  EXPECT_EQ(whole(frame(0xc1, std::string("\xf3\x48\xcd\xc9\xc9\x07\x00", 7)), {}, true).events, "t[Hello]")
      << "a final block alone";
  EXPECT_EQ(whole(frame(0xc1, std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7)), {}, true).events, "t[Hello]")
      << "RFC 7692 7.2.3.1";
  EXPECT_EQ(
      whole(frame(0xc1, std::string("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11)), {}, true).events,
      "t[Hello]")
      << "7.2.3.3";
  EXPECT_EQ(whole(frame(0xc1, std::string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8)), {}, true).events,
            "t[Hello]")
      << "7.2.3.4";
}

TEST(Deflate, BrokenRules) {
  const std::string data = deflated("hello hello hello");
  expect_code(frame(0x41, data) + frame(0xc0, ""), 1002, "RSV1 on a continuation", {}, true);
  expect_code(frame(0xc1, data.substr(0, data.size() / 2)), 1007, "truncated", {}, true);
  expect_code(frame(0xc1, ""), 1007, "compressed, but nothing", {}, true);
  expect_code(frame(0xc1, "\xff\xff\xff"), 1007, "no DEFLATE data", {}, true);
  expect_code(frame(0xc1, deflated("\xff\xfe")), 1007, "inflates to what is not UTF-8", {}, true);
  expect_code(frame(0xc2, std::string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8) + "junk"), 1007,
              "bytes behind the final block", {}, true);
}

TEST(Deflate, ABombStopsAtTheLimit) {
  CoreOptions options;
  options.message_bytes_max = 1'000'000;
  EXPECT_EQ(whole(frame(0xc2, deflated(std::string(1'000'000, 'x'))), options, true).events.size(),
            1'000'003u);
  const std::string bomb = deflated(std::string(64u << 20, '\0'));
  ASSERT_LT(bomb.size(), 70'000u);
  EXPECT_EQ(whole(frame(0xc2, bomb), options, true).code, 1009);
  std::string pieces;
  for (std::size_t i = 0; i < 100; ++i) {
    const std::size_t begin = bomb.size() * i / 100;
    pieces += frame((i == 99 ? 0x80u : 0u) | (i == 0 ? 0x42u : 0u),
                    std::string_view(bomb).substr(begin, bomb.size() * (i + 1) / 100 - begin));
  }
  EXPECT_EQ(whole(pieces, options, true).code, 1009);
}

TEST(Deflate, NegotiatesEveryParameter) {
  const std::pair<const char*, int> cases[] = {
      {"permessage-deflate", 15},
      {"permessage-deflate; client_max_window_bits", 15},
      {"permessage-deflate;client_max_window_bits=8", 15},
      {"permessage-deflate; server_max_window_bits=9", 9},
      {"permessage-deflate; server_max_window_bits=\"12\"", 12},
      {"permessage-deflate; server_no_context_takeover; client_no_context_takeover", 15},
      {"x-other, permessage-deflate", 15},
      {"permessage-deflate; server_max_window_bits=8, permessage-deflate", 15},
      {"PerMessage-Deflate", 15},
      {"", 0},
      {"deflate-frame", 0},
      {"permessage-deflate; server_max_window_bits", 0},
      {"permessage-deflate; server_max_window_bits=7", 0},
      {"permessage-deflate; server_max_window_bits=8", 0},
      {"permessage-deflate; server_max_window_bits=16", 0},
      {"permessage-deflate; server_max_window_bits=0x9", 0},
      {"permessage-deflate; server_max_window_bits=09", 0},
      {"permessage-deflate; client_max_window_bits=7", 0},
      {"permessage-deflate; client_max_window_bits=\"\"", 0},
      {"permessage-deflate; client_max_window_bits=999", 0},
      {"permessage-deflate; server_no_context_takeover=1", 0},
      {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", 0},
      {"permessage-deflate; unknown", 0},
      {"a,b,c,d,e,f,g,h,permessage-deflate", 0},
      {"permessage-deflate; a; b; c; d; e; f; g; h; i", 0}};
  for (const auto& [offer, bits] : cases) {
    const auto agreement = negotiate_deflate(offer);
    EXPECT_EQ(agreement ? agreement->server_window_bits : 0, bits) << offer;
  }
  EXPECT_EQ(deflate_response({15}),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  EXPECT_EQ(deflate_response({10}),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "server_max_window_bits=10");
}

TEST(Deflate, RoundTripsAtEveryWindowSize) {
  SeededRandom random(test::seed());
  Deflater deflater;
  Inflater inflater;
  for (int i = 0; i < 200; ++i) {
    std::string plain;
    for (auto n = random.below(200); n > 0; --n)
      plain += std::string(random.below(300), static_cast<char>(random.below(4)));
    std::string packed;
    deflater.deflate(plain, static_cast<std::uint8_t>(9 + i % 7), packed);
    std::string again;
    ASSERT_TRUE(inflater.inflate(packed, plain.size(), again).ok());
    ASSERT_EQ(again, plain);
    if (!plain.empty()) {
      again.clear();
      EXPECT_EQ(inflater.inflate(packed, plain.size() - 1, again).error().code(), ErrorCode::kWsTooBig);
      EXPECT_LE(again.size(), plain.size() - 1);
    }
  }
}

// -- properties ---------------------------------------------------------------------------------

TEST(Property, AnySplitGivesTheSameOutcome) {
  SeededRandom random(test::seed());
  for (int round = 0; round < 500; ++round) {
    std::string input;
    for (auto n = 1 + random.below(8); n > 0; --n) {
      const unsigned firsts[] = {0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a, 0xc1, 0x41, 0x88};
      std::string payload(random.below(random.below(6) == 0 ? 70'000 : 130), 'a');
      if (random.below(4) == 0) payload += "\xe2\x82\xac";
      if (random.below(12) == 0) payload += "\xff";
      input += frame(firsts[random.below(std::size(firsts))], payload);
    }
    const Outcome outcome = whole(input, {}, true);
    Peer peer({}, true);
    for (std::size_t i = 0; i < input.size();) {
      const std::size_t size =
          std::min<std::size_t>(1 + random.below(random.below(2) == 0 ? 5 : 5000), input.size() - i);
      peer.give(input.substr(i, size));
      i += size;
    }
    ASSERT_EQ(peer.outcome(), outcome) << round;
  }
}

TEST(Property, NoStrictPrefixOfAFrameGivesAMessage) {
  for (const std::string& input :
       {frame(0x81, "hello"), frame(0x82, std::string(300, 'x')), frame(0x01, "a") + frame(0x80, "b")}) {
    for (std::size_t i = 0; i < input.size(); ++i) EXPECT_EQ(whole(input.substr(0, i)).events, "");
  }
}

TEST(Property, BetweenMessagesNoMemoryIsHeld) {
  Peer peer;
  const std::string input = frame(0x81, std::string(200'000, 'x'));
  for (std::size_t i = 0; i < input.size(); i += 1000) peer.give(input.substr(i, 1000));
  EXPECT_GT(peer.most_held(), 100'000u);
  EXPECT_EQ(peer.core().held_bytes(), 0u);
}

// -- the client's end -----------------------------------------------------------------------------

TEST(ClientEnd, MasksWhatItSendsAndTakesNothingMasked) {
  const CoreOptions options;
  SeededRandom random(5);
  ConnectionCore client(options, nullptr, &random);
  Outbox out;
  std::string input = frame(0x81, "hi", false) + frame(0x89, "p", false);
  char* cursor = input.data();
  std::string_view message;
  char* const end = input.data() + input.size();
  ASSERT_EQ(client.next(cursor, end, MonoTime(), out, message), ConnectionCore::Event::kMessage);
  EXPECT_EQ(message, "hi");
  ASSERT_EQ(client.next(cursor, end, MonoTime(), out, message), ConnectionCore::Event::kNeedMore);
  client.append(out, Opcode::kText, "there");
  client.close(CloseCode::kNormal, "bye", MonoTime(), out);
  std::string sent(out.bytes(), '\0');
  out.copy_front(sent.data(), sent.size());
  Peer server;
  server.give(sent);
  EXPECT_EQ(server.outcome().events, "pong t[there]closed");

  std::string masked = frame(0x81, "hi", true);
  cursor = masked.data();
  ConnectionCore strict(options, nullptr, &random);
  EXPECT_EQ(strict.next(cursor, masked.data() + masked.size(), MonoTime(), out, message),
            ConnectionCore::Event::kClosed);
  EXPECT_EQ(strict.error(), ErrorCode::kWsProtocol);
}

TEST(ClientEnd, SeesTheReasonOfAClose) {
  const CoreOptions options;
  SeededRandom random(5);
  ConnectionCore client(options, nullptr, &random);
  Outbox out;
  std::string input = frame(0x88, "\x0f\xa2Token expired", false);
  char* cursor = input.data();
  std::string_view message;
  ASSERT_EQ(client.next(cursor, input.data() + input.size(), MonoTime(), out, message), ConnectionCore::Event::kClosed);
  EXPECT_EQ(client.close_code(), 4002);
  EXPECT_EQ(message, "Token expired");
}

}  // namespace
}  // namespace wirehall::ws
