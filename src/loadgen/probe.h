// The first connection of a run: finds out whether the server is there, and what it is, before many are
// opened.
#pragma once

#include "loadgen/plan.h"

namespace wirehall::loadgen {

/// What one connection met.
///
/// Thread:   a plain value.
struct Probed {
  Speech speech = Speech::kSocketIo;
  bool hall = false;
  std::string failure;  ///< empty: it is there and speaks as the plan says
  bool wants_token = false;
};

/// Opens one connection as the plan says, without a join, and listens for a moment.
///
/// Cost:     up to 400 ms behind the connection, for a server that greets nobody; options.timeout_s when it
///           does not answer.
Probed probe(const Plan& plan);

}  // namespace wirehall::loadgen
