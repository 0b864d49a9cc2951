// bench_load: a load generator for WebSocket servers that measures the server, not itself. It uses system
// calls only and shares no code with the server: neither a fault nor a shortcut of the one can hide in the
// other. How to use it: bench/README.md.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>

#include "options.h"
#include "scenarios.h"

int main(int argc, char** argv) {
  const bench::Options options = bench::parse_options(argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  std::string result;
  switch (options.mode) {
    case bench::Mode::kEcho: result = bench::run_echo(options); break;
    case bench::Mode::kFanout: result = bench::run_fanout(options); break;
    case bench::Mode::kIdle: result = bench::run_idle(options); break;
  }
  std::printf("%s\n", result.c_str());
  return 0;
}
