// SQLite's C interface with owners for what it hands out. Errors are exceptions of this folder, caught where
// the store answers.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

namespace wirehall::store::sqlite {

/// What SQLite refused. The text holds no data of rows.
class SqliteError final : public std::exception {
 public:
  SqliteError(int code, std::string text) : code_(code), text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }
  /// The extended result code.
  int code() const { return code_; }

 private:
  int code_;
  std::string text_;
};

/// Bytes, as opposed to text.
struct Blob {
  std::string_view bytes;
};

struct StatementDeleter {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using StatementPtr = std::unique_ptr<sqlite3_stmt, StatementDeleter>;

/// One connection and the statements that it has prepared.
///
/// Thread:   one at a time.
class Database {
 public:
  enum class Mode : std::uint8_t { kReadWrite, kReadOnly };
  /// Throws: SqliteError.
  Database(const std::string& path, Mode mode);
  ~Database();
  Database(const Database&) = delete;

  /// Runs statements that give no rows, e.g. a script. Throws: SqliteError.
  void execute(const std::string& sql);
  /// A statement that stays prepared. Requires: a string literal, its address is the key.
  sqlite3_stmt* prepared(const char* sql);
  std::int64_t changes() const { return sqlite3_changes64(handle_.get()); }
  std::int64_t last_insert_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
  sqlite3* handle() const { return handle_.get(); }
  [[noreturn]] void fail(int code) const;

 private:
  struct Closer {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Closer> handle_;
  std::unordered_map<const char*, StatementPtr> statements_;
};

/// One use of a prepared statement: binds, steps, and resets it in the end.
///
///   Query query(db, "SELECT a FROM t WHERE b = ?", b);
///   while (query.next()) use(query.text(0));
///
/// Lifetime: the texts and blobs that are bound must live as long as the query, since none is copied.
class Query {
 public:
  template <class... Args>
  Query(Database& db, const char* sql, const Args&... args) : db_(db), statement_(db.prepared(sql)) {
    int index = 0;
    (bind(++index, args), ...);
  }
  ~Query() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Query(const Query&) = delete;

  /// Steps to the next row. Returns: whether there is one. Throws: SqliteError.
  bool next();
  /// Steps to the end. Throws: SqliteError.
  void run() {
    while (next()) {
    }
  }

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::string text(int column) const { return std::string(view(column)); }
  /// Lifetime: until the next step.
  std::string_view view(int column) const;

 private:
  void bind(int index, std::int64_t value) { check(sqlite3_bind_int64(statement_, index, value)); }
  template <class T>
    requires std::is_integral_v<T>
  void bind(int index, T value) {
    bind(index, static_cast<std::int64_t>(value));
  }
  void bind(int index, std::string_view text);
  void bind(int index, const std::string& text) { bind(index, std::string_view(text)); }
  void bind(int index, const char* text) { bind(index, std::string_view(text)); }
  void bind(int index, Blob blob);
  template <class T>
  void bind(int index, const std::optional<T>& value) {
    if (value) {
      bind(index, *value);
    } else {
      check(sqlite3_bind_null(statement_, index));
    }
  }
  void check(int code) const {
    if (code != SQLITE_OK) db_.fail(code);
  }

  Database& db_;
  sqlite3_stmt* statement_;
};

/// A transaction; rolled back unless it was committed.
class Transaction {
 public:
  enum class Kind : std::uint8_t { kWrite, kRead };
  Transaction(Database& db, Kind kind) : db_(db) {
    Query(db, kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN").run();
  }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  void commit();

 private:
  Database& db_;
  bool open_ = true;
};

}  // namespace wirehall::store::sqlite
