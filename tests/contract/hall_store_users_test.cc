// What belongs to the users of a HallStore: private messages, who was seen, uploads and files, subscriptions.
#include "contract/hall_store_suite.h"

namespace wirehall::test {
namespace {

// -- private messages -------------------------------------------------------------------------------

TEST_P(HallStoreContract, APrivateMessageWaitsForItsTarget) {
  PostPrivate write = whisper("bob", kHostileText, kHostileText, kHostileText);
  write.message.from_json = R"({"name":"A\u0000 \"nn"})";
  write.message.type = kHostileText;
  write.message.read = true;
  const WriteOutcome outcome = one(write);
  EXPECT_EQ(why(outcome), "ok");
  EXPECT_FALSE(outcome.duplicate);
  const auto waiting = store->read_pending("bob", 50);
  ASSERT_TRUE(waiting.ok());
  ASSERT_EQ(waiting->size(), 1u);
  for (const PrivateMessage& message : {outcome.private_message, (*waiting)[0]}) {
    EXPECT_EQ(message.id, write.message.id);
    EXPECT_EQ(message.from_user, kHostileText);
    EXPECT_EQ(message.from_json, write.message.from_json);
    EXPECT_EQ(message.to_user, "bob");
    EXPECT_EQ(message.type, kHostileText);
    EXPECT_EQ(message.content, kHostileText);
    EXPECT_EQ(message.timestamp, kNow);
    EXPECT_FALSE(message.read) << "nobody has read it";
    EXPECT_EQ(message.file, nullptr);
  }
  EXPECT_EQ(pending(kHostileText), "") << "not for its sender";
  EXPECT_EQ(room_names(), "");
}

TEST_P(HallStoreContract, PendingOnesComeOldestFirst) {
  PostPrivate earlier = whisper("bob", "2", "", "eve");
  earlier.message.timestamp = kNow - kHour;
  commit({whisper("bob", "1"), earlier, whisper("eve", "other"), whisper("bob", "3")});
  EXPECT_EQ(pending("bob"), "1 2 3 ") << "in the order of the commits";
  EXPECT_EQ(pending("bob", 2), "1 2 ");
  EXPECT_EQ(pending("bob", 0), "");
  EXPECT_EQ(pending("bob", UINT32_MAX), "1 2 3 ");
  EXPECT_EQ(pending("bob"), "1 2 3 ") << "reading settles nothing";
}

TEST_P(HallStoreContract, SettledAndReadAreTwoSteps) {
  commit({whisper("bob", "1"), whisper("bob", "2", "", "eve"), whisper("bob", "3")});
  WriteOutcome outcome = one(SettlePrivate{"bob", {"private-2"}, false});
  EXPECT_EQ(why(outcome), "ok");
  EXPECT_EQ(settled(outcome), "") << "only with read";
  EXPECT_EQ(pending("bob"), "1 3 ");
  outcome = one(SettlePrivate{"bob", {"private-3", "private-1", "private-2", "private-3"}, true});
  EXPECT_EQ(settled(outcome), "ann:private-1 eve:private-2 ann:private-3 ")
      << "in the order of the messages, each once";
  EXPECT_EQ(outcome.count, 3u);
  EXPECT_EQ(pending("bob"), "");
  EXPECT_EQ(settled(one(SettlePrivate{"bob", {"private-1"}, true})), "") << "it was read before";
  EXPECT_EQ(settled(one(SettlePrivate{"bob", {"private-1"}, false})), "");
  EXPECT_EQ(settled(one(SettlePrivate{"bob", {}, true})), "");
}

TEST_P(HallStoreContract, UnknownAndForeignIdsAreIgnored) {
  commit({whisper("bob", "1"), whisper("eve", "2", "", "bob"), post("r", "x", "", "bob")});
  const WriteOutcome outcome =
      one(SettlePrivate{"bob", {"nothing", "private-2", "id-rx", "", kHostileText, "private-1"}, true});
  EXPECT_EQ(why(outcome), "ok");
  EXPECT_EQ(settled(outcome), "ann:private-1 ");
  EXPECT_EQ(pending("eve"), "2 ") << "nor does its sender settle it";
  EXPECT_EQ(settled(one(SettlePrivate{"ann", {"private-1", "private-2"}, true})), "");
  EXPECT_EQ(pending("eve"), "2 ");
}

