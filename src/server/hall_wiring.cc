#include "server/hall_wiring.h"

#include <algorithm>
#include <filesystem>

#include "auth/jwt.h"
#include "auth/turn_credential.h"
#include "base/assert.h"
#include "base/log.h"
#include "push/push_subscription.h"
#include "push/vapid.h"
#include "push/web_push_sender.h"
#include "push/webhook_push_sender.h"
#include "store/memory/memory_store.h"
#include "store/sqlite/sqlite_store.h"

namespace wirehall::server {
namespace {

constexpr std::chrono::milliseconds kLockWait{5000};

}  // namespace

/// The bytes of uploads, in the data directory.
class HallWiring::Files final : public services::UploadBytes {
 public:
  explicit Files(store::FileStore& files) : files_(files) {}
  Result<Appended> append(const std::string& id, std::uint64_t offset, std::string_view bytes,
                          std::uint64_t size_max) override {
    const Result<store::FileStore::Appended> appended = files_.append(id, offset, bytes, size_max);
    if (!appended.ok()) return told(appended.error());
    return Appended{!appended->written, appended->size};
  }
  Result<std::uint64_t> size(const std::string& id) override {
    Result<std::uint64_t> size = files_.size(id);
    return size.ok() ? size : told(size.error());
  }
  Result<std::string> sha256(const std::string& id) override {
    Result<std::string> sum = files_.sha256(id);
    return sum.ok() ? sum : told(sum.error());
  }
  void remove(const std::string& id) override { (void)files_.remove(id).ok(); }

