// The bytes of uploads and files: one file for each id, all in one directory.
//
//   I1  Only a file id becomes a name, and a name is only looked up in the directory that was opened at the
//       start. What is no regular file there (a link, a pipe, a directory) is neither read nor written.
//   I2  A file only grows at its end, a whole piece at a time: bytes below a size that append() or size() has
//       told never change.
//   I3  What append() or size() has told survives a crash. After one, the file's length is where its upload
//       goes on.
//
// There are no sub-folders: today's file systems find a name by its hash, and a sweep reads all names anyway.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "wirehall/result.h"

namespace wirehall::store {

/// Every operation blocks.
///
/// Errors:   kInvalidFormat: no file id. kNotFound: no such file, where a file is needed. kUnavailable: the
///           disk is full or fails, or descriptors ran out. kIo: something else than a regular file stands
///           there, or the system refuses. What the system said is in the log alone.
/// Thread:   safe from every thread of one process; no two processes may write to one directory.
class FileStore {
 public:
  /// Opens the directory; makes it, with its parents, for this user alone (0700) where it is missing.
  static Result<std::unique_ptr<FileStore>> open(const std::string& directory);
  ~FileStore();
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;

  /// How many bytes of it are there; 0 when there is no file.
  Result<std::uint64_t> size(std::string_view id) const;

  /// What became of a piece.
  struct Appended {
    bool written = false;    ///< false: the offset was wrong and nothing was written
    std::uint64_t size = 0;  ///< of the file now, the only offset at which it goes on
  };
  /// Appends a piece that is meant to begin at `offset`; the first one, which may be empty, makes the file.
  ///
  /// Effects:  the bytes, and the name of a new file, are on the disk when it returns.
  /// Errors:   kTooLarge: the file would have more than `bytes_max`. kUnavailable, kIo. The file has the size
  ///           that it had, a new one is gone; after a crash in the middle it may have a part of the piece.
  Result<Appended> append(std::string_view id, std::uint64_t offset, std::string_view bytes,
                          std::uint64_t bytes_max);

  /// The SHA-256 of the whole file, in hex.
  Result<std::string> sha256(std::string_view id) const;

  /// Returns: up to `bytes_max` bytes from `offset` on; fewer only where the file ends.
  Result<std::string> read(std::string_view id, std::uint64_t offset, std::size_t bytes_max) const;

  /// Removes the file if there is one. After a crash it may be there again, for the next sweep to find.
  Status remove(std::string_view id);

  /// The ids of all files, in no order.
  Result<std::vector<std::string>> list() const;

  /// What the file system has left for this user.
  Result<std::uint64_t> free_bytes() const;

 private:
  static constexpr std::size_t kStripes = 64;

  explicit FileStore(int directory) : directory_(directory) {}
  std::mutex& lock_of(std::string_view id) const;
  Status write_piece(int file, std::uint64_t offset, std::string_view bytes, bool is_new) const;

  int directory_;
  mutable std::array<std::mutex, kStripes> locks_;  // by id: one file has one writer at a time (I2)
};

}  // namespace wirehall::store