TEST_P(HallStoreContract, APrivateKeyGivesTheFirstResult) {
  PostPrivate again = whisper("bob", "x", "key");
  again.message.id = "another";
  again.message.timestamp = kNow + 5;
  const auto first = commit({whisper("bob", "x", "key"), again});
  one(SettlePrivate{"bob", {"private-x"}, true});
  for (const WriteOutcome& outcome : {first[1], one(again)}) {
    EXPECT_EQ(why(outcome), "ok");
    EXPECT_TRUE(outcome.duplicate);
    EXPECT_EQ(outcome.private_message.id, "private-x");
    EXPECT_EQ(outcome.private_message.timestamp, kNow);
    EXPECT_EQ(outcome.private_message.content, "x");
    EXPECT_EQ(outcome.private_message.to_user, "bob");
    EXPECT_FALSE(outcome.private_message.read) << "as first stored";
  }
  EXPECT_EQ(pending("bob"), "") << "it is not sent again";
  PostPrivate of_eve = whisper("bob", "x", "key", "eve");
  of_eve.message.id = "of eve";
  EXPECT_FALSE(one(of_eve).duplicate);
}

TEST_P(HallStoreContract, AnotherPrivateMessageUnderTheKeyIsAConflict) {
  one(whisper("bob", "x", "key"));
  one(upload("f"));
  PostPrivate other_type = whisper("bob", "x", "key");
  other_type.message.type = "emote";
  PostPrivate other_file = whisper_file("bob", "f");
  other_file.client_message_id = "key";
  PostPrivate too_much = whisper("bob", "y", "key");
  too_much.pending_max = 0;
  for (const WriteOutcome& outcome :
       commit({whisper("bob", "y", "key"), whisper("eve", "x", "key"), other_type, other_file, too_much})) {
    EXPECT_EQ(why(outcome), "conflict");
    EXPECT_EQ(outcome.private_message.id, "");
  }
  EXPECT_EQ(pending("bob"), "x ");
  EXPECT_EQ(pending("eve"), "");
  EXPECT_TRUE(find_upload("f"));
  PostPrivate same_id = whisper("eve", "z");
  same_id.message.id = "private-x";
  EXPECT_EQ(why(same_id), "conflict") << "an id is taken once";
}

TEST_P(HallStoreContract, WhatIsPendingIsBoundedInCount) {
  const auto limited = [](const std::string& to, const std::string& content, const std::string& key = "") {
    PostPrivate write = whisper(to, content, key);
    write.pending_max = 2;
    return write;
  };
  commit({limited("bob", "1"), limited("bob", "2", "key")});
  EXPECT_EQ(why(limited("bob", "3")), "limit-reached");
  EXPECT_TRUE(one(limited("bob", "2", "key")).duplicate) << "what is stored already needs no room";
  EXPECT_EQ(why(limited("eve", "4")), "ok") << "for one target";
  one(SettlePrivate{"bob", {"private-1"}, false});
  EXPECT_EQ(why(limited("bob", "5")), "ok") << "settled ones do not count";
  EXPECT_EQ(pending("bob"), "2 5 ");
}

TEST_P(HallStoreContract, WhatIsPendingIsBoundedInBytes) {
  const auto limited = [](const std::string& content) {
    PostPrivate write = whisper("bob", content);
    write.pending_bytes_max = 10;
    return write;
  };
  EXPECT_EQ(why(limited("12345678901")), "limit-reached") << "of contents";
  EXPECT_EQ(why(limited("123456")), "ok");
  EXPECT_EQ(why(limited("abcde")), "limit-reached");
  EXPECT_EQ(why(limited("abcd")), "ok") << "inclusive";
  EXPECT_EQ(why(limited("")), "ok");
  EXPECT_EQ(why(limited("x")), "limit-reached");
  one(SettlePrivate{"bob", {"private-abcd"}, false});
  EXPECT_EQ(why(limited("y")), "ok");
}

