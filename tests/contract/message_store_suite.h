// The contract of MessageStore, for every implementation: instantiate with a factory.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "wirehall/message_store.h"

namespace wirehall::test {

using StoreFactory = std::function<std::unique_ptr<MessageStore>()>;

class MessageStoreContract : public testing::TestWithParam<std::pair<const char*, StoreFactory>> {
 protected:
  MessageStoreContract() : store(GetParam().second()) {}
  static MessageDraft draft(const std::string& room, const std::string& content, const std::string& key = "",
                            const std::string& user = "ann") {
    MessageDraft made;
    made.message.id = "id-" + content;
    made.message.room = room;
    made.message.content = content;
    made.message.user_id = user;
    made.message.user_json = R"({"name":"Ann"})";
    made.message.type = "text";
    made.message.timestamp = 1000;
    made.client_message_id = key;
    return made;
  }
  std::vector<AppendOutcome> append(std::vector<MessageDraft> drafts, WallMs now = 1000) {
    auto outcomes = store->append(drafts, now);
    EXPECT_TRUE(outcomes.ok());
    return outcomes.ok() ? *outcomes : std::vector<AppendOutcome>();
  }
  static std::string contents(const MessagePage& page) {
    std::string text;
    for (const StoredMessage& message : page.messages)
      text += std::to_string(message.seq) + message.content + " ";
    return text;
  }
  std::unique_ptr<MessageStore> store;
};

}  // namespace wirehall::test
