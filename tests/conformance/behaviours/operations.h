// What a client may ask for: ["operation", ...arguments]. reference_operations.mjs has the same ones.
#pragma once

#include <chrono>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <wirehall/server.h>

#include "report.h"

namespace behaviours {

using std::chrono::milliseconds;

inline Server* g_io = nullptr;

// -- sending to many -------------------------------------------------------------------------------

// What is chosen before the verb: ["to", room | rooms], ["in", …], ["except", …], ["compress", on],
// ["volatile"], ["local"], ["timeout", ms].
inline BroadcastOperator called(const BroadcastOperator& target, Span call) {
  const std::string name = text(call, 0);
  if (name == "to" || name == "in") return target.to(names(call, 1));
  if (name == "except") return target.except(names(call, 1));
  if (name == "compress") return target.compress(truth(call, 1));
  if (name == "volatile") return target.volatile_();
  if (name == "timeout") return target.timeout(milliseconds(number(call, 1)));
  return target.local();
}

// The first call is made on the socket, namespace or server itself.
inline BroadcastOperator first_of(Socket& socket, const std::string& from, Span call) {
  const std::string name = text(call, 0);
  const bool one_room = call.size() > 1 && call[1].is_string();
  if (from == "socket") {
    if (name == "local") return socket.local();
    if (name == "to" && !one_room) return socket.to(names(call, 1));
    if (name == "to") return socket.to(call[1].as_string());
    if (name == "in" && one_room) return socket.in(call[1].as_string());
    if (name == "except" && one_room) return socket.except(call[1].as_string());
    return name.empty() ? socket.broadcast() : called(socket.broadcast(), call);
  }
  if (from == "server" && one_room) {
    if (name == "to") return g_io->to(call[1].as_string());
    if (name == "in") return g_io->in(call[1].as_string());
    if (name == "except") return g_io->except(call[1].as_string());
  }
  Namespace& nsp = from == "nsp" ? socket.nsp() : g_io->of(from == "server" ? "/" : from);
  if (name == "in" && one_room) return nsp.in(call[1].as_string());
  if (name == "volatile") return nsp.volatile_();
  if (name == "local") return nsp.local();
  if (name == "compress") return nsp.compress(truth(call, 1));
  if (name == "timeout") return nsp.timeout(milliseconds(number(call, 1)));
  return name.empty() ? BroadcastOperator(nsp) : called(BroadcastOperator(nsp), call);
}

inline BroadcastOperator chosen(Socket& socket, const std::string& from, const Value& calls) {
  const Array& list = calls.as_array();
  BroadcastOperator target = first_of(socket, from, list.empty() ? Span() : Span(list[0].as_array()));
  for (std::size_t i = 1; i < list.size(); ++i) target = called(target, list[i].as_array());
  return target;
}

inline Value chain(Socket& socket, Span args) {
  BroadcastOperator target = chosen(socket, text(args, 0), args[1]);
  const std::string verb = text(args, 2);
  if (verb == "emit") target.emit_args(text(args, 3), args.subspan(4));
  if (verb == "send") target.emit_args("message", args.subspan(3));
  if (verb == "disconnectSockets") target.disconnect_sockets(truth(args, 3));
  for (const std::string& room : names(args, 3)) {
    if (verb == "socketsJoin") target.sockets_join(room);
    if (verb == "socketsLeave") target.sockets_leave(room);
  }
  return nullptr;
}

// -- operations that need no waiting ---------------------------------------------------------------

using Operation = Value (*)(Socket&, Span);

inline Value repeat(Socket& socket, Span args) {
  for (std::int64_t i = 0; i < number(args, 0); ++i) {
    Args all{Value(i)};
    all.insert(all.end(), args.begin() + 2, args.end());
    socket.emit_args(text(args, 1), all);
  }
  return nullptr;
}

inline Value join(Socket& socket, Span args) {
  if (args[0].is_string()) {
    (void)socket.join(args[0].as_string()).ok();
  } else {
    (void)socket.join(names(args, 0)).ok();
  }
  return nullptr;
}

// Reports every event that comes to the listener.
inline auto listener(std::string kind) {
  return [kind = std::move(kind)](Socket& socket, EventName event, Args args) {
    report(socket, {Value(kind), Value(event.value), list(args)});
  };
}
inline auto any_listener(std::string kind, std::string label) {
  return [kind = std::move(kind), label = std::move(label)](Socket& socket, std::string_view event,
                                                            const Args& args) {
    report(socket, {Value(kind), Value(label), Value(event), list(args)});
  };
}

inline Value use(Socket& socket, Span args) {
  socket.use(
      [self = &socket, label = text(args, 0), refused = text(args, 1)](std::string_view event, Args& in) {
        report(*self, {Value("packet"), Value(label), Value(event), list(in)});
        return event == refused ? Status(Error(ErrorCode::kAccessDenied, label)) : Status();
      });
  return nullptr;
}

inline Value rewrite(Socket& socket, Span args) {
  socket.use([event = text(args, 0), replacement = Args(args.begin() + 1, args.end())](std::string_view name,
                                                                                       Args& in) {
    if (name == event) in = replacement;
    return Status();
  });
  return nullptr;
}

inline bool was_issued_now(const Socket& socket) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const WallMs now_ms = std::chrono::duration_cast<milliseconds>(now).count();
  return std::abs(now_ms - socket.handshake().issued) < 60'000;
}

