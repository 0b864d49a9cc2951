// Kinds of rooms: who may come in, who may speak, how much is kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wirehall/hall_store.h"
#include "wirehall/handshake.h"
#include "wirehall/result.h"

namespace wirehall {

/// Who may come in.
enum class RoomAccess : std::uint8_t {
  kPublic,  ///< everybody
  kInvite,  ///< who was invited, and whoever has a role
  kToken,   ///< whose token names the room in its `rooms`; a token without `rooms` does not do
};

/// What options can say of a kind of room.
struct RoomTypeOptions {
  RoomAccess access = RoomAccess::kPublic;
  std::uint32_t members_max = 0;         ///< users at once; 0: without limit
  RoomRole post_from = RoomRole::kNone;  ///< role that sending messages takes
  Retention retention;                   ///< of its messages
  std::vector<std::string> names;        ///< patterns of rooms that are of this type without being created so
};

/// A kind of room. Derive from it for rules that options cannot say.
///
/// Thread:   the functions are called on every shard, several at a time, and must not block.
/// Lifetime: as long as the server.
class RoomType {
 public:
  explicit RoomType(RoomTypeOptions options = {}) : options_(std::move(options)) {}
  virtual ~RoomType() = default;
  const RoomTypeOptions& options() const { return options_; }

  /// Asked when the options have let the user in already: kOk, or why not.
  virtual Status may_join(const User&, const RoomView&) const { return {}; }
  /// The same before a message of the user is stored.
  virtual Status may_post(const User&, RoomRole, const StoredMessage&) const { return {}; }
  /// Whether users may create rooms of this type.
  virtual Status may_create(const User&, const RoomRecord&) const { return {}; }

 private:
  RoomTypeOptions options_;
};

}  // namespace wirehall
