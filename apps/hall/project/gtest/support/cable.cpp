#include "support/cable.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <vector>

namespace app {
namespace {

// Moves what is there. Returns: whether the connection still stands.
bool move_bytes(int from, int to) {
  std::array<char, 16 * 1024> buffer{};
  const ssize_t bytes = recv(from, buffer.data(), buffer.size(), 0);
  if (bytes <= 0) return false;
  for (ssize_t sent = 0; sent < bytes;) {
    const ssize_t count =
        send(to, buffer.data() + sent, static_cast<std::size_t>(bytes - sent), MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent += count;
  }
  return true;
}

}  // namespace

Cable::Cable(const std::string& url)
    : server_port_(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)))),
      carrier_([this] { carry(); }) {}

Cable::~Cable() {
  cut();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  listener_.shut();
  carrier_.join();
}

void Cable::cut() {
  const std::lock_guard lock(mutex_);
  is_cut_ = true;
  for (Wire& wire : wires_) {
    wire.broken = true;
    shutdown(wire.near.number(), SHUT_RDWR);  // wakes the carrier as well
    shutdown(wire.far.number(), SHUT_RDWR);
  }
}

void Cable::mend() {
  const std::lock_guard lock(mutex_);
  is_cut_ = false;
}

void Cable::accept() {
  Socket near = listener_.accept();
  if (near.number() < 0 || is_cut_) return;
  Socket far = connect_to(server_port_);
  if (far.number() >= 0) wires_.push_back({std::move(near), std::move(far)});
}

void Cable::carry() {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    std::vector<pollfd> watched{{listener_.number(), POLLIN, 0}};
    for (const Wire& wire : wires_) {
      watched.push_back({wire.near.number(), POLLIN, 0});
      watched.push_back({wire.far.number(), POLLIN, 0});
    }
    lock.unlock();
    poll(watched.data(), watched.size(), -1);
    lock.lock();
    std::size_t at = 1;
    for (Wire& wire : wires_) {
      const bool from_near = watched[at++].revents != 0;
      const bool from_far = watched[at++].revents != 0;
      if (from_near && !wire.broken) wire.broken = !move_bytes(wire.near.number(), wire.far.number());
      if (from_far && !wire.broken) wire.broken = !move_bytes(wire.far.number(), wire.near.number());
    }
    wires_.remove_if([](const Wire& wire) { return wire.broken; });
    if (watched[0].revents != 0) accept();
  }
}

}  // namespace app
