// The socket of one client connection: reads into the shard's buffer, writes the outbox once per turn.
//
//   reading → (our end) lingering → closed          reading → (peer gone, or abort) closed
//
//   I1  Nothing is destroyed inside a batch: a closed connection is handed to the shard's sweep.
//   I2  After a graceful end our side is shut down and what still arrives is thrown away, up to a bound and
//       a time, so that the peer gets our last bytes instead of a reset.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/timer_wheel.h"
#include "io/poller.h"
#include "io/tls.h"
#include "pipeline/connection.h"

namespace wirehall::io {

class Shard;

/// Thread:   shard-affine.
class TcpConnection final : public pipeline::Connection, public Pollable {
 public:
  TcpConnection(Shard& shard, int socket, pipeline::PeerInfo peer, SslPtr ssl);
  ~TcpConnection();

  void on_hangup() override;
  void on_ready(bool readable, bool writable) override;
  /// What the shard has read for it, unless it has ended meanwhile.
  void process_received(char* begin, char* end) {
    in_group = InGroup::kProcessed;
    if (socket_ >= 0) receive(begin, end);
  }
  void prefetch_ahead(unsigned hops) const override;

  /// Registers with the poller. Returns: false when the system refused; the connection must be destroyed.
  bool start();
  /// Goes on with bytes that were kept, then with what the socket has.
  void resume();
  /// Writes what is pending, then does what the connection's end asks for.
  void flush();
  /// Whether flush() has one piece to write and nothing else to do: so it is for each receiver of a broadcast.
  bool writes_one_piece() const;
  static constexpr std::size_t kPiecesAtOnce = 16;
  /// flush() of several for which writes_one_piece() holds, step by step for all of them.
  /// Returns: of how many; fewer than there are (or than kPiecesAtOnce) behind one whose piece the kernel did not take.
  static std::size_t flush_pieces(std::span<pipeline::Connection* const> several);
  /// Writes what is pending in the middle of a turn; an error is left for the flush.
  void write_early();
  /// Ends at once.
  void close_now();
  bool closed() const { return socket_ < 0; }

  /// A connection on its way to another shard: the socket, and what was read but not processed.
  struct Moved {
    int socket = -1;
    pipeline::PeerInfo peer;
    SslPtr ssl;
    bool kernel_tls = false;
    pipeline::HeadPtr head;
    std::string kept;
  };
  /// For a connection that arrived from another shard.
  void arrive(Moved& moved);

 private:
  /// What few connections have: TLS, and a time by which its handshake, or the end, must be over.
  struct Extra final : ::wirehall::Timer {
    explicit Extra(TcpConnection& connection) : owner(connection) {}
    void on_timer(MonoTime) override { owner.close_now(); }
    TcpConnection& owner;
    SslPtr ssl;
    std::uint32_t discarded_bytes = 0;
  };
  void close_after(Duration time);
  enum class Io : std::uint8_t { kDone, kBlocked, kEnd, kError };
  void read_some(std::size_t read_before = 0);
  bool read_into_group(std::size_t& got);
  void stop_reading(Io result);
  bool read_proxy_header();
  bool handshake();
  bool hand_to_kernel();
  Io read_once(char* buffer, std::size_t size, std::size_t& got);
  Io write_once(std::size_t& written);
  Io write_tls(std::size_t& written);
  Io write_plain(std::size_t& written);
  Io write_pieces(std::size_t& written);
  template <class Send>
  static Io offer(Metrics& metrics, std::size_t offered, std::size_t& written, Send&& send);
  bool account(Io result, std::size_t written);
  void go_on();
  bool write_pending();
  void after_flush();
  void end_tls();
  void linger();
  void discard();
  void move_away(unsigned shard);

  Shard& shard() const;
  ssl_st* ssl() const { return extra_ ? extra_->ssl.get() : nullptr; }
  Extra& extra();

  // Laid out so that what is small stands in the gaps that the bases leave.
  bool readable_ : 1 = false;
  bool write_blocked_ : 1 = false;
  bool peer_closed_ : 1 = false;  // a hang-up was reported: read to the end
  bool handshaking_ : 1 = false;
  bool lingering_ : 1 = false;
  bool eof_reported_ : 1 = false;
  bool wrote_early_ : 1 = false;
  bool kernel_tls_ : 1 = false;  // the socket takes plain bytes for TLS (io/kernel_tls.h)

 public:
  bool in_read_list : 1 = false;  ///< the shard's
  /// The shard's: whether it has been read for the running group, and processed.
  enum class InGroup : std::uint8_t { kNo, kRead, kProcessed };
  InGroup in_group : 2 = InGroup::kNo;

 private:
  std::uint8_t read_in_turn_ = 0;  // the last digits of the turn in which this was read last
  int socket_;
  std::unique_ptr<Extra> extra_;
};

}  // namespace wirehall::io
