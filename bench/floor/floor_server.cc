// The floor: what the system calls alone cost. One thread, one edge-triggered epoll set, WebSocket frames
// and nothing else: no limits, no time-outs, no fragments, no extensions. A server with features is measured
// against it, so it must do the same system calls with the same socket options and as little besides as
// can be. It shares no code with the server, or both could share a shortcut.
//
// Mode `socketio` answers what a Socket.IO client says until it is connected, by WebSocket or by polling with
// an upgrade, with prebuilt text: the floor of a handshake. It reads no JSON and knows one client's way of
// asking, which `wirehall bench` takes.
//
// Modes `fanout-stored` and `fanout-inserted` hand each message to a thread that stores it (disk.h), and
// deliver what that thread gives back: the floor of a server that tells nobody of a message before it is
// stored.
//
//   bench_floor --mode echo|fanout|fanout-batched|fanout-stored|fanout-inserted|socketio
//               [--port N] [--data FOLDER]
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "floor/disk.h"

namespace {

constexpr std::size_t kReceiveBytes = 256 * 1024;
constexpr std::size_t kFrameBytesMax = 128 * 1024;
constexpr std::size_t kUnsentBytesMax = 64 * 1024 * 1024;
constexpr int kEventsMax = 1024;
constexpr int kSendBufferBytes = 128 * 1024;
constexpr int kUnsentLowWaterBytes = 32 * 1024;
constexpr int kBacklog = 4096;

// A session's number has as many digits, whatever it is: all packets have one length.
constexpr std::size_t kSessionDigits = 20;

enum class Mode { kEcho, kFanout, kFanoutBatched, kFanoutStored, kFanoutInserted, kSocketIo };

struct Connection {
  int socket = -1;
  std::uint32_t index = 0;  // in the table
  bool switched = false;    // from HTTP to WebSocket
  bool dead = false;        // to be closed at the end of the turn
  bool sent_this_turn = false;
  std::uint32_t session = 0;            // Socket.IO: which one upgrades
  std::unique_ptr<std::string> unread;  // the beginning of a request or frame
  std::unique_ptr<std::string> unsent;
};

void unmask(char* bytes, std::size_t size, std::uint32_t mask) {
  const std::uint64_t wide = static_cast<std::uint64_t>(mask) << 32 | mask;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t chunk = 0;
    std::memcpy(&chunk, bytes + i, 8);
    chunk ^= wide;
    std::memcpy(bytes + i, &chunk, 8);
  }
  std::array<char, 4> key;
  std::memcpy(key.data(), &mask, 4);
  for (; i < size; ++i) bytes[i] = static_cast<char>(bytes[i] ^ key[i & 3]);
}

std::string switching_protocols(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 64> base64;
  const int size = EVP_EncodeBlock(base64.data(), digest.data(), SHA_DIGEST_LENGTH);
  std::string response =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ";
  response.append(reinterpret_cast<const char*>(base64.data()), static_cast<std::size_t>(size));
  return response + "\r\n\r\n";
}

void append_frame(std::string& out, std::string_view text) {
  out += static_cast<char>(0x81);
  if (text.size() < 126) {
    out += static_cast<char>(text.size());
  } else {
    out += static_cast<char>(126);
    out += static_cast<char>(text.size() >> 8);
    out += static_cast<char>(text.size() & 0xff);
  }
  out += text;
}

std::string session_name(std::uint32_t number) {
  std::string digits = std::to_string(number);
  return std::string(kSessionDigits - digits.size(), '0') + digits;
}

std::string open_packet(std::uint32_t session) {
  return "0{\"sid\":\"" + session_name(session) +
         "\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":"
         "1000000}";
}

std::string connect_packet(std::uint32_t session) { return "40{\"sid\":\"" + session_name(session) + "\"}"; }