// -- users ------------------------------------------------------------------------------------------

TEST_P(HallStoreContract, AUserIsRememberedAndEmptyFieldsLeaveWhatIsKnown) {
  EXPECT_FALSE(user("ann"));
  one(SaveUser{"ann", R"({"name":"Ann"})", kNow, std::vector<std::string>{"b", "a"}});
  one(SaveUser{kHostileText, R"({})", kNow + 1, std::nullopt});
  auto found = user("ann");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, "ann");
  EXPECT_EQ(found->user_json, R"({"name":"Ann"})");
  EXPECT_EQ(found->last_seen, kNow);
  EXPECT_EQ(found->rooms, (std::vector<std::string>{"b", "a"}));
  one(SaveUser{"ann", "", 0, std::nullopt});
  found = user("ann");
  EXPECT_EQ(found->user_json, R"({"name":"Ann"})");
  EXPECT_EQ(found->last_seen, kNow);
  EXPECT_EQ(found->rooms.size(), 2u);
  one(SaveUser{"ann", R"({"name":"A"})", kNow - 1, std::vector<std::string>()});
  found = user("ann");
  EXPECT_EQ(found->user_json, R"({"name":"A"})");
  EXPECT_EQ(found->last_seen, kNow - 1) << "what is said";
  EXPECT_TRUE(found->rooms.empty()) << "in none, which is not nothing said";
  ASSERT_TRUE(user(kHostileText));
  EXPECT_EQ(user(kHostileText)->last_seen, kNow + 1);
  one(SaveUser{"bob", "", 0, std::nullopt});
  ASSERT_TRUE(user("bob"));
  EXPECT_EQ(user("bob")->user_json, "");
  EXPECT_EQ(user("bob")->last_seen, 0);
}

// -- uploads and files ------------------------------------------------------------------------------

TEST_P(HallStoreContract, AnUploadIsFoundAsItBegan) {
  BeginUpload write = upload(kHostileText, "ann", 12345);
  write.record.file.name = kHostileText;
  write.record.file.mime = "text/plain";
  write.record.room = "";
  write.record.target_user = kHostileText;
  EXPECT_EQ(why(write), "ok");
  const auto found = find_upload(kHostileText);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->file.id, kHostileText);
  EXPECT_EQ(found->file.user_id, "ann");
  EXPECT_EQ(found->file.name, kHostileText);
  EXPECT_EQ(found->file.mime, "text/plain");
  EXPECT_EQ(found->file.sha256, "");
  EXPECT_EQ(found->file.size_bytes, 12345u);
  EXPECT_EQ(found->room, "");
  EXPECT_EQ(found->target_user, kHostileText);
  EXPECT_EQ(found->started_at, kNow);
  EXPECT_FALSE(find_file(kHostileText)) << "nobody reads it yet";
  BeginUpload again = write;
  again.record.file.user_id = "bob";
  EXPECT_EQ(why(again), "conflict");
  EXPECT_EQ(why(write), "conflict");
  EXPECT_EQ(find_upload(kHostileText)->file.user_id, "ann");
}

