// What clients see of what is stored.
#include "services/hall/presentation.h"

#include <gtest/gtest.h>

namespace wirehall::services {
namespace {

std::string text_of(const StoredMessage& message) {
  std::string json;
  std::vector<json::MemberPlace> members;
  append_message(json, message, members);
  return json;
}

TEST(Presentation, AMessageAsTextTellsWhereItsMembersStand) {
  StoredMessage message;
  message.id = "m1";
  message.room = "r";
  message.seq = 7;
  message.user_id = "ann";
  message.user_json = R"({"id":"x","type":"y"})";
  message.content = "\"a\":1,\"b\":2}";
  message.type = "text";
  message.reply_to = "m0";
  std::string json = "[";
  std::vector<json::MemberPlace> members(3);  // of another message
  append_message(json, message, members);
  const std::string_view object = std::string_view(json).substr(1);
  std::vector<json::MemberSlice> slices;
  ASSERT_EQ(json::slice_object(object, 32, slices), json::Status::kOk);
  ASSERT_EQ(members.size(), slices.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    EXPECT_EQ(object.substr(members[i].key_begin, members[i].key_size), slices[i].key);
    EXPECT_EQ(object.substr(members[i].value_begin, members[i].value_end - members[i].value_begin),
              slices[i].value.text);
  }
}

TEST(Presentation, AMessageIsTheSameAsTextAndAsAnObject) {
  StoredMessage message;
  message.id = "m1";
  message.room = "r \"1\"";
  message.seq = 9'007'199'254'740'991;
  message.user_id = "änn\n";
  message.content = std::string("a\0b\\\"</script>", 15);
  message.type = "text";
  message.timestamp = 1'700'000'000'123;
  EXPECT_EQ(text_of(message), Value(message_object(message)).to_json()) << "a user without information";
  message.user_json = R"({"name":"Ann","n":[1,null]})";
  message.reply_to = "m0";
  message.edited = true;
  EXPECT_EQ(text_of(message), Value(message_object(message)).to_json());
  auto file = std::make_shared<StoredFile>();
  file->id = "f";
  file->name = "a \"b\".txt";
  file->mime = "text/plain";
  file->size_bytes = 12;
  message.file = file;
  EXPECT_EQ(text_of(message), Value(message_object(message)).to_json());
  EXPECT_NE(text_of(message).find(R"("file":{"id":"f")"), std::string::npos);
  message.deleted = true;
  EXPECT_EQ(text_of(message), Value(message_object(message)).to_json()) << "neither content nor file";
}

}  // namespace
}  // namespace wirehall::services
