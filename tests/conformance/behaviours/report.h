// What both halves of the behaviours' program on Wirehall need: reports, and the arguments of operations.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <wirehall/namespace.h>

namespace behaviours {

using namespace wirehall;

// -- reports: lines on the standard output ---------------------------------------------------------

inline void write_line(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::fprintf(stdout, "%s\n", line.c_str());
  std::fflush(stdout);
}

inline void report_as(const std::string& tag, const std::string& nsp, Array entry) {
  Array line{Value(tag), Value(nsp)};
  for (Value& value : entry) line.push_back(std::move(value));
  write_line("report " + Value(std::move(line)).to_json());
}

inline std::string tag_of(const Socket& socket) { return socket.handshake().query("tag").value_or(""); }

inline void report(const Socket& socket, Array entry) {
  report_as(tag_of(socket), socket.nsp().name(), std::move(entry));
}

// One's own room first: ids are another each time.
inline Value rooms_of(const Socket& socket) {
  std::vector<std::string> rooms = socket.rooms();
  std::sort(rooms.begin(), rooms.end());
  std::stable_partition(rooms.begin(), rooms.end(),
                        [&](const std::string& room) { return room == socket.id(); });
  return Value(Array(rooms.begin(), rooms.end()));
}

// -- arguments of operations -----------------------------------------------------------------------

using Span = std::span<const Value>;

inline std::string text(Span args, std::size_t index) {
  return index < args.size() && args[index].is_string() ? args[index].as_string() : std::string();
}
inline bool truth(Span args, std::size_t index) {
  return index < args.size() && args[index].is_bool() && args[index].as_bool();
}
inline std::int64_t number(Span args, std::size_t index) {
  return index < args.size() ? exact_integer(args[index]).value_or(0) : 0;
}
// A string, or a list of them.
inline std::vector<std::string> names(Span args, std::size_t index) {
  if (index >= args.size()) return {};
  if (args[index].is_string()) return {args[index].as_string()};
  return args[index].to<std::vector<std::string>>().value_or({});
}
inline Value list(Span args) { return Value(Array(args.begin(), args.end())); }

}  // namespace behaviours
