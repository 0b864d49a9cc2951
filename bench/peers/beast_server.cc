// A plain WebSocket server on Boost.Beast, as its documentation suggests one: a session for each connection
// that reads and writes asynchronously, on one thread. The floor's modes.
//
//   bench_beast --mode echo|fanout [--port N]
#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Stream = beast::websocket::stream<tcp::socket>;

constexpr int kBacklog = 4096;

class Session;

struct Room {
  bool echo = true;
  std::unordered_set<Session*> sessions;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Room& room) : stream_(std::move(socket)), room_(room) {}
  ~Session() { room_.sessions.erase(this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start() {
    stream_.next_layer().set_option(tcp::no_delay(true));
    stream_.async_accept([self = shared_from_this()](error_code error) {
      if (error) return;
      self->room_.sessions.insert(self.get());
      self->read();
    });
  }

  void send(std::shared_ptr<const std::string> message) {
    unsent_.push_back(std::move(message));
    if (unsent_.size() == 1) write();
  }

 private:
  void read() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) {
        self->room_.sessions.erase(self.get());
        return;
      }
      const auto message =
          std::make_shared<const std::string>(beast::buffers_to_string(self->buffer_.data()));
      self->buffer_.consume(self->buffer_.size());
      self->take(message);
      self->read();
    });
  }

  void take(const std::shared_ptr<const std::string>& message) {
    if (room_.echo) return send(message);
    for (Session* session : room_.sessions) {
      if (session != this) session->send(message);
    }
  }

  void write() {
    stream_.text(true);
    stream_.async_write(asio::buffer(*unsent_.front()),
                        [self = shared_from_this()](error_code error, std::size_t) {
                          if (error) return;
                          self->unsent_.pop_front();
                          if (!self->unsent_.empty()) self->write();
                        });
  }

  Stream stream_;
  Room& room_;
  beast::flat_buffer buffer_;
  std::deque<std::shared_ptr<const std::string>> unsent_;
};

void accept(tcp::acceptor& acceptor, Room& room) {
  acceptor.async_accept([&acceptor, &room](error_code error, tcp::socket socket) {
    if (!error) std::make_shared<Session>(std::move(socket), room)->start();
    accept(acceptor, room);
  });
}

[[noreturn]] void usage() {
  std::fputs("usage: bench_beast --mode echo|fanout [--port N]\n", stderr);
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  Room room;
  std::uint16_t port = 0;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) usage();
    const std::string_view flag = argv[i], value = argv[i + 1];
    if (flag == "--port") {
      port = static_cast<std::uint16_t>(std::atoi(argv[i + 1]));
    } else if (flag == "--mode" && (value == "echo" || value == "fanout")) {
      room.echo = value == "echo";
    } else {
      usage();
    }
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  asio::io_context context(1);
  tcp::acceptor acceptor(context);
  acceptor.open(tcp::v4());
  acceptor.set_option(asio::socket_base::reuse_address(true));
  acceptor.bind({asio::ip::address_v4::loopback(), port});
  acceptor.listen(kBacklog);
  accept(acceptor, room);
  std::printf("listening %u\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  context.run();
  return 0;
}
