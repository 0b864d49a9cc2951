// A push service, as those of browsers, and what a browser has of it.
#pragma once

#include <wirehall/value.h>

#include <future>
#include <string>
#include <thread>

#include "support/loopback.h"

namespace app {

/// Takes one push.
class PushService {
 public:
  PushService();
  ~PushService();
  std::string url() const { return "http://127.0.0.1:" + std::to_string(listener_.port()) + "/push"; }
  /// Waits five seconds for the push. Returns: the head of its request, in lower case.
  std::string received();

 private:
  void serve();

  Listener listener_;
  std::promise<std::string> head_;
  std::thread server_;
};

/// A key pair in base64url, as `wirehall vapid` makes it.
struct PushKeys {
  std::string public_key;
  std::string private_key;
};
PushKeys make_push_keys();

/// What a browser gives.
wirehall::Value subscription_at(const std::string& endpoint);

}  // namespace app
