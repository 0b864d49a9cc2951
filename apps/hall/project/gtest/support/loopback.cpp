#include "support/loopback.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace app {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Socket::~Socket() {
  if (number_ >= 0) close(number_);
}

Socket connect_to(std::uint16_t port) {
  Socket made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  const bool connected =
      connect(made.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  return connected ? std::move(made) : Socket(-1);
}

Listener::Listener() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t bytes = sizeof address;
  if (bind(number(), reinterpret_cast<const sockaddr*>(&address), bytes) != 0 || listen(number(), 16) != 0 ||
      getsockname(number(), reinterpret_cast<sockaddr*>(&address), &bytes) != 0)
    throw std::runtime_error("no free port on this machine");
  port_ = ntohs(address.sin_port);
}

Socket Listener::accept() const { return Socket(accept4(number(), nullptr, nullptr, SOCK_CLOEXEC)); }

void Listener::shut() { shutdown(number(), SHUT_RDWR); }

}  // namespace app
