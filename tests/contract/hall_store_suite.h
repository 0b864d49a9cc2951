// The contract of HallStore, for every implementation: instantiate with a factory (hall_store_test.cc).
//
// hall_store_test.cc asks for messages, hall_store_rooms_test.cc for rooms, roles and read marks,
// hall_store_users_test.cc for what belongs to users, hall_store_upkeep_test.cc for maintain().
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "wirehall/hall_store.h"

namespace wirehall::test {

using HallStoreFactory = std::function<std::unique_ptr<HallStore>()>;

class HallStoreContract : public testing::TestWithParam<std::pair<const char*, HallStoreFactory>> {
 protected:
  static constexpr WallMs kNow = 1'700'000'000'000;
  static constexpr WallMs kHour = 3'600'000;
  static constexpr WallMs kDay = 24 * kHour;

  HallStoreContract() : store(GetParam().second()) {}

  // -- writes -------------------------------------------------------------------------------------
  std::vector<WriteOutcome> commit(std::vector<HallWrite> writes, WallMs now = kNow) {
    auto outcomes = store->commit(writes, now);
    EXPECT_TRUE(outcomes.ok());
    EXPECT_TRUE(!outcomes.ok() || outcomes->size() == writes.size());
    return outcomes.ok() ? *outcomes : std::vector<WriteOutcome>(writes.size());
  }
  WriteOutcome one(HallWrite write, WallMs now = kNow) { return commit({std::move(write)}, now)[0]; }
  /// The outcome as clients would see it: "ok", "conflict", …
  static std::string why(const WriteOutcome& outcome) { return std::string(error_info(outcome.code).code); }
  std::string why(HallWrite write, WallMs now = kNow) { return why(one(std::move(write), now)); }

  static PostMessage post(const std::string& room, const std::string& content, const std::string& key = "",
                          const std::string& user = "ann") {
    PostMessage made;
    made.message.id = "id-" + room + content;
    made.message.room = room;
    made.message.content = content;
    made.message.user_id = user;
    made.message.user_json = R"({"name":"Ann"})";
    made.message.type = "text";
    made.message.timestamp = kNow;
    made.client_message_id = key;
    return made;
  }
  static ChangeMessage change(const std::string& room, const std::string& id, const std::string& user,
                              std::optional<std::string> content, RoomRole others_from = RoomRole::kNone) {
    return {room, id, user, others_from, std::move(content)};
  }
  static PostPrivate whisper(const std::string& to, const std::string& content, const std::string& key = "",
                             const std::string& from = "ann") {
    PostPrivate made;
    made.message.id = "private-" + content;
    made.message.from_user = from;
    made.message.from_json = R"({"name":"Ann"})";
    made.message.to_user = to;
    made.message.type = "text";
    made.message.content = content;
    made.message.timestamp = kNow;
    made.client_message_id = key;
    return made;
  }
  static CreateRoom create(const std::string& name, const std::string& by = "ann") {
    CreateRoom made;
    made.record.name = name;
    made.record.created_by = by;
    made.record.created_at = kNow;
    return made;
  }
  static SetRole grant(const std::string& room, const std::string& user, RoomRole role,
                       const std::string& actor = "") {
    SetRole made;
    made.room = room;
    made.user_id = user;
    made.role = role;
    made.actor = actor;
    return made;
  }
  static StoredFile file(const std::string& id, const std::string& user = "ann", std::uint64_t bytes = 100) {
    return {id, user, "a picture.png", "image/png", std::string(64, 'a'), bytes};
  }
  static BeginUpload upload(const std::string& id, const std::string& user = "ann",
                            std::uint64_t bytes = 100) {
    BeginUpload made;
    made.record.file = file(id, user, bytes);
    made.record.file.sha256.clear();
    made.record.room = "r";
    made.record.started_at = kNow;
    made.user_bytes_max = made.total_bytes_max = 1'000'000;
    made.user_uploads_max = 100;
    return made;
  }
  static PostMessage post_file(const std::string& room, const std::string& id,
                               const std::string& user = "ann") {
    PostMessage made = post(room, "picture " + id, "", user);
    made.message.type = "file";
    made.message.file = std::make_shared<StoredFile>(file(id, user));
    return made;
  }
  static PostPrivate whisper_file(const std::string& to, const std::string& id) {
    PostPrivate made = whisper(to, "picture " + id);
    made.message.type = "file";
    made.message.file = std::make_shared<StoredFile>(file(id));
    return made;
  }
  static SavePushSubscription subscribe(const std::string& user, const std::string& endpoint) {
    SavePushSubscription made;
    made.subscription = {user, endpoint, std::string(65, 'p'), std::string(16, '\0'), kNow};
    return made;
  }