TEST_P(HallStoreContract, AFileAppearsWithItsMessage) {
  one(upload("f"));
  PostMessage write = post_file("r", "f");
  const WriteOutcome outcome = one(write);
  EXPECT_EQ(why(outcome), "ok");
  const MessagePage page = newest("r");
  ASSERT_EQ(page.messages.size(), 1u);
  for (const StoredMessage& message : {outcome.message, page.messages[0]}) {
    ASSERT_NE(message.file, nullptr);
    EXPECT_EQ(message.file->id, "f");
    EXPECT_EQ(message.file->user_id, "ann");
    EXPECT_EQ(message.file->name, "a picture.png");
    EXPECT_EQ(message.file->mime, "image/png");
    EXPECT_EQ(message.file->sha256, std::string(64, 'a')) << "of the message, not as declared";
    EXPECT_EQ(message.file->size_bytes, 100u);
  }
  EXPECT_FALSE(find_upload("f")) << "it has ended";
  const auto view = find_file("f");
  ASSERT_TRUE(view);
  EXPECT_EQ(view->file.id, "f");
  EXPECT_EQ(view->file.user_id, "ann");
  EXPECT_EQ(view->file.name, "a picture.png");
  EXPECT_EQ(view->file.mime, "image/png");
  EXPECT_EQ(view->file.sha256, std::string(64, 'a'));
  EXPECT_EQ(view->file.size_bytes, 100u);
  EXPECT_EQ(view->room, "r");
  EXPECT_EQ(view->from_user, "");
  EXPECT_EQ(view->to_user, "");
  EXPECT_EQ(why(upload("f")), "conflict") << "the id stays taken";
  EXPECT_TRUE(sweep().files.empty());
  BeginUpload undated = upload("g");
  undated.record.started_at = 0;
  one(undated, kNow + 5);
  EXPECT_EQ(find_upload("g")->started_at, kNow + 5) << "the commit's time";
}

TEST_P(HallStoreContract, APrivateFileIsForTwo) {
  one(upload("f"));
  EXPECT_EQ(why(whisper_file("bob", "f")), "ok");
  const auto waiting = store->read_pending("bob", 9);
  ASSERT_TRUE(waiting.ok());
  ASSERT_EQ(waiting->size(), 1u);
  ASSERT_NE((*waiting)[0].file, nullptr);
  EXPECT_EQ((*waiting)[0].file->name, "a picture.png");
  const auto view = find_file("f");
  ASSERT_TRUE(view);
  EXPECT_EQ(view->room, "");
  EXPECT_EQ(view->from_user, "ann");
  EXPECT_EQ(view->to_user, "bob");
  EXPECT_FALSE(find_upload("f"));
  one(SettlePrivate{"bob", {"private-picture f"}, true});
  EXPECT_TRUE(find_file("f")) << "reading does not use it up";
}

TEST_P(HallStoreContract, AFileNeedsItsUpload) {
  commit({upload("ended"), EndUpload{"ended"}, upload("of bob", "bob"), upload("longer", "ann", 101),
          upload("used"), post_file("r", "used")});
  PostMessage again = post_file("r", "used");
  again.message.id = "again";
  for (const WriteOutcome& outcome :
       commit({post_file("s", "never"), post_file("s", "ended"), post_file("s", "of bob", "ann"),
               post_file("s", "longer"), again, whisper_file("bob", "never"), whisper_file("bob", "used")}))
    EXPECT_EQ(why(outcome), "not-found");
  EXPECT_FALSE(room("s").record);
  EXPECT_EQ(pending("bob"), "");
  EXPECT_TRUE(find_upload("of bob"));
  EXPECT_TRUE(find_upload("longer")) << "a file has the size that was declared";
  EXPECT_EQ(find_file("used")->room, "r");
  const auto both = commit({upload("x"), post_file("s", "x")});
  EXPECT_EQ(why(both[1]), "ok") << "in the same batch";
  const auto refused = commit({post_file("s", "never"), post("s", "next")});
  EXPECT_EQ(refused[1].message.seq, 2u) << "a refused one uses no number";
}

TEST_P(HallStoreContract, AFileIsSentOnceUnderItsKey) {
  one(upload("f"));
  PostMessage write = post_file("r", "f");
  write.client_message_id = "key";
  const auto outcomes = commit({write, write});
  EXPECT_EQ(why(outcomes[1]), "ok") << "the upload is gone, and nobody needs it";
  EXPECT_TRUE(outcomes[1].duplicate);
  EXPECT_EQ(newest("r").messages.size(), 1u);
}

