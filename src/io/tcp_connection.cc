#include "io/tcp_connection.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/prefetch.h"
#include "http1/forwarded.h"
#include "io/kernel_tls.h"
#include "io/shard.h"
#include "io/system.h"

namespace wirehall::io {
namespace {

constexpr auto kLingerTime = std::chrono::seconds(2);
constexpr auto kTlsHandshakeTime = std::chrono::seconds(5);
constexpr std::uint32_t kDiscardBytesMax = 64 * 1024;
constexpr std::size_t kFlushBytesMax = 1024 * 1024;  // of one connection in one turn
constexpr int kPartsMax = 64;
constexpr std::size_t kStageBytes = 128;  // of a stage, what is asked for ahead
constexpr std::size_t kTlsRecordBytes = 16 * 1024;

}  // namespace

TcpConnection::TcpConnection(Shard& shard, int socket, pipeline::PeerInfo peer, SslPtr ssl)
    : Connection(shard.core(), std::move(peer)), socket_(socket) {
  if (!ssl) return;
  extra().ssl = std::move(ssl);
  handshaking_ = true;
  close_after(kTlsHandshakeTime);
}

TcpConnection::~TcpConnection() { close_now(); }

Shard& TcpConnection::shard() const { return Shard::of(core()); }

TcpConnection::Extra& TcpConnection::extra() {
  if (!extra_) extra_ = std::make_unique<Extra>(*this);
  return *extra_;
}

bool TcpConnection::start() { return shard().poller().add(socket_, *this); }

void TcpConnection::close_now() {
  if (socket_ < 0) return;
  shard().poller().remove(socket_, *this);
  extra_.reset();
  ::close(socket_);
  socket_ = -1;
  shard().retire(*this);
}

// -- in -----------------------------------------------------------------------------------------

void TcpConnection::on_hangup() {
  peer_closed_ = true;
  readable_ = true;
  // A stage that awaits a response takes no bytes; the peer's end must reach it all the same, at once.
  if (!handshaking_ && !lingering_ && !stage().accepts_input() && !eof_reported_) {
    eof_reported_ = true;
    receive_eof();
    touch();
    return;
  }
  read_some();
}

void TcpConnection::prefetch_ahead(unsigned hops) const {
  if (hops == 1) {
    prefetch(&stage(), kStageBytes);
  } else {
    stage().prefetch_state();
  }
}

void TcpConnection::on_ready(bool readable, bool writable) {
  if (readable) readable_ = true;
  if (handshaking_) {
    if (!handshake()) return;
  }
  if (std::size_t got = 0; readable_ && !read_into_group(got)) {
    shard().serve_group();
    read_some(got);
  }
  if (writable && write_blocked_ && socket_ >= 0) {
    write_blocked_ = false;
    touch();
  }
  // As the group does with its answers; never before what was read has been processed.
  if (in_group != InGroup::kRead && core().take_if_alone(*this)) flush();
}

// A TCP proxy puts its header in front of TLS. Returns: whether that is settled.
bool TcpConnection::read_proxy_header() {
  std::array<char, 16 + 2048> front;
  const ssize_t got = ::recv(socket_, front.data(), front.size(), MSG_PEEK);
  if (got > 0) {
    const http1::ProxyHeader header =
        http1::read_proxy_header({front.data(), static_cast<std::size_t>(got)});
    switch (header.step) {
      case http1::ProxyHeader::Step::kNone: set_proxied_address({}); return true;
      case http1::ProxyHeader::Step::kDone:
        (void)::recv(socket_, front.data(), header.size, 0);
        set_proxied_address(header.address);
        return true;
      case http1::ProxyHeader::Step::kMalformed: close_now(); return false;
      case http1::ProxyHeader::Step::kNeedMore: break;
    }
  }
  if (got == 0 || peer_closed_) {
    close_now();
    return false;
  }
  shard().poller().arm_read(*this);
  return false;
}

bool TcpConnection::handshake() {
  if (expects_proxy_header() && !read_proxy_header()) return false;
  const int result = SSL_accept(ssl());
  if (result == 1) {
    handshaking_ = false;
    core().timers().cancel(*extra_);
    readable_ = true;
    return hand_to_kernel();
  }
  const int error = SSL_get_error(ssl(), result);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    if (error == SSL_ERROR_WANT_READ) {
      shard().poller().arm_read(*this);
    } else {
      shard().poller().arm_write(*this);
    }
    if (!peer_closed_) return false;
  }
  close_now();
  return false;
}

