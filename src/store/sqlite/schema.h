// The tables, by versions. docs/reference/storage-schema.md describes them and names this file.
#pragma once

#include "store/sqlite/database.h"

namespace wirehall::store::sqlite {

/// Version of the tables that this program writes, in the file as `PRAGMA user_version`.
int schema_version();

/// Brings an older file up to date, each version in a transaction of its own.
/// Throws: SqliteError; also when a newer program has written the file.
void migrate(Database& db);

}  // namespace wirehall::store::sqlite
