// Random writes for a HallStore. Names, keys and contents are few, so that duplicates, conflicts, replies,
// refusals and deletions meet often; the same seed gives the same script.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "contract/hall_store_suite.h"

namespace wirehall::test {

class HallScript {
 public:
  static constexpr WallMs kStep = 1'800'000;
  inline static const std::array<std::string, 4> kRooms = {"r", "R", kHostileText, "room"};
  inline static const std::array<std::string, 4> kUsers = {"ann", "bob", kHostileText, "\xC3\xA9ve"};
  static constexpr std::uint64_t kFiles = 6;

  explicit HallScript(std::uint64_t seed) : random_(seed) {}

  WallMs now() const { return now_; }
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  const std::string& room() { return kRooms[below(kRooms.size())]; }
  const std::string& user() { return kUsers[below(kUsers.size())]; }
  static std::string file_id(std::uint64_t n) { return "file-" + std::to_string(n); }
  /// A position near those that there are, or far from them.
  std::uint64_t position() { return one_in(20) ? UINT64_MAX - below(2) : below(20); }
  std::uint32_t limit() { return one_in(10) ? UINT32_MAX : static_cast<std::uint32_t>(below(6)); }

  /// Lets time pass, in coarse steps so that ages are exactly at their limits too. It does not go back: a
  /// store may keep what is old behind something younger.
  void pass_time() {
    if (one_in(2)) now_ += static_cast<WallMs>(below(12)) * kStep;
  }

  std::vector<HallWrite> batch() {
    std::vector<HallWrite> writes;
    for (std::uint64_t n = 1 + below(12); n > 0; --n) writes.push_back(write());
    return writes;
  }

