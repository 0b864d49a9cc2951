// One process for what lies on a disk.
#pragma once

#include <string>

namespace wirehall::store {

/// Holds a file locked; the kernel lets go of it when the process ends, however it ends.
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

 private:
  int fd_;
  bool locked_ = false;
};

}  // namespace wirehall::store