inline Value header(Socket& socket, Span args) {
  const auto found = socket.handshake().header(text(args, 0));
  return found ? Value(*found) : Value();
}

// Where the reference throws.
inline Value said(SendResult result, const std::string& event) {
  return result == SendResult::kReserved ? Value("\"" + event + "\" is a reserved event name") : Value(true);
}

inline const std::map<std::string, Operation, std::less<>> kOperations = {
    {"emit", [](Socket& s, Span a) { return s.emit_args(text(a, 0), a.subspan(1)), Value(); }},
    {"send", [](Socket& s, Span a) { return s.send(a[0]), Value(); }},
    {"volatile",
     [](Socket& s, Span a) { return s.volatile_().emit_args(text(a, 0), a.subspan(1)), Value(); }},
    {"compress",
     [](Socket& s, Span a) { return s.compress(truth(a, 0)).emit_args(text(a, 1), a.subspan(2)), Value(); }},
    {"repeat", repeat},
    {"large",
     [](Socket& s, Span a) {
       return s.emit(text(a, 1), std::string(static_cast<std::size_t>(number(a, 0)), 'x')), Value();
     }},
    {"join", join},
    {"leave", [](Socket& s, Span a) { return s.leave(text(a, 0)), Value(); }},
    {"rooms", [](Socket& s, Span) { return rooms_of(s); }},
    {"in", [](Socket& s, Span a) { return Value(s.in_room(text(a, 0))); }},
    {"id", [](Socket& s, Span) { return Value(s.id()); }},
    {"nsp", [](Socket& s, Span) { return Value(s.nsp().name()); }},
    {"connected", [](Socket& s, Span) { return Value(s.connected()); }},
    {"recovered", [](Socket& s, Span) { return Value(s.recovered()); }},
    {"transport", [](Socket& s, Span) { return Value(s.transport()); }},
    {"session", [](Socket& s, Span) { return Value(s.conn().id); }},
    {"revision", [](Socket& s, Span) { return Value(s.conn().protocol); }},
    {"setData", [](Socket& s, Span a) { return s.data() = a[0], Value(); }},
    {"data", [](Socket& s, Span) { return s.data(); }},
    {"auth",
     [](Socket& s, Span) { return s.handshake().auth.is_null() ? Value(Object()) : s.handshake().auth; }},
    {"url", [](Socket& s, Span) { return Value(s.handshake().url); }},
    {"address", [](Socket& s, Span) { return Value(s.handshake().address); }},
    {"secure", [](Socket& s, Span) { return Value(s.handshake().secure); }},
    {"xdomain", [](Socket& s, Span) { return Value(s.handshake().xdomain); }},
    {"issued", [](Socket& s, Span) { return Value(was_issued_now(s)); }},
    {"query", [](Socket& s, Span a) { return Value(s.handshake().query(text(a, 0))); }},
    {"header", header},
    {"disconnect", [](Socket& s, Span a) { return s.disconnect(truth(a, 0)), Value(); }},
    {"on", [](Socket& s, Span a) { return s.on(text(a, 0), listener("on")), Value(); }},
    {"once", [](Socket& s, Span a) { return s.once(text(a, 0), listener("once")), Value(); }},
    {"off", [](Socket& s, Span a) { return s.off(text(a, 0)), Value(); }},
    {"onAny", [](Socket& s, Span a) { return s.on_any(any_listener("any", text(a, 0))), Value(); }},
    {"prependAny", [](Socket& s, Span a) { return s.prepend_any(any_listener("any", text(a, 0))), Value(); }},
    {"offAny", [](Socket& s, Span) { return s.off_any(), Value(); }},
    {"onAnyOutgoing",
     [](Socket& s, Span a) { return s.on_any_outgoing(any_listener("outgoing", text(a, 0))), Value(); }},
    {"prependAnyOutgoing",
     [](Socket& s, Span a) { return s.prepend_any_outgoing(any_listener("outgoing", text(a, 0))), Value(); }},
    {"offAnyOutgoing", [](Socket& s, Span) { return s.off_any_outgoing(), Value(); }},
    {"use", use},
    {"rewrite", rewrite},
    {"emitReserved", [](Socket& s, Span a) { return said(s.emit(text(a, 0), 1), text(a, 0)); }},
    {"broadcastReserved", [](Socket& s, Span a) { return said(s.nsp().emit(text(a, 0), 1), text(a, 0)); }},
    {"chain", chain},
};

