#pragma once

#include <utility>

#include <wirehall/hall.h>

namespace app {

/// Waits for what the hall does, and answers the client with it.
inline wirehall::Task<> answer(wirehall::Ack ack, wirehall::Task<wirehall::Result<wirehall::Object>> doing) {
  wirehall::Result<wirehall::Object> done = co_await doing;
  if (done.ok()) {
    ack.success(std::move(*done));
  } else {
    ack.fail(done.error());
  }
}

}  // namespace app