// Returns: whether the connection is still there.
bool TcpConnection::hand_to_kernel() {
  switch (kernel_tls::hand_over(ssl(), socket_)) {
    case kernel_tls::HandOver::kKept: return true;
    case kernel_tls::HandOver::kBroken: close_now(); return false;
    case kernel_tls::HandOver::kDone: break;
  }
  core().metrics().add(Counter::kTlsInKernel);
  extra_.reset();
  kernel_tls_ = true;
  return true;
}

void TcpConnection::resume() {
  if (socket_ < 0) return;
  Connection::resume();
  if (readable_) read_some();
}

TcpConnection::Io TcpConnection::read_once(char* buffer, std::size_t size, std::size_t& got) {
  for (;;) {
    if (ssl()) {
      const int result = SSL_read_ex(ssl(), buffer, size, &got);
      if (result == 1) return Io::kDone;
      const int error = SSL_get_error(ssl(), result);
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
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Io::kBlocked;
    return kernel_tls_ && kernel_tls::answer_failed_read(socket_, errno) ? Io::kEnd : Io::kError;
  }
}

// Reads once, as is usual; it is processed together with what others have sent. Returns: whether that was all.
bool TcpConnection::read_into_group(std::size_t& got) {
  const std::uint8_t turn = shard().turn_digits();
  if (extra_ || kernel_tls_ || lingering_ || peer_closed_ || !wants_read() || (shard().takes_more() && read_in_turn_ == turn)) return false;
  read_in_turn_ = turn;
  const auto room = shard().group_room();
  const Io result = read_once(room.data(), room.size(), got);
  if (result != Io::kDone) {
    // What others have sent came before its end.
    if (result != Io::kBlocked) shard().serve_group();
    stop_reading(result);
    return true;
  }
  // A short read has emptied the socket; what comes later is reported anew.
  const bool all = got < room.size();
  if (all) stop_reading(Io::kBlocked);
  shard().received(*this, got);
  return all;
}

// There is nothing to read, or never will be.
void TcpConnection::stop_reading(Io result) {
  readable_ = false;
  if (result == Io::kBlocked) {
    shard().poller().arm_read(*this);
  } else if (result == Io::kError) {
    gone(true);
    close_now();
  } else if (!eof_reported_) {
    eof_reported_ = true;
    receive_eof();
    touch();
  }
}

// `read_before`: of what it may read in a turn.
void TcpConnection::read_some(std::size_t read_before) {
  if (lingering_) {
    discard();
    return;
  }
  // What it has sent meanwhile waits for the next turn, since its budget is a turn's; but an end is told at once.
  const std::uint8_t turn = shard().turn_digits();
  if (shard().takes_more() && read_in_turn_ == turn && !peer_closed_) {
    shard().read_later(*this);
    return;
  }
  read_in_turn_ = turn;
  const auto buffer = shard().receive_buffer();
  std::size_t budget = core().limits().read_turn_bytes_max;
  budget -= std::min(budget, read_before);
  while (socket_ >= 0 && wants_read() && budget != 0) {
    std::size_t got = 0;
    const Io result = read_once(buffer.data(), buffer.size(), got);
    switch (result) {
      case Io::kDone:
        receive(buffer.data(), buffer.data() + got);
        budget -= std::min(budget, got);
        // A short read has emptied the socket; what comes later is reported anew. TLS and a reported
        // hang-up must be read to the end.
        if (got < buffer.size() && !ssl() && !kernel_tls_ && !peer_closed_) {
          stop_reading(Io::kBlocked);
          return;
        }
        break;
      case Io::kBlocked:
      case Io::kEnd:
      case Io::kError: stop_reading(result); return;
    }
  }
  if (socket_ >= 0 && readable_ && wants_read()) shard().read_later(*this);
}

// -- out ----------------------------------------------------------------------------------------

// Offers bytes by `send` until the kernel has taken some, or says that it does not.
template <class Send>
TcpConnection::Io TcpConnection::offer(Metrics& metrics, std::size_t offered, std::size_t& written, Send&& send) {
  for (;;) {
    metrics.add(Counter::kWrites);  // before, so that who has the bytes finds the call counted
    const ssize_t result = send();
    if (result >= 0) {
      written = static_cast<std::size_t>(result);
      return written < offered ? Io::kBlocked : Io::kDone;
    }
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? Io::kBlocked : Io::kError;
  }
}

TcpConnection::Io TcpConnection::write_plain(std::size_t& written) {
  // As a rule there is one piece: an answer, or a frame that others get too.
  if (outbox().bytes_behind_front() != 0) return write_pieces(written);
  const std::string_view only = outbox().front();
  return offer(core().metrics(), only.size(), written,
               [&] { return send_bytes(socket_, only.data(), only.size(), MSG_NOSIGNAL); });
}

TcpConnection::Io TcpConnection::write_pieces(std::size_t& written) {
  const auto scratch = shard().write_buffer();
  if (outbox().bytes() <= scratch.size()) {
    // Small pieces are cheaper copied together than listed: the kernel charges for each entry.
    const std::size_t size = outbox().copy_front(scratch.data(), scratch.size());
    return offer(core().metrics(), size, written,
                 [&] { return send_bytes(socket_, scratch.data(), size, MSG_NOSIGNAL); });
  }
  std::array<iovec, kPartsMax> parts;
  const int count = outbox().gather(parts.data(), kPartsMax);
  std::size_t offered = 0;
  for (int i = 0; i < count; ++i) offered += parts[static_cast<std::size_t>(i)].iov_len;
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = static_cast<std::size_t>(count);
  return offer(core().metrics(), offered, written, [&] { return ::sendmsg(socket_, &message, MSG_NOSIGNAL); });
}

TcpConnection::Io TcpConnection::write_tls(std::size_t& written) {
  const auto scratch = shard().write_buffer();
  // Offered again after WANT_WRITE, the same front comes out: the queue only grows behind it.
  const std::size_t size =
      outbox().copy_front(scratch.data(), std::min(scratch.size(), kTlsRecordBytes));
  core().metrics().add(Counter::kWrites);
  const int result = SSL_write_ex(ssl(), scratch.data(), size, &written);
  if (result == 1) return Io::kDone;
  written = 0;
  outbox().pin(size);  // OpenSSL holds a record of them
  const int error = SSL_get_error(ssl(), result);
  ERR_clear_error();
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? Io::kBlocked : Io::kError;
}

TcpConnection::Io TcpConnection::write_once(std::size_t& written) {
  return ssl() ? write_tls(written) : write_plain(written);
}

// Tells what an attempt to write has come to. Returns whether the connection is still there.
bool TcpConnection::account(Io result, std::size_t written) {
  switch (result) {
    case Io::kBlocked:
      write_blocked_ = true;
      shard().poller().arm_write(*this);
      [[fallthrough]];
    case Io::kDone: wrote(written); return true;
    default:
      gone(true);
      close_now();
      return false;
  }
}

// Returns whether the connection is still there.
bool TcpConnection::write_pending() {
  std::size_t total = 0;
  while (!outbox().empty() && !write_blocked_ && total < kFlushBytesMax) {
    std::size_t written = 0;
    const Io result = write_once(written);
    if (!account(result, written)) return false;
    total += written;
  }
  if (!outbox().empty() && !write_blocked_) touch();
  return true;
}

void TcpConnection::write_early() {
  if (socket_ < 0 || handshaking_) return;
  std::size_t total = 0;
  while (!outbox().empty() && !write_blocked_ && total < kFlushBytesMax) {
    std::size_t written = 0;
    const Io result = write_once(written);
    if (result != Io::kDone && result != Io::kBlocked) return;
    if (result == Io::kBlocked) {
      write_blocked_ = true;
      shard().poller().arm_write(*this);
    }
    wrote_early(written);
    wrote_early_ = true;
    total += written;
  }
}

bool TcpConnection::writes_one_piece() const {
  return is_settled() && outbox().is_one_piece() && !extra_ && !write_blocked_ && !readable_ && !wrote_early_ &&
         socket_ >= 0;
}

std::size_t TcpConnection::flush_pieces(std::span<pipeline::Connection* const> several) {
  const auto at = [&](std::size_t i) -> TcpConnection& { return static_cast<TcpConnection&>(*several[i]); };
  struct Piece {
    int socket;
    std::string_view bytes;
  };
  std::array<Piece, kPiecesAtOnce> pieces;
  const std::size_t count = std::min(several.size(), pieces.size());
  for (std::size_t i = 0; i < count; ++i) pieces[i] = {at(i).socket_, at(i).outbox().front()};
  Metrics& metrics = at(0).core().metrics();
  std::size_t sent = 0, written = 0;
  Io result = Io::kDone;
  for (; sent < count; ++sent) {
    const auto [socket, bytes] = pieces[sent];
    result = offer(metrics, bytes.size(), written, [socket = socket, bytes = bytes] {
      return send_bytes(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    });
    if (result != Io::kDone) break;
  }
  for (std::size_t i = 0; i < sent; ++i) {
    at(i).touched = false;
    at(i).forget_piece();
  }
  // Whoever is told may do anything to the others: by now each says what it has left.
  TcpConnection* const other = sent < count ? &at(sent) : nullptr;
  if (other != nullptr) {
    other->touched = false;
    if (other->account(result, written)) other->go_on();
  }
  for (std::size_t i = 0; i < sent; ++i) {
    if (at(i).socket_ < 0) continue;
    at(i).tell_drained();
    at(i).go_on();
  }
  return other != nullptr ? sent + 1 : sent;
}

// What being told of it has led the stage to.
void TcpConnection::go_on() {
  if ((!is_settled() || !outbox().empty()) && write_pending()) after_flush();
}

void TcpConnection::flush() {
  touched = false;
  if (writes_one_piece()) {
    pipeline::Connection* const alone = this;
    flush_pieces({&alone, 1});
    return;
  }
  if (socket_ < 0) return;
  const bool wrote_early = wrote_early_;
  wrote_early_ = false;
  if (wrote_early && outbox().empty()) wrote(0);
  if (ending() == pipeline::Connection::Ending::kAbort) {
    close_now();
    return;
  }
  if (handshaking_) {
    if (ending() != pipeline::Connection::Ending::kNone) close_now();
    return;
  }
  if (!write_pending()) return;
  after_flush();
}

void TcpConnection::after_flush() {
  if (ending() == Ending::kAbort) {
    close_now();
    return;
  }
  if (!outbox().empty()) return;
  if (ending() == Ending::kGraceful) {
    if (!lingering_) linger();
  } else if (migrating_to() >= 0) {
    move_away(static_cast<unsigned>(migrating_to()));
  } else if (readable_ && wants_read()) {
    shard().read_later(*this);
  }
}

// -- end ----------------------------------------------------------------------------------------

void TcpConnection::end_tls() {
  if (kernel_tls_) kernel_tls::send_close_notify(socket_);
  if (!ssl()) return;
  SSL_shutdown(ssl());
  ERR_clear_error();
}

void TcpConnection::linger() {
  if (eof_reported_) {
    end_tls();
    close_now();
    return;
  }
  lingering_ = true;
  end_tls();
  ::shutdown(socket_, SHUT_WR);
  close_after(kLingerTime);
  if (readable_) discard();
}

void TcpConnection::discard() {
  // It may come to that while others' bytes are in the receive buffer.
  const auto buffer = shard().write_buffer();
  while (socket_ >= 0) {
    const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      readable_ = false;
      shard().poller().arm_read(*this);
      return;
    }
    if (got > 0) extra_->discarded_bytes += static_cast<std::uint32_t>(got);
    if (got <= 0 || extra_->discarded_bytes > kDiscardBytesMax) {
      close_now();
      return;
    }
  }
}

void TcpConnection::close_after(Duration time) {
  core().timers().schedule(extra(), core().now() + time);
}

void TcpConnection::move_away(unsigned target) {
  auto moved = std::make_shared<Moved>();
  moved->peer = peer();
  moved->head = take_migrating_head();
  moved->kept = take_kept();
  if (extra_) moved->ssl = std::move(extra_->ssl);
  moved->kernel_tls = kernel_tls_;
  shard().poller().remove(socket_, *this);
  moved->socket = std::exchange(socket_, -1);
  shard().retire(*this);
  shard().send_connection(target, std::move(moved));
}

void TcpConnection::arrive(Moved& moved) {
  handshaking_ = false;
  kernel_tls_ = moved.kernel_tls;
  if (extra_) core().timers().cancel(*extra_);
  readable_ = true;
  Connection::arrive(std::move(moved.head), std::move(moved.kept));
  touch();
  shard().read_later(*this);
}

}  // namespace wirehall::io
