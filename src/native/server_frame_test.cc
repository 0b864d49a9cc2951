#include "native/server_frame.h"

#include <gtest/gtest.h>

#include "base/msgpack.h"

namespace wirehall::native {
namespace {

ServerFrame decoded(std::string_view text) {
  Result<ServerFrame> frame = decode_server_frame(text, Codec::kJson, DecodeLimits());
  EXPECT_TRUE(frame.ok()) << text;
  return frame.ok() ? std::move(*frame) : ServerFrame();
}

std::string refused(std::string_view bytes, Codec codec = Codec::kJson) {
  const Result<ServerFrame> frame = decode_server_frame(bytes, codec, DecodeLimits());
  return frame.ok() ? "" : std::string(frame.error().kebab());
}

TEST(ServerFrame, AnswersNameTheirRequest) {
  const ServerFrame answer = decoded(R"({"type":"ack","id":7,"success":true})");
  EXPECT_EQ(answer.id, 7u);
  EXPECT_EQ(Value(answer.fields).to_json(), R"({"success":true})");
  EXPECT_FALSE(decoded(R"({"type":"ack","id":"another client's"})").id.has_value());
  EXPECT_FALSE(decoded(R"({"type":"ack","id":-1})").id.has_value());
}

TEST(ServerFrame, AnEventKeepsItsFields) {
  const ServerFrame event =
      decoded(R"({"type":"chat","messageType":"text","id":"m1","ackId":3,"bytes":{"$binary":"AAE="}})");
  EXPECT_EQ(event.type, "chat");
  EXPECT_EQ(event.ack_id, 3u);
  EXPECT_FALSE(event.id.has_value());
  EXPECT_EQ(*Value(event.fields).find_string("type"), "text");
  EXPECT_EQ(*Value(event.fields).find_string("id"), "m1");
  EXPECT_EQ(event.fields.find("bytes")->as_bytes().data, std::string("\0\1", 2));
}

TEST(ServerFrame, MessagePackIsReadToo) {
  std::string bytes;
  msgpack::encode(bytes, Object{{"type", "x"}, {"data", Bytes{"raw"}}});
  const Result<ServerFrame> frame = decode_server_frame(bytes, Codec::kMsgpack, DecodeLimits());
  ASSERT_TRUE(frame.ok());
  EXPECT_EQ(frame->fields.find("data")->as_bytes().data, "raw");
}

TEST(ServerFrame, WhatIsNoneIsRefused) {
  EXPECT_EQ(refused("0{}"), "json-syntax");
  EXPECT_EQ(refused("[]"), "invalid-format");
  EXPECT_EQ(refused("{}"), "invalid-format");
  EXPECT_EQ(refused(R"({"type":5})"), "invalid-format");
  EXPECT_EQ(refused(R"({"type":""})"), "invalid-format");
  EXPECT_EQ(refused(R"({"type":")" + std::string(200, 'x') + "\"}"), "invalid-format");
  EXPECT_EQ(refused(R"({"$binary":"AAE="})"), "invalid-format");
  EXPECT_EQ(refused("\xc1", Codec::kMsgpack), "msgpack-syntax");
}

TEST(ServerFrame, AnswersAreTheirOneArgumentOrTheList) {
  EXPECT_EQ(answer_of(Object{{"data", 5}}).at(0).as_int(), 5);
  EXPECT_EQ(answer_of(Object{{"args", Value(Array{Value(1), Value(2)})}}).size(), 2u);
  EXPECT_TRUE(answer_of(Object{{"data", 5}, {"more", 6}}).at(0).is_object());
  EXPECT_TRUE(answer_of(Object{}).at(0).is_object());
}

// What is written is what the server reads.
std::string round_trip(std::optional<std::uint64_t> id, std::vector<Value> args,
                       const NativeShape* shape = nullptr) {
  std::string text;
  encode_request(text, "event", id, args, shape);
  FrameDecoder decoder;
  EXPECT_TRUE(decoder.decode(text, Codec::kJson, DecodeLimits()).ok()) << text;
  std::string out = std::string(decoder.type()) + " " + std::string(decoder.id());
  for (const Value& arg : decoder.take_args(shape)) out += " " + arg.to_json();
  return out;
}

TEST(Requests, AreReadByTheServer) {
  EXPECT_EQ(round_trip(4, {Value(Object{{"a", 1}, {"type", "kind"}})}), R"(event 4 {"a":1,"type":"kind"})");
  EXPECT_EQ(round_trip(4, {Value(Object{{"id", 9}, {"ackId", 9}, {"a", 1}})}), R"(event 4 {"a":1})")
      << "names of the frame itself";
  EXPECT_EQ(round_trip(std::nullopt, {Value(Object{{"id", 9}})}), "event  {}")
      << "it would ask for an answer";
  EXPECT_EQ(round_trip(4, {Value(5)}), R"(event 4 {"data":5})");
  EXPECT_EQ(round_trip(4, {Value(5), Value("x")}), R"(event 4 {"args":[5,"x"]})");
  const NativeShape room{{}, {"roomId"}, {}, {}};
  EXPECT_EQ(round_trip(4, {Value("lobby")}, &room), R"(event 4 "lobby")");
  EXPECT_EQ(round_trip(4, {Value("lobby"), Value(Object{{"since", 3}})}, &room),
            R"(event 4 "lobby" {"since":3})");
}

TEST(Answers, AreReadByTheServer) {
  std::string text;
  const Value args[] = {Value(Object{{"ready", true}, {"id", "kept"}})};
  encode_answer(text, 12, args);
  FrameDecoder decoder;
  ASSERT_TRUE(decoder.decode(text, Codec::kJson, DecodeLimits()).ok());
  EXPECT_EQ(decoder.type(), "ack");
  EXPECT_EQ(decoder.ack_id(), 12u);
}

}  // namespace
}  // namespace wirehall::native
