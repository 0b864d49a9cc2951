// The loop's part below messages: sockets, TLS, and what HTTP is spoken: the upgrade, and Engine.IO's
// polling.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "loadgen/client_loop.h"
#include "wirehall/value.h"

namespace wirehall::loadgen {
namespace {

constexpr http1::ResponseLimits kResponseLimits{16'384, 64 << 20};
// RFC 6455's example: whether the server hashes it rightly is not what is measured.
constexpr std::string_view kUpgradeLines =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

std::string reason() { return std::strerror(errno); }

std::string tls_reason(const ssl_st* tls) {
  const long verified = SSL_get_verify_result(tls);
  if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
  const char* text = ERR_reason_error_string(ERR_peek_error());
  return text == nullptr ? "the connection ended" : text;
}

bool wants_more(ssl_st* tls, int result) {
  const int error = SSL_get_error(tls, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

}  // namespace

// -- opening and closing --------------------------------------------------------------------------

Channel& ClientLoop::make_channel(std::unique_ptr<Channel>& place, Connection& connection,
                                  Channel::Kind kind) {
  release(place);
  place = std::make_unique<Channel>();
  place->owner = &connection;
  place->kind = kind;
  return *place;
}

void ClientLoop::release(std::unique_ptr<Channel>& place) {
  if (!place) return;
  close_channel(*place, false);
  graveyard_.push_back(std::move(place));
}

void ClientLoop::close_channel(Channel& channel, bool reset) {
  if (channel.tls != nullptr) SSL_free(channel.tls);
  channel.tls = nullptr;
  if (channel.socket >= 0) {
    // Who closes first keeps the port for a minute, unless it resets.
    if (reset || options().mode == Mode::kConnect) {
      const linger at_once{1, 0};
      setsockopt(channel.socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    ::close(channel.socket);
  }
  channel.socket = -1;
  channel.connecting = false;
  channel.parser.reset();
  channel.unread = std::string();
  channel.unsent = std::string();
}

void ClientLoop::close_all(Connection& connection, bool reset) {
  close_channel(connection.web_socket, reset);
  for (std::unique_ptr<Channel>* place : {&connection.poll, &connection.post}) {
    if (!*place) continue;
    close_channel(**place, reset);
    graveyard_.push_back(std::move(*place));
  }
}

void ClientLoop::connect(Channel& channel) {
  Connection& connection = *channel.owner;
  channel.socket = ::socket(plan_.address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (channel.socket < 0) return drop(connection, "no socket: " + reason());
  const int on = 1;
  setsockopt(channel.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!plan_.sources.empty()) {
    const SocketAddress& source = plan_.sources[connection.id % plan_.sources.size()];
    setsockopt(channel.socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (::bind(channel.socket, reinterpret_cast<const sockaddr*>(&source.storage), source.bytes) != 0)
      return drop(connection, "a source address cannot be used: " + reason());
  }
  channel.connecting = true;
  channel.parser = std::make_unique<http1::ResponseParser>(kResponseLimits);
  const auto* address = reinterpret_cast<const sockaddr*>(&plan_.address.storage);
  if (::connect(channel.socket, address, plan_.address.bytes) != 0 && errno != EINPROGRESS)
    return drop(connection, "no connection to " + plan_.endpoint.authority_with_port + ": " + reason());
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &channel;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, channel.socket, &event) != 0) drop(connection, "epoll: " + reason());
}

// Returns whether it is connected.
bool ClientLoop::finish_connect(Channel& channel) {
  Connection& connection = *channel.owner;
  if (channel.tls == nullptr) {
    int error = 0;
    socklen_t bytes = sizeof error;
    getsockopt(channel.socket, SOL_SOCKET, SO_ERROR, &error, &bytes);
    sockaddr_storage peer{};
    socklen_t peer_bytes = sizeof peer;
    if (error == 0 && getpeername(channel.socket, reinterpret_cast<sockaddr*>(&peer), &peer_bytes) != 0) {
      if (errno == ENOTCONN) return false;
      error = errno;
    }
    if (error != 0) {
      drop(connection,
           "no connection to " + plan_.endpoint.authority_with_port + ": " + std::strerror(error));
      return false;
    }
    if (!plan_.tls) return connected(channel), channel.socket >= 0;
    channel.tls = SSL_new(plan_.tls.get());
    SSL_set_fd(channel.tls, channel.socket);
    SSL_set_tlsext_host_name(channel.tls, plan_.endpoint.host.c_str());
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(channel.tls), plan_.endpoint.host.c_str()) != 1)
      SSL_set1_host(channel.tls, plan_.endpoint.host.c_str());
  }
  ERR_clear_error();
  const int done = SSL_connect(channel.tls);
  if (done == 1) return connected(channel), channel.socket >= 0;
  if (!wants_more(channel.tls, done)) drop(connection, "no TLS with the server: " + tls_reason(channel.tls));
  return false;
}

void ClientLoop::connected(Channel& channel) {
  channel.connecting = false;
  Connection& connection = *channel.owner;
  if (channel.kind == Channel::Kind::kPoll) return poll(connection);
  if (channel.kind == Channel::Kind::kPost) return post(connection);
  send_bytes(channel, "GET " + plan_.target("websocket", connection.session) + " HTTP/1.1\r\n" +
                          plan_.header_lines(connection.id) + std::string(kUpgradeLines));
}

// -- bytes ----------------------------------------------------------------------------------------

// Returns how many bytes came; 0 when there are none for now, or the connection has ended and was dropped.
std::ptrdiff_t ClientLoop::receive(Channel& channel, char* buffer, std::size_t bytes) {
  int error = 0;
  if (channel.tls != nullptr) {
    ERR_clear_error();
    const int got = SSL_read(channel.tls, buffer, static_cast<int>(bytes));
    if (got > 0) return got;
    if (wants_more(channel.tls, got)) return 0;
  } else {
    ssize_t got = 0;
    do {
      got = ::recv(channel.socket, buffer, bytes, 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) return got;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
    if (got < 0) error = errno;
  }
  Connection& connection = *channel.owner;
  if (channel.kind == Channel::Kind::kPost && !connection.posting) {
    // A server may close what is idle; the next POST opens another one.
    close_channel(channel, false);
    return 0;
  }
  std::string why = "the connection ended";
  if (error != 0) why += std::string(": ") + std::strerror(error);
  if (connection.state == Connection::State::kConnecting) why += " before the server had answered";
  drop(connection, std::move(why));
  return 0;
}

void ClientLoop::send_bytes(Channel& channel, std::string_view bytes) {
  if (channel.socket < 0) return;
  if (!channel.unsent.empty()) {
    channel.unsent.append(bytes);
    return;
  }
  std::size_t sent = 0;
  if (channel.tls != nullptr) {
    ERR_clear_error();
    const int wrote = SSL_write(channel.tls, bytes.data(), static_cast<int>(bytes.size()));
    if (wrote <= 0 && !wants_more(channel.tls, wrote)) return;  // reading tells why
    sent = wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
    if (sent != 0 && sent < bytes.size()) {
      // Edge-triggered: the rest is tried at once, until the socket is full.
      channel.unsent.assign(bytes.substr(sent));
      return write_unsent(channel);
    }
  } else {
    ssize_t wrote = 0;
    do {
      wrote = ::send(channel.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } while (wrote < 0 && errno == EINTR);
    if (wrote == static_cast<ssize_t>(bytes.size())) return;
    if (wrote < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return;  // reading tells why
    sent = wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
  }
  if (sent < bytes.size()) channel.unsent.assign(bytes.substr(sent));
}

void ClientLoop::write_unsent(Channel& channel) {
  const std::string bytes = std::move(channel.unsent);
  channel.unsent.clear();
  send_bytes(channel, bytes);
}

// -- HTTP -----------------------------------------------------------------------------------------

std::size_t ClientLoop::take_http(Channel& channel, std::string_view bytes, std::uint64_t now) {
  std::string_view rest = bytes;
  while (channel.parser && channel.socket >= 0 && !rest.empty()) {
    switch (channel.parser->next(rest)) {
      case http1::ResponseParser::Step::kNeedMore: return bytes.size() - rest.size();
      case http1::ResponseParser::Step::kError:
        drop(*channel.owner, "the server's answer is no HTTP: " + printable(bytes));
        return bytes.size();
      case http1::ResponseParser::Step::kComplete: {
        const http1::ReceivedResponse response = std::move(channel.parser->response());
        take_response(channel, response, now);
        break;
      }
    }
  }
  return bytes.size() - rest.size();
}

void ClientLoop::take_response(Channel& channel, const http1::ReceivedResponse& response, std::uint64_t now) {
  Connection& connection = *channel.owner;
  const std::string status = "HTTP " + std::to_string(response.status) + " " + printable(response.reason);
  const std::string detail = response.body.empty() ? status : status + ": " + printable(response.body);
  if (channel.kind == Channel::Kind::kWebSocket) {
    if (response.status != 101) return drop(connection, "the upgrade was refused with " + detail);
    channel.parser.reset();
    if (connection.polling) {
      std::string probe;
      append_masked_frame(probe, kTextFrame, "2probe");
      reply_ += probe;
    } else if (plan_.speech != Speech::kSocketIo) {
      begin_session(connection, now);
    }
    return;
  }
  if (response.status != 200) return drop(connection, "a request was refused with " + detail);
  if (!response.keep_alive) {
    close_channel(channel, false);
  }
  if (channel.kind == Channel::Kind::kPost) {
    connection.posting = false;
    return post(connection);
  }
  std::string_view rest = response.body;
  while (!rest.empty() && connection.polling) {
    const std::size_t end = std::min(rest.find('\x1e'), rest.size());
    take_text(connection, rest.substr(0, end), true, now);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (connection.state == Connection::State::kClosed) return;
  }
  if (connection.state == Connection::State::kConnecting)
    return drop(connection,
                "no Socket.IO answers under " + plan_.endpoint.path + ": " + printable(response.body));
  if (connection.pausing) return finish_upgrade(connection, now);
  poll(connection);
}

void ClientLoop::engine_open(Connection& connection, std::string_view packet, std::uint64_t now) {
  if (connection.polling) {
    const Result<Value> open = Value::from_json(packet.substr(1));
    const std::string* session = open.ok() ? open->find_string("sid") : nullptr;
    if (session == nullptr) return drop(connection, "a strange open packet: " + printable(packet));
    connection.session = *session;
  }
  begin_session(connection, now);
}

void ClientLoop::poll(Connection& connection) {
  if (!connection.poll || connection.poll->socket < 0) {
    connect(make_channel(connection.poll, connection, Channel::Kind::kPoll));
    return;
  }
  send_bytes(*connection.poll, "GET " + plan_.target("polling", connection.session) + " HTTP/1.1\r\n" +
                                   plan_.header_lines(connection.id) + "\r\n");
}

void ClientLoop::post(Connection& connection) {
  if (connection.posting || connection.outgoing.empty() || !connection.polling) return;
  if (!connection.post || connection.post->socket < 0) {
    connect(make_channel(connection.post, connection, Channel::Kind::kPost));
    return;
  }
  if (connection.post->connecting) return;
  connection.posting = true;
  std::string request = "POST " + plan_.target("polling", connection.session) + " HTTP/1.1\r\n" +
                        plan_.header_lines(connection.id) +
                        "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: " +
                        std::to_string(connection.outgoing.size()) + "\r\n\r\n";
  request += connection.outgoing;
  connection.outgoing.clear();
  send_bytes(*connection.post, request);
}

void ClientLoop::finish_upgrade(Connection& connection, std::uint64_t now) {
  connection.polling = connection.pausing = false;
  release(connection.poll);
  release(connection.post);
  say(connection, "5");
  const std::string waiting = std::move(connection.outgoing);
  connection.outgoing.clear();
  for (std::string_view rest = waiting; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\x1e'), rest.size());
    say(connection, rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  next_greeting(connection, now);
}

}  // namespace wirehall::loadgen
