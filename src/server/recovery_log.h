// The recovery log of one namespace in memory.
#pragma once

#include <deque>
#include <mutex>
#include <vector>

#include "base/hash_map.h"
#include "hub/recovery.h"

namespace wirehall::server {

struct RecoveryOptions {
  Duration disconnection_max = std::chrono::seconds(120);
  std::uint32_t entries_max = 65'536;           ///< kept for replays
  std::size_t bytes_max = 64 * 1024 * 1024;     ///< the same
  std::uint32_t unconsumed_max = 65'536;        ///< beyond it broadcasts are refused: unavailable
  std::uint32_t sessions_max = 100'000;         ///< the oldest are forgotten
};

/// Thread:   as the base says.
class LockedRecoveryLog final : public hub::RecoveryLog {
 public:
  LockedRecoveryLog(const RecoveryOptions& options, unsigned shards, std::string epoch)
      : options_(options), epoch_(std::move(epoch)), consumed_(shards, 0), told_(shards, false) {}

  std::optional<std::uint64_t> append(std::shared_ptr<const hub::FrozenMessage> message, hub::Selector to,
                                      EmitFlags flags, MonoTime now) override;
  Entries consume(unsigned shard, std::uint64_t after, std::size_t max) override;
  bool must_tell(unsigned shard) override;
  std::optional<Entries> replay(std::uint64_t after, std::uint64_t until) override;
  std::uint64_t skip(unsigned shard) override;
  const std::string& epoch() const override { return epoch_; }

  void connected(const std::string& pid, hub::RecoveryOwner owner) override;
  void save(hub::RecoverySession session, MonoTime now) override;
  void forget(const std::string& pid) override;
  Claim claim(const std::string& pid, MonoTime now) override;
  void put_back(hub::RecoverySession session) override;

 private:
  struct Kept {
    std::shared_ptr<const hub::LogEntry> entry;
    MonoTime at;
    std::size_t bytes;
  };
  struct Saved {
    std::optional<hub::RecoveryOwner> owner;  // connected
    hub::RecoverySession session;             // else
    MonoTime expires = kNever;
    bool claimed = false;
  };
  std::uint64_t first() const { return newest_ + 1 - entries_.size(); }
  void trim(MonoTime now);
  void forget_expired(MonoTime now);

  RecoveryOptions options_;
  std::string epoch_;
  mutable std::mutex mutex_;
  std::deque<Kept> entries_;
  std::uint64_t newest_ = 0;
  std::size_t bytes_ = 0;
  std::vector<std::uint64_t> consumed_;  // by shard
  std::vector<bool> told_;
  TextMap<Saved> sessions_;  // by pid
  std::deque<std::pair<MonoTime, std::string>> order_;
};

/// The logs of all namespaces; one that nobody uses any more goes.
///
/// Thread:   safe from every shard.
class RecoveryLogs {
 public:
  RecoveryLogs(const RecoveryOptions& options, unsigned shards) : options_(options), shards_(shards) {}
  std::shared_ptr<hub::RecoveryLog> of(const std::string& name);

 private:
  RecoveryOptions options_;
  unsigned shards_;
  std::mutex mutex_;
  TextMap<std::weak_ptr<hub::RecoveryLog>> logs_;
};

}  // namespace wirehall::server