  UpkeepOptions upkeep() {
    UpkeepOptions options;
    std::array<Retention, kRooms.size()> kept;
    for (Retention& retention : kept)
      retention = {one_in(3) ? 0 : below(15), one_in(2) ? 0 : static_cast<WallMs>(1 + below(40)) * kStep};
    if (!one_in(4)) {
      options.retention = [kept](std::string_view room, std::string_view type) {
        Retention found = type == "brief" ? Retention{1, 0} : Retention();
        for (std::size_t i = 0; i < kRooms.size() && type != "brief"; ++i)
          if (kRooms[i] == room) found = kept[i];
        return found;
      };
    }
    for (WallMs* lifetime : {&options.key_lifetime_ms, &options.private_lifetime_ms,
                             &options.upload_lifetime_ms, &options.user_lifetime_ms})
      *lifetime = std::array{2, 10, 40, 1'000}[below(4)] * kStep;
    options.rows_max = static_cast<std::uint32_t>(1 + below(12));
    return options;
  }

 private:
  HallWrite write() {
    const std::uint64_t n = below(40);
    if (n < 2 && !keyed_.empty()) return keyed_[below(keyed_.size())];
    if (n < 10) return post_message();
    if (n < 14) return change_message();
    if (n < 19) return post_private();
    if (n < 22) return settle_private();
    if (n < 25) return MarkRoomRead{room(), user(), position()};
    if (n < 27) return create_room();
    if (n < 31) return set_role();
    if (n < 33) return save_user();
    if (n < 36) return begin_upload();
    if (n < 37) return EndUpload{file_id(below(kFiles))};
    if (n < 39) return save_subscription();
    return DropPushSubscription{one_in(3) ? "" : user(), endpoint()};
  }

  std::string content() { return std::array<std::string, 4>{"x", "x", kHostileText, ""}[below(4)]; }
  std::string type() { return one_in(4) ? "emote" : "text"; }
  std::string key() { return one_in(2) ? "" : std::array<std::string, 3>{"1", "2", kHostileText}[below(3)]; }
  WallMs time() { return now_ - static_cast<WallMs>(one_in(3) ? below(8) : 0) * kStep; }
  std::string endpoint() { return "https://push.example/" + std::to_string(below(6)); }
  RoomRole role() { return static_cast<RoomRole>(below(5)); }
  /// A message that was posted, or should have been: of a room, or between users.
  struct Posted {
    std::string id;
    std::string place;  ///< the room, or the target
    std::string user;
  };
  /// One of the last of its kind.
  Posted recent(const std::vector<Posted>& posted) {
    if (posted.empty() || one_in(20)) return {"nothing", room(), user()};
    return posted[posted.size() - 1 - below(std::min<std::size_t>(posted.size(), 10))];
  }
  std::string new_id() { return "m" + std::to_string(++last_id_); }
  /// What has a key is sent again later, under another id.
  template <class Post>
  Post remembered(Post write) {
    if (write.client_message_id.empty()) return write;
    Post again = write;
    again.message.id = new_id();
    if (keyed_.size() == 8) keyed_.erase(keyed_.begin());
    keyed_.emplace_back(std::move(again));
    return write;
  }

  StoredFilePtr file() {
    if (!one_in(6)) return nullptr;
    const std::uint64_t n = one_in(4) ? below(kFiles) : last_upload_;
    const std::string& owner = one_in(8) ? user() : owners_[n];
    const std::uint64_t size = sizes_[n] + (one_in(10) ? 1 : 0);
    return std::make_shared<StoredFile>(
        StoredFile{file_id(n), owner, kHostileText, "image/png", std::string(64, 'b'), size});
  }

  PostMessage post_message() {
    PostMessage write;
    StoredMessage& message = write.message;
    message.id = one_in(20) ? recent(messages_).id : new_id();
    message.room = room();
    message.seq = below(3);
    message.user_id = one_in(20) ? "" : user();
    message.user_json = R"({"name":)" + std::to_string(below(2)) + "}";
    message.type = type();
    message.content = content();
    if (one_in(4)) {
      const Posted target = recent(messages_);
      message.reply_to = target.id;
      if (!one_in(5)) message.room = target.place;
    }
    message.timestamp = time();
    message.edited = one_in(10);
    message.deleted = one_in(10);
    message.file = file();
    write.client_message_id = key();
    messages_.push_back({message.id, message.room, message.user_id});
    return remembered(std::move(write));
  }
  ChangeMessage change_message() {
    const Posted target = recent(messages_);
    ChangeMessage write{target.place, target.id, target.user, role(), std::nullopt};
    if (one_in(10)) write.room = room();
    if (one_in(2)) write.user_id = user();
    if (!one_in(3)) write.content = content();
    return write;
  }
  PostPrivate post_private() {
    PostPrivate write;
    PrivateMessage& message = write.message;
    message.id = one_in(20) ? recent(private_).id : new_id();
    message.from_user = user();
    message.from_json = "{}";
    message.to_user = user();
    message.type = type();
    message.content = content();
    message.timestamp = time();
    message.read = one_in(10);
    message.file = file();
    write.client_message_id = key();
    if (one_in(4)) write.pending_max = static_cast<std::uint32_t>(below(4));
    if (one_in(4)) write.pending_bytes_max = below(60);
    private_.push_back({message.id, message.to_user, message.from_user});
    return remembered(std::move(write));
  }
  SettlePrivate settle_private() {
    SettlePrivate write{recent(private_).place, {}, one_in(2)};
    for (std::uint64_t n = below(10); n > 0; --n) write.ids.push_back(recent(private_).id);
    if (one_in(5)) write.ids.push_back(recent(messages_).id);
    return write;
  }
  CreateRoom create_room() {
    CreateRoom write;
    RoomRecord& record = write.record;
    record.name = room();
    record.type = one_in(2) ? "" : "brief";
    record.title = content();
    record.metadata_json = one_in(2) ? "" : R"({"a":1})";
    record.created_by = one_in(5) ? "" : user();
    record.created_at = one_in(10) ? 0 : time();
    record.last_activity = time();
    record.top = {below(3), "made up"};
    write.rooms_per_user_max = static_cast<std::uint32_t>(below(4));
    return write;
  }
  SetRole set_role() {
    SetRole write{room(), user(), role(), one_in(3) ? "" : user(), role(), one_in(2), one_in(3)};
    if (one_in(2)) write.actor_min = RoomRole::kNone;
    return write;
  }
  SaveUser save_user() {
    SaveUser write{user(), one_in(3) ? "" : R"({"n":1})", one_in(3) ? 0 : time(), std::nullopt};
    if (one_in(2)) write.rooms.emplace(below(3), "room");
    return write;
  }
  BeginUpload begin_upload() {
    const std::uint64_t n = last_upload_ = below(kFiles);
    owners_[n] = user();
    sizes_[n] = below(200);
    BeginUpload write;
    write.record.file = {file_id(n), owners_[n], "name", "text/plain", "", sizes_[n]};
    write.record.room = one_in(2) ? room() : "";
    write.record.target_user = write.record.room.empty() ? user() : "";
    write.record.started_at = one_in(10) ? 0 : time();
    write.user_bytes_max = one_in(3) ? below(400) : 1'000'000;
    write.total_bytes_max = one_in(3) ? below(800) : UINT64_MAX;
    write.user_uploads_max = one_in(3) ? static_cast<std::uint32_t>(below(4)) : UINT32_MAX;
    return write;
  }
  SavePushSubscription save_subscription() {
    SavePushSubscription write;
    write.subscription = {user(), endpoint(), std::string(65, static_cast<char>(below(256))),
                          std::string(16, '\0'), time()};
    write.per_user_max = static_cast<std::uint32_t>(below(4));
    return write;
  }

  SeededRandom random_;
  WallMs now_ = 1'700'000'000'000;
  std::uint64_t last_id_ = 0;
  std::uint64_t last_upload_ = 0;
  std::array<std::string, kFiles> owners_;  // of uploads, as they were begun last
  std::array<std::uint64_t, kFiles> sizes_ = {};
  std::vector<Posted> messages_;
  std::vector<Posted> private_;
  std::vector<HallWrite> keyed_;  // posts that are sent again
};

}  // namespace wirehall::test
