// The shell's side of the wire: a TCP connection, with TLS where the URL wants it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/url.h"
#include "wirehall/client.h"

namespace wirehall::client {

/// Who hears of a channel.
class ChannelOwner {
 public:
  virtual void channel_opened(std::uint32_t channel) = 0;
  virtual void channel_received(std::uint32_t channel, char* begin, char* end) = 0;
  virtual void channel_written(std::uint32_t channel, std::size_t bytes) = 0;
  virtual void channel_ended(std::uint32_t channel, const Error& error) = 0;

 protected:
  ~ChannelOwner() = default;
};

/// Errors:   kTlsFailed with the reason: files that cannot be read.
Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const ClientTls& options);

/// Resolves, connects, shakes hands, reads and writes; what it is called for afterwards it does at once or
/// never.
///
/// Thread:   the client's.
/// Lifetime: keeps itself while an operation is under way; it does not speak to its owner behind close().
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  Channel(boost::asio::io_context& io, ChannelOwner& owner, std::uint32_t id, const Endpoint& endpoint,
          const ClientTls& tls, std::shared_ptr<boost::asio::ssl::context> context);

  void open();
  void send(std::string bytes);
  /// Writes what was sent, says that nothing more comes, and waits a moment for the peer to say the same.
  void close();
  /// At once.
  void reset();
  bool finished() const { return state_ == State::kFinished; }

 private:
  using ErrorCodeOfAsio = boost::system::error_code;
  enum class State : std::uint8_t { kOpening, kOpen, kClosing, kFinished };

  bool start_tls();
  void connect(const boost::asio::ip::tcp::resolver::results_type& addresses);
  void ready();
  void read();
  void on_read(const ErrorCodeOfAsio& error, std::size_t bytes);
  void write();
  void shut_down();
  void fail(Error error);
  void finish();
  std::string tls_reason(const ErrorCodeOfAsio& error) const;

  template <class Operation>
  void with_stream(Operation operation) {
    if (tls_) {
      operation(*tls_);
    } else {
      operation(socket_);
    }
  }

  boost::asio::io_context& io_;
  ChannelOwner* owner_;  // nullptr once nothing is told any more
  std::uint32_t id_;
  Endpoint endpoint_;
  ClientTls options_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  boost::asio::steady_timer linger_;
  State state_ = State::kOpening;
  bool writing_ = false;
  bool shut_ = false;
  std::vector<std::string> queue_;    // to be written
  std::vector<std::string> leaving_;  // being written
  std::array<char, 65'536> buffer_;
};

}  // namespace wirehall::client
