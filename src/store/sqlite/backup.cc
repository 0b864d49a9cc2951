#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/base64.h"
#include "store/sqlite/database.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_store.h"

namespace wirehall::store {
namespace {

using sqlite::Database;

std::string random_text(RandomSource& random) {
  const std::uint64_t value = random.next();
  return to_base64url({reinterpret_cast<const char*>(&value), sizeof value});
}

void renew_epochs(Database& db, RandomSource& random) {
  sqlite::Transaction transaction(db, sqlite::Transaction::Kind::kWrite);
  std::vector<std::int64_t> rooms;
  {
    sqlite::Query query(db, "SELECT id FROM rooms");
    while (query.next()) rooms.push_back(query.integer(0));
  }
  for (const std::int64_t id : rooms)
    sqlite::Query(db, "UPDATE rooms SET epoch = ? WHERE id = ?", random_text(random), id).run();
  const std::string base = random_text(random) + random_text(random);
  sqlite::Query(db, "UPDATE meta SET value = ? WHERE name = 'epoch_base'", sqlite::Blob{base}).run();
  transaction.commit();
}

bool sync_file(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  return synced;
}

}  // namespace

Status backup_database(const std::string& path, const std::string& target, RandomSource& random) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return Error(ErrorCode::kConfig, path + ": there is no database");
  if (fs::exists(target, ignored)) return Error(ErrorCode::kConfig, target + ": exists already");
  const std::string unfinished = target + ".unfinished";
  fs::remove(unfinished, ignored);
  try {
    {
      Database source(path, Database::Mode::kReadOnly);
      sqlite::Query(source, "VACUUM INTO ?", unfinished).run();
    }
    {
      Database copy(unfinished, Database::Mode::kReadWrite);
      renew_epochs(copy, random);
    }
    const fs::path folder = fs::path(target).has_parent_path() ? fs::path(target).parent_path() : fs::path(".");
    if (!sync_file(unfinished, O_RDONLY)) {
      fs::remove(unfinished, ignored);
      return Error(ErrorCode::kConfig, target + ": cannot be synced");
    }
    fs::rename(unfinished, target);
    sync_file(folder.string(), O_RDONLY | O_DIRECTORY);
  } catch (const std::exception& error) {
    fs::remove(unfinished, ignored);
    return Error(ErrorCode::kConfig, target + ": " + error.what());
  }
  return {};
}

std::string sqlite_version() { return sqlite3_libversion(); }

bool sqlite_has_wal_reset_bug() {
  const int version = sqlite3_libversion_number();
  const bool mended = version >= 3'051'003 || (version >= 3'050'007 && version < 3'051'000) ||
                      (version >= 3'044'006 && version < 3'045'000);
  return version >= 3'007'000 && !mended;
}

}  // namespace wirehall::store
