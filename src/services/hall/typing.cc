#include "services/hall/typing.h"

#include "services/hall/presentation.h"

namespace wirehall::services {
namespace {
std::string key_of(const std::string& room, const std::string& user_id) { return room + '\0' + user_id; }
}  // namespace

struct TypingTracker::Typist final : Timer {
  explicit Typist(TypingTracker& tracker) : owner(tracker) {}
  ~Typist() = default;
  void on_timer(MonoTime) override { owner.end(key); }
  TypingTracker& owner;
  std::string key, room, user_id, socket_id;
};

TypingTracker::TypingTracker(hub::Hub& hub, Duration timeout, Tell tell)
    : hub_(hub), timeout_(timeout), tell_(std::move(tell)) {}

TypingTracker::~TypingTracker() = default;

void TypingTracker::typing(const std::string& room, const std::string& user_id, const std::string& user_json,
                           const std::string& socket_id) {
  std::unique_ptr<Typist>& typist = typists_[key_of(room, user_id)];
  const bool begins = !typist;
  if (begins) {
    typist = std::make_unique<Typist>(*this);
    typist->key = key_of(room, user_id);
    typist->room = room;
    typist->user_id = user_id;
  }
  typist->socket_id = socket_id;
  hub_.environment().timers().schedule(*typist, hub_.now() + timeout_);
  if (!begins) return;
  Object fields{{"userId", user_id},
                {"user", object_of(user_json)},
                {"roomId", room},
                {"timestamp", hub_.environment().wall_now()}};
  tell_(room, "user-typing", std::move(fields), socket_id);
}

void TypingTracker::stopped(const std::string& room, const std::string& user_id) { end(key_of(room, user_id)); }

void TypingTracker::end(const std::string& key) {
  const auto found = typists_.find(key);
  if (found == typists_.end()) return;
  // It may be the timer that fires right now: it dies in the next turn.
  std::unique_ptr<Typist> typist = std::move(found->second);
  typists_.erase(found);
  hub_.environment().timers().cancel(*typist);
  tell_(typist->room, "user-stopped-typing",
        {{"userId", typist->user_id}, {"roomId", typist->room}, {"timestamp", hub_.environment().wall_now()}},
        typist->socket_id);
  ended_.push_back(std::move(typist));
  if (ended_.size() == 1) hub_.defer([this] { ended_.clear(); });
}

}  // namespace wirehall::services
