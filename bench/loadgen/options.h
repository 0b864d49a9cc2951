// The command line of the load generator.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

enum class Mode : std::uint8_t { kEcho, kFanout, kIdle };
enum class ProtocolName : std::uint8_t { kRaw, kNative, kSocketIo };

struct Options {
  std::string host = "127.0.0.1";  ///< a numeric IPv4 address
  std::uint16_t port = 0;
  std::string target;  ///< path and query; empty: the protocol's own
  Mode mode = Mode::kEcho;
  ProtocolName protocol = ProtocolName::kRaw;
  std::size_t connections = 100;
  std::size_t size_bytes = 128;  ///< payload of a frame: of the request (echo), of each delivery (fan-out)
  double seconds = 5;            ///< measured; the warm-up comes before
  double warm_up_seconds = 0.5;
  std::size_t publishers = 1;
  std::size_t pipeline = 1;  ///< messages in flight: of each connection (echo), of each publisher (fan-out)
  bool busy = false;         ///< never sleeps in epoll_wait
  pid_t server = 0;          ///< 0: unknown, nothing about the server is reported
};

/// Ends the process with usage (status 2) when the command line is wrong.
Options parse_options(int argc, char** argv);

std::string_view name_of(Mode mode);
std::string_view name_of(ProtocolName protocol);

/// Prints what went wrong, as an error line and as the JSON result, and ends the process with status 1: a
/// measurement that is not whole is none.
[[noreturn]] void fail(const std::string& what);

}  // namespace bench
