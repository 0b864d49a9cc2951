#include "io/tcp_connection.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "http1/forwarded.h"
#include "io/shard.h"
#include "io/system.h"

namespace wirehall::io {
namespace {

constexpr auto kLingerTime = std::chrono::seconds(2);
constexpr auto kTlsHandshakeTime = std::chrono::seconds(5);
constexpr std::uint32_t kDiscardBytesMax = 64 * 1024;
constexpr std::size_t kFlushBytesMax = 1024 * 1024;  // of one connection in one turn
constexpr int kPartsMax = 64;
constexpr std::size_t kTlsRecordBytes = 16 * 1024;

}  // namespace

TcpConnection::TcpConnection(Shard& shard, int socket, pipeline::PeerInfo peer, SslPtr ssl)
    : shard_(shard),
      socket_(socket),
      ssl_(std::move(ssl)),
      connection_(shard.core(), std::move(peer)) {
  connection_.io = this;
  if (!ssl_) return;
  handshaking_ = true;
  close_after(kTlsHandshakeTime);
}

TcpConnection::~TcpConnection() { close_now(); }

bool TcpConnection::start() { return shard_.poller().add(socket_, *this); }

void TcpConnection::close_now() {
  if (socket_ < 0) return;
  shard_.poller().remove(socket_, *this);
  deadline_.reset();
  ssl_.reset();
  ::close(socket_);
  socket_ = -1;
  shard_.retire(*this);
}

// -- in -----------------------------------------------------------------------------------------

void TcpConnection::on_hangup() {
  peer_closed_ = true;
  readable_ = true;
  // A stage that awaits a response takes no bytes; the peer's end must reach it all the same, at once.
  if (!handshaking_ && !lingering_ && !connection_.stage().accepts_input() && !eof_reported_) {
    eof_reported_ = true;
    connection_.receive_eof();
    connection_.touch();
    return;
  }
  read_some();
}

void TcpConnection::on_ready(bool readable, bool writable) {
  if (readable) readable_ = true;
  if (handshaking_) {
    if (!handshake()) return;
  }
  if (readable_) read_some();
  if (writable && write_blocked_ && socket_ >= 0) {
    write_blocked_ = false;
    connection_.touch();
  }
  // An answer that concerns nobody else is written while its bytes are in the cache. As soon as others are
  // touched too, as by a broadcast, writing waits for the end of the turn, when more may have come together.
  if (shard_.core().take_if_alone(connection_)) flush();
}

// A TCP proxy puts its header in front of TLS. Returns: whether that is settled.
bool TcpConnection::read_proxy_header() {
  std::array<char, 16 + 2048> front;
  const ssize_t got = ::recv(socket_, front.data(), front.size(), MSG_PEEK);
  if (got > 0) {
    const http1::ProxyHeader header =
        http1::read_proxy_header({front.data(), static_cast<std::size_t>(got)});
    switch (header.step) {
      case http1::ProxyHeader::Step::kNone: connection_.set_proxied_address({}); return true;
      case http1::ProxyHeader::Step::kDone:
        (void)::recv(socket_, front.data(), header.size, 0);
        connection_.set_proxied_address(header.address);
        return true;
      case http1::ProxyHeader::Step::kMalformed: close_now(); return false;
      case http1::ProxyHeader::Step::kNeedMore: break;
    }
  }
  if (got == 0 || peer_closed_) {
    close_now();
    return false;
  }
  shard_.poller().arm_read(*this);
  return false;
}

bool TcpConnection::handshake() {
  if (connection_.expects_proxy_header() && !read_proxy_header()) return false;
  const int result = SSL_accept(ssl_.get());
  if (result == 1) {
    handshaking_ = false;
    deadline_.reset();
    readable_ = true;
    return true;
  }
  const int error = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    if (error == SSL_ERROR_WANT_READ) {
      shard_.poller().arm_read(*this);
    } else {
      shard_.poller().arm_write(*this);
    }
    if (!peer_closed_) return false;
  }
  close_now();
  return false;
}

void TcpConnection::resume() {
  if (socket_ < 0) return;
  connection_.resume();
  if (readable_) read_some();
}

