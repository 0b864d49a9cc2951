// UTF-8, base64, ids, outboxes, the timer wheel.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "base/base64.h"
#include "base/frame.h"
#include "base/hash_map.h"
#include "base/random.h"
#include "base/timer_wheel.h"
#include "base/utf8.h"
#include "support/seed.h"

namespace wirehall {
namespace {

const std::pair<std::string, bool> kUtf8Cases[] = {{"", true},
                                                   {"abc", true},
                                                   {"\xc2\x80", true},
                                                   {"\xdf\xbf", true},
                                                   {"\xe0\xa0\x80", true},
                                                   {"\xed\x9f\xbf", true},
                                                   {"\xee\x80\x80", true},
                                                   {"\xf0\x90\x80\x80", true},
                                                   {"\xf4\x8f\xbf\xbf", true},
                                                   {"\x80", false},
                                                   {"\xc0\xaf", false},
                                                   {"\xc1\xbf", false},
                                                   {"\xe0\x9f\xbf", false},
                                                   {"\xed\xa0\x80", false},
                                                   {"\xf0\x8f\xbf\xbf", false},
                                                   {"\xf4\x90\x80\x80", false},
                                                   {"\xf5\x80\x80\x80", false},
                                                   {"\xff", false},
                                                   {"a\xc3", false},
                                                   {"\xe2\x82", false},
                                                   {"\xf0\x9f\x98", false},
                                                   {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80xyz", true},
                                                   {"\xe2\x28\xa1", false}};

TEST(Utf8, WholeTexts) {
  for (const auto& [text, valid] : kUtf8Cases)
    EXPECT_EQ(is_valid_utf8(text), valid) << testing::PrintToString(text);
}

TEST(Utf8, AnySplitGivesTheSameAnswer) {
  for (const auto& [text, valid] : kUtf8Cases) {
    const std::string padded = "0123456789012345678901234567890123456789" + text;
    for (std::size_t a = 0; a <= padded.size(); ++a) {
      for (std::size_t b = a; b <= padded.size(); ++b) {
        Utf8Validator validator;
        const std::string_view view = padded;
        const bool fed = validator.feed(view.substr(0, a)) && validator.feed(view.substr(a, b - a)) &&
                         validator.feed(view.substr(b));
        EXPECT_EQ(fed && validator.complete(), valid);
      }
    }
  }
}

TEST(Utf8, FailsAtTheFirstByteThatCannotBeMended) {
  Utf8Validator validator;
  EXPECT_TRUE(validator.feed("\xf4"));
  EXPECT_FALSE(validator.complete());
  EXPECT_FALSE(validator.feed("\x90"));
  EXPECT_FALSE(validator.feed("a"));
}

TEST(Utf8, ReplacesWhatIsIllFormed) {
  EXPECT_EQ(replace_invalid_utf8("a\xff\xc3\xa9\xed\xa0\x80z"), "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbdz");
}

TEST(Base64, VectorsOfRfc4648) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : cases) {
    EXPECT_EQ(to_base64(plain), text);
    EXPECT_EQ(from_base64(text), plain);
    EXPECT_EQ(from_base64_lenient(text), plain);
  }
  EXPECT_EQ(to_base64url("\xfb\xff"), "-_8");
  EXPECT_EQ(from_base64url("-_8"), "\xfb\xff");
}

TEST(Base64, StrictFormsRefuseSecondSpellings) {
  for (const char* text : {"Zg", "Zg=", "Zh==", "Zg==Zg==", "Z===", "=Zg=", "Zm9v ", "-_8="})
    EXPECT_FALSE(from_base64(text)) << text;
  for (const char* text : {"Zg==", "Zh", "Z", "+/8", "Zm9v\n"}) EXPECT_FALSE(from_base64url(text)) << text;
  EXPECT_EQ(from_base64_lenient("Z g-=="), "f\x0f");  // as Node answers
}

TEST(Id, ASocketsIdIsKnownEverywhereAndNothingElseIsTakenForOne) {
  SeededRandom random(test::seed());
  for (int i = 0; i < 1000; ++i) {
    const std::string id = make_socket_id(random, static_cast<std::uint8_t>(i % 256));
    ASSERT_TRUE(is_socket_id(id));
    ASSERT_EQ(shard_of_id(id), i % 256);
    ASSERT_FALSE(is_socket_id(make_id(random, 0)));
    std::string other = id;
    other[random.below(20)] ^= 1;
    ASSERT_FALSE(is_socket_id(other));
  }
  EXPECT_FALSE(is_socket_id("lobby"));
}

TEST(Id, CarriesItsShardAndNeverRepeats) {
  SeededRandom random(test::seed());
  std::set<std::string> seen;
  for (int i = 0; i < 100'000; ++i) {
    const auto shard = static_cast<std::uint8_t>(i % 256);
    const std::string id = make_id(random, shard);
    ASSERT_EQ(id.size(), 20u);
    ASSERT_EQ(shard_of_id(id), shard);
    ASSERT_TRUE(seen.insert(id).second);
  }
  for (const char* id : {"", "__proto__", "constructor", "+AAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA"})
    EXPECT_EQ(shard_of_id(id), -1);
}

std::string drained(const Outbox& outbox) {
  std::string out(outbox.bytes(), '\0');
  EXPECT_EQ(outbox.copy_front(out.data(), out.size()), out.size());
  iovec parts[1024];
  std::string gathered;
  for (int i = 0, n = outbox.gather(parts, 1024); i < n; ++i)
    gathered.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  EXPECT_EQ(gathered, out);
  return out;
}

TEST(Outbox, KeepsOrderAcrossChunksFramesAndPartialWrites) {
  SeededRandom random(test::seed());
  Outbox outbox;
  std::string model;
  const FrameRef shared = FrameRef::of_shared(std::make_shared<const std::string>("<shared>"));
  for (int step = 0; step < 5000; ++step) {
    switch (random.below(4)) {
      case 0: {
        const std::string piece(random.below(3000), static_cast<char>('a' + random.below(26)));
        outbox.append(piece);
        model += piece;
        break;
      }
      case 1:
        outbox.append(shared);
        model += "<shared>";
        break;
      case 2: {
        const FrameRef frame = FrameRef::copy_of("copied");
        outbox.append(frame);
        model += "copied";
        break;
      }
      default: {
        const std::size_t count = random.below(outbox.bytes() + 1);
        outbox.consume(count);
        model.erase(0, count);
      }
    }
    ASSERT_EQ(outbox.bytes(), model.size());
    if (step % 50 == 0) {
      ASSERT_EQ(drained(outbox), model);
    }
  }
}

TEST(Outbox, AFrameThatIsSharedNeverGrows) {
  const FrameRef frame = FrameRef::copy_of("frame");
  Outbox a;
  Outbox b;
  a.append(frame);
  b.append(frame);
  a.append("more");
  EXPECT_EQ(drained(a), "framemore");
  EXPECT_EQ(drained(b), "frame");
  EXPECT_EQ(frame.view(), "frame");
}

struct Probe final : Timer {
  ~Probe() = default;
  void on_timer(MonoTime now) override { fired.push_back(now); }
  std::vector<MonoTime> fired;
};

MonoTime at(std::int64_t ms) { return MonoTime(Milliseconds(ms)); }

TEST(TimerWheel, FiresOnceAtItsMillisecondNeverBefore) {
  for (const std::int64_t ms : {1, 2, 255, 256, 257, 65'535, 65'536, 70'000, 16'777'216, 90'000'000}) {
    TimerWheel wheel(at(0));
    Probe probe;
    wheel.schedule(probe, at(ms));
    while (probe.fired.empty()) {
      const MonoTime next = wheel.next_deadline();
      ASSERT_NE(next, kNever);
      ASSERT_LE(next, at(ms));
      wheel.advance(next);
    }
    EXPECT_EQ(probe.fired, std::vector{at(ms)});
    EXPECT_EQ(wheel.next_deadline(), kNever);
  }
}

TEST(TimerWheel, AgreesWithASortedModel) {
  SeededRandom random(test::seed());
  TimerWheel wheel(at(1000));
  std::vector<Probe> probes(200);
  std::map<std::size_t, std::int64_t> model;
  std::int64_t now = 1000;
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t i = random.below(probes.size());
    switch (random.below(3)) {
      case 0: {
        const std::int64_t deadline =
            now + static_cast<std::int64_t>(random.below(random.below(4) == 0 ? 10'000'000 : 600)) - 5;
        wheel.schedule(probes[i], at(deadline));
        model[i] = std::max(deadline, now + 1);
        break;
      }
      case 1:
        wheel.cancel(probes[i]);
        model.erase(i);
        break;
      default: {
        now += static_cast<std::int64_t>(random.below(random.below(50) == 0 ? 3'000'000 : 40));
        std::int64_t earliest = INT64_MAX;
        for (const auto& [index, deadline] : model) earliest = std::min(earliest, deadline);
        ASSERT_LE(wheel.next_deadline(), earliest == INT64_MAX ? kNever : at(earliest));
        wheel.advance(at(now));
        for (auto it = model.begin(); it != model.end();) {
          const bool due = it->second <= now;
          ASSERT_EQ(probes[it->first].fired.size(), due ? 1u : 0u);
          probes[it->first].fired.clear();
          it = due ? model.erase(it) : std::next(it);
        }
      }
    }
  }
}

TEST(TimerWheel, ATimerMayScheduleItselfAndCancelOthersWhileFiring) {
  struct Repeating final : Timer {
    ~Repeating() = default;
    void on_timer(MonoTime now) override {
      ++count;
      wheel->schedule(*this, now);  // a deadline that has passed fires in the next turn
      if (other != nullptr) wheel->cancel(*other);
    }
    TimerWheel* wheel = nullptr;
    Timer* other = nullptr;
    int count = 0;
  };
  TimerWheel wheel(at(0));
  Repeating repeating;
  Probe victim;
  repeating.wheel = &wheel;
  repeating.other = &victim;
  wheel.schedule(repeating, at(5));
  wheel.schedule(victim, at(5));
  wheel.advance(at(5));
  EXPECT_EQ(repeating.count, 1);
  EXPECT_TRUE(victim.fired.empty());
  wheel.advance(at(6));
  EXPECT_EQ(repeating.count, 2);
}

TEST(HashMap, LooksUpByView) {
  TextMap<int> map;
  map["room"] = 1;
  EXPECT_NE(map.find(std::string_view("room")), map.end());
  EXPECT_EQ(map.find(std::string_view("other")), map.end());
}

TEST(TimeId, SortsByTheTimeWhenItWasMade) {
  SeededRandom random(5);
  std::string before;
  for (std::int64_t time : {0LL, 1LL, 255LL, 256LL, 1'700'000'000'000LL, 1'700'000'000'001LL, 1'700'000'000'064LL,
                            1'700'000'004'096LL, 281'474'976'710'655LL}) {
    const std::string id = make_time_id(random, time);
    EXPECT_EQ(id.size(), 20u);
    EXPECT_TRUE(from_base64url(id).has_value()) << id;
    EXPECT_LT(before, id) << time;
    EXPECT_NE(make_time_id(random, time), id);
    before = id;
  }
}

}  // namespace
}  // namespace wirehall
