// A disk that messages go to before they are delivered: the least that "stored, then acknowledged" costs.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

/// Prints what failed, with errno's text, and ends the process.
[[noreturn]] void fail(const char* what);

/// How a message becomes durable. Used by one thread.
class Storing {
 public:
  virtual ~Storing() = default;
  /// Returns when the message is on the disk; ends the process when it cannot be put there.
  virtual void store(std::string_view message) = 0;
};

/// One page of a file that is there already, written over after 1,000 as a database's log is, and
/// `fdatasync`: no message takes less of a disk.
std::unique_ptr<Storing> make_pages(const char* folder);
/// One row of one table of SQLite, by the message's number, in a transaction that is synced (WAL,
/// `synchronous` FULL).
std::unique_ptr<Storing> make_rows(const char* folder);

/// Stores messages in the order in which they come, in a thread of its own that ends with the process.
/// `store` and `take_stored` are for one thread.
class Disk {
 public:
  struct Message {
    const void* from;  // only to be compared: it may have gone
    std::string frame;
  };

  explicit Disk(std::unique_ptr<Storing> storing);
  /// A descriptor that becomes readable when messages are stored.
  int event() const { return stored_event_; }
  void store(Message message);
  std::vector<Message> take_stored();

 private:
  [[noreturn]] void run();

  std::unique_ptr<Storing> storing_;
  int stored_event_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Message> waiting_;
  std::vector<Message> stored_;
};