TcpConnection::Io TcpConnection::read_once(char* buffer, std::size_t size, std::size_t& got) {
  for (;;) {
    if (ssl_) {
      const int result = SSL_read_ex(ssl_.get(), buffer, size, &got);
      if (result == 1) return Io::kDone;
      const int error = SSL_get_error(ssl_.get(), result);
      ERR_clear_error();
      if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return Io::kBlocked;
      return error == SSL_ERROR_ZERO_RETURN ? Io::kEnd : Io::kError;
    }
    const ssize_t result = receive_bytes(socket_, buffer, size);
    if (result > 0) {
      got = static_cast<std::size_t>(result);
      return Io::kDone;
    }
    if (result == 0) return Io::kEnd;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? Io::kBlocked : Io::kError;
  }
}

void TcpConnection::read_some() {
  if (lingering_) {
    discard();
    return;
  }
  const auto buffer = shard_.receive_buffer();
  std::size_t budget = shard_.core().limits().read_turn_bytes_max;
  while (socket_ >= 0 && connection_.wants_read() && budget != 0) {
    std::size_t got = 0;
    switch (read_once(buffer.data(), buffer.size(), got)) {
      case Io::kDone:
        connection_.receive(buffer.data(), buffer.data() + got);
        budget -= std::min(budget, got);
        // A short read has emptied the socket; what comes later is reported anew. TLS and a reported
        // hang-up must be read to the end.
        if (got < buffer.size() && !ssl_ && !peer_closed_) {
          readable_ = false;
          shard_.poller().arm_read(*this);
          return;
        }
        break;
      case Io::kBlocked:
        readable_ = false;
        shard_.poller().arm_read(*this);
        return;
      case Io::kEnd:
        readable_ = false;
        if (!eof_reported_) {
          eof_reported_ = true;
          connection_.receive_eof();
          connection_.touch();
        }
        return;
      case Io::kError:
        connection_.gone(true);
        close_now();
        return;
    }
  }
  if (socket_ >= 0 && readable_ && connection_.wants_read()) shard_.read_later(*this);
}

// -- out ----------------------------------------------------------------------------------------

