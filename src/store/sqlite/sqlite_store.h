// The store that lasts: one SQLite file, in WAL mode, synced at every commit.
//
//   I1  One connection writes and checkpoints; the others only read, and never checkpoint. Distributions ship
//       SQLite versions in which two checkpoints at the same instant can damage the file (before 3.51.3).
//   I2  A commit that could not be synced is not known to be stored or not: nothing is acknowledged any more
//       until the program was started anew and has read what the file says.
//   I3  A read is one short transaction, so that the write-ahead log can be folded back.
//
// Tables: schema.cc. Spec: RELIABILITY.md 1.10 and 4.2.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/random.h"
#include "wirehall/hall_store.h"

namespace wirehall::store {

struct SqliteStoreOptions {
  std::string path;                        ///< of the file; those beside it have -wal and -shm at the end
  std::uint64_t file_bytes_max = 0;        ///< kUnavailable beyond it; 0: as much as there is
  std::uint32_t readers_max = 4;           ///< connections that read; more reads wait
  Duration lock_wait{};                    ///< how long open() waits for another process that has it
  std::uint32_t cache_bytes_max = 16 * 1024 * 1024;  ///< of the writer's pages
};

/// Thread:   as the port says.
class SqliteStore final : public HallStore {
 public:
  /// Opens the file, makes it when it is missing, brings its tables up to date.
  /// Errors:   kConfig: it cannot be opened, another process has it, or a newer program has written it.
  static Result<std::unique_ptr<SqliteStore>> open(SqliteStoreOptions options);
  ~SqliteStore() override;

  Result<std::vector<WriteOutcome>> commit(std::span<HallWrite> writes, WallMs now) override;
  Result<UpkeepResult> maintain(const UpkeepOptions& options, WallMs now) override;
  Result<MessagePage> read_newest(const std::string& room, std::uint64_t before, std::uint32_t limit) override;
  Result<MessagePage> read_after(const std::string& room, std::uint64_t after, std::uint32_t limit) override;
  Result<RoomView> find_room(const std::string& room, const std::string& user_id) override;
  Result<std::vector<RoomRecord>> list_rooms(const std::string& after, std::uint32_t limit) override;
  Result<std::optional<UserRecord>> find_user(const std::string& user_id) override;
  Result<std::vector<PrivateMessage>> read_pending(const std::string& user_id, std::uint32_t limit) override;
  Result<std::optional<UploadRecord>> find_upload(const std::string& id) override;
  Result<std::optional<FileView>> find_file(const std::string& id) override;
  Result<std::vector<PushSubscription>> push_subscriptions(const std::string& user_id) override;

  /// Whether writes are refused until the next start (I2). Thread: any.
  bool failed() const { return failed_.load(std::memory_order_acquire); }

 private:
  struct Core;
  class Lease;
  explicit SqliteStore(SqliteStoreOptions options);
  Error broken(const char* what, int code);
  template <class T, class F>
  Result<T> read(F use);

  SqliteStoreOptions options_;
  std::unique_ptr<Core> core_;
  std::atomic<bool> failed_{false};
};

/// Copies a database to a new file, while a server may be using it. In the copy every room's stream has a new
/// epoch: a position that a client got from the original, which has gone on, means nothing there.
///
/// Errors:   kConfig: there is no database, the target exists or cannot be written. Nothing is left then.
Status backup_database(const std::string& path, const std::string& target, RandomSource& random);

/// SQLite's version, and whether it is one in which only I1 keeps the file safe.
std::string sqlite_version();
bool sqlite_has_wal_reset_bug();

}  // namespace wirehall::store
