// A cable between a client and the server, which a test can pull out.
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "support/loopback.h"

namespace app {

/// Thread:   the functions are safe to call from any; one of its own carries the bytes.
class Cable {
 public:
  /// `url`: the server's.
  explicit Cable(const std::string& url);
  ~Cable();

  /// Where a client connects to.
  std::string url() const { return "http://127.0.0.1:" + std::to_string(listener_.port()); }
  /// Nothing goes through any more, and nobody says goodbye.
  void cut();
  void mend();

 private:
  struct Wire {
    Socket near;  // the client's end
    Socket far;   // the server's
    bool broken = false;
  };
  void carry();
  void accept();

  Listener listener_;
  std::uint16_t server_port_;
  std::mutex mutex_;  // what follows
  std::list<Wire> wires_;
  bool is_cut_ = false;
  bool ended_ = false;
  std::thread carrier_;
};

}  // namespace app
