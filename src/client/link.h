// One attempt at a connection and the connection that comes of it, in one of the two protocols. Bytes and
// `now` go in; commands for the wire and events for the session come out.
//
//   I1  Either kReady or kLost comes first; kLost comes once, and nothing after it.
//   I2  Events keep the server's order. An answer names a request of this link.
//   I3  What the server sends is bounded before it is kept.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "client/url.h"
#include "client/wire.h"
#include "wirehall/client.h"

namespace wirehall::client {

/// Why a link ended.
struct Lost {
  std::string reason;  ///< socket.io-client's word
  Error error{ErrorCode::kDisconnected};
  bool over = false;    ///< coming back is not wanted, or useless
  bool blamed = false;  ///< something that we sent: it would have the same end again
};

struct LinkEvent {
  enum class Kind : std::uint8_t { kReady, kEvent, kAnswer, kLost };
  Kind kind = Kind::kEvent;
  std::string name;                 ///< kEvent
  std::vector<Value> args;          ///< kEvent, kAnswer
  std::optional<std::uint64_t> id;  ///< kEvent: how to name it in an answer; kAnswer: the request
  ClientConnected connected;        ///< kReady
  Lost lost;                        ///< kLost
};

/// What Socket.IO's connection state recovery needs from one link to the next.
struct Recovery {
  std::string pid;
  std::string offset;
};

/// What a link is made of; it all outlives the link.
struct LinkContext {
  const ClientOptions& options;
  const Endpoint& endpoint;
  RandomSource& random;
  Wire& wire;
  Recovery& recovery;
};

/// Thread:   the client's.
class Link {
 public:
  virtual ~Link() = default;

  virtual void start(MonoTime now) = 0;
  virtual void opened(ChannelId channel, MonoTime now) = 0;
  /// The bytes may be changed.
  virtual void received(ChannelId channel, char* begin, char* end, MonoTime now) = 0;
  /// The channel was closed by the server (kDisconnected), could not be opened, or broke.
  virtual void ended(ChannelId channel, const Error& error, MonoTime now) = 0;
  virtual void on_deadline(MonoTime now) = 0;
  virtual MonoTime next_deadline() const = 0;

  // Requires: ready, and not lost.
  virtual void emit(std::string_view event, std::span<const Value> args, std::optional<std::uint64_t> id,
                    MonoTime now) = 0;
  virtual void answer(std::uint64_t id, std::span<const Value> args, MonoTime now) = 0;
  /// Whether more should be sent now; what is sent all the same waits in memory.
  virtual bool writable() const = 0;

  /// Says goodbye and closes all channels; no events come any more.
  virtual void close(MonoTime now) = 0;
  /// The same without goodbye: the server is to believe the connection lost.
  virtual void abandon() = 0;

  std::vector<LinkEvent> take_events() { return std::exchange(events_, {}); }

 protected:
  void tell(LinkEvent event) { events_.push_back(std::move(event)); }

 private:
  std::vector<LinkEvent> events_;
};

/// How much may wait to be written before a link is no longer writable.
inline constexpr std::size_t kUnwrittenBytesMax = 256 * 1024;

std::unique_ptr<Link> make_native_link(const LinkContext& context, const Object& auth);
std::unique_ptr<Link> make_socketio_link(const LinkContext& context, const Object& auth);

}  // namespace wirehall::client
