// The port for the bytes of uploads and files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wirehall/result.h"

namespace wirehall::services {

/// Keeps bytes under ids.
///
/// Thread:   every function blocks, and may be called by several threads at once: the blocking pool's.
class UploadBytes {
 public:
  virtual ~UploadBytes() = default;
  struct Appended {
    bool conflict = false;     ///< the offset was not the end; nothing was written
    std::uint64_t offset = 0;  ///< where the end is now
  };
  /// Adds bytes at the end, durably. Errors: kTooLarge, kUnavailable; nothing was written then.
  virtual Result<Appended> append(const std::string& id, std::uint64_t offset, std::string_view bytes,
                                  std::uint64_t size_max) = 0;
  /// How many there are; 0 when there is nothing. Errors: kUnavailable.
  virtual Result<std::uint64_t> size(const std::string& id) = 0;
  /// SHA-256 in lower-case hexadecimal digits. Errors: kUnavailable.
  virtual Result<std::string> sha256(const std::string& id) = 0;
  /// Forgets them; what is not there is forgotten already.
  virtual void remove(const std::string& id) = 0;
};

}  // namespace wirehall::services
