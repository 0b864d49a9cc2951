#include "client/channel.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace wirehall::client {
namespace {

namespace asio = boost::asio;

// How long the peer may take to say that it has read everything.
constexpr auto kLingerMax = std::chrono::seconds(1);

bool is_address(const std::string& host) {
  boost::system::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

Result<std::shared_ptr<asio::ssl::context>> make_tls_context(const ClientTls& options) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  boost::system::error_code error;
  if (options.ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(options.ca_file, error);
  }
  if (error)
    return Error(ErrorCode::kTlsFailed,
                 "the trusted certificates " + options.ca_file + " cannot be read: " + error.message());
  context->set_verify_mode(options.verify ? asio::ssl::verify_peer : asio::ssl::verify_none, error);
  return context;
}

Channel::Channel(asio::io_context& io, ChannelOwner& owner, std::uint32_t id, const Endpoint& endpoint,
                 const ClientTls& tls, std::shared_ptr<asio::ssl::context> context)
    : io_(io),
      owner_(&owner),
      id_(id),
      endpoint_(endpoint),
      options_(tls),
      context_(std::move(context)),
      resolver_(io),
      socket_(io),
      linger_(io) {}

void Channel::open() {
  resolver_.async_resolve(endpoint_.host, std::to_string(endpoint_.port),
                          [self = shared_from_this()](const ErrorCodeOfAsio& error, const auto& addresses) {
                            if (self->state_ != State::kOpening) return self->finish();
                            if (error)
                              return self->fail(Error(ErrorCode::kConnectionFailed,
                                                      "the name " + self->endpoint_.host + " is not known (" +
                                                          error.message() + ")"));
                            self->connect(addresses);
                          });
}

void Channel::connect(const asio::ip::tcp::resolver::results_type& addresses) {
  asio::async_connect(
      socket_, addresses, [self = shared_from_this()](const ErrorCodeOfAsio& error, const auto&) {
        if (self->state_ != State::kOpening) return self->finish();
        const std::string& name = self->endpoint_.authority_with_port;
        if (error == asio::error::connection_refused)
          return self->fail(Error(ErrorCode::kConnectionFailed, name + " refused: nothing listens there"));
        if (error) return self->fail(Error(ErrorCode::kConnectionFailed, name + ": " + error.message()));
        ErrorCodeOfAsio ignored;
        self->socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
        if (!self->endpoint_.tls) return self->ready();
        if (!self->start_tls()) return;
        self->tls_->async_handshake(asio::ssl::stream_base::client, [self](const ErrorCodeOfAsio& failed) {
          if (self->state_ != State::kOpening) return self->finish();
          if (failed) return self->fail(Error(ErrorCode::kTlsFailed, self->tls_reason(failed)));
          self->ready();
        });
      });
}

bool Channel::start_tls() {
  tls_ = std::make_unique<asio::ssl::stream<asio::ip::tcp::socket&>>(socket_, *context_);
  SSL* ssl = tls_->native_handle();
  const std::string& name = options_.server_name.empty() ? endpoint_.host : options_.server_name;
  bool set = true;
  if (is_address(name)) {
    set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
  } else {
    set = SSL_set_tlsext_host_name(ssl, name.c_str()) == 1 && SSL_set1_host(ssl, name.c_str()) == 1;
  }
  static constexpr unsigned char kHttp1[] = "\x08http/1.1";
  SSL_set_alpn_protos(ssl, kHttp1, sizeof kHttp1 - 1);
  if (!set) fail(Error(ErrorCode::kTlsFailed, "no certificate can name " + name));
  return set;
}

std::string Channel::tls_reason(const ErrorCodeOfAsio& error) const {
  const std::string& name = endpoint_.authority_with_port;
  const long verified = SSL_get_verify_result(tls_->native_handle());
  if (options_.verify && verified != X509_V_OK)
    return "the certificate of " + name + " is not trusted: " + X509_verify_cert_error_string(verified);
  if (error.category() == asio::error::get_ssl_category() &&
      ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_WRONG_VERSION_NUMBER)
    return name + " does not speak TLS: is the URL http or ws?";
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated)
    return name + " closed the connection during the TLS handshake";
  return name + ": " + error.message();
}

void Channel::ready() {
  state_ = State::kOpen;
  owner_->channel_opened(id_);
  read();
}

void Channel::read() {
  if (state_ == State::kFinished) return;
  with_stream([&](auto& stream) {
    stream.async_read_some(asio::buffer(buffer_),
                           [self = shared_from_this()](const ErrorCodeOfAsio& error, std::size_t bytes) {
                             self->on_read(error, bytes);
                           });
  });
}

void Channel::on_read(const ErrorCodeOfAsio& error, std::size_t bytes) {
  if (state_ == State::kFinished) return;
  if (error) {
    if (state_ == State::kClosing) return finish();
    if (error == asio::error::eof || error == asio::ssl::error::stream_truncated)
      return fail(Error(ErrorCode::kDisconnected, "the server closed the connection"));
    return fail(Error(ErrorCode::kConnectionFailed, endpoint_.authority_with_port + ": " + error.message()));
  }
  if (owner_ != nullptr) owner_->channel_received(id_, buffer_.data(), buffer_.data() + bytes);
  read();
}

void Channel::send(std::string bytes) {
  queue_.push_back(std::move(bytes));
  if (!writing_ && state_ != State::kOpening) write();
}

void Channel::write() {
  if (queue_.empty() || state_ == State::kFinished) return;
  leaving_ = std::exchange(queue_, {});
  std::vector<asio::const_buffer> buffers;
  for (const std::string& bytes : leaving_) buffers.push_back(asio::buffer(bytes));
  writing_ = true;
  with_stream([&](auto& stream) {
    asio::async_write(stream, buffers,
                      [self = shared_from_this()](const ErrorCodeOfAsio& error, std::size_t bytes) {
                        self->writing_ = false;
                        self->leaving_.clear();
                        if (self->state_ == State::kFinished) return;
                        // The reader learns why, and what the server said before it went.
                        if (error) return self->state_ == State::kClosing ? self->finish() : void();
                        if (self->owner_ != nullptr) self->owner_->channel_written(self->id_, bytes);
                        if (!self->queue_.empty()) return self->write();
                        if (self->state_ == State::kClosing) self->shut_down();
                      });
  });
}

void Channel::close() {
  owner_ = nullptr;
  if (state_ == State::kFinished) return;
  if (state_ == State::kOpening) return reset();
  state_ = State::kClosing;
  linger_.expires_after(kLingerMax);
  linger_.async_wait([self = shared_from_this()](const ErrorCodeOfAsio& error) {
    if (!error) self->finish();
  });
  if (!writing_) queue_.empty() ? shut_down() : write();
}

void Channel::shut_down() {
  if (std::exchange(shut_, true)) return;
  if (tls_) {
    // close_notify, without waiting for the peer's: the reader sees it, or the linger ends.
    SSL_set_quiet_shutdown(tls_->native_handle(), 0);
    tls_->async_shutdown([self = shared_from_this()](const ErrorCodeOfAsio&) { self->finish(); });
    return;
  }
  ErrorCodeOfAsio ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void Channel::reset() {
  owner_ = nullptr;
  finish();
}

void Channel::finish() {
  state_ = State::kFinished;
  linger_.cancel();
  resolver_.cancel();
  ErrorCodeOfAsio ignored;
  socket_.close(ignored);
}

void Channel::fail(Error error) {
  ChannelOwner* const owner = std::exchange(owner_, nullptr);
  finish();
  if (owner != nullptr) owner->channel_ended(id_, error);
}

}  // namespace wirehall::client
