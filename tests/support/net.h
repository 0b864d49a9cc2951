// A blocking client over a real loopback socket, for tests of what has real sockets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/sim.h"

namespace wirehall::test {

class NetClient {
 public:
  explicit NetClient(std::uint16_t port);
  ~NetClient();
  NetClient(const NetClient&) = delete;
  NetClient(NetClient&& other) noexcept;

  bool connected() const { return socket_ >= 0; }
  void send(std::string_view bytes);
  /// Reads until a whole response is there, or the deadline passes (status 0).
  HttpAnswer response();
  /// Upgrades; returns the status.
  int open_websocket(std::string_view target);
  /// Reads until at least one frame is there; empty when the connection ended or the deadline passed.
  std::vector<std::string> frames();
  /// The next frame whose text has `part` in it; empty when none comes.
  std::string await(std::string_view part);
  /// Whether the server closes within the deadline.
  bool closes();
  int descriptor() const { return socket_; }

 private:
  bool read_more();
  int socket_;
  bool ended_ = false;
  std::string received_;
  std::vector<std::string> queue_;
};

}  // namespace wirehall::test