TEST_P(HallStoreContract, AFileGoesWithItsDeletedMessage) {
  commit({upload("f"), post_file("r", "f")});
  const WriteOutcome edited = one(change("r", "id-rpicture f", "ann", "renamed"));
  ASSERT_NE(edited.message.file, nullptr) << "an edit leaves it";
  EXPECT_TRUE(find_file("f"));
  const WriteOutcome deleted = one(change("r", "id-rpicture f", "ann", std::nullopt));
  EXPECT_EQ(deleted.message.file, nullptr);
  EXPECT_EQ(deleted.message.type, "file");
  EXPECT_EQ(newest("r").messages[0].file, nullptr);
  EXPECT_FALSE(find_file("f")) << "at once";
  EXPECT_EQ(why(upload("f")), "conflict") << "its bytes are still there";
  EXPECT_EQ(sweep().files, std::set<std::string>{"f"});
  EXPECT_TRUE(sweep().files.empty()) << "told once";
  EXPECT_EQ(why(upload("f")), "ok");
}

TEST_P(HallStoreContract, AnUploadThatEndsWithoutAFileIsToldToo) {
  commit({upload("f"), EndUpload{"f"}, EndUpload{"never"}, EndUpload{"f"}});
  EXPECT_FALSE(find_upload("f"));
  EXPECT_EQ(why(upload("f")), "conflict");
  EXPECT_EQ(sweep().files, std::set<std::string>{"f"});
  commit({upload("g"), post_file("r", "g"), EndUpload{"g"}});
  EXPECT_TRUE(find_file("g")) << "a file is no upload any more";
  EXPECT_TRUE(sweep().files.empty());
}

TEST_P(HallStoreContract, UploadsAndFilesHaveQuotas) {
  const auto limited = [](const std::string& id, const std::string& user, std::uint64_t bytes) {
    BeginUpload write = upload(id, user, bytes);
    write.user_bytes_max = 250;
    write.total_bytes_max = 400;
    return write;
  };
  commit({limited("1", "ann", 100), post_file("r", "1"), limited("2", "ann", 100)});
  EXPECT_EQ(why(limited("3", "ann", 51)), "limit-reached") << "files and uploads of the user";
  EXPECT_EQ(why(limited("3", "ann", kHour * kHour)), "limit-reached");
  EXPECT_FALSE(find_upload("3"));
  EXPECT_EQ(why(limited("3", "ann", 50)), "ok") << "inclusive";
  EXPECT_EQ(why(limited("4", "bob", 151)), "limit-reached") << "of all";
  EXPECT_EQ(why(limited("4", "bob", 150)), "ok");
  EXPECT_EQ(why(limited("5", "eve", 1)), "limit-reached");
  EXPECT_EQ(why(limited("1", "eve", 1)), "conflict") << "first of all";
  BeginUpload nothing = upload("5", "eve", 0);
  nothing.user_bytes_max = nothing.user_uploads_max = 0;
  EXPECT_EQ(why(nothing), "limit-reached") << "0 is no more than others have";
  nothing.user_uploads_max = 1;
  EXPECT_EQ(why(nothing), "ok") << "0 bytes of 0";
  one(EndUpload{"4"});
  EXPECT_EQ(why(limited("6", "eve", 150)), "ok") << "what ended does not count";
  one(change("r", "id-rpicture 1", "ann", std::nullopt));
  EXPECT_EQ(why(limited("7", "ann", 100)), "ok") << "nor what was deleted";
}

TEST_P(HallStoreContract, UnfinishedUploadsOfAUserAreCounted) {
  const auto limited = [](const std::string& id, const std::string& user = "ann") {
    BeginUpload write = upload(id, user);
    write.user_uploads_max = 2;
    return write;
  };
  commit({limited("1"), limited("2")});
  EXPECT_EQ(why(limited("3")), "limit-reached");
  EXPECT_EQ(why(limited("3", "bob")), "ok");
  one(post_file("r", "1"));
  EXPECT_EQ(why(limited("4")), "ok") << "a finished one does not count";
  EXPECT_EQ(why(limited("5")), "limit-reached");
  one(EndUpload{"2"});
  EXPECT_EQ(why(limited("5")), "ok");
}

// -- push subscriptions -----------------------------------------------------------------------------

