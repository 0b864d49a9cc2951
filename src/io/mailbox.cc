#include "io/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"

namespace wirehall::io {

Mailbox::Mailbox(std::uint32_t tasks_max, std::size_t bytes_max)
    : tasks_max_(tasks_max),
      bytes_max_(bytes_max),
      head_(new Node),
      tail_(head_.load()),
      event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  WIREHALL_ASSERT(event_ >= 0);
}

Mailbox::~Mailbox() {
  while (tail_ != nullptr) {
    Node* next = tail_->next.load(std::memory_order_acquire);
    delete tail_;
    tail_ = next;
  }
  close(event_);
}

bool Mailbox::reserve(std::size_t bytes) {
  if (tasks_.fetch_add(1, std::memory_order_relaxed) >= tasks_max_) {
    tasks_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  if (bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes > bytes_max_) {
    cancel(bytes);
    return false;
  }
  return true;
}

void Mailbox::cancel(std::size_t bytes) {
  tasks_.fetch_sub(1, std::memory_order_relaxed);
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

void Mailbox::push(Task task, std::size_t reserved_bytes) {
  Node* node = new Node;
  node->task = std::move(task);
  node->bytes = reserved_bytes;
  Node* previous = head_.exchange(node, std::memory_order_acq_rel);
  previous->next.store(node, std::memory_order_release);
  wake();
}

void Mailbox::wake() {
  if (signalled_.exchange(true, std::memory_order_seq_cst)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_, &one, sizeof one);
}

bool Mailbox::pop(Task& task) {
  Node* next = tail_->next.load(std::memory_order_acquire);
  // Null also while a producer is between its two stores: it wakes us when it is done.
  if (next == nullptr) return false;
  task = std::move(next->task);
  next->task = nullptr;
  if (next->bytes != kControl) cancel(next->bytes);
  delete tail_;
  tail_ = next;
  return true;
}

std::size_t Mailbox::drain(std::size_t tasks_max) {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(event_, &count, sizeof count);
  signalled_.store(false, std::memory_order_seq_cst);
  std::size_t done = 0;
  Task task;
  while (done < tasks_max && pop(task)) {
    task();
    task = nullptr;
    ++done;
  }
  if (done == tasks_max) wake();
  return done;
}

}  // namespace wirehall::io