  // -- upkeep -------------------------------------------------------------------------------------
  struct Swept {
    std::uint64_t rows = 0;
    std::uint64_t calls = 0;
    std::set<std::string> files;
  };
  /// Calls maintain() until it says that nothing is left.
  Swept sweep(const UpkeepOptions& options = {}, WallMs now = kNow) {
    Swept swept;
    for (bool more = true; more && swept.calls < 100; ++swept.calls) {
      const auto result = store->maintain(options, now);
      if (!result.ok()) {
        ADD_FAILURE() << result.error().text();
        return swept;
      }
      more = result->more;
      EXPECT_LE(result->rows, options.rows_max);
      EXPECT_LE(result->files.size(), options.rows_max);
      swept.rows += result->rows;
      for (const std::string& id : result->files) EXPECT_TRUE(swept.files.insert(id).second) << "told once";
    }
    EXPECT_LT(swept.calls, 100u) << "it never says that it is done";
    return swept;
  }
  static UpkeepOptions keeping(std::uint64_t messages_max, WallMs age_ms_max = 0) {
    UpkeepOptions options;
    options.retention = [=](std::string_view, std::string_view) {
      return Retention{messages_max, age_ms_max};
    };
    return options;
  }

  // -- reads --------------------------------------------------------------------------------------
  MessagePage newest(const std::string& room, std::uint64_t before = 0, std::uint32_t limit = 50) {
    auto page = store->read_newest(room, before, limit);
    EXPECT_TRUE(page.ok());
    return page.ok() ? *page : MessagePage();
  }
  MessagePage after(const std::string& room, std::uint64_t seq, std::uint32_t limit = 50) {
    auto page = store->read_after(room, seq, limit);
    EXPECT_TRUE(page.ok());
    return page.ok() ? *page : MessagePage();
  }
  static std::string contents(const MessagePage& page) {
    std::string text;
    for (const StoredMessage& message : page.messages)
      text += std::to_string(message.seq) + message.content + " ";
    return text;
  }
  RoomView room(const std::string& name, const std::string& user = "") {
    auto view = store->find_room(name, user);
    EXPECT_TRUE(view.ok());
    return view.ok() ? *view : RoomView();
  }
  std::string room_names(const std::string& behind = "", std::uint32_t limit = 100) {
    auto rooms = store->list_rooms(behind, limit);
    EXPECT_TRUE(rooms.ok());
    std::string text;
    if (rooms.ok())
      for (const RoomRecord& record : *rooms) text += record.name + " ";
    return text;
  }
  std::string pending(const std::string& user, std::uint32_t limit = 50) {
    auto messages = store->read_pending(user, limit);
    EXPECT_TRUE(messages.ok());
    std::string text;
    if (messages.ok())
      for (const PrivateMessage& message : *messages) text += message.content + " ";
    return text;
  }
  static std::string settled(const WriteOutcome& outcome) {
    std::string text;
    for (const auto& [sender, id] : outcome.settled) text += sender + ":" + id + " ";
    return text;
  }
  std::string endpoints(const std::string& user) {
    auto found = store->push_subscriptions(user);
    EXPECT_TRUE(found.ok());
    std::string text;
    if (found.ok())
      for (const PushSubscription& subscription : *found) text += subscription.endpoint + " ";
    return text;
  }
  std::optional<UserRecord> user(const std::string& id) {
    auto found = store->find_user(id);
    EXPECT_TRUE(found.ok());
    return found.ok() ? *found : std::nullopt;
  }
  std::optional<UploadRecord> find_upload(const std::string& id) {
    auto found = store->find_upload(id);
    EXPECT_TRUE(found.ok());
    return found.ok() ? *found : std::nullopt;
  }
  std::optional<FileView> find_file(const std::string& id) {
    auto found = store->find_file(id);
    EXPECT_TRUE(found.ok());
    return found.ok() ? *found : std::nullopt;
  }

  std::unique_ptr<HallStore> store;
};

/// A text that quoting, escaping or ending at a zero would spoil.
inline const std::string kHostileText = std::string("a\0b'\"%_\\;--\n\t", 13) + "\xC3\xA9\xF0\x9F\x98\x80";

}  // namespace wirehall::test
