// When the write-ahead log is folded back into the database, and how long its file is.
//
//   I1  It is folded back by the connection that writes, behind a commit that makes it so long; never
//   meanwhile. I2  Its file grows ahead of what is written to it, in steps, up to the length at which it is
//   folded back:
//       syncing what is written over costs a fraction of syncing a file that grows. What stands behind the
//       log is zeros, which SQLite takes for its end. Nothing but speed depends on it.
#pragma once

#include <cstdint>
#include <string>

#include "store/sqlite/database.h"

namespace wirehall::store::sqlite {

/// Pages after which the log is folded back. With 4 KiB pages that is 4 MiB: what is in the log takes its space
/// twice, and a disk that has become full must not be full of that.
inline constexpr int kLogPages = 1'000;

/// Thread:   the writer's.
/// Lifetime: ends before the connection.
class WriteAheadLog {
 public:
  /// `path`: of the database, which is in WAL mode. Throws: SqliteError.
  WriteAheadLog(Database& db, const std::string& path);
  ~WriteAheadLog();
  WriteAheadLog(const WriteAheadLog&) = delete;

 private:
  static int committed(void* self, sqlite3* db, const char* schema, int pages);
  void lengthen(std::uint64_t used_bytes);

  Database& db_;
  int file_ = -1;  // -1: it stays as long as SQLite makes it
  std::uint64_t page_bytes_ = 0;
  std::uint64_t file_bytes_ = 0;
};

}  // namespace wirehall::store::sqlite
