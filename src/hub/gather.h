// Asking all shards: runs a function on every one and brings the results together.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "hub/hub.h"

namespace wirehall::hub {

/// Runs `ask(hub, give)` on every shard; `give(T)` is called once there, now or later. When the last one has
/// given, `done` runs here, with the results in the order of the shards.
///
/// T is moved between threads: it must own everything it holds.
template <class T>
void gather(Hub& from, std::function<void(Hub&, std::function<void(T)> give)> ask,
            std::function<void(std::vector<T>)> done) {
  struct Gathering {
    std::vector<T> results;
    std::size_t left;
    std::function<void(std::vector<T>)> done;
  };
  Environment& environment = from.environment();
  const unsigned origin = environment.shard();
  const unsigned count = environment.shard_count();
  auto gathering = std::make_shared<Gathering>(Gathering{std::vector<T>(count), count, std::move(done)});
  const auto given = [gathering](unsigned shard, T result) {
    gathering->results[shard] = std::move(result);
    if (--gathering->left == 0) gathering->done(std::move(gathering->results));
  };
  for (unsigned shard = 0; shard < count; ++shard) {
    if (shard == origin) continue;
    environment.post(shard, [ask, given, origin, shard](Hub& there) {
      ask(there, [&there, given, origin, shard](T result) {
        auto moved = std::make_shared<T>(std::move(result));
        there.environment().post(origin, [given, shard, moved](Hub&) { given(shard, std::move(*moved)); });
      });
    });
  }
  ask(from, [given, origin](T result) { given(origin, std::move(result)); });
}

}  // namespace wirehall::hub
