#include "options.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {
namespace {

constexpr std::string_view kUsage =
    R"(usage: bench_load ws://127.0.0.1:PORT[/path] [options]

  --mode echo|fanout|idle         what is measured (echo)
  --protocol raw|native|socketio  what the server speaks (raw)
  --connections N                 (100)
  --size BYTES                    payload of a frame: the request of an echo, each delivery of a fan-out (128)
  --seconds S                     how long is measured; idle: how long is waited (5)
  --warmup S                      load before the measured time (0.5)
  --publishers P                  fan-out: how many of the connections publish (1)
  --pipeline K                    messages in flight, of each connection or publisher (1)
  --busy                          spin instead of sleeping, so that the server never has to wake this process
  --pid PID                       of the server: its CPU time and memory are measured

One JSON object is written to standard output. Run it on a core of its own (taskset).
)";

[[noreturn]] void usage(const std::string& what) {
  std::fprintf(stderr, "bench_load: %s\n%s", what.c_str(), kUsage.data());
  std::exit(2);
}

double number(std::string_view flag, const char* text, double min, double max) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(value >= min) || !(value <= max))
    usage("bad value for " + std::string(flag));
  return value;
}

std::size_t count(std::string_view flag, const char* text, double min, double max) {
  return static_cast<std::size_t>(number(flag, text, min, max));
}

void parse_url(std::string_view url, Options& out) {
  constexpr std::string_view kScheme = "ws://";
  if (!url.starts_with(kScheme)) usage("the address begins with ws://");
  url.remove_prefix(kScheme.size());
  const std::size_t slash = std::min(url.find('/'), url.size());
  out.target = url.substr(slash);
  const std::string_view authority = url.substr(0, slash);
  const std::size_t colon = authority.find(':');
  if (colon == std::string_view::npos) usage("the address has no port");
  out.host = authority.substr(0, colon);
  if (out.host == "localhost") out.host = "127.0.0.1";
  out.port =
      static_cast<std::uint16_t>(count("port", std::string(authority.substr(colon + 1)).c_str(), 1, 65'535));
}

template <class E>
E choice(std::string_view flag, std::string_view text, std::initializer_list<E> all) {
  for (const E one : all) {
    if (name_of(one) == text) return one;
  }
  usage("bad value for " + std::string(flag));
}

void apply(std::string_view flag, const char* value, Options& out) {
  if (flag == "--mode") {
    out.mode = choice(flag, value, {Mode::kEcho, Mode::kFanout, Mode::kIdle});
  } else if (flag == "--protocol") {
    out.protocol = choice(flag, value, {ProtocolName::kRaw, ProtocolName::kNative, ProtocolName::kSocketIo});
  } else if (flag == "--connections") {
    out.connections = count(flag, value, 1, 200'000);
  } else if (flag == "--size") {
    out.size_bytes = count(flag, value, 1, 60'000);
  } else if (flag == "--seconds") {
    out.seconds = number(flag, value, 0.1, 86'400);
  } else if (flag == "--warmup") {
    out.warm_up_seconds = number(flag, value, 0, 60);
  } else if (flag == "--publishers") {
    out.publishers = count(flag, value, 1, 100);
  } else if (flag == "--pipeline") {
    out.pipeline = count(flag, value, 1, 1'000);
  } else if (flag == "--pid") {
    out.server = static_cast<pid_t>(count(flag, value, 1, 1e9));
  } else {
    usage("unknown option " + std::string(flag));
  }
}

}  // namespace

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::kEcho: return "echo";
    case Mode::kFanout: return "fanout";
    case Mode::kIdle: return "idle";
  }
  return {};
}

std::string_view name_of(ProtocolName protocol) {
  switch (protocol) {
    case ProtocolName::kRaw: return "raw";
    case ProtocolName::kNative: return "native";
    case ProtocolName::kSocketIo: return "socketio";
  }
  return {};
}

Options parse_options(int argc, char** argv) {
  Options out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--busy") {
      out.busy = true;
    } else if (argument == "--help") {
      std::fputs(kUsage.data(), stdout);
      std::exit(0);
    } else if (argument.starts_with("--")) {
      if (++i == argc) usage(std::string(argument) + " wants a value");
      apply(argument, argv[i], out);
    } else {
      parse_url(argument, out);
    }
  }
  if (out.port == 0) usage("no address");
  if (out.mode == Mode::kFanout && (out.connections < 2 || out.publishers > out.connections))
    usage("a fan-out wants two connections or more, and no more publishers than connections");
  if (out.mode == Mode::kIdle && out.server == 0) usage("idle wants --pid");
  return out;
}

void fail(const std::string& what) {
  std::fprintf(stderr, "bench_load: %s\n", what.c_str());
  std::string quoted;
  for (const char c : what) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  std::printf("{\"error\": \"%s\"}\n", quoted.c_str());
  std::fflush(stdout);
  std::_Exit(1);
}

}  // namespace bench
