// Connection state recovery: the log of what was sent in a namespace, and the sessions of who may come back.
//
//   I1  Every entry has a number; every shard consumes them in that order, so a client that has received one
//       has received all before it that were for it, whichever shards they came from.
//   I2  A replay is exact or refused: from the position that the client names, in this log's epoch, without a
//       hole, within the bounds; else the client starts over.
//   I3  A session is claimed by one connection at a time, and put back when it could not be restored.
//   I4  An entry is kept until every shard has consumed it; then count, bytes and age decide.
//
// A position is `e<epoch>-<number>`: stock clients send back the last string argument they saw, so whatever
// they send is parsed as hostile (RELIABILITY 0.4).
//
// Spec: socket.io 4.8 "connection state recovery" for the wire; DESIGN 6 for what is safer here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hub/adapter.h"
#include "wirehall/clock.h"
#include "wirehall/value.h"

namespace wirehall::hub {

struct FrozenMessage;

/// One event, as it was sent.
struct LogEntry {
  std::uint64_t number = 0;
  std::shared_ptr<const FrozenMessage> message;
  Selector to;
  EmitFlags flags;
};

/// What a client needs to come back as itself.
struct RecoverySession {
  std::string pid;
  std::string sid;
  std::string user_id;
  bool anonymous = false;
  std::vector<std::string> rooms;    ///< without its own
  std::vector<std::uint64_t> since;  ///< in step with `rooms`: the log's position when it came in
  Value data;
  std::uint64_t position = 0;  ///< what had been consumed when it connected, for who has no offset yet
};

/// Where a connected socket is that owns a pid.
struct RecoveryOwner {
  unsigned shard = 0;
  std::string sid;
  std::string user_id;
  bool anonymous = false;
};

/// The log and the sessions of one namespace, in this process.
///
/// Thread:   safe from every shard; each call takes one short lock.
class RecoveryLog {
 public:
  virtual ~RecoveryLog() = default;

  // -- the log ------------------------------------------------------------------------------------
  /// Returns: the entry's number; nullopt when the log is full of what a shard has not consumed yet.
  virtual std::optional<std::uint64_t> append(std::shared_ptr<const FrozenMessage> message, Selector to,
                                              EmitFlags flags, MonoTime now) = 0;
  using Entries = std::vector<std::shared_ptr<const LogEntry>>;
  /// The entries above `after`, at most `max`, for a shard that has consumed up to `after`.
  virtual Entries consume(unsigned shard, std::uint64_t after, std::size_t max) = 0;
  /// Whether the shard must be woken for new entries; then it counts as told until it has consumed all.
  virtual bool must_tell(unsigned shard) = 0;
  /// All entries above `after` up to `until` that are kept; nullopt when some are not any more.
  virtual std::optional<Entries> replay(std::uint64_t after, std::uint64_t until) = 0;
  /// A shard without the namespace has nothing to consume. Returns: the newest number.
  virtual std::uint64_t skip(unsigned shard) = 0;
  virtual const std::string& epoch() const = 0;

  // -- the sessions -------------------------------------------------------------------------------
  virtual void connected(const std::string& pid, RecoveryOwner owner) = 0;
  virtual void save(RecoverySession session, MonoTime now) = 0;
  /// The connection is gone for good.
  virtual void forget(const std::string& pid) = 0;
  /// Nothing, the connected owner, or the session, which is then claimed (I3).
  using Claim = std::variant<std::monostate, RecoveryOwner, RecoverySession>;
  virtual Claim claim(const std::string& pid, MonoTime now) = 0;
  virtual void put_back(RecoverySession session) = 0;
};

/// Writes a position.
std::string format_position(std::string_view epoch, std::uint64_t number);
/// Reads one; nullopt when it is not of this epoch, or not well-formed.
std::optional<std::uint64_t> parse_position(std::string_view text, std::string_view epoch);

/// Whether an entry was meant for a session: for its id, or for a room that it was in by then.
bool is_meant(const LogEntry& entry, const RecoverySession& session);

/// Whether a connection that ended for this reason may come back.
bool is_recoverable(std::string_view reason);

}  // namespace wirehall::hub
