// Asking another shard: runs a function on its hub and gives the result back here.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "hub/completion.h"
#include "hub/hub.h"
#include "wirehall/task.h"

namespace wirehall::hub {

/// Runs `function(Hub&)` on a shard, here at once when it is this one, and completes here. What that shard
/// sends here after the function has run arrives behind the result: the waiting coroutine has gone on by then.
///
/// T is moved between threads: it must own everything it holds, and no Value of it may be unparsed.
template <class T>
Completion<T> call(Hub& from, unsigned shard, std::function<T(Hub&)> function) {
  auto state = std::make_shared<CompletionState<T>>(from);
  Environment& environment = from.environment();
  if (shard == environment.shard()) {
    state->complete(function(from));
    return Completion<T>(state);
  }
  const unsigned origin = environment.shard();
  environment.post(shard, [state, origin, function = std::move(function)](Hub& there) {
    auto result = std::make_shared<T>(function(there));
    there.environment().post(origin, [state, result](Hub&) { state->complete_now(std::move(*result)); });
  });
  return Completion<T>(state);
}

/// The shard that owns a name: where there is one place for what all shards must agree on.
unsigned owner_of(const Environment& environment, std::string_view name);

}  // namespace wirehall::hub
