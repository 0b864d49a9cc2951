// What clients see of what is stored.
#include "services/hall/presentation.h"

#include <gtest/gtest.h>

namespace wirehall::services {
namespace {

std::string text_of(const StoredMessage& message) {
  std::string json;
  append_message(json, message);
  return json;
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