TcpConnection::Io TcpConnection::write_plain(std::size_t& written) {
  Outbox& outbox = connection_.outbox();
  std::array<iovec, kPartsMax> parts;
  int count = outbox.gather(parts.data(), kPartsMax);
  const auto scratch = shard_.write_buffer();
  iovec joined{};
  if (count > 1 && outbox.bytes() <= scratch.size()) {
    // Small pieces are cheaper copied together than listed: the kernel charges for each entry.
    joined.iov_len = outbox.copy_front(scratch.data(), scratch.size());
    joined.iov_base = scratch.data();
    parts[0] = joined;
    count = 1;
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = static_cast<std::size_t>(count);
  for (;;) {
    shard_.core().metrics().add(Counter::kWrites);
    const ssize_t result = count == 1 ? send_bytes(socket_, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL)
                                      : ::sendmsg(socket_, &message, MSG_NOSIGNAL);
    if (result >= 0) {
      written = static_cast<std::size_t>(result);
      std::size_t offered = 0;
      for (int i = 0; i < count; ++i) offered += parts[static_cast<std::size_t>(i)].iov_len;
      return written < offered ? Io::kBlocked : Io::kDone;
    }
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? Io::kBlocked : Io::kError;
  }
}

TcpConnection::Io TcpConnection::write_tls(std::size_t& written) {
  const auto scratch = shard_.write_buffer();
  // Offered again after WANT_WRITE, the same front comes out: the queue only grows behind it.
  const std::size_t size =
      connection_.outbox().copy_front(scratch.data(), std::min(scratch.size(), kTlsRecordBytes));
  shard_.core().metrics().add(Counter::kWrites);
  const int result = SSL_write_ex(ssl_.get(), scratch.data(), size, &written);
  if (result == 1) return Io::kDone;
  written = 0;
  connection_.outbox().pin(size);  // OpenSSL holds a record of them
  const int error = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? Io::kBlocked : Io::kError;
}

TcpConnection::Io TcpConnection::write_once(std::size_t& written) {
  return ssl_ ? write_tls(written) : write_plain(written);
}

// Returns whether the connection is still there.
bool TcpConnection::write_pending() {
  std::size_t total = 0;
  while (!connection_.outbox().empty() && !write_blocked_ && total < kFlushBytesMax) {
    std::size_t written = 0;
    switch (write_once(written)) {
      case Io::kDone: connection_.wrote(written); break;
      case Io::kBlocked:
        write_blocked_ = true;
        shard_.poller().arm_write(*this);
        connection_.wrote(written);
        break;
      default:
        connection_.gone(true);
        close_now();
        return false;
    }
    total += written;
  }
  if (!connection_.outbox().empty() && !write_blocked_) connection_.touch();
  return true;
}

void TcpConnection::write_early() {
  if (socket_ < 0 || handshaking_) return;
  std::size_t total = 0;
  while (!connection_.outbox().empty() && !write_blocked_ && total < kFlushBytesMax) {
    std::size_t written = 0;
    const Io result = write_once(written);
    if (result != Io::kDone && result != Io::kBlocked) return;
    if (result == Io::kBlocked) {
      write_blocked_ = true;
      shard_.poller().arm_write(*this);
    }
    connection_.wrote_early(written);
    wrote_early_ = true;
    total += written;
  }
}

void TcpConnection::flush() {
  connection_.touched = false;
  if (socket_ < 0) return;
  if (std::exchange(wrote_early_, false) && connection_.outbox().empty()) connection_.wrote(0);
  if (connection_.ending() == pipeline::Connection::Ending::kAbort) {
    close_now();
    return;
  }
  if (handshaking_) {
    if (connection_.ending() != pipeline::Connection::Ending::kNone) close_now();
    return;
  }
  if (!write_pending()) return;
  after_flush();
}

void TcpConnection::after_flush() {
  using Ending = pipeline::Connection::Ending;
  if (connection_.ending() == Ending::kAbort) {
    close_now();
    return;
  }
  if (!connection_.outbox().empty()) return;
  if (connection_.ending() == Ending::kGraceful) {
    if (!lingering_) linger();
  } else if (connection_.migrating_to() >= 0) {
    move_away(static_cast<unsigned>(connection_.migrating_to()));
  } else if (readable_ && connection_.wants_read()) {
    shard_.read_later(*this);
  }
}

// -- end ----------------------------------------------------------------------------------------

void TcpConnection::linger() {
  if (eof_reported_) {
    if (ssl_) SSL_shutdown(ssl_.get());
    close_now();
    return;
  }
  lingering_ = true;
  if (ssl_) {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  ::shutdown(socket_, SHUT_WR);
  close_after(kLingerTime);
  if (readable_) discard();
}

void TcpConnection::discard() {
  const auto buffer = shard_.receive_buffer();
  while (socket_ >= 0) {
    const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      readable_ = false;
      shard_.poller().arm_read(*this);
      return;
    }
    if (got > 0) discarded_bytes_ += static_cast<std::uint32_t>(got);
    if (got <= 0 || discarded_bytes_ > kDiscardBytesMax) {
      close_now();
      return;
    }
  }
}

void TcpConnection::close_after(Duration time) {
  deadline_ = std::make_unique<Deadline>(*this);
  shard_.core().timers().schedule(*deadline_, shard_.core().now() + time);
}

void TcpConnection::move_away(unsigned target) {
  auto moved = std::make_shared<Moved>();
  moved->peer = connection_.peer();
  moved->head = connection_.take_migrating_head();
  moved->kept = connection_.take_kept();
  moved->ssl = std::move(ssl_);
  shard_.poller().remove(socket_, *this);
  moved->socket = std::exchange(socket_, -1);
  shard_.retire(*this);
  shard_.send_connection(target, std::move(moved));
}

void TcpConnection::arrive(Moved& moved) {
  handshaking_ = false;
  deadline_.reset();
  readable_ = true;
  connection_.arrive(std::move(moved.head), std::move(moved.kept));
  connection_.touch();
  shard_.read_later(*this);
}

}  // namespace wirehall::io
