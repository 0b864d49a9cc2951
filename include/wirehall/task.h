// Task<T>: a coroutine that a handler may be, and that services return.
//
// A task is lazy: it runs when it is awaited, or when the library starts it, and is resumed only on the
// shard it belongs to. Do not pass aggregates by value to a function that returns a Task, and put only
// named locals inside a `co_await` expression: g++ 12 destroys temporaries there twice (tools/tidy checks
// the library's own code; docs/howto/coroutines.md shows the trap).
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace wirehall {

template <class T = void>
class Task;

namespace detail {

/// Called when a task that nobody awaits has finished.
struct TaskEnd {
  virtual void task_finished() noexcept = 0;

 protected:
  ~TaskEnd() = default;
};

struct PromiseBase {
  std::coroutine_handle<> continuation;
  TaskEnd* end = nullptr;
  std::exception_ptr exception;

  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) const noexcept {
      PromiseBase& promise = self.promise();
      if (promise.continuation) return promise.continuation;
      if (promise.end != nullptr) promise.end->task_finished();  // may destroy the coroutine
      return std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };
  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  void return_value(T result) { value.emplace(std::move(result)); }
  T take() {
    if (exception) std::rethrow_exception(exception);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void take() const {
    if (exception) std::rethrow_exception(exception);
  }
};

}  // namespace detail

/// Thread:   shard-affine.
/// Lifetime: destroying a task destroys its frame; a task that runs is held by whoever awaits it.
template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  explicit operator bool() const { return static_cast<bool>(handle_); }
  bool done() const { return handle_.done(); }

  // -- co_await: runs the task, then goes on ------------------------------------------------------
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    handle_.promise().continuation = caller;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

  /// Starts a task that nobody awaits. `end` is told when it has finished, perhaps before this returns.
  void start(detail::TaskEnd& end) {
    handle_.promise().end = &end;
    handle_.resume();
  }
  /// The result, or its exception. Requires: done().
  T result() { return handle_.promise().take(); }

 private:
  Handle handle_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> detail::Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace wirehall