std::string ok_response(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

class Floor {
 public:
  Floor(Mode mode, std::uint16_t port, const char* folder) : mode_(mode), buffer_(new char[kReceiveBytes]) {
    listen(port);
    if (mode == Mode::kFanoutStored || mode == Mode::kFanoutInserted) {
      disk_ = std::make_unique<Disk>(mode == Mode::kFanoutStored ? make_pages(folder) : make_rows(folder));
      epoll_event event{};
      event.events = EPOLLIN | EPOLLET;
      event.data.ptr = disk_.get();
      if (epoll_ctl(epoll_, EPOLL_CTL_ADD, disk_->event(), &event) != 0) fail("epoll_ctl");
    }
    std::printf("listening %u\n", port_);
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, kEventsMax> events;
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), kEventsMax, -1);
      if (count < 0 && errno != EINTR) fail("epoll_wait");
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.ptr == nullptr) {
          accept_all();
        } else if (event.data.ptr == disk_.get()) {
          for (const Disk::Message& message : disk_->take_stored()) deliver(message.from, message.frame);
        } else {
          serve(*static_cast<Connection*>(event.data.ptr), event.events);
        }
      }
      deliver_batch();
      close_dead();
    }
  }

 private:
  void listen(std::uint16_t port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // Accepted sockets inherit these.
    setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(listener_, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
    setsockopt(listener_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentLowWaterBytes, sizeof kUnsentLowWaterBytes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, kBacklog) != 0) fail("bind");
    getsockname(listener_, generic, &size);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event) != 0) fail("epoll_ctl");
    port_ = ntohs(address.sin_port);
  }

  void accept_all() {
    for (;;) {
      const int socket = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) {
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (errno != EAGAIN) fail("accept");
        return;
      }
      auto connection = std::make_unique<Connection>();
      connection->socket = socket;
      connection->index = static_cast<std::uint32_t>(connections_.size());
      epoll_event event{};
      event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
      event.data.ptr = connection.get();
      if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) fail("epoll_ctl");
      connections_.push_back(std::move(connection));
    }
  }

  void serve(Connection& connection, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && connection.unsent && !connection.dead) write_unsent(connection);
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
    const bool ends = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    while (!connection.dead) {
      std::size_t held = 0;
      if (connection.unread) {
        held = connection.unread->size();
        std::memcpy(buffer_.get(), connection.unread->data(), held);
        connection.unread.reset();
      }
      const ssize_t got = recv(connection.socket, buffer_.get() + held, kReceiveBytes - held, 0);
      if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
          kill(connection);
        } else if (held != 0) {
          connection.unread = std::make_unique<std::string>(buffer_.get(), held);
        }
        if (got < 0 && errno == EINTR) continue;
        return;
      }
      const std::size_t filled = held + static_cast<std::size_t>(got);
      const std::size_t used = take(connection, buffer_.get(), filled);
      if (used != filled && !connection.dead) {
        connection.unread = std::make_unique<std::string>(buffer_.get() + used, filled - used);
      }
      // A short read has emptied the socket; what comes later is reported anew.
      if (filled < kReceiveBytes && !ends) return;
    }
  }

  // Returns how many bytes were whole requests or frames.
  std::size_t take(Connection& connection, char* bytes, std::size_t size) {
    std::size_t used = 0;
    while (!connection.switched && !connection.dead) {
      const std::size_t request = take_request(connection, std::string_view(bytes + used, size - used));
      if (request == 0) return used;
      used += request;
    }
    while (!connection.dead) {
      const std::size_t frame = take_frame(connection, bytes + used, size - used);
      if (frame == 0) break;
      used += frame;
    }
    return used;
  }

  // Returns how many bytes the request had, 0 when it is not whole.
  std::size_t take_request(Connection& connection, std::string_view bytes) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    const std::string_view head = bytes.substr(0, end + 2);
    const std::string_view key = field(head, "sec-websocket-key:");
    if (!key.empty()) {
      connection.switched = true;
      std::string answer = switching_protocols(key);
      if (mode_ == Mode::kSocketIo) {
        connection.session = session_of(head);
        if (connection.session == 0) {
          connection.session = new_session();
          append_frame(answer, open_packet(connection.session));
        }
      }
      write(connection, answer);
      return end + 4;
    }
    if (mode_ != Mode::kSocketIo) {
      kill(connection);
      return 0;
    }
    const std::string_view length = field(head, "content-length:");
    const std::size_t body = length.empty() ? 0 : std::strtoul(length.data(), nullptr, 10);
    if (bytes.size() < end + 4 + body) return 0;
    poll_or_post(connection, head, bytes.substr(end + 4, body));
    return end + 4 + body;
  }

  static std::string_view field(std::string_view head, std::string_view name) {
    for (std::size_t line = head.find("\r\n") + 2; line < head.size(); line = head.find("\r\n", line) + 2) {
      if (head.size() - line < name.size() || strncasecmp(head.data() + line, name.data(), name.size()) != 0)
        continue;
      const std::size_t from = head.find_first_not_of(' ', line + name.size());
      return head.substr(from, head.find_first_of(" \r", from) - from);
    }
    return {};
  }

  // -- Socket.IO's handshake ------------------------------------------------------------------------

  // A session while it polls: what waits for its next GET, or the GET that waits.
  struct Session {
    Connection* waiting = nullptr;
    std::string packets;
    bool upgrading = false;  // a GET is answered at once: the client waits for its end before it goes over
  };

  std::uint32_t new_session() {
    sessions_.emplace_back();
    return static_cast<std::uint32_t>(sessions_.size());  // 0 is none
  }

  std::uint32_t session_of(std::string_view head) const {
    const std::size_t at = head.substr(0, head.find("\r\n")).find("&sid=");
    if (at == std::string_view::npos) return 0;
    const auto number = static_cast<std::uint32_t>(std::strtoul(head.data() + at + 5, nullptr, 10));
    return number <= sessions_.size() ? number : 0;
  }

  void poll_or_post(Connection& connection, std::string_view head, std::string_view body) {
    const std::uint32_t number = session_of(head);
    if (number == 0) {
      connection.session = new_session();
      write(connection, ok_response(open_packet(connection.session)));
      return;
    }
    connection.session = number;
    Session& session = sessions_[number - 1];
    if (head.starts_with("POST")) {
      write(connection, ok_response("ok"));
      if (body == "40") push(session, connect_packet(number));
    } else if (session.upgrading) {
      write(connection, ok_response("6"));
    } else if (session.packets.empty()) {
      session.waiting = &connection;
    } else {
      write(connection, ok_response(session.packets));
      session.packets.clear();
    }
  }

  void push(Session& session, std::string_view packet) {
    if (session.waiting == nullptr) {
      session.packets = packet;
      return;
    }
    write(*session.waiting, ok_response(packet));
    session.waiting = nullptr;
  }

  void greet(Connection& connection, std::string_view text) {
    std::string answer;
    if (text == "40") {
      append_frame(answer, connect_packet(connection.session));
    } else if (text == "2probe" && connection.session != 0) {
      append_frame(answer, "3probe");
    }
    if (!answer.empty()) write(connection, answer);
    if (text != "2probe" || connection.session == 0) return;
    Session& session = sessions_[connection.session - 1];
    session.upgrading = true;
    if (session.waiting != nullptr) push(session, "6");
  }

  // -- frames ---------------------------------------------------------------------------------------

  std::size_t take_frame(Connection& connection, char* bytes, std::size_t size) {
    if (size < 6) return 0;
    const auto first = static_cast<unsigned char>(bytes[0]);
    const auto second = static_cast<unsigned char>(bytes[1]);
    std::size_t payload = second & 0x7f;
    const std::size_t extended = payload == 126 ? 2 : payload == 127 ? 8 : 0;
    const std::size_t header = 2 + extended;
    if (size < header + 4) return 0;
    if (extended != 0) payload = 0;
    for (std::size_t i = 0; i < extended; ++i) {
      payload = payload << 8 | static_cast<unsigned char>(bytes[2 + i]);
    }
    const unsigned opcode = first & 0x0f;
    if (opcode == 8 || (first & 0xf0) != 0x80 || (second & 0x80) == 0 || payload > kFrameBytesMax) {
      kill(connection);
      return 0;
    }
    if (size < header + 4 + payload) return 0;
    if (opcode == 1 || opcode == 2) {
      std::uint32_t mask = 0;
      std::memcpy(&mask, bytes + header, 4);
      unmask(bytes + header + 4, payload, mask);
      if (mode_ == Mode::kSocketIo) {
        greet(connection, std::string_view(bytes + header + 4, payload));
        return header + 4 + payload;
      }
      // The frame that goes out has no mask: its header fits right before the payload.
      char* frame = bytes + 4;
      std::memmove(frame, bytes, header);
      frame[1] = static_cast<char>(second & 0x7f);
      message(connection, std::string_view(frame, header + payload));
    }
    return header + 4 + payload;
  }

  void message(Connection& from, std::string_view frame) {
    switch (mode_) {
      case Mode::kSocketIo: break;
      case Mode::kEcho: write(from, frame); break;
      case Mode::kFanout: deliver(&from, frame); break;
      case Mode::kFanoutStored:
      case Mode::kFanoutInserted: disk_->store({&from, std::string(frame)}); break;
      case Mode::kFanoutBatched:
        batch_.append(frame);
        pieces_.push_back({&from, frame.size()});
        from.sent_this_turn = true;
        break;
    }
  }

  void deliver(const void* except, std::string_view frame) {
    for (const auto& connection : connections_) {
      if (connection.get() != except && connection->switched && !connection->dead) write(*connection, frame);
    }
  }

  void deliver_batch() {
    if (pieces_.empty()) return;
    for (const auto& connection : connections_) {
      if (!connection->switched || connection->dead) continue;
      if (!connection->sent_this_turn) {
        write(*connection, batch_);
        continue;
      }
      connection->sent_this_turn = false;
      others_.clear();
      std::size_t begin = 0;
      for (const Piece& piece : pieces_) {
        if (piece.from != connection.get()) others_.append(batch_, begin, piece.bytes);
        begin += piece.bytes;
      }
      if (!others_.empty()) write(*connection, others_);
    }
    batch_.clear();
    pieces_.clear();
  }

  void write(Connection& connection, std::string_view bytes) {
    if (connection.unsent) {
      if (connection.unsent->size() > kUnsentBytesMax) kill(connection);
      connection.unsent->append(bytes);
      return;
    }
    const ssize_t sent = send(connection.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(bytes.size())) return;
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      kill(connection);
      return;
    }
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    connection.unsent = std::make_unique<std::string>(bytes);
    // An interrupted call is not reported again by the poller.
    if (sent < 0 && errno == EINTR) write_unsent(connection);
  }

  void write_unsent(Connection& connection) {
    const std::unique_ptr<std::string> bytes = std::move(connection.unsent);
    write(connection, *bytes);
  }

  // Closing waits for the end of the turn: events of the connection may be in the list already, and a
  // fan-out may be walking the table.
  void kill(Connection& connection) {
    if (connection.dead) return;
    connection.dead = true;
    dead_.push_back(&connection);
  }

  void close_dead() {
    for (Connection* connection : dead_) {
      if (mode_ == Mode::kSocketIo && connection->session != 0) {
        Session& session = sessions_[connection->session - 1];
        if (session.waiting == connection) session.waiting = nullptr;
      }
      ::close(connection->socket);
      const std::uint32_t index = connection->index;
      std::swap(connections_[index], connections_.back());
      connections_[index]->index = index;
      connections_.pop_back();
    }
    dead_.clear();
  }

  struct Piece {
    const Connection* from;
    std::size_t bytes;
  };

  Mode mode_;
  int listener_ = -1;
  int epoll_ = -1;
  std::uint16_t port_ = 0;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<char[]> buffer_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> dead_;
  std::string batch_;
  std::string others_;
  std::vector<Piece> pieces_;
  std::deque<Session> sessions_;
};

