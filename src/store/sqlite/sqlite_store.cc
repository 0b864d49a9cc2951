#include "store/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "store/file_lock.h"
#include "store/sqlite/reader.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/writer.h"
#ifdef WIREHALL_FAULT_ACK_BEFORE_COMMIT
#include "store/sqlite/fault_for_test.h"
#endif

namespace wirehall::store {

using sqlite::Database;
using sqlite::SqliteError;
using sqlite::Transaction;

namespace {

// After these nobody knows what of the file is on the disk.
bool leaves_doubt(int code) {
  return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC || (code & 0xff) == SQLITE_CORRUPT ||
         (code & 0xff) == SQLITE_NOTADB;
}

}  // namespace

struct SqliteStore::Core {
  explicit Core(const std::string& path) : lock(path + ".lock") {}
  FileLock lock;
  std::unique_ptr<Database> db;
  std::unique_ptr<sqlite::Writer> writer;
  std::unique_ptr<sqlite::Upkeep> upkeep;

  std::mutex mutex;
  std::condition_variable free_reader;
  std::vector<std::unique_ptr<Database>> idle_readers;
  std::uint32_t readers = 0;
};

SqliteStore::SqliteStore(SqliteStoreOptions options)
    : options_(std::move(options)), core_(std::make_unique<Core>(options_.path)) {}

SqliteStore::~SqliteStore() {
  core_->idle_readers.clear();  // the writer goes last: it folds the log back into the file
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(SqliteStoreOptions options) {
  const std::string path = options.path;
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options)));
  Core& core = *store->core_;
  if (!core.lock.wait(store->options_.lock_wait))
    return Error(ErrorCode::kConfig, path + ": cannot be locked; is another server using it?");
  // The files beside it get the same mode.
  if (const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); fd >= 0) ::close(fd);
  try {
    core.db = std::make_unique<Database>(path, Database::Mode::kReadWrite);
    Database& db = *core.db;
    db.execute("PRAGMA journal_mode = WAL");
    db.execute("PRAGMA synchronous = FULL");
    db.execute("PRAGMA journal_size_limit = 67108864");
    db.execute("PRAGMA cache_size = -" + std::to_string(store->options_.cache_bytes_max / 1024));
    sqlite::migrate(db);
    if (const std::uint64_t most = store->options_.file_bytes_max; most != 0) {
      sqlite::Query size(db, "PRAGMA page_size");
      size.next();
      const std::uint64_t pages = std::max<std::uint64_t>(1, most / static_cast<std::uint64_t>(size.integer(0)));
      db.execute("PRAGMA max_page_count = " + std::to_string(pages));
    }
    // All of them at once: what a server holds open does not depend on what it was asked.
    for (; core.readers < store->options_.readers_max; ++core.readers) {
      auto reader = std::make_unique<Database>(path, Database::Mode::kReadOnly);
      sqlite::Query(*reader, "SELECT name FROM meta LIMIT 1").run();  // opens the log, too
      core.idle_readers.push_back(std::move(reader));
    }
    core.writer = std::make_unique<sqlite::Writer>(db);
    core.upkeep = std::make_unique<sqlite::Upkeep>(db);
  } catch (const SqliteError& error) {
    return Error(ErrorCode::kConfig, path + ": " + error.what());
  }
  return store;
}

// -- writing ----------------------------------------------------------------------------------------------

Error SqliteStore::broken(const char* what, int code) {
  if (leaves_doubt(code) && !failed_.exchange(true, std::memory_order_acq_rel)) {
    log_line(LogLevel::kError, "store", "what was written last is in doubt: nothing is stored until a restart",
             {{"what", what}, {"code", code}});
  } else {
    log_line(LogLevel::kError, "store", "writing failed", {{"what", what}, {"code", code}});
  }
  return Error(ErrorCode::kUnavailable, (code & 0xff) == SQLITE_FULL ? "the disk or its quota is full" : "");
}

Result<std::vector<WriteOutcome>> SqliteStore::commit(std::span<HallWrite> writes, WallMs now) {
  if (failed()) return Error(ErrorCode::kUnavailable, "the store has failed; the server must be started anew");
  Core& core = *core_;
  try {
    std::vector<WriteOutcome> outcomes;
    outcomes.reserve(writes.size());
    Transaction transaction(*core.db, Transaction::Kind::kWrite);
    for (HallWrite& write : writes)
      outcomes.push_back(std::visit([&](auto& one) { return core.writer->apply(one, now); }, write));
#ifdef WIREHALL_FAULT_ACK_BEFORE_COMMIT
    if (sqlite::g_before_commit) sqlite::g_before_commit(outcomes);
#endif
    transaction.commit();
    core.writer->forget_some();
    return outcomes;
  } catch (const SqliteError& error) {
    core.writer->forget();
    return broken(error.what(), error.code());
  }
}