// -- operations that wait: for the client, or for other shards -------------------------------------

using Waiting = Task<Value> (*)(Socket&, std::vector<Value> args);

inline Value outcome(const Result<Args>& result) {
  if (result.ok()) return {{"answers", list(*result)}};
  return {{"error", result.error().code() == ErrorCode::kTimeout ? "timeout" : "disconnected"}};
}

inline Args from(const std::vector<Value>& args, std::size_t first) {
  return Args(args.begin() + static_cast<std::ptrdiff_t>(std::min(first, args.size())), args.end());
}

// event, …
inline Task<Value> ask(Socket& socket, std::vector<Value> args) {
  Task<Result<Args>> asking = socket.emit_with_ack(text(args, 0), from(args, 1));
  Result<Args> answer = co_await asking;
  co_return outcome(answer);
}
// ms, event, …
inline Task<Value> ask_within(Socket& socket, std::vector<Value> args) {
  Task<Result<Args>> asking =
      socket.emit_with_ack(text(args, 1), from(args, 2), milliseconds(number(args, 0)));
  Result<Args> answer = co_await asking;
  co_return outcome(answer);
}
// ms (0: none), event
inline Task<Value> ask_and_report(Socket& socket, std::vector<Value> args) {
  Task<Result<Args>> asking = socket.emit_with_ack(text(args, 1), Args(), milliseconds(number(args, 0)));
  Result<Args> answer = co_await asking;
  Value told = answer.ok() ? list(*answer) : *outcome(answer).find("error");
  report(socket, {Value("asked"), told});
  co_return Value();
}

inline Array sorted(Array values) {
  std::sort(values.begin(), values.end(),
            [](const Value& a, const Value& b) { return a.to_json() < b.to_json(); });
  return values;
}

// from, calls, ms, event, …
inline Task<Value> ask_all(Socket& socket, std::vector<Value> args) {
  BroadcastOperator target = chosen(socket, text(args, 0), args[1]).timeout(milliseconds(number(args, 2)));
  Task<Result<BroadcastAnswers>> asking = target.emit_with_ack(text(args, 3), from(args, 4));
  Result<BroadcastAnswers> answers = co_await asking;
  Object told;
  if (!answers.ok()) {
    told.set("error", answers.error().kebab());
  } else {
    if (!answers->complete()) told.set("error", "operation has timed out");
    told.set("answers", sorted(answers->responses));
  }
  co_return Value(std::move(told));
}