TEST_P(HallStoreContract, SubscriptionsAreKeptOldestFirst) {
  SavePushSubscription write = subscribe("ann", kHostileText);
  write.subscription.p256dh = std::string("\0\xFF'", 3) + std::string(62, '\x80');
  write.subscription.auth = std::string(16, '\xFE');
  write.subscription.created_at = kNow + 9;
  commit({write, subscribe("bob", "b"), subscribe("ann", "a")});
  EXPECT_EQ(endpoints("ann"), kHostileText + " a ");
  EXPECT_EQ(endpoints("bob"), "b ");
  EXPECT_EQ(endpoints("eve"), "");
  const auto found = store->push_subscriptions("ann");
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ((*found)[0].user_id, "ann");
  EXPECT_EQ((*found)[0].p256dh, write.subscription.p256dh);
  EXPECT_EQ((*found)[0].auth, write.subscription.auth);
  EXPECT_EQ((*found)[0].created_at, kNow + 9);
}

TEST_P(HallStoreContract, AnEndpointIsOfTheUserWhoGaveItLast) {
  commit({subscribe("ann", "a"), subscribe("ann", "b"), subscribe("bob", "c")});
  SavePushSubscription moved = subscribe("bob", "a");
  moved.subscription.auth = std::string(16, 'n');
  one(moved);
  EXPECT_EQ(endpoints("ann"), "b ");
  EXPECT_EQ(endpoints("bob"), "c a ");
  const auto of_bob = store->push_subscriptions("bob");
  ASSERT_TRUE(of_bob.ok());
  ASSERT_EQ(of_bob->size(), 2u);
  EXPECT_EQ((*of_bob)[1].user_id, "bob");
  EXPECT_EQ((*of_bob)[1].auth, std::string(16, 'n'));
  one(subscribe("bob", "c"));
  EXPECT_EQ(endpoints("bob"), "a c ") << "given again, it is the newest";
}

TEST_P(HallStoreContract, BeyondTheBoundTheOldestSubscriptionGoes) {
  const auto limited = [](const std::string& user, const std::string& endpoint, std::uint32_t max = 2) {
    SavePushSubscription write = subscribe(user, endpoint);
    write.per_user_max = max;
    write.subscription.created_at = kNow - static_cast<WallMs>(endpoint[0]);  // says nothing about the order
    return write;
  };
  commit({limited("ann", "a"), limited("ann", "b"), limited("bob", "x")});
  EXPECT_EQ(why(limited("ann", "c")), "ok");
  EXPECT_EQ(endpoints("ann"), "b c ");
  one(limited("ann", "b"));
  EXPECT_EQ(endpoints("ann"), "c b ") << "no more than before";
  one(limited("ann", "d"));
  EXPECT_EQ(endpoints("ann"), "b d ") << "the one given longest ago";
  one(limited("ann", "e", 1));
  EXPECT_EQ(endpoints("ann"), "e ");
  EXPECT_EQ(endpoints("bob"), "x ");
  EXPECT_EQ(why(DropPushSubscription{"", "b"}), "not-found");
}

TEST_P(HallStoreContract, ASubscriptionIsDroppedByItsOwner) {
  commit({subscribe("ann", "a"), subscribe("ann", "b"), subscribe("ann", "c")});
  EXPECT_EQ(why(DropPushSubscription{"bob", "a"}), "not-found");
  EXPECT_EQ(why(DropPushSubscription{"ann", "z"}), "not-found");
  EXPECT_EQ(endpoints("ann"), "a b c ");
  EXPECT_EQ(why(DropPushSubscription{"ann", "a"}), "ok");
  EXPECT_EQ(why(DropPushSubscription{"ann", "a"}), "not-found");
  EXPECT_EQ(why(DropPushSubscription{"", "c"}), "ok") << "the server drops anybody's";
  EXPECT_EQ(why(DropPushSubscription{"", "c"}), "not-found");
  EXPECT_EQ(endpoints("ann"), "b ");
}

}  // namespace
}  // namespace wirehall::test