 private:
  // What the file system says is for the log, which has it.
  static Error told(const Error& error) {
    return error.code() == ErrorCode::kTooLarge ? error
                                                : Error(ErrorCode::kUnavailable, "files cannot be kept now");
  }
  store::FileStore& files_;
};

HallWiring::HallWiring(Composition& composition) : composition_(composition) {
  configure();
  add_room_types();
  for (const auto step : {&HallWiring::open_directory, &HallWiring::open_store, &HallWiring::open_files,
                          &HallWiring::open_push}) {
    const Status opened = (this->*step)();
    if (opened.ok()) continue;
    composition_.refuse_start(opened.error());
    return;
  }
  composition_.before_start([this] { start_writer(); });
  composition_.before_destruction([this] {
    for (unsigned i = 0; i < composition_.node()->shard_count(); ++i)
      shard(composition_.node()->shard(i).core().hub()).users.save_all();
    if (writer_) writer_->stop();
    if (push_) push_->stop();
  });
}

HallWiring::~HallWiring() = default;

// -- settings ---------------------------------------------------------------------------------------------

void HallWiring::configure() {
  using services::Allowed;
  const Config& config = composition_.config();
  const HallConfig& hall = config.hall;
  const Limits& limits = config.limits;
  const auto allow = [&](Allowed kind, std::uint32_t per_minute, std::uint32_t burst) {
    shared_.allowances[static_cast<std::size_t>(kind)] = {per_minute, std::max(1u, burst)};
  };
  allow(Allowed::kMessage, config.messages_per_minute,
        config.messages_burst != 0 ? config.messages_burst : config.messages_per_minute);
  allow(Allowed::kTyping, limits.typing_per_minute_max, limits.typing_per_minute_max / 5);
  allow(Allowed::kRoomChange, limits.room_changes_per_minute_max, limits.room_changes_per_minute_max);
  allow(Allowed::kQuery, limits.queries_per_minute_max, limits.queries_per_minute_max);
  allow(Allowed::kSignal, limits.signals_per_minute_max, limits.signals_per_minute_max);
  allow(Allowed::kUpload, limits.upload_chunks_per_minute_max, limits.upload_chunks_per_minute_max);
  shared_.expiry_leeway = auth::VerifyOptions().leeway;
  shared_.typing_timeout = config.typing_timeout;
  shared_.presence_grace = hall.presence_grace;
  shared_.presence_tick = hall.presence_tick;
  shared_.presence_tick_members = hall.presence_tick_members;
  shared_.recovery_window = config.connection_state_recovery;
  shared_.rejoin_ms_max = std::chrono::duration_cast<Milliseconds>(hall.rejoin).count();
  shared_.recent_messages = config.recent_messages;
  shared_.connections_per_user_max = limits.connections_per_user_max;
  shared_.pending_max = hall.private_pending_max;
  shared_.pending_bytes_max = hall.private_pending_bytes_max;
  shared_.create_on_join = hall.create_on_join;
  shared_.uploads.file_bytes_max = hall.upload_file_bytes_max;
  shared_.uploads.user_bytes_max = hall.upload_user_bytes_max;
  shared_.uploads.total_bytes_max = hall.upload_total_bytes_max;
  shared_.uploads.types = hall.upload_types;
  shared_.calls.ring_timeout = hall.ring_timeout;
  shared_.turn.stun_urls = hall.stun_urls;
  shared_.turn.turn_urls = hall.turn_urls;
  shared_.turn.lifetime = hall.turn_lifetime;
  if (!hall.turn_secret.empty()) {
    shared_.turn.credential = [secret = hall.turn_secret](std::string_view user_name) {
      return auth::turn_credential(secret, user_name);
    };
  }
  shared_.submit = [this](HallWrite&& write, unsigned shard, std::uint64_t ticket) {
    return writer_ && writer_->submit(std::move(write), {shard, ticket});
  };
  shared_.batches_started = [this] { return writer_ ? writer_->started() : 0; };
}

void HallWiring::add_room_types() {
  for (const auto& [name, options] : composition_.config().hall.room_types)
    shared_.room_types.add(name, std::make_shared<const RoomType>(options));
}

// -- what lasts -------------------------------------------------------------------------------------------

// One server for a data directory, whatever it keeps there. The one before may be ending: the kernel gives
// its lock back when it has closed its sockets, which with many clients takes a moment.
Status HallWiring::open_directory() {
  namespace fs = std::filesystem;
  const fs::path directory = composition_.config().data_dir;
  std::error_code error;
  if (fs::create_directories(directory, error))
    fs::permissions(directory, fs::perms::owner_all, fs::perm_options::replace, error);
  if (error)
    return Error(ErrorCode::kConfig, "data directory " + directory.string() + ": " + error.message());
  lock_ = std::make_unique<store::FileLock>((directory / "wirehall.lock").string());
  if (lock_->locked()) return {};
  const std::int64_t owner = lock_->owner();
  if (lock_->is_taken()) {
    log_line(LogLevel::kWarning, "store", "waiting for another server's lock",
             {{"directory", directory.string()},
              {"process", owner},
              {"longestMs", std::int64_t{kLockWait.count()}}});
    if (lock_->wait(kLockWait)) return {};
  }
  return Error(ErrorCode::kConfig, "data directory " + directory.string() +
                                       " cannot be locked: is another server using it?" +
                                       (owner != 0 ? " Process " + std::to_string(owner) + " has it." : ""));
}

Status HallWiring::open_store() {
  const Config& config = composition_.config();
  if (!config.hall.store_lasts) {
    replace_store(std::make_unique<store::MemoryStore>(store::MemoryStoreOptions(),
                                                       std::make_unique<io::SystemRandom>()));
    return {};
  }
  store::SqliteStoreOptions options;
  options.path = config.data_dir + "/wirehall.db";
  options.file_bytes_max = config.hall.database_bytes_max;
  options.lock_wait = kLockWait;
  auto opened = store::SqliteStore::open(std::move(options));
  if (!opened.ok()) return opened.error();
  log_line(
      LogLevel::kInfo, "store", "database open",
      {{"sqlite", store::sqlite_version()}, {"one_checkpointer_needed", store::sqlite_has_wal_reset_bug()}});
  replace_store(std::move(*opened));
  return {};
}

void HallWiring::replace_store(std::unique_ptr<HallStore> store) {
  store_ = std::move(store);
  shared_.store = store_.get();
}

Status HallWiring::open_files() {
  // What memory knows of is gone with it; files that a database knows of are not to be mixed with that.
  const Config& config = composition_.config();
  const std::string directory = config.data_dir + (config.hall.store_lasts ? "/files" : "/files-of-memory");
  auto opened = store::FileStore::open(directory);
  if (!opened.ok()) return Error(ErrorCode::kConfig, directory + ": " + opened.error().text());
  file_store_ = std::move(*opened);
  files_ = std::make_unique<Files>(*file_store_);
  shared_.files = files_.get();
  return {};
}

// What a crash left behind: bytes that no row names.
void HallWiring::sweep_files() {
  const Result<std::vector<std::string>> ids = file_store_->list();
  if (!ids.ok()) return;
  std::int64_t removed = 0;
  for (const std::string& id : *ids) {
    const auto upload = store_->find_upload(id);
    const auto file = store_->find_file(id);
    const bool needed = !upload.ok() || !file.ok() || *upload || *file;
    if (needed) continue;
    (void)file_store_->remove(id).ok();
    ++removed;
  }
  if (removed != 0) log_line(LogLevel::kInfo, "store", "left-over files removed", {{"count", removed}});
}

Status HallWiring::open_push() {
  const HallConfig& hall = composition_.config().hall;
  if (!hall.push_webhook_url.empty()) {
    push::WebhookPushOptions options;
    options.url = hall.push_webhook_url;
    options.secret = hall.push_webhook_secret;
    auto made = push::WebhookPushSender::create(options, clock_);
    if (!made.ok()) return made.error();
    push_ = std::move(*made);
  } else if (!hall.vapid_public_key.empty() || !hall.vapid_private_key.empty()) {
    Result<push::Vapid> vapid =
        push::Vapid::load({hall.vapid_public_key, hall.vapid_private_key}, hall.vapid_subject);
    if (!vapid.ok()) return vapid.error();
    push::WebPushOptions options;
    options.allow_private = hall.push_private_endpoints;
    auto made = push::WebPushSender::create(
        std::move(*vapid), options, clock_, [this](std::string user_id, std::string endpoint) {
          DropPushSubscription write{std::move(user_id), std::move(endpoint)};
          (void)shared_.submit(HallWrite(std::move(write)), 0, 0);
        });
    if (!made.ok()) return made.error();
    push_ = std::move(*made);
    shared_.parse_push_subscription = [open = hall.push_private_endpoints](const Value& value) {
      Result<PushSubscription> parsed = push::parse_push_subscription(value);
      if (!parsed.ok()) return parsed;
      const Status checked = push::check_push_subscription(*parsed, open);
      return checked.ok() ? parsed : Result<PushSubscription>(checked.error());
    };
  }
  shared_.push = push_.get();
  return {};
}

// -- the writer ---------------------------------------------------------------------------------------------

store::WriterOptions HallWiring::writer_options() const {
  const HallConfig& hall = composition_.config().hall;
  const auto milliseconds = [](auto time) { return std::chrono::duration_cast<Milliseconds>(time).count(); };
  store::WriterOptions options;
  // A type that says nothing of how much is kept keeps what is set for all.
  options.upkeep.retention = [types = &shared_.room_types, all = hall.history](std::string_view room,
                                                                               std::string_view type) {
    RoomRecord record;
    record.type = std::string(type);
    Retention kept = types->of(room, &record).options().retention;
    if (kept.messages_max == 0) kept.messages_max = all.messages_max;
    if (kept.age_ms_max == 0) kept.age_ms_max = all.age_ms_max;
    return kept;
  };
  options.upkeep.private_lifetime_ms = milliseconds(hall.private_lifetime);
  options.upkeep.upload_lifetime_ms = milliseconds(hall.upload_lifetime);
  options.upkeep.rows_max = 250;  // a few milliseconds in which nobody's message waits longer
  return options;
}

void HallWiring::start_writer() {
  sweep_files();
  writer_ = std::make_unique<store::HallWriter>(
      *store_, clock_, writer_options(),
      [this](const store::HallWriter::Batch& done, Result<std::vector<WriteOutcome>> outcomes) {
        committed(done, std::move(outcomes));
      },
      [this](const std::vector<std::string>& files) {
        for (const std::string& id : files) (void)file_store_->remove(id).ok();
      });
}

// On the writer's thread: one batch to each shard, in commit order.
void HallWiring::committed(const store::HallWriter::Batch& done, Result<std::vector<WriteOutcome>> outcomes) {
  const std::size_t count = done.writes.size();
  auto batch = std::make_shared<services::CommittedBatch>();
  if (outcomes.ok()) {
    WIREHALL_ASSERT(outcomes->size() == count);  // a store of the application's own may be wrong
    batch->outcomes = std::move(*outcomes);
  } else {
    batch->outcomes.resize(count);
    for (WriteOutcome& outcome : batch->outcomes) outcome.code = outcomes.error().code();  // the detail is in the log
  }
  batch->writes.reserve(count);
  const WallMs now = clock_.wall_now();
  for (std::size_t i = 0; i < count; ++i) {
    WriteOutcome& outcome = batch->outcomes[i];
    outcome.committed_at = now;
    services::CommittedWrite& write =
        batch->writes.emplace_back(services::describe_commit(done.writes[i], outcome, now));
    write.origin = done.origins[i].shard;
    write.ticket = done.origins[i].ticket;
  }
  log_events(batch->writes);
  io::Node* node = composition_.node();
  for (unsigned i = 0; i < node->shard_count(); ++i) {
    node->post_to(i, [this, batch](pipeline::ShardCore& core) { shard(core.hub()).committed(batch); });
  }
}

// With connection state recovery what rooms are told goes through the log, in commit order.
void HallWiring::log_events(const std::vector<services::CommittedWrite>& writes) {
  hub::RecoveryLog* log = composition_.registry().of("/").recovery.get();
  if (log == nullptr) return;
  for (const services::CommittedWrite& write : writes) {
    if (!write.event) continue;
    hub::Selector to;
    to.rooms.push_back(write.room);
    if (log->append(write.event, std::move(to), EmitFlags(), clock_.now())) continue;
    // It is stored, and clients see the hole in the room's numbers.
    composition_.node()->post_to(0, [](pipeline::ShardCore& core) {
      static_cast<hub::Environment&>(core).metrics().add(Counter::kDroppedMailbox);
    });
  }
}

}  // namespace wirehall::server
