// What is measured: each scenario drives connections and writes one JSON object.
#pragma once

#include <string>

#include "options.h"

namespace bench {

/// Every connection has options.pipeline messages in flight and sends the next when an answer came. An
/// operation is one message and its answer.
std::string run_echo(const Options& options);

/// options.publishers of the connections publish, each with options.pipeline messages in flight; a message
/// is in flight until all other connections have it. An operation is one delivery.
std::string run_fanout(const Options& options);

/// Opens connections, waits, and reports what they cost the server in memory.
std::string run_idle(const Options& options);

}  // namespace bench
