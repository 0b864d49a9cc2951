// TCP on this machine, for what stands beside the server in a test.
#pragma once

#include <cstdint>

namespace app {

/// Closes with the object.
class Socket {
 public:
  /// `number`: the descriptor, negative where there is none.
  explicit Socket(int number) : number_(number) {}
  Socket(Socket&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  ~Socket();
  int number() const { return number_; }

 private:
  int number_;
};

/// Returns: no socket where nobody listens.
Socket connect_to(std::uint16_t port);

/// Listens on a free port of 127.0.0.1 from the constructor on.
class Listener {
 public:
  Listener();
  int number() const { return socket_.number(); }
  std::uint16_t port() const { return port_; }
  /// Waits for a connection. Returns: no socket once shut() was called.
  Socket accept() const;
  /// Takes no more connections, and wakes who waits for one.
  void shut();

 private:
  Socket socket_;
  std::uint16_t port_ = 0;
};

}  // namespace app
