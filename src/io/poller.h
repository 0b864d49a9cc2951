// Which descriptors are ready, and the wait for it. Two implementations of one contract: an epoll set, and a portable
// one over Asio's async_wait.
//
//   I1  After add(), and after arm_read() or arm_write(), the next time the descriptor is readable or
//       writable is reported, perhaps more often. Who was told must read or write until EAGAIN (or a short
//       read), then arm again; or remember that there is more.
//   I2  Within a batch hang-ups, where the system tells of them, are reported before anything else, so that a client
//       which aborts a request and repeats it at once does not find the old one alive.
//   I3  After remove() nothing is reported for that object any more, not even from the running batch.
#pragma once

#include <cstdint>
#include <memory>

#include "wirehall/clock.h"

namespace wirehall::io {

/// Something with a descriptor.
///
/// Lifetime: until remove() and the end of the running batch.
class Pollable {
 public:
  virtual void on_hangup() = 0;
  virtual void on_ready(bool readable, bool writable) = 0;
  /// It is one of the next in the batch: asks the processor for the memory that is `hops` pointers away from it.
  virtual void prefetch_ahead(unsigned hops) const { (void)hops; }
  bool polled = false;  ///< the poller's: still registered

 protected:
  ~Pollable() = default;
};

/// Thread:   shard-affine.
class Poller {
 public:
  /// What is reported of a descriptor. Hang-ups always are.
  enum class Watch : std::uint8_t { kReads, kReadsAndWrites };

  virtual ~Poller() = default;
  /// The one that it waits by; -1 where there are several.
  virtual int descriptor() const = 0;
  /// Returns: false when the system refused.
  virtual bool add(int descriptor, Pollable& object, Watch watch = Watch::kReadsAndWrites) = 0;
  virtual void remove(int descriptor, Pollable& object) = 0;
  virtual void arm_read(Pollable& object) = 0;
  virtual void arm_write(Pollable& object) = 0;
  /// Waits until something is ready, but no longer than the timeout, rounded up to milliseconds; Duration::max() is
  /// without end, nothing and less is not at all. A signal may end it early.
  /// Returns: whether something is ready, for deliver().
  virtual bool wait(Duration timeout) = 0;
  /// Tells those who are ready: the batch that the last wait() has found.
  /// Requires: what was removed since is still there.
  virtual void deliver() = 0;
};

std::unique_ptr<Poller> make_epoll_poller();
std::unique_ptr<Poller> make_asio_poller();

}  // namespace wirehall::io
