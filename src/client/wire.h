// What a protocol core wants done with connections: opened, written to, closed. The shell does it; tests look
// at it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace wirehall::client {

/// A connection to the endpoint; the name is never used again.
using ChannelId = std::uint32_t;

/// Thread:   the client's.
class Wire {
 public:
  struct Command {
    enum class Kind : std::uint8_t { kOpen, kSend, kClose };
    Kind kind = Kind::kOpen;
    ChannelId channel = 0;
    std::string bytes;
  };

  ChannelId open() {
    commands_.push_back({Command::Kind::kOpen, ++last_, {}});
    unwritten_[last_] = 0;
    return last_;
  }
  void send(ChannelId channel, std::string bytes) {
    if (bytes.empty()) return;
    unwritten_[channel] += bytes.size();
    commands_.push_back({Command::Kind::kSend, channel, std::move(bytes)});
  }
  /// Closes when what was sent before has been written; nothing more is heard of the channel.
  void close(ChannelId channel) {
    unwritten_.erase(channel);
    commands_.push_back({Command::Kind::kClose, channel, {}});
  }

  std::vector<Command> take() { return std::exchange(commands_, {}); }
  bool empty() const { return commands_.empty(); }

  /// The shell has written so many bytes.
  void written(ChannelId channel, std::size_t bytes) {
    const auto found = unwritten_.find(channel);
    if (found != unwritten_.end()) found->second -= bytes < found->second ? bytes : found->second;
  }
  /// Bytes that were sent and not written yet.
  std::size_t unwritten(ChannelId channel) const {
    const auto found = unwritten_.find(channel);
    return found == unwritten_.end() ? 0 : found->second;
  }

 private:
  std::vector<Command> commands_;
  std::map<ChannelId, std::size_t> unwritten_;
  ChannelId last_ = 0;
};

}  // namespace wirehall::client
