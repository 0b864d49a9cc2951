// Who a client is, as a socket keeps it: a User while somebody looks, else its texts in one block of their exact size,
// without those that stand in the connection's handshake anyway: the claims are a part of the token.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "hub/kept_handshake.h"
#include "wirehall/handshake.h"

namespace wirehall::hub {

/// Thread:   shard-affine: a look may make the User.
class KeptUser {
 public:
  KeptUser() = default;
  KeptUser(const KeptUser&) = delete;
  KeptUser& operator=(const KeptUser&) = delete;
  ~KeptUser() { drop(); }

  /// Whether anybody has said who it is.
  explicit operator bool() const { return word_ != 0; }
  bool is_packed() const { return word_ != 0 && (word_ & kOpen) == 0; }

  /// Nobody's, where nobody has said who it is.
  /// Lifetime: until set() or pack().
  const User& get() const;
  /// The same, without that it is kept unpacked.
  User copy() const;
  void set(User user);
  /// Keeps it packed until the next look, where that loses nothing. `handshake` is the socket's.
  void pack(const KeptHandshake& handshake);

 private:
  struct Block;
  static constexpr std::uintptr_t kOpen = 1;
  const User* open() const { return reinterpret_cast<const User*>(word_ & ~kOpen); }
  Block* block() const { return reinterpret_cast<Block*>(word_); }
  void drop();

  mutable std::uintptr_t word_ = 0;  // none; a User, and kOpen; a block
};

}  // namespace wirehall::hub
