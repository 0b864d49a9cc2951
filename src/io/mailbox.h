// Tasks from other threads to one shard: a lock-free queue of many producers and one consumer, with one
// wake-up per batch.
//
//   I1  Tasks of one producer arrive in the order in which it posted them; none is lost.
//   I2  Control tasks are always taken: what causes them is bounded. Broadcasts reserve their place first,
//       in every target's mailbox, or are not posted at all.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace wirehall::io {

/// Thread:   push and reserve from any thread; drain from the owner alone.
class Mailbox {
 public:
  using Task = std::function<void()>;

  Mailbox(std::uint32_t tasks_max, std::size_t bytes_max);
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;

  /// Takes a place and `bytes` for a task that will be pushed with them. False when there is no room.
  bool reserve(std::size_t bytes);
  /// Gives a reserved place back.
  void cancel(std::size_t bytes);
  /// Adds a task. `reserved_bytes`: of a reserved place; nullopt-like `kControl` for control tasks.
  void push(Task task, std::size_t reserved_bytes = kControl);
  static constexpr std::size_t kControl = static_cast<std::size_t>(-1);

  /// The descriptor that becomes readable when tasks wait.
  int descriptor() const { return event_; }
  /// Runs at most `tasks_max` tasks. Returns: how many.
  std::size_t drain(std::size_t tasks_max);

 private:
  struct Node {
    std::atomic<Node*> next{nullptr};
    Task task;
    std::size_t bytes = kControl;
  };
  bool pop(Task& task);
  void wake();

  std::uint32_t tasks_max_;
  std::size_t bytes_max_;
  std::atomic<Node*> head_;  // producers append here
  Node* tail_;               // the consumer's end: a node whose task was taken
  std::atomic<std::uint32_t> tasks_{0};
  std::atomic<std::size_t> bytes_{0};
  std::atomic<bool> signalled_{false};
  int event_;
};

}  // namespace wirehall::io