Result<UpkeepResult> SqliteStore::maintain(const UpkeepOptions& options, WallMs now) {
  if (failed()) return ErrorCode::kUnavailable;
  try {
    UpkeepResult result = core_->upkeep->step(options, now);
    core_->writer->forget_inboxes();
    return result;
  } catch (const SqliteError& error) {
    core_->writer->forget();
    return broken(error.what(), error.code());
  }
}

// -- reading ----------------------------------------------------------------------------------------------

/// A reading connection for as long as one read takes. One that failed is not used again.
class SqliteStore::Lease {
 public:
  Lease(Core& core, const SqliteStoreOptions& options) : core_(core) {
    std::unique_lock lock(core_.mutex);
    core_.free_reader.wait(lock, [&] { return !core_.idle_readers.empty() || core_.readers < options.readers_max; });
    if (!core_.idle_readers.empty()) {
      db_ = std::move(core_.idle_readers.back());
      core_.idle_readers.pop_back();
      return;
    }
    ++core_.readers;
    lock.unlock();
    try {
      db_ = std::make_unique<Database>(options.path, Database::Mode::kReadOnly);
    } catch (const SqliteError&) {
      give_back();
      throw;
    }
  }
  ~Lease() { give_back(); }
  Lease(const Lease&) = delete;
  Database& db() { return *db_; }
  void discard() { db_.reset(); }

 private:
  void give_back() {
    {
      const std::lock_guard lock(core_.mutex);
      if (db_) {
        core_.idle_readers.push_back(std::move(db_));
      } else {
        --core_.readers;
      }
    }
    core_.free_reader.notify_one();
  }
  Core& core_;
  std::unique_ptr<Database> db_;
};

template <class T, class F>
Result<T> SqliteStore::read(F use) {
  try {
    Lease lease(*core_, options_);
    try {
      Transaction transaction(lease.db(), Transaction::Kind::kRead);
      sqlite::Reader reader(lease.db(), core_->writer->epoch_base());
      T result = use(reader);
      transaction.commit();
      return result;
    } catch (const SqliteError&) {
      lease.discard();
      throw;
    }
  } catch (const SqliteError& error) {
    log_line(LogLevel::kError, "store", "reading failed", {{"what", error.what()}, {"code", error.code()}});
    return ErrorCode::kUnavailable;
  }
}

Result<MessagePage> SqliteStore::read_newest(const std::string& room, std::uint64_t before,
                                             std::uint32_t limit) {
  return read<MessagePage>([&](sqlite::Reader& reader) { return reader.newest(room, before, limit); });
}
Result<MessagePage> SqliteStore::read_after(const std::string& room, std::uint64_t after, std::uint32_t limit) {
  return read<MessagePage>([&](sqlite::Reader& reader) { return reader.after(room, after, limit); });
}
Result<RoomView> SqliteStore::find_room(const std::string& room, const std::string& user_id) {
  return read<RoomView>([&](sqlite::Reader& reader) { return reader.room(room, user_id); });
}
Result<std::vector<RoomRecord>> SqliteStore::list_rooms(const std::string& after, std::uint32_t limit) {
  return read<std::vector<RoomRecord>>([&](sqlite::Reader& reader) { return reader.rooms(after, limit); });
}
Result<std::optional<UserRecord>> SqliteStore::find_user(const std::string& user_id) {
  return read<std::optional<UserRecord>>([&](sqlite::Reader& reader) { return reader.user(user_id); });
}
Result<std::vector<PrivateMessage>> SqliteStore::read_pending(const std::string& user_id, std::uint32_t limit) {
  return read<std::vector<PrivateMessage>>([&](sqlite::Reader& reader) { return reader.pending(user_id, limit); });
}
Result<std::optional<UploadRecord>> SqliteStore::find_upload(const std::string& id) {
  return read<std::optional<UploadRecord>>([&](sqlite::Reader& reader) { return reader.upload(id); });
}
Result<std::optional<FileView>> SqliteStore::find_file(const std::string& id) {
  return read<std::optional<FileView>>([&](sqlite::Reader& reader) { return reader.file(id); });
}
Result<std::vector<PushSubscription>> SqliteStore::push_subscriptions(const std::string& user_id) {
  return read<std::vector<PushSubscription>>([&](sqlite::Reader& reader) { return reader.subscriptions(user_id); });
}

}  // namespace wirehall::store
