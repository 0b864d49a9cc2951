// What a handler may look like.
//
// Any callable whose parameters are, in any order and number: `Socket&`, `Ack`, `Args` (or `const Args&`:
// all arguments), `EventName`, and values that the arguments are converted to one after another
// (wirehall/value.h says which types convert; std::optional and Value take a missing argument too).
// It returns nothing, or a `Task<>`. A mismatch is answered as `invalid-format` and the handler is not run.
//
//   io.on_event("move", [](Socket& socket, int x, int y, Ack ack) { … });
//   io.on_event("save", [](Socket& socket, Value document, Ack ack) -> Task<> { … });
//
// A handler that is a coroutine takes its parameters by value (checked); only `Socket&` stays a
// reference: the library keeps the socket, and the handler itself, until the coroutine has finished.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "wirehall/socket.h"

namespace wirehall {

/// The name of the event that is handled.
struct EventName {
  std::string value;
};

namespace detail {

/// One event on its way to one handler.
class Invocation {
 public:
  virtual Socket& socket() = 0;
  virtual std::string_view event() = 0;
  virtual Args& args() = 0;
  virtual Ack& ack() = 0;
  /// Whether no other handler will see the arguments: they may be moved from.
  virtual bool is_last() = 0;
  /// Keeps the coroutine, the socket and the handler until it has finished.
  virtual void run(Task<> task) = 0;
  /// Answers `invalid-format`, naming the argument.
  virtual void reject_argument(std::size_t index) = 0;

 protected:
  ~Invocation() = default;
};

template <class F>
struct CallableTraits : CallableTraits<decltype(&F::operator())> {};
template <class R, class... P>
struct CallableTraits<R (*)(P...)> {
  using Return = R;
  using Parameters = std::tuple<P...>;
};
template <class C, class R, class... P>
struct CallableTraits<R (C::*)(P...) const> : CallableTraits<R (*)(P...)> {};
template <class C, class R, class... P>
struct CallableTraits<R (C::*)(P...)> : CallableTraits<R (*)(P...)> {};

/// Moves an argument into a parameter of the same kind; everything else is converted.
template <class T>
bool take_value(Value& from, T& out) {
  if constexpr (std::is_same_v<T, Value>) {
    out = std::move(from);
    return true;
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!from.is_string()) return false;
    out = std::move(from.as_string());
    return true;
  } else if constexpr (std::is_same_v<T, Object>) {
    if (!from.is_object()) return false;
    out = std::move(from.as_object());
    return true;
  } else {
    return from_value(from, out);
  }
}

/// What is stored for a parameter until the call.
template <class P>
struct Slot {
  using Type = std::remove_cvref_t<P>;
  Type value{};
  bool fill(Invocation& in, std::size_t& next) {
    Args& args = in.args();
    const std::size_t index = next++;
    if (index < args.size())
      return in.is_last() ? take_value(args[index], value) : from_value(args[index], value);
    if constexpr (std::is_same_v<Type, Value>) return true;  // a reference to one
    return is_optional(value);
  }
  P get(Invocation&) {
    if constexpr (std::is_reference_v<P>) {
      return static_cast<P>(value);
    } else {
      return std::move(value);
    }
  }

 private:
  template <class T>
  static constexpr bool is_optional(const std::optional<T>&) {
    return true;
  }
  template <class T>
  static constexpr bool is_optional(const T&) {
    return false;
  }
};
/// Taken from where it lies, since a value is dear to move.
template <>
struct Slot<Value> {
  Value* argument = nullptr;  ///< none was given
  bool fill(Invocation& in, std::size_t& next) {
    Args& args = in.args();
    const std::size_t index = next++;
    if (index < args.size()) argument = &args[index];
    return true;
  }
  Value get(Invocation& in) {
    if (argument == nullptr) return {};
    return in.is_last() ? Value(std::move(*argument)) : Value(*argument);
  }
};
template <>
struct Slot<Socket&> {
  bool fill(Invocation&, std::size_t&) { return true; }
  Socket& get(Invocation& in) { return in.socket(); }
};
template <>
struct Slot<Ack> {
  bool fill(Invocation&, std::size_t&) { return true; }
  Ack get(Invocation& in) { return in.ack(); }
};
template <>
struct Slot<EventName> {
  bool fill(Invocation&, std::size_t&) { return true; }
  EventName get(Invocation& in) { return {std::string(in.event())}; }
};
template <>
struct Slot<Args> {
  bool fill(Invocation&, std::size_t&) { return true; }
  Args get(Invocation& in) { return in.args(); }
};
template <>
struct Slot<const Args&> {
  bool fill(Invocation&, std::size_t&) { return true; }
  const Args& get(Invocation& in) { return in.args(); }
};

template <class P>
constexpr bool kSafeInCoroutine = !std::is_reference_v<P> || std::is_same_v<P, Socket&>;

template <class F, class... P>
void invoke_with(F& handler, Invocation& in, std::tuple<P...>*) {
  std::tuple<Slot<P>...> slots;
  std::size_t next = 0;
  const bool filled = std::apply([&](auto&... slot) { return (slot.fill(in, next) && ...); }, slots);
  if (!filled) {
    in.reject_argument(next == 0 ? 0 : next - 1);
    return;
  }
  using Return = typename CallableTraits<F>::Return;
  if constexpr (std::is_same_v<Return, Task<>>) {
    static_assert((kSafeInCoroutine<P> && ...), "a coroutine handler takes its parameters by value");
    in.run(std::apply([&](auto&... slot) { return handler(slot.get(in)...); }, slots));
  } else {
    static_assert(std::is_void_v<Return>, "a handler returns nothing or a Task<>");
    std::apply([&](auto&... slot) { handler(slot.get(in)...); }, slots);
  }
}

template <class F>
EventHandler make_event_handler(F handler) {
  return [handler = std::move(handler)](Invocation& in) mutable {
    invoke_with(handler, in, static_cast<typename CallableTraits<F>::Parameters*>(nullptr));
  };
}

}  // namespace detail
}  // namespace wirehall
