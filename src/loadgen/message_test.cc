#include "loadgen/message.h"

#include <gtest/gtest.h>

#include "loadgen/frames.h"

namespace wirehall::loadgen {
namespace {

constexpr std::uint32_t kRun = 0xabc;
constexpr Mark kMark{77, 1'234, 0x123456789abcdef0};

std::string unmasked(std::string_view frame) {
  const std::size_t mask_at = (static_cast<unsigned char>(frame[1]) & 0x7f) == 126 ? 4 : 2;
  std::string payload(frame.substr(mask_at + 4));
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ frame[mask_at + (i & 3)]);
  return payload;
}

TEST(MessageTemplate, HasTheWantedSizeAndBothForms) {
  const MessageTemplate message(R"({"type":"echo","id":{id},"data":"{data}"})", kRun, 128);
  std::string text, frame;
  message.append_text(text, kMark, 42);
  message.append_frame(frame, kMark, 42);
  EXPECT_EQ(text.size(), 128u);
  EXPECT_EQ(unmasked(frame), text);
  EXPECT_TRUE(
      text.starts_with(R"({"type":"echo","id":1000042,"data":"wh00000abc00004d000004d2123456789abcdef0xxx)"))
      << text;
  EXPECT_TRUE(text.ends_with("xx\"}"));
}

TEST(MessageTemplate, IsAsLongAsItMustBe) {
  const MessageTemplate message("{data}", kRun, 1);
  EXPECT_EQ(message.size(), kMarkBytes);
  EXPECT_FALSE(message.has_id());
  const MessageTemplate plain("hello", kRun, 1'000);
  EXPECT_EQ(plain.size(), 5u);
  EXPECT_FALSE(plain.has_data());
}

TEST(MessageTemplate, IdsBeginAnewBehindTheLast) {
  const MessageTemplate message("{id}", kRun, 1);
  std::string first, last, again;
  message.append_text(first, {}, 0);
  message.append_text(last, {}, MessageTemplate::kIds - 1);
  message.append_text(again, {}, MessageTemplate::kIds);
  EXPECT_EQ(first, "1000000");
  EXPECT_EQ(last, "9999999");
  EXPECT_EQ(again, first);
}

TEST(MarkReader, FindsTheMarkInAnyEnvelope) {
  const MessageTemplate message("{data}", kRun, 100);
  std::string text;
  message.append_text(text, kMark, 0);
  MarkReader reader(kRun, message.data_bytes());
  for (const std::string envelope : {"", "42[\"news\",\"", "{\"a\":\""}) {
    Mark found;
    ASSERT_EQ(reader.read(envelope + text + "\"}", found), MarkReader::Found::kMark);
    EXPECT_EQ(found.sender, kMark.sender);
    EXPECT_EQ(found.number, kMark.number);
    EXPECT_EQ(found.at_ns, kMark.at_ns);
  }
  Mark found;
  EXPECT_EQ(reader.read("3", found), MarkReader::Found::kNothing);
  EXPECT_EQ(reader.read(R"({"type":"user-joined"})", found), MarkReader::Found::kNothing);
  EXPECT_EQ(MarkReader(kRun + 1, 100).read(text, found), MarkReader::Found::kNothing);
}

TEST(MarkReader, EveryByteOfTheDataCounts) {
  const MessageTemplate message("{data}", kRun, 60);
  std::string text;
  message.append_text(text, kMark, 0);
  MarkReader reader(kRun, message.data_bytes());
  Mark found;
  for (std::size_t at = 10; at < text.size(); ++at) {
    std::string broken = text;
    broken[at] = '!';
    EXPECT_EQ(reader.read(broken, found), MarkReader::Found::kCorrupt) << at;
  }
  EXPECT_EQ(reader.read(text.substr(0, 59), found), MarkReader::Found::kCorrupt);
}

TEST(FindNumber, FollowsTheKey) {
  std::size_t hint = 0;
  std::uint64_t number = 0;
  EXPECT_TRUE(find_number(R"({"type":"ack","id":1000007,"success":true})", "\"id\":", hint, number));
  EXPECT_EQ(number, 1'000'007u);
  EXPECT_TRUE(find_number(R"({"id":5})", "\"id\":", hint, number));
  EXPECT_EQ(number, 5u);
  EXPECT_FALSE(find_number(R"({"id":"x"})", "\"id\":", hint, number));
  EXPECT_FALSE(find_number("{}", "\"id\":", hint, number));
}

TEST(Frames, EveryLengthAndCut) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{125}, std::size_t{126}, std::size_t{65'535}, std::size_t{65'536}}) {
    std::string frame("\x81", 1);
    if (size < 126) {
      frame += static_cast<char>(size);
    } else if (size < 65'536) {
      frame += '\x7e', frame += static_cast<char>(size >> 8), frame += static_cast<char>(size & 0xff);
    } else {
      frame += '\x7f';
      for (int i = 7; i >= 0; --i) frame += static_cast<char>(size >> (8 * i) & 0xff);
    }
    frame += std::string(size, 'p');
    Frame out;
    ASSERT_EQ(parse_frame(frame + "more", out), FrameStep::kFrame);
    EXPECT_EQ(out.payload.size(), size);
    EXPECT_EQ(out.bytes, frame.size());
    for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, frame.size() - 1})
      EXPECT_EQ(parse_frame(std::string_view(frame).substr(0, cut), out), FrameStep::kNeedMore);
  }
}

TEST(Frames, RefusesWhatNoServerMaySend) {
  Frame out;
  EXPECT_EQ(parse_frame(std::string_view("\x81\x80\0\0\0\0", 6), out), FrameStep::kMalformed);  // masked
  EXPECT_EQ(parse_frame(std::string_view("\xc1\x01x", 3), out), FrameStep::kMalformed);         // compressed
  EXPECT_EQ(parse_frame(std::string_view("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10), out),
            FrameStep::kMalformed);
  ASSERT_EQ(parse_frame(std::string_view("\x01\x01x", 3), out), FrameStep::kFrame);
  EXPECT_FALSE(out.final);
}

}  // namespace
}  // namespace wirehall::loadgen
