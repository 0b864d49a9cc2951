// A result that a coroutine waits for and somebody else provides, on the same shard.
#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

namespace wirehall::hub {

/// Resumes coroutines of one shard, in the order in which they became ready, never inside the call that made
/// them ready.
class Resumer {
 public:
  virtual void resume_soon(std::coroutine_handle<> handle) = 0;

 protected:
  ~Resumer() = default;
};

/// Thread:   shard-affine.
template <class T>
class CompletionState {
 public:
  explicit CompletionState(Resumer& resumer) : resumer_(&resumer) {}
  bool completed() const { return value_.has_value(); }
  /// Provides the result; the first one stays.
  void complete(T value) {
    if (value_) return;
    value_.emplace(std::move(value));
    if (waiter_) resumer_->resume_soon(std::exchange(waiter_, nullptr));
  }
  /// The same, and resumes the coroutine before it returns, so that what it sends goes out in front of
  /// whatever the caller does next. Requires: called by the turn itself, not inside a handler.
  void complete_now(T value) {
    if (value_) return;
    value_.emplace(std::move(value));
    if (waiter_) std::exchange(waiter_, nullptr).resume();
  }

 private:
  template <class>
  friend class Completion;
  Resumer* resumer_;
  std::optional<T> value_;
  std::coroutine_handle<> waiter_;
};

/// What a coroutine awaits; made of the state that the other side completes.
///
/// Lifetime: when the waiting coroutine is destroyed, a later result is dropped.
template <class T>
class Completion {
 public:
  explicit Completion(std::shared_ptr<CompletionState<T>> state) : state_(std::move(state)) {}
  Completion(Completion&&) noexcept = default;
  Completion(const Completion&) = delete;
  ~Completion() {
    if (state_) state_->waiter_ = nullptr;
  }
  bool await_ready() const noexcept { return state_->completed(); }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { state_->waiter_ = waiter; }
  T await_resume() { return std::move(*state_->value_); }

 private:
  std::shared_ptr<CompletionState<T>> state_;
};

}  // namespace wirehall::hub