[[noreturn]] void usage() {
  std::fputs(
      "usage: bench_floor --mode echo|fanout|fanout-batched|fanout-stored|fanout-inserted|socketio\n"
      "                   [--port N] [--data FOLDER]\n",
      stderr);
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  Mode mode = Mode::kEcho;
  std::uint16_t port = 0;
  const char* folder = ".";
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) usage();
    const std::string_view flag = argv[i], value = argv[i + 1];
    if (flag == "--port") {
      port = static_cast<std::uint16_t>(std::atoi(argv[i + 1]));
    } else if (flag == "--data") {
      folder = argv[i + 1];
    } else if (flag == "--mode" && value == "echo") {
      mode = Mode::kEcho;
    } else if (flag == "--mode" && value == "fanout") {
      mode = Mode::kFanout;
    } else if (flag == "--mode" && value == "fanout-batched") {
      mode = Mode::kFanoutBatched;
    } else if (flag == "--mode" && value == "fanout-stored") {
      mode = Mode::kFanoutStored;
    } else if (flag == "--mode" && value == "fanout-inserted") {
      mode = Mode::kFanoutInserted;
    } else if (flag == "--mode" && value == "socketio") {
      mode = Mode::kSocketIo;
    } else {
      usage();
    }
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  Floor(mode, port, folder).run();
}