inline Value described(const RemoteSocket& socket) {
  Array rooms;
  for (const std::string& room : socket.rooms()) {
    if (room != socket.id()) rooms.emplace_back(room);
  }
  return {{"id", socket.id()}, {"rooms", sorted(std::move(rooms))}, {"data", socket.data()}};
}

// from, calls
inline Task<Value> fetch_sockets(Socket& socket, std::vector<Value> args) {
  Task<std::vector<RemoteSocket>> fetching = chosen(socket, text(args, 0), args[1]).fetch_sockets();
  std::vector<RemoteSocket> found = co_await fetching;
  std::sort(found.begin(), found.end(), [](const RemoteSocket& a, const RemoteSocket& b) {
    return a.data().to_json() < b.data().to_json();
  });
  Array all;
  for (const RemoteSocket& each : found) all.push_back(described(each));
  co_return Value(std::move(all));
}
// from, calls, member, …: emit, join, leave, disconnect
inline Task<Value> with_fetched(Socket& socket, std::vector<Value> args) {
  Task<std::vector<RemoteSocket>> fetching = chosen(socket, text(args, 0), args[1]).fetch_sockets();
  std::vector<RemoteSocket> found = co_await fetching;
  const std::string member = text(args, 2);
  for (RemoteSocket& each : found) {
    if (member == "emit") each.emit_args(text(args, 3), Span(args).subspan(4));
    if (member == "join") each.join(text(args, 3));
    if (member == "leave") each.leave(text(args, 3));
    if (member == "disconnect") each.disconnect(truth(args, 3));
  }
  co_return Value();
}
// from, calls, ms, event, …: each of them is asked
inline Task<Value> ask_fetched(Socket& socket, std::vector<Value> args) {
  Task<std::vector<RemoteSocket>> fetching = chosen(socket, text(args, 0), args[1]).fetch_sockets();
  std::vector<RemoteSocket> found = co_await fetching;
  Array all;
  for (RemoteSocket& each : found) {
    Task<Result<Value>> asking =
        each.emit_with_ack(text(args, 3), from(args, 4), milliseconds(number(args, 2)));
    Result<Value> answer = co_await asking;
    all.push_back(answer.ok() ? *answer : Value("timeout"));
  }
  co_return Value(sorted(std::move(all)));
}

inline const std::map<std::string, Waiting, std::less<>> kWaiting = {
    {"ask", ask},
    {"askWithin", ask_within},
    {"askAndReport", ask_and_report},
    {"askAll", ask_all},
    {"fetchSockets", fetch_sockets},
    {"withFetched", with_fetched},
    {"askFetched", ask_fetched},
};

// The steps one after another; the results are the answer.
inline Task<> run_steps(Socket& socket, Args steps, Ack ack) {
  Array results;
  for (const Value& step : steps) {
    const Span words(step.as_array());
    const std::string name = text(words, 0);
    if (const auto waiting = kWaiting.find(name); waiting != kWaiting.end()) {
      Task<Value> running = waiting->second(socket, from(step.as_array(), 1));
      Value result = co_await running;
      results.push_back(std::move(result));
      continue;
    }
    const auto operation = kOperations.find(name);
    results.push_back(operation == kOperations.end() ? Value("no operation " + name)
                                                     : operation->second(socket, words.subspan(1)));
  }
  ack(Value(std::move(results)));
}

inline std::string operation_names() {
  // Not operations, but offered: see README.md.
  std::string joined = "roomEvents,connectionErrors,newNamespaces";
  for (const auto& [name, operation] : kOperations) joined += "," + name;
  for (const auto& [name, operation] : kWaiting) joined += "," + name;
  return joined;
}

}  // namespace behaviours
