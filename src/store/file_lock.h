// One process for what lies on a disk.
#pragma once

#include <sys/types.h>

#include <string>

#include "wirehall/clock.h"

namespace wirehall::store {

/// Holds a file locked; the kernel lets go of it when the process ends, however it ends. The file names the
/// process that has it.
///
/// Thread:   made and destroyed by one.
class FileLock {
 public:
  /// Makes the file, readable by its owner alone, where it is missing.
  explicit FileLock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  /// False: another process has it, or it cannot be made.
  bool locked() const { return locked_; }
  /// Whether it may become free: another process has it.
  bool is_taken() const { return fd_ >= 0 && !locked_; }
  /// Blocks until it is locked, or the process that has it did not end within `longest`: one that was killed
  /// keeps it until the kernel has closed all of its sockets. One that is unknown is not waited for.
  /// Returns: locked().
  bool wait(Duration longest);
  /// The process that has it, as it said itself; 0: unknown.
  pid_t owner() const;

 private:
  void try_to_lock();

  int fd_;
  bool locked_ = false;
};

}  // namespace wirehall::store
